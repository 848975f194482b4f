package niobottest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// Device makes the encryption of a user's device, and the store in which it keeps its keys. Package e2ee/e2eetest has
// one, which this package can't have: whose bot reads plain rooms only needs no database in its tests.
type Device func(t testing.TB, localpart string) (niobot.Encryption, niobot.Store)

// Encrypted makes the rooms of [User.NewRoom] and [User.NewDirectRoom] encrypted. Users write there in ciphertext, and
// expectations are of what they can read. The bot needs an encryption and a store of its own:
//
//	bot, err := niobot.New(cfg, e2eetest.Bot(t)...)
//	...
//	hs := niobottest.Start(t, bot, niobottest.Encrypted(e2eetest.Device))
func Encrypted(device Device) Option { return func(s *settings) { s.device = device } }

// secrets is the encryption of a test's users.
type secrets struct {
	device Device
	opened map[id.EventID]*event.Event // What was encrypted
	wg     sync.WaitGroup
}

// equip gives a new user a device with encryption.
func (s *Server) equip(u *User) {
	s.t.Helper()
	if s.secrets.device == nil {
		return
	}
	enc, store := s.secrets.device(s.t, u.name)
	u.device = &device{user: u, enc: enc, store: store}
	ctx := s.deadline()
	u.must("claim the store", store.Claim(ctx, u.device.Account()))
	u.must("begin to encrypt", enc.Start(ctx, u.device))
	u.must("sync", u.device.sync(ctx))
}

// retire ends the encryption of all users.
func (s *Server) retire() {
	for _, u := range s.people {
		if u.device == nil {
			continue
		}
		if err := errors.Join(u.device.enc.Stop(context.Background()), u.device.store.Release()); err != nil {
			s.t.Errorf("niobottest: end the encryption of %s: %v", u.name, err)
		}
	}
	s.secrets.wg.Wait()
}

// seal encrypts what is to be sent into an encrypted room.
func (u *User) seal(ctx context.Context, room id.RoomID, typ event.Type, content any) (event.Type, any) {
	u.s.t.Helper()
	if u.device == nil || typ == event.EventReaction || typ == event.EventEncrypted {
		return typ, content
	}
	switch settings, err := u.device.RoomEncryption(ctx, room); {
	case err != nil:
		u.must("look up the room's encryption", err)
	case settings == nil:
		return typ, content
	}
	u.must("sync", u.device.sync(ctx))
	plain, err := json.Marshal(content)
	u.must("encode "+typ.Type, err)
	sealed, err := u.device.enc.Encrypt(ctx, room, typ, plain)
	u.must("encrypt "+typ.Type, err)
	return event.EventEncrypted, sealed
}

// open is the event as a user reads it, where it is encrypted and one of them can.
func (s *Server) open(e *event.Event) *event.Event {
	if e.Type != event.EventEncrypted || s.secrets.device == nil {
		return e
	}
	if opened, ok := s.secrets.opened[e.ID]; ok {
		return opened
	}
	ctx := s.deadline()
	members := s.hs.Members(e.RoomID)
	for _, name := range slices.Sorted(maps.Keys(s.people)) {
		u := s.people[name]
		if members[u.client.UserID] != event.MembershipJoin || u.device.sync(ctx) != nil {
			continue
		}
		plain, err := u.device.enc.Decrypt(ctx, e)
		if err != nil {
			continue // Another may have the key.
		}
		opened := *e
		opened.Type, opened.Content = plain.Type, event.Content{VeryRaw: plain.Content}
		opened.Type.Class = event.MessageEventType
		if err := opened.Content.ParseRaw(opened.Type); err != nil && !errors.Is(err, event.ErrUnsupportedContentType) {
			continue
		}
		s.secrets.opened[e.ID] = &opened
		return &opened
	}
	return e
}

// timeline is the room's events, as users read them.
func (s *Server) timeline(room id.RoomID) []*event.Event {
	events := s.hs.Timeline(room)
	for i, e := range events {
		events[i] = s.open(e)
	}
	return events
}
