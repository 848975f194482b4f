package niobot_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/niobot/niobot"
)

// lasting is a command that answers after some time.
func lasting(takes time.Duration) *niobot.Command {
	return niobot.NewCommand("slow", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		select {
		case <-time.After(takes):
			return c.Reply(ctx, "slow")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

func TestTrialHoldsUpNothingElse(t *testing.T) {
	s, store := mortalSetting(lasting(time.Hour))
	inHouse(t, s, func(h *house) {
		other := h.alice.newRoom()
		for range 4 {
			h.alice.say("!slow")
		}
		for range 8 { // By now each of the four is alone for seconds.
			h.pass(time.Second)
			h.crash(store)
			h.up(s)
		}
		h.alice.say("!ping")
		h.alice.sayIn(other, "!echo quick")
		h.settle()
		if got := h.said(other); !slices.Equal(got, []string{"echo quick"}) {
			t.Errorf("the other room was answered %q", got)
		}
		h.wantSaid("pong")
	})
}

func TestCommandThatKillsFromOutsideInterruptIsNotSetAside(t *testing.T) {
	s, store := mortalSetting(lasting(2 * time.Second))
	inHouse(t, s, func(h *house) {
		h.alice.say("!slow")
		for range 8 {
			h.pass(1500 * time.Millisecond)
			h.crash(store)
			h.up(s)
		}
		h.pass(10 * time.Second)
		h.wantSaid("slow")
	})
}

func TestPoisonThatTakesItsTimeIsSetAside(t *testing.T) {
	var h *house
	var runs atomic.Int32
	var dies *mortal
	s, dies := mortalSetting(lasting(time.Hour), niobot.NewCommand("boom",
		func(ctx context.Context, _ *niobot.Context, _ niobot.NoArgs) error {
			runs.Add(1)
			select {
			case <-time.After(3 * time.Second):
				dies.dead.Store(true)
				h.stop()
				<-ctx.Done()
			case <-ctx.Done():
			}
			return context.Cause(ctx)
		}))
	inHouse(t, s, func(started *house) {
		h = started
		h.alice.say("!slow")
		h.alice.say("!boom")
		for range 1000 {
			h.pass(time.Second)
			select {
			case <-h.ended:
				h.up(s)
			default:
			}
		}
		if n := runs.Load(); n < 6 || n > 15 {
			t.Errorf("the poison ran %d times", n)
		}
		if lines := h.logs.with("event set aside"); len(lines) != 1 {
			t.Errorf("the last start has set %d events aside, want 1", len(lines))
		}
		h.pass(2 * time.Hour)
		if got := h.said(h.room); !slices.Contains(got, "slow") {
			t.Errorf("the bot said %q, want the answer of the one that is innocent", got)
		}
	})
}
