package niobot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// picture is a PNG of that size.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sentEvent is what the house's bot has sent, as clients read it.
type sentEvent struct {
	id      id.EventID
	content struct {
		event.MessageEventContent
		Items []json.RawMessage `json:"itemtypes"`
	}
	raw map[string]any
}

func (h *house) events() (all []sentEvent) {
	h.t.Helper()
	for _, e := range h.told() {
		s := sentEvent{id: e.ID}
		h.must(json.Unmarshal(e.Content.VeryRaw, &s.content))
		h.must(json.Unmarshal(e.Content.VeryRaw, &s.raw))
		all = append(all, s)
	}
	return all
}

func TestFileIsSent(t *testing.T) {
	data := picture(t, 20, 10)
	cat := attachment.Of(attachment.Bytes("cat.png", data), attachment.Caption("a cat"))
	inHouse(t, setting{commands: []*niobot.Command{
		command("cat", func(ctx context.Context, c *niobot.Context) error {
			_, err := c.Respond(ctx, niobot.Attach(cat))
			return err
		}),
		command("captioned", func(ctx context.Context, c *niobot.Context) error {
			body := niobot.Markdown("**Look**, %s", "<b>you</b>")
			_, err := c.Respond(ctx, niobot.Attach(cat).Captioned(body), niobot.Mention(c.Sender()))
			return err
		}),
	}}, func(h *house) {
		asked := h.alice.say("!cat")
		h.wantSaid("a cat")
		got := h.events()[0].content
		if got.MsgType != event.MsgImage || got.FileName != "cat.png" || got.RelatesTo.GetReplyTo() != asked {
			t.Errorf("the event says %+v", got)
		}
		if got.Info.MimeType != "image/png" || got.Info.Width != 20 || got.Info.Height != 10 || got.Info.Size != len(data) {
			t.Errorf("of the file, it says %+v", got.Info)
		}
		if stored, _ := h.hs.Media(got.URL.ParseOrIgnore()); !bytes.Equal(stored, data) {
			t.Error("another file is on the server")
		}
		h.alice.say("!captioned")
		h.settle()
		got = h.events()[1].content
		if got.Body != "Look, <b>you</b>" || got.FormattedBody != "<strong>Look</strong>, &lt;b&gt;you&lt;/b&gt;" ||
			got.FileName != "cat.png" || len(got.Mentions.UserIDs) != 1 {
			t.Errorf("the caption is %q, %q, of %q, for %v", got.Body, got.FormattedBody, got.FileName, got.Mentions.UserIDs)
		}
		if h.hs.CountRequests("POST", "/upload") != 1 {
			t.Error("one and the same file goes up twice")
		}
	})
}

func TestFilesFollowOneAnotherOrMakeAGallery(t *testing.T) {
	one := attachment.File(attachment.Bytes("one.txt", []byte("one")))
	two := attachment.File(attachment.Bytes("two.txt", []byte("two")))
	inHouse(t, setting{commands: []*niobot.Command{
		command("both", func(ctx context.Context, c *niobot.Context) error {
			_, err := c.Respond(ctx, niobot.Attach(one, two).Captioned(niobot.Plain("here")), niobot.WithField("org.example", 1))
			return err
		}),
		command("gallery", func(ctx context.Context, c *niobot.Context) error {
			_, err := c.Respond(ctx, niobot.Attach(one, two).Captioned(niobot.Plain("here")).AsGallery())
			return err
		}),
	}}, func(h *house) {
		asked := h.alice.say("!both")
		h.wantSaid("here", "two.txt")
		sent := h.events()
		if sent[0].content.RelatesTo.GetReplyTo() != asked || sent[1].content.RelatesTo.GetReplyTo() != "" {
			t.Error("not the first alone is the reply")
		}
		if sent[0].raw["org.example"] == nil || sent[1].raw["org.example"] != nil {
			t.Error("not the first alone has the field")
		}
		asked = h.alice.say("!gallery")
		h.wantSaid("here", "two.txt", "here")
		got := h.events()[2]
		if got.content.MsgType != attachment.MsgGallery || len(got.content.Items) != 2 || got.content.RelatesTo.GetReplyTo() != asked {
			t.Errorf("the gallery is %v", got.raw)
		}
		m, err := h.bot.Message(h.t.Context(), h.room, got.id)
		h.must(err)
		gallery, ok := m.Gallery()
		if !ok || len(gallery.Items) != 2 || gallery.Items[1].GetFileName() != "two.txt" {
			t.Errorf("the gallery is read as %+v", gallery)
		}
		if _, ok := m.File(); ok {
			t.Error("a gallery is a file")
		}
	})
}

func TestFilesThatCannotBeSent(t *testing.T) {
	good := attachment.File(attachment.Bytes("good.txt", []byte("good")))
	inHouse(t, setting{opts: []niobot.Option{niobot.WithMaxSendAge(1)}}, func(h *house) {
		huge := attachment.File(attachment.Bytes("huge.bin", make([]byte, 51<<20)))
		for _, test := range []struct {
			name    string
			content niobot.Content
			want    error
		}{
			{"none", niobot.Attach(), niobot.ErrEmptyMessage},
			{"nil", niobot.Attach(good, nil), niobot.ErrEmptyMessage},
			{"a caption of a book", niobot.Attach(good).Captioned(niobot.Plain(strings.Repeat("word ", 20000))), niobot.ErrTooLarge},
			{"one that is too large", niobot.Attach(good, huge), attachment.ErrTooLarge},
			{"one that is not there", niobot.Attach(good, attachment.Of(attachment.Path("testdata/none"))), errNone},
		} {
			_, err := h.bot.Send(h.t.Context(), h.room, test.content)
			if err == nil || test.want != errNone && !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
		h.wantSaid()
		_, err := h.bot.Send(h.t.Context(), h.room, niobot.Attach(huge))
		var tooLarge *attachment.TooLargeError
		if !errors.As(err, &tooLarge) || tooLarge.Limit == 0 {
			t.Errorf("the error does not name the limit: %v", err)
		}
	})
}

var errNone = errors.New("any error")

// Nothing of a file goes up in the clear for a room in which nothing may be sent in the clear.
func TestFileIsNotUploadedForARoomThatTheBotCannotEncryptFor(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.alice.state(h.room, event.StateEncryption, "", &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
		h.settle()
		_, err := h.bot.Send(h.t.Context(), h.room, niobot.Attach(attachment.File(attachment.Bytes("a", []byte("secret")))))
		if !errors.Is(err, niobot.ErrEncrypted) {
			t.Errorf("it ends in %v", err)
		}
		if h.hs.CountRequests("", "/upload") != 0 {
			t.Error("the file is uploaded")
		}
	})
}

func TestCaptionIsEdited(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{command("cat", func(ctx context.Context, c *niobot.Context) error {
		cat := attachment.Of(attachment.Bytes("cat.png", picture(t, 2, 2)))
		if _, err := c.Respond(ctx, niobot.Attach(cat).Captioned(niobot.Plain("a cat"))); err != nil {
			return err
		}
		return c.EditReply(ctx, "**two** cats")
	})}}, func(h *house) {
		h.alice.say("!cat")
		h.wantSaid("a cat", "edit of 0: two cats")
		first, edit := h.events()[0], h.events()[1].content
		fresh := edit.NewContent
		if fresh.MsgType != event.MsgImage || fresh.URL != first.content.URL || fresh.FileName != "cat.png" ||
			fresh.FormattedBody != "<strong>two</strong> cats" || fresh.Info.Width != 2 {
			t.Errorf("the new content is %+v", fresh)
		}
		if edit.Body != "* two cats" || edit.URL != fresh.URL || edit.MsgType != event.MsgImage || edit.FileName != "cat.png" {
			t.Errorf("what clients without edits see is %+v", edit)
		}
		m, err := h.bot.Message(h.t.Context(), h.room, first.id)
		h.must(err)
		if info, ok := m.File(); !ok || info.Caption != "two cats" || info.Name != "cat.png" {
			t.Errorf("the file is %+v, %t", info, ok)
		}
	})
}

// A file can't become a text, nor a text a file, in the eyes of all clients.
func TestEditedCommandSendsItsFileAnew(t *testing.T) {
	type args struct {
		What string `arg:"what"`
	}
	show := niobot.NewCommand("show", func(ctx context.Context, c *niobot.Context, a args) error {
		switch a.What {
		case "text":
			return c.Reply(ctx, "text")
		case "sticker":
			_, err := c.Respond(ctx, niobot.Sticker{Text: "sticker", URL: "mxc://localhost/cat"})
			return err
		}
		_, err := c.Respond(ctx, niobot.Attach(attachment.File(attachment.Bytes(a.What, []byte(a.What)))))
		return err
	})
	inHouse(t, setting{commands: []*niobot.Command{show}}, func(h *house) {
		said := h.alice.say("!show one")
		h.wantSaid("one")
		h.alice.edit(said, "!show two")
		h.wantSaid("gone", "two")
		h.alice.edit(said, "!show text")
		h.wantSaid("gone", "gone", "text")
		h.alice.edit(said, "!show three")
		h.wantSaid("gone", "gone", "gone", "three")
		h.alice.edit(said, "!show sticker")
		h.settle()
		h.alice.edit(said, "!show text")
		h.wantSaid("gone", "gone", "gone", "gone", "text")
		for _, e := range h.hs.Timeline(h.room) {
			if e.Type == event.EventSticker && e.Unsigned.RedactedBecause == nil {
				t.Error("the sticker is still there")
			}
		}
		h.alice.redact(said)
		h.wantSaid("gone", "gone", "gone", "gone", "gone")
	})
}

func TestUploadIsRepeated(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/upload", Status: http.StatusBadGateway, Count: 2})
		_, err := h.bot.Send(h.t.Context(), h.room, niobot.Attach(attachment.File(attachment.Bytes("a.txt", []byte("a")))))
		h.must(err)
		h.wantSaid("a.txt")
		if got := h.hs.CountRequests("POST", "/upload"); got != 3 {
			t.Errorf("%d attempts", got)
		}
	})
}

func TestUnplayableFileIsWarnedOf(t *testing.T) {
	// The beginning of a picture in HEIC.
	heic := append([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), make([]byte, 64)...)
	var warnings []string
	inHouse(t, setting{}, func(h *house) {
		h.bot.OnUnplayable(func(_ context.Context, p *attachment.Prepared) { warnings = append(warnings, p.Warning) })
		for _, data := range [][]byte{heic, picture(t, 2, 2)} {
			_, err := h.bot.Send(h.t.Context(), h.room, niobot.Attach(attachment.Of(attachment.Bytes("photo", data))))
			h.must(err)
		}
		h.settle()
		if len(warnings) != 1 || warnings[0] == "" {
			t.Errorf("the warnings are %q", warnings)
		}
		if lines := h.logs.with("WARN", warnings[0]); len(lines) != 1 {
			t.Errorf("the log says %q", lines)
		}
	})
}

// What is sent is there again as it was.
func TestFileIsDownloaded(t *testing.T) {
	data := picture(t, 900, 700)
	inHouse(t, setting{opts: []niobot.Option{niobot.WithAttachments(attachment.WithMaxDownload(int64(len(data))))}}, func(h *house) {
		sent, err := h.bot.Send(h.t.Context(), h.room, niobot.Attach(attachment.Of(attachment.Bytes("cat.png", data))))
		h.must(err)
		m, err := h.bot.Message(h.t.Context(), h.room, sent.ID)
		h.must(err)
		info, ok := m.File()
		if !ok || info.Kind != attachment.KindImage || info.Width != 900 || !info.HasThumbnail || info.Blurhash == "" {
			t.Errorf("the file is %+v, %t", info, ok)
		}
		file, err := h.bot.Download(h.t.Context(), m)
		h.must(err)
		defer file.Close()
		got, err := io.ReadAll(file)
		h.must(err)
		if !bytes.Equal(got, data) {
			t.Error("another file comes back")
		}
		if _, err := h.bot.Download(h.t.Context(), m, attachment.MaxBytes(10)); !errors.Is(err, attachment.ErrTooLarge) {
			t.Errorf("a limit of 10 bytes: %v", err)
		}
		text, err := h.bot.Message(h.t.Context(), h.room, h.alice.say("no file"))
		h.must(err)
		if _, err := h.bot.Download(h.t.Context(), text); !errors.Is(err, attachment.ErrNoMedia) {
			t.Errorf("the file of a text: %v", err)
		}
		repository, err := h.bot.Repository(h.t.Context())
		h.must(err)
		avatar, err := repository.DownloadURI(h.t.Context(), info.URI)
		h.must(err)
		h.must(avatar.Close())
	})
}

// Nobody makes a bot fetch or parse a file by sending it.
func TestReceivedFileIsNotFetchedUnasked(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		for _, kind := range []string{"m.image", "m.video", "m.audio", "m.file"} {
			_, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, map[string]any{
				"msgtype": kind, "body": "!ping", "filename": "bomb.png", "url": "mxc://localhost/bomb",
				"info": map[string]any{"thumbnail_url": "mxc://localhost/thumbnail", "mimetype": "image/png", "w": -1},
			})
			h.must(err)
		}
		h.wantSaid("pong", "pong", "pong", "pong")
		if n := h.hs.CountRequests("GET", "/download") + h.hs.CountRequests("GET", "/thumbnail"); n != 0 {
			t.Errorf("%d files are fetched", n)
		}
	})
}
