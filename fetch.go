package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

var (
	// ErrRedacted is returned for a message whose content was removed.
	ErrRedacted = errors.New("message was redacted")

	// ErrNotMessage is returned for an event that is no message: something else happened there.
	ErrNotMessage = errors.New("event is no message")
)

// Event asks the server for an event by its id (spec: Client-Server API, "Getting events for a room"). The errors:
// [ErrNotFound] where there is none, or none that the bot may see, [*UnknownRoomError] where it is not in the room, or
// the server's, as mautrix.HTTPError.
func (b *Bot) Event(ctx context.Context, room id.RoomID, eventID id.EventID) (*Event, error) {
	if !validEventID(eventID) {
		return nil, fmt.Errorf("fetch %q: %w", eventID, ErrNotFound)
	}
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	err := b.fetch(ctx, b.client.BuildClientURL("v3", "rooms", room, "event", eventID), &raw)
	switch {
	case errors.Is(err, mautrix.MNotFound):
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, mautrix.MForbidden):
		err = fmt.Errorf("%w: %w", &UnknownRoomError{RoomID: room}, err)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", eventID, err)
	}
	e, ok := b.fetched(room, raw)
	if !ok || e.ID != eventID {
		return nil, fmt.Errorf("fetch %s: the server's answer is another event, or none", eventID)
	}
	return b.reveal(ctx, e), nil
}

// reveal is an event that was fetched, decrypted where that can be done.
func (b *Bot) reveal(ctx context.Context, e *Event) *Event {
	if e.Type != event.EventEncrypted || !b.encrypts.Load() {
		return e
	}
	read, err := b.decrypt(ctx, e)
	if err != nil {
		b.log.Debug("fetched event not read", "room_id", e.RoomID, "event_id", e.ID, "err", err)
		return e
	}
	return read
}

// Message finds a message by its id, with the text of its latest edit: among the latest messages that the bot
// remembers, else by asking the server. The errors are those of [Bot.Event], [ErrRedacted], [ErrNotMessage], and
// [ErrEncrypted] for a message that the bot can't decrypt. Of an edit's id, it is the edit itself.
func (b *Bot) Message(ctx context.Context, room id.RoomID, message id.EventID) (*Message, error) {
	if m, ok := b.cache.find(room, message); ok {
		return m, nil
	}
	e, err := b.Event(ctx, room, message)
	if err != nil {
		return nil, err
	}
	m, ok := e.message()
	switch {
	case ok:
	case e.Type == event.EventEncrypted:
		return nil, fmt.Errorf("fetch %s: %w", message, ErrEncrypted)
	case e.Redacted():
		return nil, fmt.Errorf("fetch %s: %w", message, ErrRedacted)
	default:
		return nil, fmt.Errorf("fetch %s, a %s: %w", message, e.Type.Type, ErrNotMessage)
	}
	if m.Replaces != "" {
		return m, nil
	}
	edit, err := b.latestEdit(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("fetch the latest edit of %s: %w", message, err)
	}
	if edit != nil {
		m = m.edited(edit)
	}
	return m, nil
}

// RepliedTo is the message that the command's message replies to; [ErrNotFound] where it is no reply. See
// [Bot.Message].
func (c *Context) RepliedTo(ctx context.Context) (*Message, error) {
	to, err := c.repliesTo(ctx)
	if err != nil {
		return nil, err
	}
	if to == "" {
		return nil, fmt.Errorf("message %s replies to nothing: %w", c.Message.ID, ErrNotFound)
	}
	return c.bot.Message(ctx, c.Room.id, to)
}

// repliesTo is the message that the command's message replies to, empty where it is no reply.
func (c *Context) repliesTo(ctx context.Context) (id.EventID, error) {
	if c.Message.Replaces == "" {
		return c.Message.ReplyTo, nil
	}
	// An edit does not repeat what the message replies to.
	original, err := c.bot.Message(ctx, c.Room.id, c.Message.Replaces)
	if err != nil {
		return "", err
	}
	return original.ReplyTo, nil
}

// latestEdit is the latest edit of a message, nil where there is none: what the server has put beside the message
// (spec: Client-Server API, "Server-side aggregation of m.replace relationships"), or, since not all servers do, what
// it says when asked.
func (b *Bot) latestEdit(ctx context.Context, e *Event) (*Message, error) {
	bundled := syncjson.Get(e.kept.Unsigned, "m.relations", "m.replace")
	if edit, ok := b.editOf(ctx, e, []byte(bundled)); ok {
		return edit, nil
	}
	what := event.EventMessage
	if e.origin != nil {
		what = event.EventEncrypted
	}
	related, err := b.relatedTo(ctx, e, event.RelReplace, what, mautrix.DirectionBackward)
	if err != nil {
		return nil, err
	}
	for _, raw := range related {
		if edit, ok := b.editOf(ctx, e, raw); ok {
			return edit, nil
		}
	}
	return nil, nil
}

// editOf reads raw as an edit of e (spec: Client-Server API, "Validity of replacement events").
func (b *Bot) editOf(ctx context.Context, e *Event, raw []byte) (*Message, bool) {
	edit, ok := b.fetched(e.RoomID, raw)
	if ok {
		edit = b.reveal(ctx, edit)
	}
	if !ok || edit.Sender != e.Sender || edit.kept.HasStateKey || edit.Redacted() ||
		!syncjson.IsObject(syncjson.Get(edit.kept.Content, "m.new_content")) {
		return nil, false
	}
	m, ok := edit.message()
	return m, ok && m.Replaces == e.ID
}

// relatedTo is a page of the events that relate to another in one way, the latest or the first of them (spec:
// Client-Server API, "Relationships API"). A server that does not know the request has none.
func (b *Bot) relatedTo(
	ctx context.Context, to *Event, how event.RelationType, what event.Type, dir mautrix.Direction,
) ([]json.RawMessage, error) {
	var answer struct {
		Chunk []json.RawMessage `json:"chunk"`
	}
	url := b.client.BuildURLWithQuery(
		mautrix.ClientURLPath{"v1", "rooms", to.RoomID, "relations", to.ID, how, what.Type},
		map[string]string{"limit": "50", "dir": string(dir)})
	err := b.fetch(ctx, url, &answer)
	if errors.Is(err, mautrix.MNotFound) || errors.Is(err, mautrix.MUnrecognized) {
		return nil, nil
	}
	return answer.Chunk, err
}

func (b *Bot) fetch(ctx context.Context, url string, into any) error {
	return retry(ctx, func(ctx context.Context) error {
		_, err := b.client.MakeRequest(ctx, http.MethodGet, url, nil, into)
		return err
	})
}

// fetched is an event of a room as the server gave it by itself.
func (b *Bot) fetched(roomID id.RoomID, raw []byte) (*Event, bool) {
	kept, ok := syncjson.Parse(string(raw))
	if !ok || !validEventID(kept.ID) {
		return nil, false
	}
	room, ok := b.rooms.find(roomID)
	if !ok {
		room = newRoom(roomID)
	}
	return newEvent(room, timelineClass(&kept), kept), true
}
