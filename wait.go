package niobot

import (
	"context"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Filter says which event [Bot.WaitFor] waits for. Empty fields accept everything.
type Filter struct {
	Type   event.Type        // Compared by name alone
	RoomID id.RoomID         // The room that the event is in
	Sender id.UserID         // The user that sent it
	Match  func(*Event) bool // Called on the bot's own goroutines: it must not block
}

func (f *Filter) accepts(e *Event) bool {
	return (f.Type.Type == "" || f.Type.Type == e.Type.Type) &&
		(f.RoomID == "" || f.RoomID == e.RoomID) &&
		(f.Sender == "" || f.Sender == e.Sender) &&
		(f.Match == nil || f.Match(e))
}

// WaitFor returns the next event that the filter accepts, ctx's error where none came before ctx ended, and [ErrClosed]
// where none will come since the bot has stopped. Events of
// the bot itself count; those that came before the call do not. A handler or listener that waits with the context
// that it was given gives its place to others meanwhile, so that waiting holds up nothing. Typing, receipts and
// presence are asked of the server only while somebody listens or waits for them by the type's name.
func (b *Bot) WaitFor(ctx context.Context, f Filter) (*Event, error) {
	w := b.waiters.add(f, placeOf(ctx))
	defer b.waiters.remove(w)
	if w.place != nil {
		defer w.place.regain()
	}
	select {
	case e := <-w.found:
		return e, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-b.hearing.Done():
		return nil, context.Cause(b.hearing)
	}
}

// WaitForMessage is [Bot.WaitFor] for the next message by a user in a room; match may be nil.
func (b *Bot) WaitForMessage(ctx context.Context, room id.RoomID, sender id.UserID, match func(*Message) bool) (*Message, error) {
	e, err := b.WaitFor(ctx, Filter{
		Type:   event.EventMessage,
		RoomID: room,
		Sender: sender,
		Match: func(e *Event) bool {
			m, ok := e.message()
			return ok && m.Replaces == "" && (match == nil || match(m))
		},
	})
	if err != nil {
		return nil, err
	}
	m, _ := e.message()
	return m, nil
}

// waiters are the calls of WaitFor that go on.
type waiters struct {
	mu  sync.Mutex
	all map[*waiter]struct{}
}

type waiter struct {
	filter Filter
	place  place // What who waits works on; nil where it is nothing of the bot's
	found  chan *Event
}

// add notes who waits and gives the place back, in one: an event that comes between is neither lost, nor found while
// the place is still taken.
func (ws *waiters) add(f Filter, p place) *waiter {
	w := &waiter{filter: f, place: p, found: make(chan *Event, 1)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if p != nil {
		p.yield()
	}
	if ws.all == nil {
		ws.all = make(map[*waiter]struct{})
	}
	ws.all[w] = struct{}{}
	return w
}

func (ws *waiters) remove(w *waiter) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
}

// offer hands e to all that wait for it; each is done then. It reports a filter's panic.
func (ws *waiters) offer(e *Event) (failure error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		accepted := false
		if err := recovered(func() error { accepted = w.filter.accepts(e); return nil }); err != nil {
			failure = err
		}
		if accepted {
			if w.place != nil {
				w.place.wake()
			}
			w.found <- e
			delete(ws.all, w)
		}
	}
	return failure
}

// any tells whether somebody waits.
func (ws *waiters) any() bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return len(ws.all) > 0
}

// name tells whether somebody waits for events of that type by its name.
func (ws *waiters) name(typ string) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		if w.filter.Type.Type == typ {
			return true
		}
	}
	return false
}
