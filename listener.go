package niobot

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"maunium.net/go/mautrix/event"
)

// Listener is called with the events it was added for. Those of one room come one after the other in the room's
// order; those of several rooms may come at once. A listener that takes long holds up its room: it should start a
// command's worth of work elsewhere. Its error, or panic, is logged and ends nothing.
type Listener func(ctx context.Context, e *Event) error

// On calls l for each event of the type: of a room's timeline, of account data, and what is only passing (typing,
// receipts, presence). Types are compared by name alone. The returned function removes the listener; a call that
// goes on then ends in its own time. On may be called before and while the bot runs.
func (b *Bot) On(t event.Type, l Listener) (remove func()) {
	if l == nil {
		panic("niobot: On(" + t.Type + "): the listener is nil")
	}
	return b.listeners.add(t.Type, l)
}

// OnMessage calls f for each new message of others, commands included, in rooms that the bot is in. The returned
// function removes it. See [Bot.On].
func (b *Bot) OnMessage(f func(ctx context.Context, m *Message) error) (remove func()) {
	if f == nil {
		panic("niobot: OnMessage: the listener is nil")
	}
	return b.On(event.EventMessage, func(ctx context.Context, e *Event) error {
		m, ok := e.message()
		if !ok || m.Replaces != "" || e.Sender == b.UserID() {
			return nil
		}
		return f(ctx, m)
	})
}

// listeners are sorted by event type. The lists are never changed in place, so that they are read without a lock.
type listeners struct {
	mu    sync.RWMutex
	types map[string][]*listenerEntry
}

type listenerEntry struct {
	call    Listener
	removed atomic.Bool
}

func (ls *listeners) add(typ string, l Listener) (remove func()) {
	entry := &listenerEntry{call: l}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.types == nil {
		ls.types = make(map[string][]*listenerEntry)
	}
	ls.types[typ] = append(slices.Clone(ls.types[typ]), entry)
	return func() { ls.remove(typ, entry) }
}

func (ls *listeners) remove(typ string, entry *listenerEntry) {
	entry.removed.Store(true)
	ls.mu.Lock()
	defer ls.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(ls.types[typ]), func(e *listenerEntry) bool { return e == entry })
	if len(left) == 0 {
		delete(ls.types, typ)
		return
	}
	ls.types[typ] = left
}

// of are the listeners of a type. The conversion of the key does not allocate.
func (ls *listeners) of(typ []byte) []*listenerEntry {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	return ls.types[string(typ)]
}
