//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Bounds of what a room's settings can ask for: a new session for each message would cost as much as the sharing of its
// key, and one for ever would read years of messages.
const (
	defaultAge      = 7 * 24 * time.Hour
	minAge          = time.Hour
	maxAge          = 365 * 24 * time.Hour
	defaultMessages = 100
	maxMessages     = 10_000
)

// maxSharing is how often the sharing begins anew because a room changed while its key was shared.
const maxSharing = 5

// roomKeys are the sessions that the bot writes with.
type roomKeys struct {
	g  *engine
	mu sync.Mutex
	by map[id.RoomID]*roomKey
}

// roomKey is the session of one room.
type roomKey struct {
	room id.RoomID
	turn chan struct{} // Holds one token while somebody encrypts or shares; what has no lock below belongs to them

	loaded   bool
	session  *crypto.OutboundGroupSession
	reserved uint // The index that the session in the database stands at, where that is ahead of this one
	shared   map[recipient]bool
	told     map[recipient]bool // Who was told that they get no key
	retry    map[recipient]attempt
	again    time.Time // When to look for recipients again whose server or keys were not there; zero for never

	mu      sync.Mutex
	changed bool // Since the recipients were last looked up
	rotate  bool
	readers map[id.UserID]bool
}

// recipient is a device, named by what the key is encrypted with.
type recipient struct {
	user id.UserID
	key  id.IdentityKey
}

// attempt is when a device that had no one-time key is tried again.
type attempt struct {
	at   time.Time
	wait time.Duration
}

func newRoomKeys(g *engine) *roomKeys {
	return &roomKeys{g: g, by: make(map[id.RoomID]*roomKey)}
}

func (k *roomKeys) of(room id.RoomID) *roomKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.by[room]
	if r == nil {
		r = &roomKey{room: room, turn: make(chan struct{}, 1), changed: true}
		k.by[room] = r
	}
	return r
}

// all are the rooms that were written to.
func (k *roomKeys) all() []*roomKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]*roomKey, 0, len(k.by))
	for _, r := range k.by {
		list = append(list, r)
	}
	return list
}

// changed has the room's recipients looked up again before its next message. Those of a room that was not written to
// are looked up anyway.
func (k *roomKeys) changed(room id.RoomID) {
	k.mu.Lock()
	r := k.by[room]
	k.mu.Unlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = true
}

func (k *roomKeys) rotate(room id.RoomID) {
	r := k.of(room)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rotate = true
}

func (k *roomKeys) rotateAll() {
	for _, r := range k.all() {
		k.rotate(r.room)
	}
}

// devicesChanged has the recipients looked up again in all rooms that one of the users reads.
func (k *roomKeys) devicesChanged(users []id.UserID) {
	for _, r := range k.all() {
		r.mu.Lock()
		for _, user := range users {
			if r.readers[user] {
				r.changed = true
				break
			}
		}
		r.mu.Unlock()
	}
}

// takeChanges returns what has happened to the room since it was last called.
func (r *roomKey) takeChanges() (changed, rotate bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed, rotate = r.changed, r.rotate
	r.changed, r.rotate = false, false
	return changed, rotate
}

func (r *roomKey) putBack(rotate bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed, r.rotate = true, r.rotate || rotate
}

func (r *roomKey) stale() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed || r.rotate
}

// encrypted is the content of an m.room.encrypted event (spec: Client-Server API, "m.room.encrypted").
type encrypted struct {
	Algorithm  id.Algorithm    `json:"algorithm"`
	SenderKey  id.SenderKey    `json:"sender_key"`
	DeviceID   id.DeviceID     `json:"device_id"`
	SessionID  id.SessionID    `json:"session_id"`
	Ciphertext string          `json:"ciphertext"`
	RelatesTo  json.RawMessage `json:"m.relates_to,omitempty"`
}

func (g *engine) encrypt(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage,
) (json.RawMessage, error) {
	object, ok := decodeObject(content)
	if !ok {
		return nil, errors.New("encrypt: the content is not a JSON object")
	}
	settings, err := g.host.RoomEncryption(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("look up the room's encryption: %w", err)
	}
	if settings == nil || settings.Algorithm != id.AlgorithmMegolmV1 {
		return nil, fmt.Errorf("room %s: %w", room, ErrNotEncrypted)
	}
	text, err := json.Marshal(payload{RoomID: room, Type: typ.Type, Content: content})
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	r := g.rooms.of(room)
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := g.ready(ctx, r, settings); err != nil {
		return nil, err
	}
	if err := g.reserve(ctx, r); err != nil {
		return nil, err
	}
	ciphertext, err := r.session.Encrypt(text)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	sealed := encrypted{
		Algorithm:  id.AlgorithmMegolmV1,
		SenderKey:  g.identityKey,
		DeviceID:   g.account.DeviceID,
		SessionID:  r.session.ID(),
		Ciphertext: string(ciphertext),
	}
	if _, ok := decodeObject(object["m.relates_to"]); ok {
		sealed.RelatesTo = object["m.relates_to"]
	}
	return json.Marshal(sealed)
}

// ready brings the room's session to where all who are to read its next message have the key, and nobody else.
func (g *engine) ready(ctx context.Context, r *roomKey, settings *event.EncryptionEventContent) error {
	if err := g.loadSession(ctx, r); err != nil {
		return err
	}
	for range maxSharing {
		changed, rotate := r.takeChanges()
		if r.session != nil {
			r.session.MaxAge, r.session.MaxMessages = limits(settings)
		}
		if rotate || r.session == nil || r.session.Expired() || r.session.CreationTime.After(time.Now().Add(minAge)) {
			if err := g.newSession(ctx, r, settings); err != nil {
				r.putBack(rotate)
				return err
			}
			changed = true
		}
		if changed || !r.session.Shared || !r.again.IsZero() && time.Now().After(r.again) {
			if err := g.share(ctx, r, settings); err != nil {
				r.putBack(false)
				return err
			}
		}
		if !r.stale() {
			return nil
		}
	}
	return nil // it changes without end; those who came last get the key before the next message
}

// limits are the age and the number of messages after which a session is replaced.
func limits(settings *event.EncryptionEventContent) (time.Duration, int) {
	age, messages := defaultAge, defaultMessages
	if ms := settings.RotationPeriodMillis; ms > 0 {
		age = time.Duration(min(ms, maxAge.Milliseconds())) * time.Millisecond
	}
	if n := settings.RotationPeriodMessages; n > 0 {
		messages = n
	}
	return max(age, minAge), min(messages, maxMessages)
}

func (g *engine) loadSession(ctx context.Context, r *roomKey) error {
	if r.loaded {
		return nil
	}
	session, err := g.store.GetOutboundGroupSession(ctx, r.room)
	if err != nil {
		return fmt.Errorf("read the room's session: %w", err)
	}
	r.shared = make(map[recipient]bool)
	if session != nil {
		if r.shared, err = g.store.sharedWith(ctx, session.ID()); err != nil {
			return fmt.Errorf("read who has the room's key: %w", err)
		}
	}
	r.session, r.loaded = session, true
	r.told, r.retry = make(map[recipient]bool), make(map[recipient]attempt)
	return nil
}

// newSession begins a session that nobody has the key of but the bot.
func (g *engine) newSession(ctx context.Context, r *roomKey, settings *event.EncryptionEventContent) error {
	visibility, err := g.visibility(ctx, r.room)
	if err != nil {
		return err
	}
	session, err := crypto.NewOutboundGroupSession(r.room, settings, visibility)
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	session.MaxAge, session.MaxMessages = limits(settings)
	own, err := crypto.NewInboundGroupSession(g.identityKey, g.signingKey, r.room, session.Internal.Key(),
		session.MaxAge, session.MaxMessages, session.SharedHistory, false)
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	own.SourceUser = g.account.UserID
	if err := g.mach.StoreGroupSession(g.machineContext(ctx), own); err != nil {
		return fmt.Errorf("store the session: %w", err)
	}
	if err := g.store.AddOutboundGroupSession(ctx, session); err != nil {
		return fmt.Errorf("store the session: %w", err)
	}
	r.session, r.reserved = session, 0
	r.shared = make(map[recipient]bool)
	r.told, r.retry, r.again = make(map[recipient]bool), make(map[recipient]attempt), time.Time{}
	return nil
}

func (g *engine) visibility(ctx context.Context, room id.RoomID) (*event.HistoryVisibilityEventContent, error) {
	visibility, err := g.host.HistoryVisibility(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("look up who may read the room's history: %w", err)
	}
	return &event.HistoryVisibilityEventContent{HistoryVisibility: visibility}, nil
}
