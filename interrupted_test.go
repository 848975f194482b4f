package niobot_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// asking is a command that asks for two things, and answers with both.
func asking() *niobot.Command {
	return niobot.NewCommand("meet", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		first, err := c.Ask(ctx, niobot.Plain("first?"))
		if err != nil {
			return err
		}
		second, err := c.Ask(ctx, niobot.Plain("second?"))
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s %s", first.Body, second.Body)
	})
}

// waiting is a command that does the same by waits.
func waiting() *niobot.Command {
	return niobot.NewCommand("meet", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		var heard []string
		for _, what := range []string{"first?", "second?"} {
			if err := c.Reply(ctx, "%s", what); err != nil {
				return err
			}
			m, err := c.WaitForMessage(ctx, nil)
			if err != nil {
				return err
			}
			heard = append(heard, m.Body)
		}
		return c.Reply(ctx, "%s %s", heard[0], heard[1])
	})
}

func TestConversationGoesOnAfterAnOrderlyRestart(t *testing.T) {
	for name, command := range map[string]*niobot.Command{"wait": waiting(), "question": asking()} {
		t.Run(name, func(t *testing.T) {
			s := kept(setting{commands: []*niobot.Command{command}})
			inHouse(t, s, func(h *house) { // The bot has its whole Config.Drain to end.
				h.alice.say("!meet")
				h.wantSaid("first?")
				h.pass(time.Second)
				h.down()
				h.wantSaid("first?")
				h.up(s)
				h.pass(time.Second)
				h.alice.say("Ada")
				h.wantSaid("first?", "second?")
				h.pass(time.Second)
				h.down()
				h.up(s)
				h.pass(time.Second)
				h.alice.say("Lovelace")
				h.wantSaid("first?", "second?", "Ada Lovelace")
				h.pass(time.Second)
				h.down()
				h.up(s)
				h.pass(time.Second)
				h.wantSaid("first?", "second?", "Ada Lovelace")
			})
		})
	}
}

func TestListenerThatWaitsIsCalledAgainAfterAnOrderlyRestart(t *testing.T) {
	var heard atomic.Pointer[string]
	s := kept(setting{})
	s.tune = func(b *niobot.Bot) {
		b.OnMessage(func(ctx context.Context, m *niobot.Message) error {
			if m.Body != "begin" {
				return nil
			}
			answer, err := b.WaitForMessage(ctx, m.RoomID, m.Sender, nil)
			if err == nil {
				heard.Store(&answer.Body)
			}
			return err
		})
	}
	inHouse(t, s, func(h *house) {
		h.alice.say("begin")
		h.pass(time.Second)
		h.down()
		h.up(s)
		h.pass(time.Second)
		h.alice.say("end")
		h.settle()
		if got := heard.Load(); got == nil || *got != "end" {
			t.Error("the listener was not called again")
		}
	})
}

func TestAnswerOfTheDowntimeIsHeard(t *testing.T) {
	for name, command := range map[string]*niobot.Command{"wait": waiting(), "question": asking()} {
		t.Run(name, func(t *testing.T) {
			s, store := mortalSetting(command)
			inHouse(t, s, func(h *house) {
				h.alice.say("!meet")
				h.wantSaid("first?")
				h.pass(time.Second)
				h.crash(store)
				h.alice.say("Ada")
				h.fail(fakehs.Fault{Path: "/send/", Latency: time.Second, Count: 1})
				h.up(s)
				h.pass(5 * time.Second)
				h.wantSaid("first?", "second?")
				h.crash(store)
				h.up(s)
				h.pass(5 * time.Second)
				h.alice.say("Lovelace")
				h.wantSaid("first?", "second?", "Ada Lovelace")
			})
		})
	}
}

func TestWrongAnswersAreHeardAgainAfterTwoCrashes(t *testing.T) {
	s, store := mortalSetting(niobot.NewCommand("count",
		func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			n, err := niobot.Ask[int](ctx, c, niobot.Plain("how many?"), niobot.Tries(5))
			if err != nil {
				return err
			}
			if err := c.Reply(ctx, "%d", n); err != nil {
				return err
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}))
	inHouse(t, s, func(h *house) {
		h.alice.say("!count")
		h.settle()
		want := []string{"how many?", `"x" is not a whole number. Please try again.`}
		h.alice.say("x")
		h.wantSaid(want...)
		h.pass(time.Second)
		h.crash(store)
		h.up(s)
		h.pass(stragglers)
		h.alice.say("y")
		want = append(want, `"y" is not a whole number. Please try again.`)
		h.wantSaid(want...)
		h.pass(time.Second)
		h.crash(store)
		h.up(s)
		h.pass(10 * time.Second)
		h.alice.say("7")
		h.wantSaid(append(want, "7")...)
	})
}

func TestRepliesOfARedactedCommandGoThoughTheBotEnds(t *testing.T) {
	s := kept(setting{config: func(c *niobot.Config) { c.Drain = -1 }})
	inHouse(t, s, func(h *house) {
		command := h.alice.say("!echo one")
		h.wantSaid("echo one")
		h.pass(time.Second)
		refused := h.fail(fakehs.Fault{Path: "/redact/", Status: 502})
		h.alice.redact(command)
		h.pass(time.Second)
		h.down()
		refused.Remove()
		h.up(s)
		h.pass(time.Second)
		h.wantSaid("gone")
	})
}

func TestReplyThatTheBotsEndCutsOffIsSentByTheNextStart(t *testing.T) {
	s := kept(setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{niobot.NewCommand("careless",
			func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
				if err := c.Reply(ctx, "answer"); err != nil {
					c.Logger().Warn("no answer", "err", err)
				}
				return nil
			})},
	})
	inHouse(t, s, func(h *house) {
		refused := h.fail(fakehs.Fault{Path: "/send/", Status: 502})
		h.alice.say("!careless")
		h.pass(time.Second)
		h.down()
		refused.Remove()
		h.up(s)
		h.pass(time.Second)
		h.wantSaid("answer")
	})
}

// stubborn is a command that answers at once, and heeds the end of its context only after ten seconds.
func stubborn() *niobot.Command {
	return niobot.NewCommand("slow", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if err := c.Reply(ctx, "begun"); err != nil {
			return err
		}
		<-ctx.Done()
		<-time.After(3 * time.Second)
		return context.Cause(ctx)
	})
}

func TestEditThatACrashHasInterruptedEditsTheReplies(t *testing.T) {
	for name, change := range map[string]struct {
		do   func(h *house, command *event.Event)
		want string
	}{
		"edit":      {func(h *house, e *event.Event) { h.alice.edit(e.ID, "!echo x") }, "edit of 0: echo x"},
		"redaction": {func(h *house, e *event.Event) { h.alice.redact(e.ID) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, store := mortalSetting(stubborn())
			s.config = func(c *niobot.Config) { c.Drain, c.Workers = -1, 1 }
			inHouse(t, s, func(h *house) {
				command := h.alice.say("!slow")
				h.pass(time.Second)
				h.wantSaid("begun")
				change.do(h, &event.Event{ID: command})
				h.pass(time.Second)
				h.crash(store) // Neither the command nor its edit is done.
				h.up(s)
				h.pass(time.Minute)
				if change.want == "" {
					h.wantSaid("gone")
				} else {
					h.wantSaid("begun", change.want)
				}
			})
		})
	}
}

func TestRunThatEndsForTheBotIsToldToNobody(t *testing.T) {
	var told atomic.Int32
	command := waiting()
	s := kept(setting{commands: []*niobot.Command{command}},
		niobot.WithErrorHandler(func(_ context.Context, _ *niobot.Context, err error) {
			if !errors.Is(err, niobot.ErrClosed) {
				told.Add(1)
			}
		}))
	inHouse(t, s, func(h *house) {
		h.alice.say("!meet")
		h.pass(time.Second)
		h.down()
		if told.Load() != 0 {
			t.Error("the error handler was told of another error than ErrClosed")
		}
	})
}

// Two answers are waited for at once, and the waits begin in another order when they are repeated.
func TestWaitsThatGoOnAtOnceKeepTheirAnswers(t *testing.T) {
	var swapped atomic.Bool
	s, store := mortalSetting(niobot.NewCommand("both",
		func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			kinds := []event.Type{event.EventMessage, event.EventReaction}
			if swapped.Load() {
				kinds[0], kinds[1] = kinds[1], kinds[0]
			}
			found := make(map[event.Type]*niobot.Event)
			var mu sync.Mutex
			var waits sync.WaitGroup
			for _, kind := range kinds {
				waits.Go(func() {
					e, err := c.WaitFor(ctx, niobot.Filter{Type: kind, Sender: c.Sender()})
					if err == nil {
						mu.Lock()
						defer mu.Unlock()
						found[e.Type] = e
					}
				})
				<-time.After(time.Millisecond) // It waits by then.
			}
			waits.Wait()
			if len(found) < len(kinds) {
				return context.Cause(ctx)
			}
			return c.Reply(ctx, "both")
		}))
	inHouse(t, s, func(h *house) {
		command := h.alice.say("!both")
		h.pass(time.Second)
		h.alice.say("yes")
		h.pass(time.Second)
		h.crash(store)
		swapped.Store(true)
		h.up(s)
		h.pass(time.Second)
		_, err := h.alice.SendReaction(h.t.Context(), h.room, command, "x")
		h.must(err)
		h.pass(stragglers)
		h.wantSaid("both")
	})
}
