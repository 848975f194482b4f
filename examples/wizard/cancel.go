package main

import (
	"context"
	"errors"
	"sync"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// errCancelled is why a conversation ended whose user wanted no more of it.
var errCancelled = errors.New("cancelled by the user")

// conversations are those that go on. The zero value is ready for use.
type conversations struct {
	mu    sync.Mutex
	going map[place]context.CancelCauseFunc
}

// place is where somebody is asked.
type place struct {
	room id.RoomID
	user id.UserID
}

// begin makes a context that ends when the conversation is cancelled; ok is false where one goes on already.
func (cs *conversations) begin(ctx context.Context, c *niobot.Context) (_ context.Context, end func(), ok bool) {
	where := place{c.Room.ID(), c.Sender()}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.going[where] != nil {
		return ctx, nil, false
	}
	if cs.going == nil {
		cs.going = make(map[place]context.CancelCauseFunc)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	cs.going[where] = cancel
	return ctx, func() {
		cancel(nil)
		cs.mu.Lock()
		defer cs.mu.Unlock()
		delete(cs.going, where)
	}, true
}

// cancel ends a conversation, and reports whether there was one.
func (cs *conversations) cancel(c *niobot.Context) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cancel, ok := cs.going[place{c.Room.ID(), c.Sender()}]
	if ok {
		cancel(errCancelled)
	}
	return ok
}

// cancelCommand is a command, not a word among the answers: what calls a command answers no question, so that "cancel"
// is still a name that one may have.
func cancelCommand(asking *conversations) *niobot.Command {
	cancel := func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if !asking.cancel(c) {
			return c.Reply(ctx, "I have asked you nothing.")
		}
		return c.Reply(ctx, "Never mind.")
	}
	return niobot.NewCommand("cancel", cancel, niobot.Describe("Have me ask no further."))
}
