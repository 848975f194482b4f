//go:build goolm

package e2ee

import (
	"context"
	"fmt"
	"slices"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

const (
	shareBatch = 100         // Devices a request
	shareRetry = time.Minute // Before a device without one-time keys is tried again, doubled at each time
	shareLimit = time.Hour   // Before any repetition
)

// audience is who is to read what is written into a room.
type audience struct {
	readers map[id.UserID]bool
	devices map[recipient]*id.Device
	refused map[recipient]*id.Device // By the bot's policy
	unknown bool                     // Whether somebody's devices could not be asked for
}

// audience looks up the devices that are to have the room's key.
func (g *engine) audience(ctx context.Context, room id.RoomID) (*audience, error) {
	readers, err := g.host.Readers(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("look up who reads the room: %w", err)
	}
	if err := g.devices.refresh(ctx, readers); err != nil {
		return nil, err
	}
	a := &audience{
		readers: make(map[id.UserID]bool, len(readers)),
		devices: make(map[recipient]*id.Device),
		refused: make(map[recipient]*id.Device),
	}
	for _, user := range readers {
		a.readers[user] = true
		devices, err := g.devices.of(ctx, user)
		if err != nil {
			return nil, err
		}
		a.unknown = a.unknown || devices == nil
		for _, device := range devices {
			if user == g.account.UserID && device.DeviceID == g.account.DeviceID {
				continue
			}
			allowed, err := g.allowed(ctx, device)
			if err != nil {
				return nil, err
			}
			if to := (recipient{user, device.IdentityKey}); allowed {
				a.devices[to] = device
			} else {
				a.refused[to] = device
			}
		}
	}
	return a, nil
}

// allowed reports whether the device gets keys by the bot's policy.
func (g *engine) allowed(ctx context.Context, device *id.Device) (bool, error) {
	trust, err := g.devices.trustOf(ctx, device)
	if err != nil {
		return false, err
	}
	switch g.settings.sharing {
	case VerifiedDevices:
		return trust >= id.TrustStateCrossSignedVerified, nil
	case CrossSignedDevices:
		return trust >= id.TrustStateCrossSignedUntrusted, nil
	}
	return trust >= id.TrustStateUnset, nil
}

// share gives the session's key to all devices that are to have it and have not. Where somebody has it who is not to
// have it any more, a new session takes its place. Who comes later gets the key from the next message on.
func (g *engine) share(ctx context.Context, r *roomKey, settings *event.EncryptionEventContent) error {
	to, err := g.audience(ctx, r.room)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.readers = to.readers
	r.mu.Unlock()
	visibility, err := g.visibility(ctx, r.room)
	if err != nil {
		return err
	}
	outdated := r.session.SharedHistory != nil && *r.session.SharedHistory != visibility.SharedHistory()
	for has := range r.shared {
		outdated = outdated || to.devices[has] == nil
	}
	if outdated {
		if err := g.newSession(ctx, r, settings); err != nil {
			return err
		}
	}
	var due []*id.Device
	now := time.Now()
	for is, device := range to.devices {
		if !r.shared[is] && !r.retry[is].at.After(now) {
			due = append(due, device)
		}
	}
	for batch := range slices.Chunk(due, shareBatch) {
		if err := g.shareWith(ctx, r, batch); err != nil {
			return err
		}
	}
	g.refuse(ctx, r, to.refused, event.RoomKeyWithheldUnverified, "The bot writes to verified devices only.")
	r.again = time.Time{}
	if to.unknown || len(r.retry) > 0 {
		r.again = time.Now().Add(queryRetry)
	}
	if !r.session.Shared {
		r.session.Shared = true
		if err := g.store.AddOutboundGroupSession(ctx, r.session); err != nil {
			r.session.Shared = false
			return fmt.Errorf("store the room's session: %w", err)
		}
		r.reserved = 0 // It stands where this one does again.
	}
	return nil
}

// shareWith gives the key, as it is now, to devices that have not got it.
func (g *engine) shareWith(ctx context.Context, r *roomKey, devices []*id.Device) error {
	lacking, err := g.establish(ctx, devices)
	if err != nil {
		return err
	}
	for _, device := range lacking {
		is := recipient{device.UserID, device.IdentityKey}
		wait := min(max(2*r.retry[is].wait, shareRetry), shareLimit)
		r.retry[is] = attempt{time.Now().Add(wait), wait}
		g.log.Debug("a device has no one-time key, so it can't read the room yet",
			"room_id", r.room, "user_id", device.UserID, "device_id", device.DeviceID)
		g.refuse(ctx, r, map[recipient]*id.Device{is: device}, event.RoomKeyWithheldNoOlmSession,
			"The device has no one-time key.")
	}
	devices = slices.DeleteFunc(slices.Clone(devices), func(d *id.Device) bool { return slices.Contains(lacking, d) })
	if len(devices) == 0 {
		return nil
	}
	err = g.sendSealed(ctx, devices, event.ToDeviceRoomKey, &event.RoomKeyEventContent{
		Algorithm:     id.AlgorithmMegolmV1,
		RoomID:        r.room,
		SessionID:     r.session.ID(),
		SessionKey:    r.session.Internal.Key(),
		SharedHistory: r.session.SharedHistory,
	})
	if err != nil {
		return err
	}
	err = g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
		for _, device := range devices {
			err := g.store.MarkOutboundGroupSessionShared(ctx, device.UserID, device.IdentityKey, r.session.ID())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note who has the room's key: %w", err)
	}
	for _, device := range devices {
		is := recipient{device.UserID, device.IdentityKey}
		r.shared[is] = true
		delete(r.retry, is)
	}
	return nil
}

// refuse tells devices once a session that they get no key, and why (spec: Client-Server API, "m.room_key.withheld").
// It is a courtesy: where it can't be sent, they are left waiting.
func (g *engine) refuse(
	ctx context.Context, r *roomKey, devices map[recipient]*id.Device, code event.RoomKeyWithheldCode, reason string,
) {
	content := &event.Content{Parsed: &event.RoomKeyWithheldEventContent{
		RoomID: r.room, Algorithm: id.AlgorithmMegolmV1, SessionID: r.session.ID(), SenderKey: g.identityKey,
		Code: code, Reason: reason,
	}}
	messages := make(map[id.UserID]map[id.DeviceID]*event.Content)
	for is, device := range devices {
		if r.told[is] {
			continue
		}
		r.told[is] = true
		if messages[device.UserID] == nil {
			messages[device.UserID] = make(map[id.DeviceID]*event.Content)
		}
		messages[device.UserID][device.DeviceID] = content
	}
	if len(messages) == 0 {
		return
	}
	_, err := g.client.SendToDevice(ctx, event.ToDeviceRoomKeyWithheld, &mautrix.ReqSendToDevice{Messages: messages})
	if err != nil {
		g.log.Debug("devices can't be told that they get no key", "room_id", r.room, "err", err)
	}
}
