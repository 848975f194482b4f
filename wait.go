package niobot

import (
	"context"
	"math"
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
// where none will come since the bot has stopped. Events of the bot itself count; those that came before the call do
// not, except in a command's handler: there, those count that have come since the handler last sent something or last
// waited, so that an answer that is quicker than the handler is not lost.
//
// A handler or listener that waits with the context that it was given gives its place to others meanwhile, so that
// waiting holds up nothing. Typing, receipts and presence are asked of the server only while somebody listens or waits
// for them by the type's name.
func (b *Bot) WaitFor(ctx context.Context, f Filter) (*Event, error) {
	p := placeOf(ctx)
	r, _ := p.(*run)
	wait, before := r.nextWait(f)
	for _, e := range before {
		if (&waiter{filter: f}).takes(e) {
			return e, nil
		}
	}
	w, err := b.waiters.addSince(r.heardUpTo(), f, p, wait)
	b.tellFilter(err)
	defer b.waiters.remove(w)
	if w.place != nil {
		defer w.place.regain()
	}
	select {
	case e := <-w.found:
		r.heard(w.at)
		return e, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-b.hearing.Done():
		r.cutOff()
		return nil, context.Cause(b.hearing)
	}
}

// tellFilter logs the panic of a filter.
func (b *Bot) tellFilter(err error) {
	if err != nil {
		b.log.Error("filter panicked", "err", err, "stack", stackOf(err))
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

// maxRecent is how many of the latest events are kept for handlers that may be about to wait.
const maxRecent = 1024

// waiters are the calls of WaitFor that go on, and what those may still want that come while commands run.
type waiters struct {
	mu     sync.Mutex
	all    map[*waiter]struct{}
	runs   int    // Commands that run, and may come to wait
	count  uint64 // Of the events that were offered
	at     uint64 // The count of the one that filters look at
	recent fifo[recentEvent]
}

type waiter struct {
	filter Filter
	place  place // What who waits works on, and has given back; nil where there is none
	found  chan *Event
	at     uint64 // The count of what was found
	run    *run   // Of a command's handler, else nil
	wait   string // Which of the run's waits it is
}

// takes is accepts for an event of before a crash; a filter that panics takes nothing.
func (w *waiter) takes(e *Event) bool {
	accepted, err := w.accepts(e)
	return accepted && err == nil
}

type recentEvent struct {
	event *Event
	at    uint64
}

// enter says that a command runs; leave, that it has ended.
func (ws *waiters) enter() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.runs++
}

func (ws *waiters) leave() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.runs--; ws.runs == 0 {
		ws.recent = fifo[recentEvent]{}
	}
}

// now is the count of the latest event.
func (ws *waiters) now() uint64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.count
}

// nothingBefore is the count after which there is no event yet.
const nothingBefore = math.MaxUint64

// addSince notes who waits and gives the place back, in one: an event that comes between is neither lost, nor found
// while the place is still taken. Where what is waited for has come after the event with the count since, it is found at
// once. failure is a filter's panic.
func (ws *waiters) addSince(since uint64, f Filter, p place, wait string) (w *waiter, failure error) {
	w = &waiter{filter: f, wait: wait, found: make(chan *Event, 1)}
	w.run, _ = p.(*run)
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, r := range ws.recent.items[ws.recent.head:] {
		if r.at <= since {
			continue
		}
		ws.at = r.at
		accepted, err := w.accepts(r.event)
		if err != nil {
			failure = err
		}
		if accepted {
			w.at = r.at
			w.run.hears(w.wait, r.event)
			w.found <- r.event
			return w, failure
		}
	}
	if p != nil {
		w.place = p
		p.yield()
	}
	if ws.all == nil {
		ws.all = make(map[*waiter]struct{})
	}
	ws.all[w] = struct{}{}
	return w, failure
}

func (w *waiter) accepts(e *Event) (accepted bool, failure error) {
	if w.run.heardBefore(e) {
		return false, nil
	}
	failure = recovered(func() error { accepted = w.filter.accepts(e); return nil })
	return accepted, failure
}

func (ws *waiters) remove(w *waiter) { ws.removeWith(w, func() {}) }

// removeWith is remove with what is to be done before the next event comes.
func (ws *waiters) removeWith(w *waiter, f func()) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.all, w)
	f()
}

// offer hands e to all that wait for it; each is done then. It reports a filter's panic.
func (ws *waiters) offer(e *Event) (failure error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.count++
	ws.at = ws.count
	if ws.runs > 0 {
		ws.recent.push(recentEvent{e, ws.count})
		if ws.recent.len() > maxRecent {
			ws.recent.pop()
		}
	}
	for w := range ws.all {
		accepted, err := w.accepts(e)
		if err != nil {
			failure = err
		}
		if accepted {
			if w.place != nil {
				w.place.wake()
			}
			w.at = ws.count
			w.run.hears(w.wait, e)
			w.found <- e
			delete(ws.all, w)
		}
	}
	return failure
}

// any tells whether somebody waits, or may be about to.
func (ws *waiters) any() bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return len(ws.all) > 0 || ws.runs > 0
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
