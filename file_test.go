package niobot_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
)

// size answers with a file's name and content.
func size() *niobot.Command {
	type args struct {
		File  *niobot.File `arg:"file"`
		Times int          `arg:"times" default:"1"`
	}
	return niobot.NewCommand("size", func(ctx context.Context, c *niobot.Context, a args) error {
		received, err := a.File.Download(ctx)
		if err != nil {
			return err
		}
		defer received.Close()
		data, err := io.ReadAll(received)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s: %s", a.File.Name, strings.Repeat(string(data), a.Times))
	})
}

// file sends a message with a file, and with a caption if that is not empty.
func (g *guest) file(name, data, caption string, replyTo id.EventID) id.EventID {
	g.h.t.Helper()
	content, err := attachment.File(attachment.Bytes(name, []byte(data)), attachment.Caption(caption)).
		Content(g.h.t.Context(), attachment.NewRepository(g.Client), false)
	g.h.must(err)
	if replyTo != "" {
		content.RelatesTo = &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: replyTo}}
	}
	resp, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.EventMessage, content)
	g.h.must(err)
	return resp.EventID
}

func (g *guest) reply(to id.EventID, text string) id.EventID {
	g.h.t.Helper()
	resp, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.EventMessage, &event.MessageEventContent{
		MsgType: event.MsgText, Body: text, RelatesTo: &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: to}},
	})
	g.h.must(err)
	return resp.EventID
}

func TestFileArgument(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{size()}}, func(h *house) {
		h.alice.file("own.txt", "own ", "!size", "")
		h.wantSaid("own.txt: own ")
		h.alice.file("twice.txt", "own ", "!size 2", "")
		h.wantSaid("own.txt: own ", "twice.txt: own own ")

		earlier := h.alice.file("earlier.txt", "earlier", "", "")
		h.alice.reply(earlier, "!size")
		h.settle()
		h.alice.file("own.txt", "own", "!size attached", earlier) // Its own goes first.
		h.settle()
		h.alice.say("!size " + string(earlier))
		h.settle()
		h.alice.say("!size https://matrix.to/#/" + string(h.room) + "/" + string(earlier) + " 2")
		h.settle()
		got := h.said(h.room)[2:]
		for i, want := range []string{
			"earlier.txt: earlier", "own.txt: own", "earlier.txt: earlier", "earlier.txt: earlierearlier",
		} {
			if i >= len(got) || got[i] != want {
				t.Fatalf("the answers are %q, of which number %d is not %q", got, i, want)
			}
		}
	})
}

func TestFileArgumentThatIsMissing(t *testing.T) {
	need := niobot.NewCommand("need", func(context.Context, *niobot.Context, struct {
		File *niobot.File `arg:"file"`
	}) error {
		return nil
	})
	inHouse(t, setting{commands: []*niobot.Command{need}}, func(h *house) {
		for _, said := range []func(){
			func() { h.alice.say("!need") },
			func() { h.alice.reply(h.alice.say("no file"), "!need") },
			func() { h.alice.say("!need $unknown:localhost") },
			func() { h.alice.say("!need " + string(h.alice.say("no file"))) },
			func() { h.alice.say("!need 0") },
		} {
			said()
			h.settle()
		}
		got := h.said(h.room)
		for i, want := range []string{
			"in the caption of a file, or as a reply", "in the caption of a file, or as a reply", "no such message", "has no file",
			"neither the id of an event",
		} {
			if i >= len(got) || !strings.Contains(got[i], want) {
				t.Errorf("answer %d of %q lacks %q", i, got, want)
			}
		}
	})
}

// An edit of the caption runs the command again, with the file that the edit repeats.
func TestFileArgumentOfAnEditedCaption(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{size()}}, func(h *house) {
		said := h.alice.file("a.txt", "a", "!size", "")
		h.wantSaid("a.txt: a")
		m, err := h.bot.Message(h.t.Context(), h.room, said)
		h.must(err)
		info, _ := m.File()
		content := &event.MessageEventContent{
			MsgType: event.MsgFile, Body: "!size 3", FileName: "b.txt", URL: info.URI.CUString(),
		}
		content.SetEdit(said)
		_, err = h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, content)
		h.must(err)
		h.wantSaid("a.txt: a", "edit of 0: b.txt: aaa")
		m, err = h.bot.Message(h.t.Context(), h.room, said)
		h.must(err)
		if info, ok := m.File(); !ok || info.Name != "b.txt" {
			t.Errorf("the edited message has the file %+v", info)
		}
	})
}

func TestFileOfASticker(t *testing.T) {
	var kind attachment.Kind
	look := niobot.NewCommand("look", func(ctx context.Context, c *niobot.Context, a struct {
		File *niobot.File `arg:"file"`
	}) error {
		kind = a.File.Kind
		_, err := c.Respond(ctx, niobot.Attach(attachment.File(a.File.Source())))
		return err
	})
	inHouse(t, setting{commands: []*niobot.Command{look}}, func(h *house) {
		plain, err := attachment.File(attachment.Bytes("cat.png", picture(t, 4, 4))).
			Content(h.t.Context(), attachment.NewRepository(h.alice.Client), false)
		h.must(err)
		resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventSticker, map[string]any{
			"body": "a cat", "url": plain.URL, "info": map[string]any{"mimetype": "image/png"},
		})
		h.must(err)
		h.alice.reply(resp.EventID, "!look")
		h.settle()
		if sent := h.events(); kind != attachment.KindImage || len(sent) != 1 || sent[0].content.URL == "" {
			t.Errorf("the sticker is a %s, and sent again it is %v", kind, h.said(h.room))
		}
	})
}

func TestFileOfMalformedMessages(t *testing.T) {
	for _, content := range []string{
		`{"msgtype":"m.image","body":"x"}`, `{"msgtype":"m.image","body":"x","url":7}`,
		`{"msgtype":"m.image","body":"x","url":"https://example.org/x"}`, `{"msgtype":"m.image","body":"x","url":"mxc://a/../b"}`,
		`{"msgtype":"m.file","body":"x","file":{"url":""}}`, `{"msgtype":"m.file","body":"x","file":[],"info":{"size":"big"}}`,
	} {
		inHouse(t, setting{}, func(h *house) {
			resp, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, rawContent(content))
			h.must(err)
			m, err := h.bot.Message(h.t.Context(), h.room, resp.EventID)
			h.must(err)
			if info, ok := m.File(); ok {
				t.Errorf("%s: the file %+v", content, info)
			}
			if _, err := h.bot.Download(h.t.Context(), m); err == nil {
				t.Errorf("%s: something is downloaded", content)
			}
			if _, ok := m.Gallery(); ok {
				t.Errorf("%s: it is a gallery", content)
			}
		})
	}
}

// rawContent is content as it is to be sent.
type rawContent string

func (c rawContent) MarshalJSON() ([]byte, error) { return []byte(c), nil }

func TestWithAttachmentsRefusesNil(t *testing.T) {
	_, err := niobot.New(niobot.Config{Homeserver: "https://example.org", Token: "token", Prefixes: []string{"!"}},
		niobot.WithAttachments(nil))
	if err == nil || !strings.Contains(err.Error(), "WithAttachments") {
		t.Errorf("it is %v", err)
	}
}
