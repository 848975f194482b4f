package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// ErrNotFound is returned where the server has no such thing: account data that was never set, a piece of state, an
// alias, a user. It tells that from a request that went wrong.
var ErrNotFound = errors.New("not found")

// State is a piece of a room's state, decoded into a T: as it was synced, or else as the server says. What the bot has
// just set itself shows when the next sync has brought it. The errors: [ErrNotFound] where the room has none of that
// type and key, [*UnknownRoomError], or the server's.
func State[T any](ctx context.Context, b *Bot, room id.RoomID, t event.Type, key string) (T, error) {
	var content T
	if r, ok := b.rooms.find(room); ok && r.Membership() == event.MembershipJoin && t.Type != event.StateMember.Type {
		raw := r.State(t, key)
		if raw == nil {
			return content, fmt.Errorf("read %s of %s: %w", t.Type, room, ErrNotFound)
		}
		if err := json.Unmarshal(raw, &content); err != nil {
			return content, fmt.Errorf("read %s of %s: %w", t.Type, room, err)
		}
		return content, nil
	}
	if err := b.connectFor(ctx, room); err != nil {
		return content, fmt.Errorf("read %s: %w", t.Type, err)
	}
	err := b.fetchState(ctx, room, t, key, &content)
	if errors.Is(err, mautrix.MForbidden) {
		err = fmt.Errorf("%w: %w", &UnknownRoomError{RoomID: room}, err)
	}
	if err != nil {
		return content, fmt.Errorf("read %s of %s: %w", t.Type, room, err)
	}
	return content, nil
}

// SetState sets a piece of a room's state and returns its event's id (spec: Client-Server API, "Sending events to a
// room"). content is encoded as JSON and must be an object; it replaces what was there. State and messages of one room
// keep the order of the calls. The errors: [*PowerError], [*UnknownRoomError], [ErrEncrypted] for switching on an
// encryption that the bot doesn't have, or the server's, as mautrix.HTTPError.
func (b *Bot) SetState(ctx context.Context, room id.RoomID, t event.Type, key string, content any) (id.EventID, error) {
	doing := fmt.Sprintf("set %s in %s", t.Type, room)
	if err := b.connectFor(ctx, room); err != nil {
		return "", fmt.Errorf("set %s: %w", t.Type, err)
	}
	encrypting := t.Type == event.StateEncryption.Type && key == ""
	if encrypting && b.settings.encryption == nil {
		return "", fmt.Errorf("%s: the bot could not speak there any more: %w", doing, ErrEncrypted)
	}
	body, err := encodeContent(content)
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	var sent id.EventID
	err = b.outbox.inTurn(ctx, room, func() (err error) {
		sent, err = b.putState(ctx, room, t, key, body)
		if encrypting && !isRefusal(err) {
			b.rooms.room(room).encrypt(string(body)) // What is sent next may come before the sync that tells.
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, b.explainState(ctx, room, t, err))
	}
	return sent, nil
}

// setSetting is SetState for state that has one piece of its type.
func (b *Bot) setSetting(ctx context.Context, room id.RoomID, t event.Type, content any) error {
	_, err := b.SetState(ctx, room, t, "", content)
	return err
}

// editState changes a piece of state as the server has it, and keeps the fields that change does not touch. It returns
// without a request where change reports that nothing is to be written. Nothing else of the bot comes between reading
// and writing; other clients may, since Matrix has no means against it.
func (b *Bot) editState(
	ctx context.Context, room id.RoomID, t event.Type, key string, change func(content fields) (changed bool, err error),
) error {
	doing := fmt.Sprintf("change %s of %s", t.Type, room)
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("change %s: %w", t.Type, err)
	}
	err := b.outbox.inTurn(ctx, room, func() error {
		var content fields
		err := b.fetchState(ctx, room, t, key, &content)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if content == nil {
			content = make(fields)
		}
		changed, err := change(content)
		if err != nil || !changed {
			return err
		}
		body, err := encodeContent(content)
		if err != nil {
			return err
		}
		_, err = b.putState(ctx, room, t, key, body)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, b.explainState(ctx, room, t, err))
	}
	return nil
}

// putState sends state in the room's turn. It has no transaction id: servers take the same state a second time for
// what it is, so a request that may have arrived is repeated.
func (b *Bot) putState(
	ctx context.Context, room id.RoomID, t event.Type, key string, body json.RawMessage,
) (sent id.EventID, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.SendStateEvent(ctx, room, t, key, body)
		if err == nil && resp != nil {
			sent = resp.EventID
		}
		return err
	})
	if err == nil && sent == "" {
		err = errNoEventID
	}
	return sent, err
}

// fetchState asks the server for a piece of state.
func (b *Bot) fetchState(ctx context.Context, room id.RoomID, t event.Type, key string, into any) error {
	var raw json.RawMessage
	err := retry(ctx, func(ctx context.Context) error {
		raw = nil
		return b.client.StateEvent(ctx, room, t, key, &raw)
	})
	if err != nil {
		return markNotFound(err)
	}
	return json.Unmarshal(raw, into)
}

// markNotFound makes what the server does not have recognisable.
func markNotFound(err error) error {
	if errors.Is(err, mautrix.MNotFound) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// fields are the fields of a JSON object, of which those that are not understood are kept as they are.
type fields map[string]json.RawMessage

func (f fields) set(name string, value any) error {
	encoded, err := encodeContent(value)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	f[name] = encoded
	return nil
}

// text is a field that is a string, and empty where there is none.
func (f fields) text(name string) string {
	s, _ := syncjson.String(string(f[name]))
	return s
}

// object is a field that is an object; one of another type counts as absent.
func (f fields) object(name string) fields {
	var object fields
	_ = json.Unmarshal(f[name], &object)
	if object == nil {
		object = make(fields)
	}
	return object
}

// connectFor connects for a request about a room, whose id is checked: it becomes a part of the request's path.
func (b *Bot) connectFor(ctx context.Context, room id.RoomID) error {
	switch {
	case strings.HasPrefix(string(room), "#"):
		return fmt.Errorf("%q is an alias and no room id; see Bot.ResolveAlias", room)
	case len(room) < 2 || room[0] != '!':
		return fmt.Errorf("%q is no room id", room)
	}
	return b.connect(ctx)
}

// viewRoom is the room as it was synced, or else a copy as the server has it. Such a copy is not kept: what the next
// sync brings must be met as news.
func (b *Bot) viewRoom(ctx context.Context, roomID id.RoomID) (*Room, error) {
	if room, ok := b.rooms.find(roomID); ok && room.Membership() == event.MembershipJoin {
		return room, nil
	}
	var state []json.RawMessage
	err := retry(ctx, func(ctx context.Context) error {
		_, err := b.client.MakeRequest(ctx, http.MethodGet, b.client.BuildClientURL("v3", "rooms", roomID, "state"), nil, &state)
		return err
	})
	switch {
	case errors.Is(err, mautrix.MForbidden), errors.Is(err, mautrix.MNotFound):
		return nil, fmt.Errorf("%w: %w", &UnknownRoomError{RoomID: roomID}, err)
	case err != nil:
		return nil, err
	}
	room := newRoom(roomID)
	in := &intake{bot: b}
	for _, raw := range state {
		if e, ok := syncjson.Parse([]byte(raw)); ok && e.HasStateKey {
			in.state(room, &e)
		}
	}
	if m, ok := room.Member(b.UserID()); !ok || m.Membership != event.MembershipJoin {
		return nil, &UnknownRoomError{RoomID: roomID}
	}
	room.setMembership(event.MembershipJoin)
	return room, nil
}
