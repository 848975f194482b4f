package niobot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// cut ends the bot so that nothing that it sends at its end arrives, as a crash does, and starts it again.
func (h *house) cut(s setting) {
	h.t.Helper()
	fault := h.fail(fakehs.Fault{Path: "/send/", Status: 403, ErrCode: "M_FORBIDDEN"})
	h.down()
	fault.Remove()
	h.up(s)
	h.pass(time.Minute)
}

// The message of a run that is not repeated is finished with what it shows.
func TestStreamThatACrashLeftIsFinished(t *testing.T) {
	runs := 0
	s := kept(setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{command("tell", func(ctx context.Context, c *niobot.Context) error {
			runs++
			return words(ctx, c.Stream(ctx), 600, time.Second)
		}, niobot.AtMostOnce(), niobot.OnError(func(context.Context, *niobot.Context, error) {}))},
	})
	inHouse(t, s, func(h *house) {
		h.alice.say("!tell")
		h.pass(5500 * time.Millisecond)
		before, marked := h.latest(0)
		if !marked {
			t.Error("the message is not marked as live")
		}
		h.cut(s)
		if text, marked := h.latest(0); text != before || marked {
			t.Errorf("the message shows %q, before %q, marked as live: %t", text, before, marked)
		}
		if runs != 1 {
			t.Errorf("the command ran %d times", runs)
		}
		sent := len(h.told())
		h.cut(s)
		if n := len(h.told()); n != sent {
			t.Errorf("the next start sends %d events", n-sent)
		}
	})
}

// What a repeated run says at once is there, though its first message has been sent before, with another text.
func TestRepeatedRunWithAShortStream(t *testing.T) {
	runs := 0
	s := kept(setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{command("tell", func(ctx context.Context, c *niobot.Context) error {
			s := c.Stream(ctx)
			if runs++; runs == 1 {
				return words(ctx, s, 600, time.Second)
			}
			if _, err := s.WriteString("short"); err != nil {
				return err
			}
			return s.Close()
		})},
	})
	inHouse(t, s, func(h *house) {
		h.alice.say("!tell")
		h.pass(5500 * time.Millisecond)
		h.cut(s)
		h.wantLatest(0, "short")
		if second, _ := h.latest(1); second != "" {
			t.Errorf("there is another message: %q", second)
		}
		if got := strings.Join(h.said(h.room), " "); strings.Count(got, "short") != 1 {
			t.Errorf("the bot said %q", got)
		}
	})
}
