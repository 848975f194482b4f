//go:build goolm

package e2ee

import (
	"context"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// OpenKeyFile is openKeyFile, for tests.
var OpenKeyFile = openKeyFile

// Forward sends the session to a device as a key that is said to come from the owner's.
func (e *Encryption) Forward(
	ctx context.Context, to niobot.Account, room id.RoomID, session id.SessionID, owner niobot.Account,
) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	if _, err := g.devices.query(ctx, []id.UserID{to.UserID, owner.UserID}); err != nil {
		return err
	}
	device, err := g.deviceOf(ctx, to.UserID, to.DeviceID)
	if err != nil {
		return err
	}
	claimed, err := g.deviceOf(ctx, owner.UserID, owner.DeviceID)
	if err != nil {
		return err
	}
	stored, err := g.store.GetGroupSession(ctx, room, session)
	if err != nil {
		return err
	}
	key, err := stored.Internal.Export(0)
	if err != nil {
		return err
	}
	return g.sendTo(ctx, device, event.ToDeviceForwardedRoomKey, &event.ForwardedRoomKeyEventContent{
		RoomKeyEventContent: event.RoomKeyEventContent{
			Algorithm: id.AlgorithmMegolmV1, RoomID: room, SessionID: session, SessionKey: string(key),
		},
		SenderKey: claimed.IdentityKey, SenderClaimedKey: claimed.SigningKey, ForwardingKeyChain: []string{},
	})
}

// ForgetSessions drops the sessions that are kept in memory to read with.
func (e *Encryption) ForgetSessions() {
	g, err := e.running()
	if err != nil {
		return
	}
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	clear(g.store.cache)
}

// Claim sends the session to a device as the key of a session of this device's own, by an olm message that is genuine.
func (e *Encryption) Claim(ctx context.Context, to niobot.Account, room id.RoomID, session id.SessionID, key string) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	if _, err := g.devices.query(ctx, []id.UserID{to.UserID}); err != nil {
		return err
	}
	device, err := g.deviceOf(ctx, to.UserID, to.DeviceID)
	if err != nil {
		return err
	}
	return g.sendTo(ctx, device, event.ToDeviceRoomKey, &event.RoomKeyEventContent{
		Algorithm: id.AlgorithmMegolmV1, RoomID: room, SessionID: session, SessionKey: key,
	})
}

// SessionKey is the key of the session that the next message into the room is written with.
func (e *Encryption) SessionKey(ctx context.Context, room id.RoomID) (string, error) {
	g, err := e.running()
	if err != nil {
		return "", err
	}
	r := g.rooms.of(room)
	if err := g.loadSession(ctx, r); err != nil {
		return "", err
	}
	return r.session.Internal.Key(), nil
}
