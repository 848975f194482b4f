//go:build goolm

package e2ee

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

const claimTimeout = 10 * time.Second // For other servers

// sendTo encrypts a message to one device and sends it.
func (g *engine) sendTo(ctx context.Context, device *id.Device, typ event.Type, content any) error {
	to := []*id.Device{device}
	lacking, err := g.establish(ctx, to)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		return fmt.Errorf("device %s of %s has no one-time key left", device.DeviceID, device.UserID)
	}
	return g.sendSealed(ctx, to, typ, content)
}

// establish begins olm sessions with those of the devices that there is none with, and returns the devices that there
// is none with still: they have no one-time key, or one that they have not signed.
//
// It is done here since mautrix would wait for the server with its lock held, and trust the server to name no device
// that it was not asked for.
func (g *engine) establish(ctx context.Context, devices []*id.Device) (lacking []*id.Device, err error) {
	want := make(mautrix.OneTimeKeysRequest)
	var without []*id.Device
	for _, device := range devices {
		if !g.mail.takeRenewal(device.IdentityKey) && g.store.HasSession(ctx, device.IdentityKey) {
			continue
		}
		if want[device.UserID] == nil {
			want[device.UserID] = make(map[id.DeviceID]id.KeyAlgorithm)
		}
		want[device.UserID][device.DeviceID] = id.KeyAlgorithmSignedCurve25519
		without = append(without, device)
	}
	if len(without) == 0 {
		return nil, nil
	}
	answer, err := g.client.ClaimKeys(ctx, &mautrix.ReqClaimKeys{
		OneTimeKeys: want, Timeout: claimTimeout.Milliseconds(),
	})
	if err != nil {
		return nil, fmt.Errorf("claim one-time keys: %w", err)
	}
	err = g.withOlm(ctx, func(ctx context.Context) error {
		for _, device := range without {
			session := g.beginSession(device, answer.OneTimeKeys[device.UserID][device.DeviceID])
			if session == nil {
				lacking = append(lacking, device)
				continue
			}
			if err := g.store.AddSession(ctx, device.IdentityKey, session); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store olm sessions: %w", err)
	}
	return lacking, nil
}

// beginSession makes an olm session with one of the device's one-time keys, or returns nil where none of them holds.
func (g *engine) beginSession(device *id.Device, keys map[id.KeyID]mautrix.OneTimeKey) *crypto.OlmSession {
	for keyID, key := range keys {
		algorithm, _ := keyID.Parse()
		if algorithm != id.KeyAlgorithmSignedCurve25519 || !validKey(key.Key) ||
			!signedBy(key.RawData, device.UserID, string(device.DeviceID), device.SigningKey) {
			g.log.Warn("a one-time key is not the device's", "user_id", device.UserID, "device_id", device.DeviceID)
			continue
		}
		var session *crypto.OlmSession
		err := guarded(func() error {
			begun, err := g.mach.GetAccount().Internal.NewOutboundSession(device.IdentityKey, key.Key)
			if err != nil {
				return err
			}
			now := time.Now()
			session = &crypto.OlmSession{Internal: begun, ExpirationMixin: crypto.ExpirationMixin{
				TimeMixin: crypto.TimeMixin{CreationTime: now, LastEncryptedTime: now, LastDecryptedTime: now},
			}}
			return nil
		})
		if err == nil {
			return session
		}
		g.log.Warn("a one-time key can't be used", "user_id", device.UserID, "device_id", device.DeviceID, "err", err)
	}
	return nil
}

// sendSealed encrypts a message to devices that there are olm sessions with, and sends it. The sessions have moved on
// in the database before anything is sent: no key of theirs is used twice.
func (g *engine) sendSealed(ctx context.Context, devices []*id.Device, typ event.Type, content any) error {
	open := &mautrix.ReqSendToDevice{Messages: make(map[id.UserID]map[id.DeviceID]*event.Content)}
	for _, device := range devices {
		if open.Messages[device.UserID] == nil {
			open.Messages[device.UserID] = make(map[id.DeviceID]*event.Content)
		}
		open.Messages[device.UserID][device.DeviceID] = &event.Content{Parsed: content}
	}
	var sealed *mautrix.ReqSendToDevice
	err := g.withOlm(g.machineContext(ctx), func(ctx context.Context) error {
		return guarded(func() (err error) {
			sealed, err = g.mach.EncryptToDevices(ctx, typ, open)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("encrypt to devices: %w", err)
	}
	if _, err := g.client.SendToDevice(ctx, event.ToDeviceEncrypted, sealed); err != nil {
		return fmt.Errorf("send to devices: %w", err)
	}
	return nil
}
