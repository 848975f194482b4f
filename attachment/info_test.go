package attachment_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		want          attachment.Info
		wantErr       bool
	}{
		{
			"picture with caption",
			`{"msgtype":"m.image","body":"The cat.","filename":"cat.jpg","format":"org.matrix.custom.html",
			"formatted_body":"<b>The cat.</b>","url":"mxc://example.org/a_B-9","info":{"mimetype":"image/JPEG; x=y",
			"size":12,"w":3,"h":4,"thumbnail_url":"mxc://example.org/t","xyz.amorgan.blurhash":"LKO",
			"org.matrix.msc4230.is_animated":true}}`,
			attachment.Info{
				Kind: attachment.KindImage, Name: "cat.jpg", Caption: "The cat.", CaptionHTML: "<b>The cat.</b>",
				MIME: "image/jpeg", Size: 12, Width: 3, Height: 4, Blurhash: "LKO", Animated: true, HasThumbnail: true,
			}, false,
		},
		{
			"old file", `{"msgtype":"m.file","body":"../a.txt","url":"mxc://example.org/a"}`,
			attachment.Info{Kind: attachment.KindFile, Name: "a.txt", MIME: "application/octet-stream"}, false,
		},
		{
			"voice",
			`{"msgtype":"m.audio","body":"v","url":"mxc://example.org/a","org.matrix.msc3245.voice":{},
			"org.matrix.msc1767.audio":{"duration":1500,"waveform":[0,-5,1024,99999]}}`,
			attachment.Info{
				Kind: attachment.KindVoice, Name: "v", MIME: "application/octet-stream",
				Duration: 1500 * time.Millisecond, Waveform: []int{0, 0, 1024, 1024},
			}, false,
		},
		{
			"sticker",
			`{"body":"","url":"mxc://example.org/a","info":{"mimetype":"image/webp","duration":-4,"w":-1,"h":1e300}}`,
			attachment.Info{Kind: attachment.KindImage, Name: "image.webp", MIME: "image/webp"}, false,
		},
		{
			"wild duration",
			`{"msgtype":"m.video","body":"v","url":"mxc://example.org/a","info":{"duration":9e15,"mimetype":"x"}}`,
			attachment.Info{Kind: attachment.KindVideo, Name: "v", MIME: "application/octet-stream"}, false,
		},
		{name: "text", content: `{"msgtype":"m.text","body":"hi"}`, wantErr: true},
		{name: "web", content: `{"msgtype":"m.file","body":"f","url":"https://example.org/a"}`, wantErr: true},
		{name: "no media", content: `{"msgtype":"m.file","body":"f","url":"mxc://example.org/"}`, wantErr: true},
		{name: "path", content: `{"msgtype":"m.file","body":"f","url":"mxc://example.org/../a"}`, wantErr: true},
		{name: "query", content: `{"msgtype":"m.file","body":"f","url":"mxc://example.org/a?b"}`, wantErr: true},
		{name: "odd server", content: `{"msgtype":"m.file","body":"f","url":"mxc://a%2f..%2f/a"}`, wantErr: true},
		{
			// The plain URL is not what the key is for.
			name: "encrypted without URL", content: `{"msgtype":"m.file","body":"f","url":"mxc://example.org/a","file":{}}`,
			wantErr: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var content event.MessageEventContent
			if err := json.Unmarshal([]byte(tt.content), &content); err != nil {
				t.Fatal(err)
			}
			got, err := attachment.Parse(&content)
			if errors.Is(err, attachment.ErrNoMedia) != tt.wantErr {
				t.Fatalf("got %v", err)
			}
			if tt.wantErr {
				return
			}
			if got.URI.IsEmpty() {
				t.Error("there is no URI")
			}
			got.URI = tt.want.URI
			if got.Name == "image.webp" {
				got.Height = 0 // As large as can be, which depends on mautrix
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// FuzzParse holds what is read of messages to its bounds.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"msgtype":"m.image","body":"a","filename":"b","url":"mxc://a/b","info":{"w":1,"h":2,"size":3}}`))
	f.Add([]byte(`{"msgtype":"m.audio","url":"mxc://a/b","org.matrix.msc1767.audio":{"duration":1,"waveform":[1]}}`))
	f.Add([]byte(`{"file":{"url":"mxc://a/b","v":"v2","key":{"alg":"A256CTR","k":"AA"},"iv":"AA","hashes":{}}}`))
	f.Add([]byte(`{"msgtype":"dm.filament.gallery","body":"a","itemtypes":[{"itemtype":"m.image"},7,null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var gallery attachment.Gallery
		if json.Unmarshal(data, &gallery) == nil {
			again, err := json.Marshal(&gallery)
			var second attachment.Gallery
			if err != nil || json.Unmarshal(again, &second) != nil || len(second.Items) != len(gallery.Items) {
				t.Errorf("gallery of %d items becomes %s, %v", len(gallery.Items), again, err)
			}
		}
		var content event.MessageEventContent
		if json.Unmarshal(data, &content) != nil {
			return
		}
		info, err := attachment.Parse(&content)
		if err != nil {
			if !errors.Is(err, attachment.ErrNoMedia) {
				t.Errorf("got %v", err)
			}
			return
		}
		if info.Name == "" || info.Name != attachment.CleanName(info.Name) || info.MIME == "" || info.Size < 0 ||
			info.Width < 0 || info.Height < 0 || info.Duration < 0 || info.URI.IsEmpty() || info.Kind == attachment.KindAny {
			t.Errorf("got %+v", info)
		}
		for _, level := range info.Waveform {
			if level < 0 || level > 1024 {
				t.Errorf("waveform is %v", info.Waveform)
			}
		}
	})
}
