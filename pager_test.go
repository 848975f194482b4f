package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

func ExampleContext_Pages() {
	list := niobot.NewCommand("list", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		var pages []niobot.Body
		for i := range 3 {
			pages = append(pages, niobot.Markdown("**Chapter %d**", i+1))
		}
		return c.Pages(ctx, pages, niobot.Within(10*time.Minute))
	})
	fmt.Println(list)
	// Output: list
}

// outcome is what a handler's call has returned, if it has.
type outcome struct {
	mu    sync.Mutex
	ended bool
	err   error
}

func (o *outcome) set(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.err = true, err
	return err
}

// want wants the call to have ended with an error that is the given one.
func (o *outcome) want(t testing.TB, err error) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended || !errors.Is(o.err, err) {
		t.Errorf("ended %t with %v, want %v", o.ended, o.err, err)
	}
}

func (o *outcome) wantNone(t testing.TB) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		t.Errorf("ended with %v", o.err)
	}
}

// paged is a command with pages, and what it returned.
func paged(n int, opts ...niobot.AskOption) (*niobot.Command, *outcome) {
	got := new(outcome)
	return command("list", func(ctx context.Context, c *niobot.Context) error {
		var pages []niobot.Body
		for i := range n {
			pages = append(pages, niobot.Plain(fmt.Sprint("page ", i+1)))
		}
		return got.set(c.Pages(ctx, pages, opts...))
	}), got
}

// redacting gives the bot the power to redact.
func (h *house) redacting() {
	h.alice.state(h.room, event.StatePowerLevels, "", &event.PowerLevelsEventContent{
		Users: map[id.UserID]int{h.alice.UserID: 100, h.botID: 50},
	})
	h.settle()
}

// reactionsOf are the keys of a user's reactions that stand.
func (h *house) reactionsOf(user id.UserID) (keys []string) {
	h.settle()
	for _, e := range h.hs.Timeline(h.room) {
		if e.Type == event.EventReaction && e.Sender == user && e.Content.AsReaction().RelatesTo.Key != "" {
			keys = append(keys, e.Content.AsReaction().RelatesTo.Key)
		}
	}
	return keys
}

func TestPagesAreTurnedInPlace(t *testing.T) {
	cmd, got := paged(3)
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.redacting()
		h.alice.say("!list")
		list := h.last().ID
		h.wantTaps(list, "◀️", "▶️", "✖️")
		for _, key := range []string{"▶️", "▶", "▶️", "◀️"} {
			h.alice.react(list, key)
			h.settle()
		}
		if left := h.reactionsOf(h.alice.UserID); len(left) > 0 {
			t.Errorf("the user's reactions stay: %v", left)
		}
		h.alice.react(list, "✖️")
		h.wantSaid("page 1\n\n1/3", "edit of 0: page 2\n\n2/3", "edit of 0: page 3\n\n3/3", "edit of 0: page 2\n\n2/3")
		h.wantTaps(list)
		got.want(t, nil)
	})
}

func TestPagesCountReactionsTakenBackWhereTheBotCannotRedact(t *testing.T) {
	cmd, _ := paged(3)
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!list")
		list := h.last().ID
		h.settle()
		next := h.alice.react(list, "▶️")
		h.settle()
		h.alice.redact(next)
		h.wantSaid("page 1\n\n1/3", "edit of 0: page 2\n\n2/3", "edit of 0: page 3\n\n3/3")
		if left := h.reactionsOf(h.alice.UserID); len(left) > 0 {
			t.Errorf("reactions stay: %v", left)
		}
	})
}

func TestPagesAreTurnedByTheInvokerUnlessAnyoneMay(t *testing.T) {
	for name, test := range map[string]struct {
		opts []niobot.AskOption
		want []string
	}{
		"invoker": {nil, []string{"page 1\n\n1/2"}},
		"anyone":  {[]niobot.AskOption{niobot.ByAnyone()}, []string{"page 1\n\n1/2", "edit of 0: page 2\n\n2/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd, _ := paged(2, test.opts...)
			inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
				bob := h.joins("bob")
				h.alice.say("!list")
				list := h.last().ID
				h.settle()
				bob.react(list, "▶️")
				h.wantSaid(test.want...)
			})
		})
	}
}

func TestPagesEndWhenNobodyTurnsThem(t *testing.T) {
	cmd, got := paged(2, niobot.Within(time.Minute))
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.redacting()
		h.alice.say("!list")
		list := h.last().ID
		for range 3 {
			h.pass(50 * time.Second)
			h.alice.react(list, "▶️")
			h.settle()
		}
		got.wantNone(t)
		h.pass(61 * time.Second)
		h.wantTaps(list)
		got.want(t, nil)
		h.alice.react(list, "◀️")
		h.wantSaid("page 1\n\n1/2", "edit of 0: page 2\n\n2/2")
	})
}

func TestPagesEndWhenTheirMessageIsRedacted(t *testing.T) {
	cmd, got := paged(2)
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!list")
		h.alice.redact(h.last().ID)
		h.settle()
		got.want(t, nil)
	})
}

func TestSinglePageIsJustSent(t *testing.T) {
	cmd, got := paged(1)
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!list")
		h.wantSaid("page 1")
		h.wantTaps(h.last().ID)
		got.want(t, nil)
	})
}

func TestPagesThatFitIntoNoEditAreRefused(t *testing.T) {
	var got outcome
	cmd := command("list", func(ctx context.Context, c *niobot.Context) error {
		_ = got.set(c.Pages(ctx, []niobot.Body{niobot.Plain("a"), niobot.Plain(strings.Repeat("b", 40000))}))
		return nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!list")
		h.wantSaid()
	})
	got.want(t, niobot.ErrTooLarge)
}
