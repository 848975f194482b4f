package niobot

import (
	"context"
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Pins are the room's pinned events, in the order in which they were pinned (spec: Client-Server API,
// m.room.pinned_events).
func (r *Room) Pins() []id.EventID {
	content, _ := r.content(event.StatePinnedEvents.Type, "")
	var all fields
	_ = json.Unmarshal([]byte(content), &all)
	var pins []id.EventID
	for _, raw := range listOf(all["pinned"]) {
		if pin, ok := syncjson.String(string(raw)); ok && pin != "" && !slices.Contains(pins, id.EventID(pin)) {
			pins = append(pins, id.EventID(pin))
		}
	}
	return pins
}

// Pin pins an event in a room, behind what is pinned. One that is pinned stays where it is. The errors are those of
// [Bot.SetState].
func (b *Bot) Pin(ctx context.Context, room id.RoomID, e id.EventID) error {
	return b.editState(ctx, room, event.StatePinnedEvents, "", func(content fields) (bool, error) {
		pins := listOf(content["pinned"])
		if slices.ContainsFunc(pins, isString(string(e))) {
			return false, nil
		}
		raw, err := encodeContent(e)
		if err != nil {
			return false, err
		}
		return true, content.set("pinned", append(pins, raw))
	})
}

// Unpin takes an event out of a room's pinned ones; one that is not pinned is no error. The errors are those of
// [Bot.SetState].
func (b *Bot) Unpin(ctx context.Context, room id.RoomID, e id.EventID) error {
	return b.editState(ctx, room, event.StatePinnedEvents, "", func(content fields) (bool, error) {
		pins := listOf(content["pinned"])
		kept := slices.DeleteFunc(slices.Clone(pins), isString(string(e)))
		if len(kept) == len(pins) {
			return false, nil
		}
		return true, content.set("pinned", kept)
	})
}

// listOf is a JSON list; anything else is an empty one, which is no null when it is written.
func listOf(raw json.RawMessage) []json.RawMessage {
	list := []json.RawMessage{}
	if json.Unmarshal(raw, &list) != nil || list == nil {
		return []json.RawMessage{}
	}
	return list
}

// isString tells whether a JSON value is the text.
func isString(text string) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		s, ok := syncjson.String(string(raw))
		return ok && s == text
	}
}
