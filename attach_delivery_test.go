package niobot_test

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/attachment"
)

// note is a small file of that name.
func note(name string) niobot.Files {
	return niobot.Attach(attachment.File(attachment.Bytes(name, []byte(name))))
}

// What a run has sent before a crash is not shown again by the run that repeats it, files included.
func TestFilesOfARepeatedRunAreShownOnce(t *testing.T) {
	runs := 0
	s := kept(setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{command("both", func(ctx context.Context, c *niobot.Context) error {
			if _, err := c.Respond(ctx, note("one.txt")); err != nil {
				return err
			}
			if runs++; runs == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			_, err := c.Respond(ctx, note("two.txt"))
			return err
		})},
	})
	inHouse(t, s, func(h *house) {
		h.alice.say("!both")
		h.wantSaid("one.txt")
		h.cut(s)
		h.wantSaid("one.txt", "two.txt")
		if runs != 2 {
			t.Errorf("%d runs", runs)
		}
	})
}

// The next start of the bot knows which of its answers can't become texts.
func TestFileIsReplacedAfterARestart(t *testing.T) {
	type args struct {
		Text bool `arg:"--text"`
	}
	s := kept(setting{commands: []*niobot.Command{
		niobot.NewCommand("show", func(ctx context.Context, c *niobot.Context, a args) error {
			if a.Text {
				return c.Reply(ctx, "text")
			}
			_, err := c.Respond(ctx, note("one.txt"))
			return err
		}),
	}})
	inHouse(t, s, func(h *house) {
		said := h.alice.say("!show")
		h.wantSaid("one.txt")
		h.cut(s)
		h.alice.edit(said, "!show --text")
		h.wantSaid("gone", "text")
	})
}

func TestFilesAreQueued(t *testing.T) {
	inHouse(t, kept(setting{}), func(h *house) {
		sent, err := h.bot.Send(h.t.Context(), h.room, note("one.txt"), niobot.Queued())
		h.must(err)
		message, err := sent.Wait(h.t.Context())
		h.must(err)
		h.wantSaid("one.txt")
		if got := h.events()[0]; got.id != message {
			t.Errorf("the event is %s, said to be %s", got.id, message)
		}
		h.must(sent.Edit(h.t.Context(), niobot.Plain("a note")))
		h.wantSaid("one.txt", "edit of 0: a note")
	})
}

func TestFilesStayInTheThread(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{command("both", func(ctx context.Context, c *niobot.Context) error {
		one, two := attachment.Bytes("one.txt", []byte("1")), attachment.Bytes("two.txt", []byte("2"))
		_, err := c.Respond(ctx, niobot.Attach(attachment.File(one), attachment.File(two)))
		return err
	})}}, func(h *house) {
		root := h.alice.say("a thread")
		_, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, &event.MessageEventContent{
			MsgType: event.MsgText, Body: "!both", RelatesTo: &event.RelatesTo{Type: event.RelThread, EventID: root},
		})
		h.must(err)
		h.settle()
		sent := h.events()
		if len(sent) != 2 {
			t.Fatalf("the bot said %q", h.said(h.room))
		}
		for _, s := range sent {
			if got := s.content.RelatesTo.GetThreadParent(); got != root {
				t.Errorf("%s is in the thread %q", s.content.Body, got)
			}
		}
	})
}

// An edit of the command ends the upload that it has begun.
func TestUploadEndsWithItsCommand(t *testing.T) {
	began := make(chan struct{}, 1)
	inHouse(t, setting{commands: []*niobot.Command{command("slow", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Respond(ctx, niobot.Attach(attachment.File(attachment.Reader("a", pending{ctx, began}))))
		return err
	})}}, func(h *house) {
		said := h.alice.say("!slow")
		<-began
		h.alice.edit(said, "!ping")
		h.pass(time.Second)
		h.wantSaid("pong")
	})
}

// pending is a file that never comes.
type pending struct {
	ctx   context.Context
	began chan<- struct{}
}

func (p pending) Read([]byte) (int, error) {
	p.began <- struct{}{}
	<-p.ctx.Done()
	return 0, p.ctx.Err()
}
