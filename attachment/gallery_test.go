package attachment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestGallery(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	picture, text := pngFile(t, 20, 10), []byte("hello")
	for _, encrypted := range []bool{false, true} {
		gallery := must(attachment.NewGallery(deadline(t), h.repo, encrypted, "Two files.", "<i>Two</i> files.",
			attachment.Of(attachment.Bytes("a.png", picture)), attachment.Of(attachment.Bytes("b.txt", text))))(t)
		wire := fields(t, gallery)
		items := wire["itemtypes"].([]any)
		first, second := items[0].(map[string]any), items[1].(map[string]any)
		if wire["msgtype"] != "dm.filament.gallery" || wire["body"] != "Two files." ||
			wire["formatted_body"] != "<i>Two</i> files." || wire["format"] != "org.matrix.custom.html" || len(items) != 2 ||
			first["itemtype"] != "m.image" || second["itemtype"] != "m.file" || first["msgtype"] != nil {
			t.Errorf("got %v", wire)
		}
		var received attachment.Gallery
		if err := json.Unmarshal(must(json.Marshal(gallery))(t), &received); err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]byte{picture, text} {
			if got, _ := read(t, h.repo, received.Items[i]); !bytes.Equal(got, want) {
				t.Errorf("item %d: got %d bytes", i, len(got))
			}
		}
	}
}

func TestGalleryWithoutCaption(t *testing.T) {
	item := &event.MessageEventContent{MsgType: event.MsgFile, Body: "a.txt", URL: mxc("a")}
	wire := fields(t, &attachment.Gallery{Items: []*event.MessageEventContent{item, nil, item}})
	if wire["body"] != "a.txt, a.txt" || len(wire["itemtypes"].([]any)) != 2 || wire["format"] != nil {
		t.Errorf("got %v", wire)
	}
	if wire := fields(t, &attachment.Gallery{}); wire["itemtypes"] == nil {
		t.Error("an empty gallery has no list")
	}
}

func TestOtherGalleries(t *testing.T) {
	var g attachment.Gallery
	stable := `{"msgtype":"m.gallery","body":"b","itemtypes":[{"itemtype":"m.image","url":"mxc://a/b"},5,{"info":7}]}`
	if err := json.Unmarshal([]byte(stable), &g); err != nil || g.Caption != "b" || len(g.Items) != 1 {
		t.Errorf("got %+v, %v", g, err)
	}
	for _, none := range []string{`{"msgtype":"m.text","body":"b"}`, `[]`, `{"msgtype":"m.gallery","itemtypes":7}`} {
		if json.Unmarshal([]byte(none), &g) == nil {
			t.Errorf("%s is a gallery", none)
		}
	}
	h := newHome(t, fakehs.Options{})
	_, err := attachment.NewGallery(deadline(t), h.repo, false, "", "", attachment.Of(attachment.Path("none")))
	if err == nil || errors.Unwrap(err) == nil {
		t.Errorf("got %v", err)
	}
}
