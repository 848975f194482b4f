package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Bounds on messages that can't be read yet.
const (
	keyPatience = 10 * time.Minute // How long a message waits for its key
	maxParked   = 10000            // Messages that wait; of more, the oldest are given up
)

// UnreadableHandler is told of a message that was never read, and why: [ErrKeyMissing] or [ErrUnreadable].
type UnreadableHandler func(ctx context.Context, e *Event, err error)

// OnUnreadable calls f for each encrypted message that the bot gives up to read: its key has not come within 10
// minutes, or it can't be decrypted at all. See [Bot.OnStart].
func (b *Bot) OnUnreadable(f UnreadableHandler) (remove func()) {
	return addHook(&b.hooks.unreadable, "OnUnreadable", f, f == nil)
}

// Origin is what is known of the device that the event was encrypted by; ok is false for what came in the clear.
func (e *Event) Origin() (o Origin, ok bool) {
	if e.origin == nil {
		return Origin{}, false
	}
	return *e.origin, true
}

// decrypt reads an encrypted event of a room.
func (b *Bot) decrypt(ctx context.Context, e *Event) (*Event, error) {
	plain, err := b.settings.encryption.Decrypt(ctx, &event.Event{
		ID: e.ID, Sender: e.Sender, Type: event.EventEncrypted, RoomID: e.RoomID, Timestamp: e.kept.Timestamp,
		Content: event.Content{VeryRaw: json.RawMessage(e.kept.Content)},
	})
	if err != nil {
		return nil, err
	}
	return e.decrypted(plain)
}

// decrypted is the event with what it held in place of its ciphertext.
func (e *Event) decrypted(plain Decrypted) (*Event, error) {
	if len(plain.Content) == 0 || plain.Type.Type == "" {
		return nil, fmt.Errorf("%w: the plaintext is no event", ErrUnreadable)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(e.kept.Raw), &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	typ, err := json.Marshal(plain.Type.Type)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	all["type"], all["content"] = typ, plain.Content
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	kept, ok := syncjson.Parse(string(raw))
	if !ok {
		return nil, fmt.Errorf("%w: the plaintext has no type or content", ErrUnreadable)
	}
	// A sender could otherwise pass state off on readers of events, where the server has none.
	kept.HasStateKey, kept.StateKey = false, ""
	read := newEvent(e.room, event.MessageEventType, kept)
	read.entry, read.origin = e.entry, &plain.Origin
	return read, nil
}

// read is what an event of a room is to be worked on as: decrypted where it was encrypted. ok is false where it can't be
// read, or not yet.
func (b *Bot) read(ctx context.Context, e *Event) (read *Event, ok bool) {
	if b.settings.encryption == nil || e.room == nil || e.Type != event.EventEncrypted {
		return e, true
	}
	read, err := b.decrypt(ctx, e)
	switch {
	case err == nil:
		return read, true
	case b.life.Err() != nil:
		e.entry.interrupted()
		e.entry.release()
		return nil, false
	case errors.Is(err, ErrKeyMissing):
		b.parked.add(b, e)
		return nil, false
	}
	b.giveUpReading(e, err)
	return nil, false
}

// giveUpReading tells of a message that is never read.
func (b *Bot) giveUpReading(e *Event, err error) {
	defer e.entry.release()
	if e.Sender == b.UserID() {
		return // Another device's, or one of the time before this one.
	}
	b.log.Warn("message not read", "room_id", e.RoomID, "event_id", e.ID, "sender", e.Sender, "err", err)
	tell(context.WithoutCancel(b.life), &b.hooks, "OnUnreadable", &b.hooks.unreadable,
		func(ctx context.Context, f UnreadableHandler) { f(ctx, e, err) })
}

// parked are the messages that wait for their keys, by room, in their order.
type parked struct {
	mu    sync.Mutex
	rooms map[id.RoomID][]*parkedEvent
	count int
}

type parkedEvent struct {
	event   *Event
	session id.SessionID
	limit   *time.Timer
}

// add lets an event wait for its key.
func (p *parked) add(b *Bot, e *Event) {
	waits := &parkedEvent{event: e, session: id.SessionID(syncjson.GetString(e.kept.Content, "session_id"))}
	p.mu.Lock()
	if p.rooms == nil {
		p.rooms = make(map[id.RoomID][]*parkedEvent)
	}
	full := p.count >= maxParked
	if !full {
		p.count++
		p.rooms[e.RoomID] = append(p.rooms[e.RoomID], waits)
		waits.limit = time.AfterFunc(keyPatience, func() {
			if p.take(waits) {
				b.giveUpReading(e, ErrKeyMissing)
			}
		})
	}
	p.mu.Unlock()
	if full {
		b.giveUpReading(e, ErrKeyMissing)
		return
	}
	e.entry.settle()
	b.log.Debug("message waits for its key", "room_id", e.RoomID, "event_id", e.ID, "session_id", waits.session)
}

// take removes an event, and reports false where it no longer waits.
func (p *parked) take(waits *parkedEvent) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := waits.event.RoomID
	i := slices.Index(p.rooms[room], waits)
	if i < 0 {
		return false
	}
	p.count--
	waits.limit.Stop()
	if p.rooms[room] = slices.Delete(p.rooms[room], i, i+1); len(p.rooms[room]) == 0 {
		delete(p.rooms, room)
	}
	return true
}

// release lets what waits for a session's key be read again.
func (p *parked) release(b *Bot, room id.RoomID, session id.SessionID) {
	p.mu.Lock()
	waiting := slices.Clone(p.rooms[room])
	p.mu.Unlock()
	var ready []*Event
	var in *Room
	for _, waits := range waiting {
		if (session == "" || waits.session == session || waits.session == "") && p.take(waits) {
			ready, in = append(ready, waits.event), waits.event.room
		}
	}
	if in != nil {
		b.dispatcher.push(in, nil, ready)
	}
}

// stop ends all waiting; what waits stays in the inbox.
func (p *parked) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range p.rooms {
		for _, waits := range room {
			waits.limit.Stop()
		}
	}
	p.rooms, p.count = nil, 0
}
