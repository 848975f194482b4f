package niobot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

const live = `"org.matrix.msc4357.live":{}`

// streaming is a bot whose !tell streams what f writes.
func streaming(f func(ctx context.Context, c *niobot.Context, s *niobot.Stream) error) setting {
	return setting{commands: []*niobot.Command{
		command("tell", func(ctx context.Context, c *niobot.Context) error { return f(ctx, c, c.Stream(ctx)) }),
	}}
}

// words writes words that are some time apart.
func words(ctx context.Context, s *niobot.Stream, n int, apart time.Duration) error {
	for i := range n {
		if _, err := fmt.Fprintf(s, "w%d ", i); err != nil {
			return err
		}
		select {
		case <-time.After(apart):
		case <-ctx.Done():
		}
	}
	return nil
}

// told is what the bot has sent into the house's room.
func (h *house) told() []*event.Event { return h.hs.Messages(h.room, h.botID) }

// latest is what the n-th message of the bot shows in the end, and whether it is marked as live.
func (h *house) latest(message int) (text string, marked bool) {
	all := slices.DeleteFunc(h.told(), func(e *event.Event) bool { return e.Content.AsMessage().NewContent != nil })
	if message >= len(all) {
		return "", false
	}
	last := all[message]
	text = last.Content.AsMessage().Body
	for _, e := range h.told() {
		if content := e.Content.AsMessage(); content.NewContent != nil && content.RelatesTo.EventID == all[message].ID {
			last, text = e, content.NewContent.Body
		}
	}
	return text, strings.Contains(string(last.Content.VeryRaw), live)
}

func (h *house) wantLatest(message int, want string) {
	h.t.Helper()
	h.settle()
	if got, marked := h.latest(message); got != want || marked {
		h.t.Errorf("message %d shows %q, marked as live: %t; want %q", message, got, marked, want)
	}
}

func TestStreamIsEditedInPlace(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		if err := words(ctx, s, 100, 100*time.Millisecond); err != nil {
			return err
		}
		return s.Close()
	}), func(h *house) {
		command := h.alice.say("!tell")
		h.pass(time.Minute)
		sent := h.told()
		if n := len(sent); n < 8 || n > 11 {
			t.Errorf("%d events in 10 s", n)
		}
		if rel := sent[0].Content.AsMessage().RelatesTo; rel.GetReplyTo() != command {
			t.Errorf("the message replies to %s", rel.GetReplyTo())
		}
		for i, e := range sent {
			if marked := strings.Contains(string(e.Content.VeryRaw), live); marked != (i < len(sent)-1) {
				t.Errorf("event %d of %d is marked as live: %t", i, len(sent), marked)
			}
			if i == 0 {
				continue
			}
			if rel := e.Content.AsMessage().RelatesTo; rel.Type != event.RelReplace || rel.EventID != sent[0].ID {
				t.Errorf("event %d is no edit of the first", i)
			}
			gap := time.Duration(e.Timestamp-sent[i-1].Timestamp) * time.Millisecond
			if i < len(sent)-1 && gap < time.Second {
				t.Errorf("event %d comes %s after the one before", i, gap)
			}
		}
		text, _ := h.latest(0)
		if !strings.HasPrefix(text, "w0 w1 ") || !strings.HasSuffix(text, " w99") {
			t.Errorf("in the end it shows %q", text)
		}
	})
}

func TestShortStreamIsOneMessage(t *testing.T) {
	inHouse(t, streaming(func(_ context.Context, _ *niobot.Context, s *niobot.Stream) error {
		if _, err := s.WriteString("a **b** 100%"); err != nil {
			return err
		}
		return s.Close()
	}), func(h *house) {
		h.alice.say("!tell")
		h.wantSaid("a b 100%")
		h.wantLatest(0, "a b 100%")
		if html := h.told()[0].Content.AsMessage().FormattedBody; html != "a <strong>b</strong> 100%" {
			t.Errorf("its HTML is %q", html)
		}
	})
}

func TestLongStreamStaysWithinItsEdits(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		if err := words(ctx, s, 3600, time.Second); err != nil {
			return err
		}
		return s.Close()
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(20 * time.Minute)
		early := len(h.told())
		h.pass(2 * time.Hour)
		if n := len(h.told()); n != 1+niobot.StreamEdits {
			t.Errorf("%d events in an hour, want %d", n, 1+niobot.StreamEdits)
		}
		if early < niobot.StreamEdits-5 {
			t.Errorf("only %d events in 20 minutes", early)
		}
		if text, marked := h.latest(0); !strings.HasSuffix(text, " w3599") || marked {
			t.Errorf("in the end it shows …%q, marked as live: %t", text[max(0, len(text)-20):], marked)
		}
	})
}

func TestStreamPace(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		s.Pace(5*time.Second, 3)
		return words(ctx, s, 60, time.Second)
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(2 * time.Minute)
		if n := len(h.told()); n != 4 {
			t.Errorf("%d events, want a message and 3 edits", n)
		}
	})
}

func TestStreamWaitsWhereTheServerSaysSo(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		if err := words(ctx, s, 100, 100*time.Millisecond); err != nil {
			return err
		}
		return s.Close()
	}), func(h *house) {
		h.fail(fakehs.Fault{
			Path: "/send/", Skip: 2, Count: 2, Status: 429, RetryAfter: 4 * time.Second, RetryForm: fakehs.RetryInBody,
		})
		h.fail(fakehs.Fault{Path: "/send/", Skip: 5, Count: 1, Cut: fakehs.CutAfter})
		h.alice.say("!tell")
		h.pass(time.Minute)
		if n := len(h.told()); n < 3 || n > 6 {
			t.Errorf("%d events, want fewer for the waits", n)
		}
		if text, marked := h.latest(0); !strings.HasSuffix(text, " w99") || marked {
			t.Errorf("in the end it shows %q, marked as live: %t", text, marked)
		}
	})
}

func TestStreamThatIsNotClosedEndsWithTheHandler(t *testing.T) {
	for name, end := range map[string]func() error{
		"returns": func() error { return nil },
		"fails":   func() error { return errors.New("broken") },
		"panics":  func() error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
				if err := words(ctx, s, 30, 100*time.Millisecond); err != nil {
					return err
				}
				return end()
			}), func(h *house) {
				h.alice.say("!tell")
				h.pass(time.Minute)
				text, marked := h.latest(0)
				if !strings.HasSuffix(text, " w29") || marked {
					t.Errorf("in the end it shows %q, marked as live: %t", text, marked)
				}
				if failed, _ := h.latest(1); (failed != "") != (name != "returns") {
					t.Errorf("the user is told %q", failed)
				}
			})
		})
	}
}

func TestStreamWhoseContextEndsShowsWhatThereIs(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, c *niobot.Context, _ *niobot.Stream) error {
		limited, cancel := context.WithTimeout(ctx, 3050*time.Millisecond)
		defer cancel()
		s := c.Stream(limited)
		if err := words(ctx, s, 60, 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("writing ends with %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing ends with %v", err)
		}
		return nil
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(time.Minute)
		if text, marked := h.latest(0); !strings.HasSuffix(text, " w30") || marked {
			t.Errorf("in the end it shows %q, marked as live: %t", text, marked)
		}
	})
}

func TestStreamIsFinishedWhenTheBotStops(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		return words(ctx, s, 600, time.Second)
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(5500 * time.Millisecond)
		h.stop()
		h.pass(time.Minute)
		if text, marked := h.latest(0); !strings.Contains(text, "w5") || marked {
			t.Errorf("in the end it shows %q, marked as live: %t", text, marked)
		}
	})
}

func TestEditOfACommandTakesItsStreamOver(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		return words(ctx, s, 600, time.Second)
	}), func(h *house) {
		message := h.alice.say("!tell")
		h.pass(5500 * time.Millisecond)
		h.alice.edit(message, "!echo two")
		h.pass(time.Minute)
		h.wantLatest(0, "echo two")
		if second, _ := h.latest(1); second != "" {
			t.Errorf("there is another message: %q", second)
		}
	})
}

// A run that is repeated sends the same, so that nothing is there twice, however many edits there are each time.
func TestRepeatedRunGoesOnWithItsStream(t *testing.T) {
	n := 0
	inHouse(t, streaming(func(ctx context.Context, c *niobot.Context, s *niobot.Stream) error {
		n += 40
		if err := c.Reply(ctx, "before"); err != nil {
			return err
		}
		if err := words(ctx, s, n, 100*time.Millisecond); err != nil {
			return err
		}
		if err := s.Close(); err != nil {
			return err
		}
		return c.Reply(ctx, "after")
	}), func(h *house) {
		message := h.alice.say("!tell")
		h.pass(time.Minute)
		var e *event.Event
		for _, e = range h.hs.Timeline(h.room) {
			if e.ID == message {
				break
			}
		}
		h.must(h.bot.Process(h.bed(h.t.Context()), e))
		h.wantLatest(0, "before")
		h.wantLatest(2, "after")
		if text, marked := h.latest(1); !strings.HasSuffix(text, " w79") || marked {
			t.Errorf("in the end it shows %q, marked as live: %t", text, marked)
		}
		if fourth, _ := h.latest(3); fourth != "" {
			t.Errorf("there is another message: %q", fourth)
		}
	})
}

func TestLongTextGoesOnInFurtherMessages(t *testing.T) {
	paragraph := strings.Repeat("word ", 200) + "\n\n"
	inHouse(t, streaming(func(_ context.Context, _ *niobot.Context, s *niobot.Stream) error {
		for range 60 {
			if _, err := s.WriteString(paragraph); err != nil {
				return err
			}
			<-time.After(time.Second)
		}
		return s.Close()
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(2 * time.Minute)
		total := 0
		for i := range 4 {
			text, marked := h.latest(i)
			if marked {
				t.Errorf("message %d is marked as live", i)
			}
			total += strings.Count(text, "word")
		}
		if total != 60*200 {
			t.Errorf("the messages hold %d words, want %d", total, 60*200)
		}
		if replies := h.told()[0].Content.AsMessage().RelatesTo.GetReplyTo(); replies == "" {
			t.Error("the first message is no reply")
		}
	})
}

func TestStreamSet(t *testing.T) {
	inHouse(t, streaming(func(_ context.Context, _ *niobot.Context, s *niobot.Stream) error {
		for i := range 5 {
			if err := s.Set(fmt.Sprintf("step %d", i)); err != nil {
				return err
			}
			<-time.After(2 * time.Second)
		}
		if err := s.Set("done"); err != nil {
			return err
		}
		return s.Close()
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(time.Minute)
		h.wantSaid("step 0", "edit of 0: step 1", "edit of 0: step 2", "edit of 0: step 3", "edit of 0: step 4",
			"edit of 0: done")
	})
}

func TestStreamThatShrinksTakesMessagesBack(t *testing.T) {
	inHouse(t, streaming(func(_ context.Context, _ *niobot.Context, s *niobot.Stream) error {
		if err := s.Set(strings.Repeat("word ", 10000)); err != nil {
			return err
		}
		<-time.After(3 * time.Second)
		if len(s.Sent()) < 2 {
			t.Errorf("%d messages", len(s.Sent()))
		}
		return errors.Join(s.Set("short"), s.Close())
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(time.Minute)
		if got := h.shown(); !slices.Equal(got, []string{"short"}) {
			t.Errorf("the room shows %.100q", got)
		}
	})
}

func TestRoomWithoutLiveMessages(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		return words(ctx, s, 10, time.Second)
	}), func(h *house) {
		control := event.Type{Type: "org.matrix.msc4357.live_messaging", Class: event.StateEventType}
		h.alice.state(h.room, control, "", map[string]bool{"enabled": false})
		h.alice.say("!tell")
		h.pass(time.Minute)
		h.wantSaid("w0 w1 w2 w3 w4 w5 w6 w7 w8 w9")
	})
}

func TestStreamShowsTyping(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		return words(ctx, s, 100, time.Second)
	}), func(h *house) {
		h.alice.say("!tell")
		for range 4 {
			h.pass(24 * time.Second)
			if typing := h.hs.Typing(h.room); len(typing) != 1 {
				t.Errorf("the bot is not typing: %q", typing)
			}
		}
		h.pass(time.Minute)
		if typing := h.hs.Typing(h.room); len(typing) != 0 {
			t.Errorf("at the end %q is typing", typing)
		}
	})
}

func TestStreamErrors(t *testing.T) {
	inHouse(t, streaming(func(ctx context.Context, c *niobot.Context, s *niobot.Stream) error {
		if err := s.Close(); !errors.Is(err, niobot.ErrEmptyMessage) {
			t.Errorf("closing an empty stream returns %v", err)
		}
		if _, err := s.WriteString("late"); err == nil {
			t.Error("a closed stream takes a text")
		}
		s = c.Stream(ctx)
		if err := s.Set(strings.Repeat("x", niobot.MaxStream)); err != nil {
			t.Error(err)
		}
		if _, err := s.WriteString("x"); !errors.Is(err, niobot.ErrTooLarge) {
			t.Errorf("writing too much returns %v", err)
		}
		return s.Set("kept")
	}), func(h *house) {
		h.alice.say("!tell")
		h.pass(time.Minute)
		h.wantSaid("kept")
	})
}

func TestStreamIntoWhatCannotBeSentTo(t *testing.T) {
	results := make(chan error, 2)
	inHouse(t, streaming(func(ctx context.Context, _ *niobot.Context, s *niobot.Stream) error {
		results <- words(ctx, s, 100, time.Second)
		results <- s.Close()
		return nil
	}), func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Status: 403, ErrCode: "M_FORBIDDEN"})
		h.alice.say("!tell")
		h.pass(5 * time.Minute)
		for range 2 {
			if err := <-results; err == nil || !strings.Contains(err.Error(), "M_FORBIDDEN") {
				t.Errorf("got %v, want that it is forbidden", err)
			}
		}
	})
}

// What has begun in a stream keeps the fields that it was asked to have.
func TestStreamKeepsItsFields(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{
		command("tell", func(ctx context.Context, c *niobot.Context) error {
			s := c.Stream(ctx, niobot.WithField("org.example.model", "m1"), niobot.AsType(event.MsgText))
			return words(ctx, s, 3, time.Second)
		}),
	}}, func(h *house) {
		h.alice.say("!tell")
		h.pass(time.Minute)
		sent := h.told()
		var content struct {
			New struct {
				Model string            `json:"org.example.model"`
				Type  event.MessageType `json:"msgtype"`
			} `json:"m.new_content"`
		}
		h.must(json.Unmarshal(sent[len(sent)-1].Content.VeryRaw, &content))
		if content.New.Model != "m1" || content.New.Type != event.MsgText {
			t.Errorf("the last edit says %+v", content.New)
		}
	})
}
