package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// WithEncryption makes the bot read and write in encrypted rooms; see package e2ee. It needs [WithStore]: a device that
// forgets its keys can't be trusted by anybody.
func WithEncryption(e Encryption) Option {
	return func(s *settings) {
		if e == nil {
			s.wrong("WithEncryption", "the encryption is nil")
			return
		}
		s.encryption = e
	}
}

// encryptionHost is the bot as its encryption sees it.
type encryptionHost struct{ bot *Bot }

var _ EncryptionHost = encryptionHost{}

// Bot implements [EncryptionHost].
func (h encryptionHost) Bot() *Bot { return h.bot }

// Client implements [EncryptionHost].
func (h encryptionHost) Client() *mautrix.Client { return h.bot.client }

// Account implements [EncryptionHost].
func (h encryptionHost) Account() Account { return h.bot.account() }

// Logger implements [EncryptionHost].
func (h encryptionHost) Logger() *slog.Logger { return h.bot.log }

// Store implements [EncryptionHost].
func (h encryptionHost) Store() Store { return h.bot.settings.store }

// IsOwner implements [EncryptionHost].
func (h encryptionHost) IsOwner(user id.UserID) bool { return h.bot.IsOwner(user) }

// Go implements [EncryptionHost].
func (h encryptionHost) Go(f func(context.Context)) {
	h.bot.Go(func(ctx context.Context) error {
		f(ctx)
		return nil
	})
}

// RoomEncryption implements [EncryptionHost].
func (h encryptionHost) RoomEncryption(ctx context.Context, room id.RoomID) (*event.EncryptionEventContent, error) {
	raw, err := h.bot.roomEncryption(ctx, room)
	if err != nil || raw == "" {
		return nil, err
	}
	content := new(event.EncryptionEventContent)
	if err := json.Unmarshal([]byte(raw), content); err != nil {
		return nil, fmt.Errorf("read encryption of %s: %w", room, err)
	}
	return content, nil
}

// HistoryVisibility implements [EncryptionHost].
func (h encryptionHost) HistoryVisibility(ctx context.Context, roomID id.RoomID) (event.HistoryVisibility, error) {
	room, err := h.bot.viewRoom(ctx, roomID)
	if err != nil {
		return "", fmt.Errorf("history visibility of %s: %w", roomID, err)
	}
	if v := room.text(event.StateHistoryVisibility, "history_visibility"); v != "" {
		return event.HistoryVisibility(v), nil
	}
	return event.HistoryVisibilityShared, nil // The default of the specification
}

// Readers implements [EncryptionHost].
func (h encryptionHost) Readers(ctx context.Context, roomID id.RoomID) ([]id.UserID, error) {
	visibility, err := h.HistoryVisibility(ctx, roomID)
	if err != nil {
		return nil, err
	}
	members, err := h.bot.allMembers(ctx, roomID)
	if err != nil {
		return nil, fmt.Errorf("members of %s: %w", roomID, err)
	}
	var readers []id.UserID
	for _, m := range members {
		invited := m.Membership == event.MembershipInvite && visibility != event.HistoryVisibilityJoined
		if m.Membership == event.MembershipJoin || invited {
			readers = append(readers, m.UserID)
		}
	}
	return readers, nil
}

// SharedRooms implements [EncryptionHost].
func (h encryptionHost) SharedRooms(_ context.Context, user id.UserID) ([]id.RoomID, error) {
	var shared []id.RoomID
	for _, room := range h.bot.Rooms() {
		if !room.Encrypted() {
			continue
		}
		if m, ok := room.Member(user); ok && !hasLeft(m.Membership) {
			shared = append(shared, room.id)
		}
	}
	return shared, nil
}

// SendPlain implements [EncryptionHost].
func (h encryptionHost) SendPlain(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage, txn string,
) (id.EventID, error) {
	return h.bot.outbox.put(ctx, room, typ, content, txn)
}

// KeyArrived implements [EncryptionHost].
func (h encryptionHost) KeyArrived(room id.RoomID, session id.SessionID) {
	h.bot.parked.release(h.bot, room, session)
}

func (b *Bot) account() Account { return Account{UserID: b.client.UserID, DeviceID: b.client.DeviceID} }

// roomEncryption is the content of the room's m.room.encryption, empty where it is not encrypted. Where the store does not
// know that it is, the server is asked; where it does not say, nothing is to be sent. What was once encrypted stays so.
func (b *Bot) roomEncryption(ctx context.Context, roomID id.RoomID) (string, error) {
	room, known := b.rooms.find(roomID)
	joined := known && room.Membership() == event.MembershipJoin
	if known {
		if content := room.encryptionContent(); content != "" || joined && b.settings.encryption == nil {
			return content, nil
		}
	}
	// A sync may tell of the bot being in a room that is still being made, before it tells that it is encrypted. So the
	// server is asked of each room once; from then on the sync is enough.
	if content, ok := b.secret.Load(roomID); ok && (content != "" || joined) {
		return content.(string), nil
	}
	var content json.RawMessage
	err := retry(ctx, func(ctx context.Context) error {
		content = nil
		return b.client.StateEvent(ctx, roomID, event.StateEncryption, "", &content)
	})
	switch {
	case err == nil:
		b.secret.Store(roomID, string(content))
		return string(content), nil
	case errors.Is(err, mautrix.MNotFound):
		if joined {
			b.secret.Store(roomID, "")
		}
		return "", nil
	}
	return "", fmt.Errorf("ask whether the room is encrypted: %w", err)
}

// encrypt notes that the room is encrypted from now on.
func (r *Room) encrypt(content string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.encryption, r.dirty = content, true
}

func (r *Room) encryptionContent() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.encryption
}

// allMembers are all who are or were in the room. Where only those are known who have spoken, the server is asked once.
func (b *Bot) allMembers(ctx context.Context, roomID id.RoomID) ([]Member, error) {
	room, ok := b.rooms.find(roomID)
	if ok && room.Membership() == event.MembershipJoin && room.isWhole() {
		return room.Members(), nil
	}
	var answer struct {
		Chunk []*event.Event `json:"chunk"`
	}
	url := b.client.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "rooms", roomID, "members"}, nil)
	if err := b.fetch(ctx, url, &answer); err != nil {
		return nil, err
	}
	var members []Member
	for _, e := range answer.Chunk {
		if e == nil || e.StateKey == nil {
			continue
		}
		if m, ok := memberOf(id.UserID(*e.StateKey), e.Content.VeryRaw); ok {
			members = append(members, m)
		}
	}
	if ok && room.Membership() == event.MembershipJoin {
		b.complete(room, members)
		return room.Members(), nil
	}
	return members, nil
}

// complete adds members that the server told of. Those that a sync has brought are newer.
func (b *Bot) complete(room *Room, members []Member) {
	var changes []Change
	for _, m := range members {
		if _, known := room.Member(m.UserID); known {
			continue
		}
		room.addMember(m)
		if name := memberName(room.id, m.UserID); b.keeps() && fits(name) {
			changes = append(changes, Put(tableMember, name, encodeMember(m)))
		}
	}
	room.setWhole()
	if b.keeps() {
		if c, changed := room.head(); changed {
			changes = append(changes, c)
		}
		b.journal.put(changes...)
	}
}
