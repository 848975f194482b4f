package niobot

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Event is an event as the server sent it. Its fields are cheap; the content is decoded when it is asked for. It must
// not be changed, and may be read from any goroutine.
type Event struct {
	ID     id.EventID // Empty for what has none: account data, typing, receipts, presence
	RoomID id.RoomID  // Empty outside rooms
	Sender id.UserID  // Empty for account data and what is only passing
	Type   event.Type // With the class that it came with
	room   *Room      // nil outside rooms
	kept   syncjson.Kept
	entry  *entry  // Its place in the inbox; nil where it is not kept
	origin *Origin // Of what was encrypted; nil elsewhere

	contents contents

	decodeOnce sync.Once
	decoded    *event.Event
	decodeErr  error

	messageOnce sync.Once
	text        *Message
	space       *Message // Where text is made
}

// newEvent makes an Event of what a sync response held.
func newEvent(room *Room, class event.TypeClass, kept syncjson.Kept) *Event {
	if kept.Type == event.EventMessage.Type {
		// Most events are messages, which are looked into anyway: one allocation for both.
		both := new(struct {
			event   Event
			message Message
		})
		both.event.space = &both.message
		both.event.fill(room, class, kept)
		return &both.event
	}
	e := new(Event)
	e.fill(room, class, kept)
	return e
}

func (e *Event) fill(room *Room, class event.TypeClass, kept syncjson.Kept) {
	e.ID, e.Sender = id.EventID(kept.ID), id.UserID(kept.Sender)
	e.Type = event.Type{Type: kept.Type, Class: class}
	e.room, e.kept = room, kept
	if room != nil {
		e.RoomID = room.id
	}
}

// timelineClass tells state from messages.
func timelineClass[T syncjson.Text](e *syncjson.Event[T]) event.TypeClass {
	if e.HasStateKey {
		return event.StateEventType
	}
	return event.MessageEventType
}

// Room is the room that the event is in, and nil for one outside rooms.
func (e *Event) Room() *Room { return e.room }

// StateKey is the event's state key; ok is false for what is no state.
func (e *Event) StateKey() (key string, ok bool) { return e.kept.StateKey, e.kept.HasStateKey }

// Time is when the sender's server says that the event was sent. Such a clock may be wrong, or lie.
func (e *Event) Time() time.Time { return time.UnixMilli(e.kept.Timestamp) }

// Age is how long ago the event was sent by the homeserver's clock, as of the response that brought it; ok is false
// where the server did not say.
func (e *Event) Age() (age time.Duration, ok bool) {
	ms, ok := e.kept.Age()
	return time.Duration(ms) * time.Millisecond, ok
}

// JSON is the whole event as the server sent it.
func (e *Event) JSON() json.RawMessage { return json.RawMessage(e.kept.Raw) }

// Content is the event's content as JSON.
func (e *Event) Content() json.RawMessage { return json.RawMessage(e.kept.Content) }

// Redacted tells whether the event's content was removed before it reached the bot.
func (e *Event) Redacted() bool { return e.kept.Redacted() }

// Decode decodes the content into a struct, such as [event.MemberEventContent], by the rules of encoding/json.
func (e *Event) Decode(into any) error {
	if err := json.Unmarshal([]byte(e.kept.Content), into); err != nil {
		return fmt.Errorf("decode content of %s: %w", e.Type.Type, err)
	}
	return nil
}

// Matrix is the event as a mautrix event with its content parsed. It is decoded at the first call; all calls return
// the same value, which must not be changed.
func (e *Event) Matrix() (*event.Event, error) {
	e.decodeOnce.Do(func() {
		decoded := new(event.Event)
		if err := json.Unmarshal([]byte(e.kept.Raw), decoded); err != nil {
			e.decodeErr = fmt.Errorf("decode %s: %w", e.Type.Type, err)
			return
		}
		decoded.RoomID = e.RoomID
		decoded.Type.Class = e.Type.Class
		if err := decoded.Content.ParseRaw(decoded.Type); err != nil && event.TypeMap[decoded.Type] != nil {
			e.decodeErr = fmt.Errorf("decode content of %s: %w", e.Type.Type, err)
			return
		}
		e.decoded = decoded
	})
	return e.decoded, e.decodeErr
}

// Message is the event as a message; ok is false for what is no m.room.message, and for one without a body, as a
// redacted one is. All calls return the same value.
func (e *Event) Message() (m *Message, ok bool) { return e.message() }

func (e *Event) message() (*Message, bool) {
	// What is passing, or comes from outside rooms, may bear that name too, and is nobody's message.
	if e.room == nil || e.Type != event.EventMessage {
		return nil, false
	}
	e.messageOnce.Do(e.parseMessage)
	return e.text, e.text != nil
}
