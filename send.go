package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Send sends a message into a room and returns when it is on the server. Messages of one room keep the order of the
// calls; what fails for the network, the load or the rate of requests is repeated. A body above [render.MaxSize]
// becomes several messages in order, at most [MaxParts], cut by [render.Split]; the returned one is the first of them.
// The errors: [ErrEmptyMessage], [ErrTooLarge], [ErrEncrypted], or the server's, as mautrix.HTTPError.
func (b *Bot) Send(ctx context.Context, room id.RoomID, content Content, opts ...SendOption) (*Sent, error) {
	var out outgoing
	if err := out.fill(content); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return b.post(ctx, room, out, opts, nil)
}

// SendDirect sends a message to a user in their direct room with the bot, which is made where there is none; see
// [Bot.DirectRoom].
func (b *Bot) SendDirect(ctx context.Context, user id.UserID, content Content, opts ...SendOption) (*Sent, error) {
	room, err := b.DirectRoom(ctx, user)
	if err != nil {
		return nil, err
	}
	return b.Send(ctx, room, content, opts...)
}

// Edit replaces the text of a message that the bot sent. Nobody is notified again.
func (b *Bot) Edit(ctx context.Context, room id.RoomID, message id.EventID, body Body, opts ...SendOption) error {
	_, err := b.post(ctx, room, outgoing{body: body, edits: message}, opts, nil)
	return err
}

// React puts a reaction, such as "👍", on an event and returns the reaction's id, with which [Bot.Redact] takes it back.
func (b *Bot) React(ctx context.Context, room id.RoomID, message id.EventID, key string) (id.EventID, error) {
	return b.react(ctx, room, message, key, nil)
}

// Redact removes an event's content: one of the bot's own, or of anybody where the bot has the power for it. reason may
// be empty.
func (b *Bot) Redact(ctx context.Context, room id.RoomID, message id.EventID, reason string) error {
	if err := b.connect(ctx); err != nil {
		return err
	}
	return b.redact(ctx, nil, room, message, reason)
}

// redact is Redact by a run, or by nil.
func (b *Bot) redact(ctx context.Context, r *run, room id.RoomID, message id.EventID, reason string) error {
	transaction := r.transaction()
	if err := r.outwait(ctx, room, transaction); err != nil {
		return err
	}
	return b.outbox.redact(ctx, room, message, reason, transaction)
}

// Typing shows the bot as typing in the room until the returned function is called, which may be twice.
func (b *Bot) Typing(ctx context.Context, room id.RoomID) (stop func(), err error) {
	if err := b.connect(ctx); err != nil {
		return func() {}, err
	}
	return b.typing.start(room), nil
}

// CachedMessage is one of the latest messages, with the text of its latest edit, if the bot still remembers it.
func (b *Bot) CachedMessage(room id.RoomID, message id.EventID) (m *Message, ok bool) {
	return b.cache.find(room, message)
}

// ResolveAlias is the id of the room that an alias stands for.
func (b *Bot) ResolveAlias(ctx context.Context, alias id.RoomAlias) (id.RoomID, error) {
	if err := b.connect(ctx); err != nil {
		return "", err
	}
	var room id.RoomID
	err := retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.ResolveAlias(ctx, alias)
		if err == nil && resp != nil {
			room = resp.RoomID
		}
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("resolve %s: %w", alias, err)
	case room == "":
		return "", fmt.Errorf("resolve %s: the server's answer names no room", alias)
	}
	return room, nil
}

// post sends one message. r is the run that it belongs to: its first messages edit those of the run that it repeats.
func (b *Bot) post(ctx context.Context, room id.RoomID, out outgoing, opts []SendOption, r *run) (*Sent, error) {
	if err := b.connectFor(ctx, room); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	out.msgType = b.settings.messageType
	for _, opt := range opts {
		opt(&out)
	}
	switch {
	case out.files != nil:
		return b.postFiles(ctx, room, out, r)
	case out.special != nil:
		return b.postOne(ctx, room, out, r)
	}
	if strings.TrimSpace(out.body.Text) == "" {
		return nil, ErrEmptyMessage
	}
	switch parts, err := out.split(r); {
	case err != nil:
		return nil, err
	case len(parts) > 0:
		return b.postParts(ctx, room, parts, r)
	}
	return b.postOne(ctx, room, out, r)
}

// postOne sends a message that is to be one event.
func (b *Bot) postOne(ctx context.Context, room id.RoomID, out outgoing, r *run) (*Sent, error) {
	if out.transaction == "" {
		out.transaction = r.transaction()
	}
	if err := r.outwait(ctx, room, out.transaction); err != nil {
		return nil, err
	}
	sent := &Sent{
		ID: out.edits, RoomID: room, bot: b, run: r, msgType: out.msgType,
		media: out.media, special: out.special != nil,
	}
	isNew, repeats := out.edits == "", false
	// Only a text is fit to take another's place.
	if isNew && out.special == nil && r != nil && r.call.Room.id == room {
		if earlier, ok := r.repeated(); ok {
			out.edits, sent.ID, repeats = earlier, earlier, true
		}
	}
	if out.queued {
		return b.enqueue(ctx, room, out, r)
	}
	typ, content := out.event()
	made, err := b.outbox.send(ctx, room, typ, content, out.transaction)
	if err != nil {
		if repeats {
			r.unrepeat(sent.ID)
		}
		return nil, err
	}
	if sent.ID == "" {
		sent.ID = made
	}
	if isNew {
		r.sent(sent)
	}
	return sent, nil
}

func (b *Bot) react(ctx context.Context, room id.RoomID, message id.EventID, key string, r *run) (id.EventID, error) {
	if err := b.connect(ctx); err != nil {
		return "", err
	}
	if key == "" {
		return "", errors.New("react: the reaction is empty")
	}
	transaction := r.transaction()
	if err := r.outwait(ctx, room, transaction); err != nil {
		return "", err
	}
	content := &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: message, Key: key},
	}
	reaction, err := b.outbox.send(ctx, room, event.EventReaction, content, transaction)
	if err == nil {
		r.reacted(reaction)
	}
	return reaction, err
}

func (b *Bot) sendTyping(ctx context.Context, room id.RoomID, on bool) error {
	_, err := b.client.UserTyping(ctx, room, on, typingTimeout)
	return err
}

// seal is what is to be sent in place of an event: the event itself, or, in an encrypted room, its ciphertext. Where the
// bot can't encrypt, or does not know whether it has to, nothing is to be sent.
func (b *Bot) seal(ctx context.Context, room id.RoomID, typ event.Type, body json.RawMessage) (event.Type, json.RawMessage, error) {
	// A reaction is sent in the clear into encrypted rooms as well, by all clients.
	if typ == event.EventReaction || typ == event.EventEncrypted {
		return typ, body, nil
	}
	switch encrypted, err := b.mustEncrypt(ctx, room); {
	case err != nil:
		return typ, nil, err
	case !encrypted:
		return typ, body, nil
	case showsClearFile(ctx):
		return typ, nil, errClearFile
	}
	sealed, err := b.settings.encryption.Encrypt(ctx, room, typ, body)
	if err != nil {
		return typ, nil, fmt.Errorf("encrypt: %w", err)
	}
	return event.EventEncrypted, sealed, nil
}

// mustEncrypt tells whether what goes into the room is to be encrypted. The error says why that can't be done or told.
func (b *Bot) mustEncrypt(ctx context.Context, room id.RoomID) (bool, error) {
	content, err := b.roomEncryption(ctx, room)
	switch {
	case err != nil:
		return false, err
	case content == "":
		return false, nil
	case b.settings.encryption == nil:
		return false, ErrEncrypted
	case !b.encrypts.Load():
		return false, fmt.Errorf("%w that runs; see Bot.Run", ErrEncrypted)
	}
	return true, nil
}

// warnEncrypted says once for each room that its messages can't be read.
func (b *Bot) warnEncrypted(room *Room) {
	if _, warned := b.warned.LoadOrStore(room.id, true); !warned {
		b.log.Warn("the room is encrypted and the bot has no encryption; commands there are not seen", "room_id", room.id)
	}
}
