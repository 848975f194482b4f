package niobot

import (
	"context"

	"maunium.net/go/mautrix/event"
)

// Listen calls f for each event of the type with its content as a C: of a room's timeline, of account data, to this
// device, and what is only passing (typing, receipts, presence). For the types that mautrix knows, C is the content
// that event.TypeMap has for them; for others, and where more is wanted of those, it is any type that encoding/json
// decodes into.
//
//	niobot.Listen(bot, event.StateMember,
//		func(ctx context.Context, e *niobot.Event, member *event.MemberEventContent) error {
//			…
//		})
//
// Type and class must fit: for event.StateTopic, an event called m.room.topic that is no state does not count. A type
// without a class, such as event.Type{Type: "org.example.thing"}, stands for all events of its name.
//
// Content is decoded once for all listeners of one event that take the same type, so they must not change it. Content
// that does not decode is skipped with a line in the log. The content of a redacted event is mostly empty; see
// [Event.Redacted]. Otherwise a listener is what [Bot.On] says, whose returned function removes it: also from within
// f, and while events come. That of a [Scope] goes with its module.
//
// It panics where f is nil, or takes what mautrix has for another type: a mistake in the program.
func Listen[C any](h Host, t event.Type, f func(ctx context.Context, e *Event, content *C) error) (remove func()) {
	if f == nil {
		panic("niobot: Listen(" + t.Type + "): the listener is nil")
	}
	checkContent[C]("Listen", t)
	b, _ := h.host()
	return h.On(t, func(ctx context.Context, e *Event) error {
		if !e.isOf(t) {
			return nil
		}
		content, made := contentOf[C](e)
		if made.err == nil {
			return f(ctx, e, content)
		}
		if made.told.CompareAndSwap(false, true) {
			b.log.Warn("event skipped", "type", e.Type.Type, "room_id", e.RoomID, "event_id", e.ID, "sender", e.Sender,
				"err", made.err)
		}
		return nil
	})
}

// WaitForContent is [Bot.WaitFor] with the event's content as a C, by the rules of [Listen]: the next event that the
// filter and match accept. match may be nil, and must not block. Content that does not decode is passed over.
//
//	_, member, err := niobot.WaitForContent(ctx, bot, niobot.Filter{Type: event.StateMember, RoomID: room},
//		func(e *niobot.Event, m *event.MemberEventContent) bool { return m.Membership == event.MembershipJoin })
func WaitForContent[C any](ctx context.Context, b *Bot, f Filter, match func(e *Event, content *C) bool) (*Event, *C, error) {
	checkContent[C]("WaitForContent", f.Type)
	accepts := f.Match
	f.Match = func(e *Event) bool {
		if f.Type.Type != "" && !e.isOf(f.Type) || accepts != nil && !accepts(e) {
			return false
		}
		content, made := contentOf[C](e)
		return made.err == nil && (match == nil || match(e, content))
	}
	e, err := b.WaitFor(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	content, _ := contentOf[C](e)
	return e, content, nil
}
