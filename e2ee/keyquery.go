//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// take stores the user's devices and cross-signing keys out of an answer, those that hold what they must.
func (l *deviceList) take(
	ctx context.Context, user id.UserID, raw map[id.DeviceID]json.RawMessage, answer *queryAnswer,
) error {
	known, err := l.of(ctx, user)
	if err != nil {
		return err
	}
	master := readSigningKey(answer.Master[user], user, id.XSUsageMaster, nil)
	selfSigning := readSigningKey(answer.SelfSigning[user], user, id.XSUsageSelfSigning, master)
	var userSigning *signingKey
	if user == l.g.account.UserID {
		userSigning = readSigningKey(answer.UserSigning[user], user, id.XSUsageUserSigning, master)
	}
	devices := make(map[id.DeviceID]*id.Device)
	var signed []*id.Device
	for deviceID, object := range raw {
		if len(devices) == maxDevices {
			l.g.log.Warn("some devices of a user are left out, there are too many", "user_id", user, "devices", len(raw))
			break
		}
		device, err := readDevice(object, user, deviceID, known[deviceID])
		if err != nil {
			l.g.log.Warn("a device's keys are not valid", "user_id", user, "device_id", deviceID, "err", err)
		}
		if device == nil {
			continue
		}
		devices[deviceID] = device
		if err == nil && selfSigning != nil && signedBy(object, user, selfSigning.key.String(), selfSigning.key) {
			signed = append(signed, device)
		}
	}
	return l.g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
		if err := l.g.store.PutDevices(ctx, user, devices); err != nil {
			return err
		}
		for _, key := range []*signingKey{master, selfSigning, userSigning} {
			if err := l.putSigningKey(ctx, user, key, master); err != nil {
				return err
			}
		}
		for _, device := range signed {
			err := l.g.store.PutSignature(ctx, user, device.SigningKey, user, selfSigning.key, "checked")
			if err != nil {
				return err
			}
		}
		return l.putVerification(ctx, user, master)
	})
}

// signingKey is a cross-signing key that a server gave.
type signingKey struct {
	usage id.CrossSigningUsage
	key   id.Ed25519
	raw   json.RawMessage
}

// readSigningKey reads a cross-signing key, or returns nil where there is none that holds: one key for that usage, of
// that user, signed by their master key unless it is that itself.
func readSigningKey(
	raw json.RawMessage, user id.UserID, usage id.CrossSigningUsage, master *signingKey,
) *signingKey {
	var parsed mautrix.CrossSigningKeys
	if len(raw) == 0 || json.Unmarshal(raw, &parsed) != nil {
		return nil
	}
	if parsed.UserID != user || !slices.Contains(parsed.Usage, usage) || len(parsed.Keys) != 1 {
		return nil
	}
	key := parsed.FirstKey()
	if _, ok := parsed.Keys[id.NewKeyID(id.KeyAlgorithmEd25519, key.String())]; !ok || !validKey(key) {
		return nil
	}
	if usage != id.XSUsageMaster && (master == nil || !signedBy(raw, user, master.key.String(), master.key)) {
		return nil
	}
	return &signingKey{usage: usage, key: key, raw: raw}
}

func (l *deviceList) putSigningKey(ctx context.Context, user id.UserID, key, master *signingKey) error {
	if key == nil {
		return nil
	}
	known, err := l.g.store.GetCrossSigningKeys(ctx, user)
	if err != nil {
		return err
	}
	if old, ok := known[key.usage]; ok && old.Key != key.key {
		if _, err := l.g.store.DropSignaturesByKey(ctx, user, old.Key); err != nil {
			return err
		}
	}
	if err := l.g.store.PutCrossSigningKey(ctx, user, key.usage, key.key); err != nil {
		return err
	}
	if key.usage == id.XSUsageMaster {
		return nil
	}
	return l.g.store.PutSignature(ctx, user, key.key, user, master.key, "checked")
}

// putVerification notes where the bot's own user-signing key has signed the user's master key.
func (l *deviceList) putVerification(ctx context.Context, user id.UserID, master *signingKey) error {
	own := l.g.identity.Load()
	if own == nil || master == nil || user == l.g.account.UserID {
		return nil
	}
	key := own.UserSigningKey.PublicKey()
	if !signedBy(master.raw, l.g.account.UserID, key.String(), key) {
		return nil
	}
	return l.g.store.PutSignature(ctx, user, master.key, l.g.account.UserID, key, "checked")
}

// readDevice reads the keys of a device. Where they are not valid, or its signing key is not the one that it had, it
// returns what is known of the device and an error.
func readDevice(
	raw json.RawMessage, user id.UserID, deviceID id.DeviceID, known *id.Device,
) (*id.Device, error) {
	var keys mautrix.DeviceKeys
	if err := json.Unmarshal(raw, &keys); err != nil {
		return known, fmt.Errorf("read device keys: %w", err)
	}
	device := &id.Device{
		UserID:      user,
		DeviceID:    deviceID,
		IdentityKey: keys.Keys.GetCurve25519(deviceID),
		SigningKey:  keys.Keys.GetEd25519(deviceID),
		Name:        string(deviceID),
	}
	switch {
	case keys.UserID != user || keys.DeviceID != deviceID:
		return known, fmt.Errorf("the keys are those of device %q of %q", keys.DeviceID, keys.UserID)
	case !validKey(device.SigningKey) || !validKey(device.IdentityKey):
		return known, fmt.Errorf("a key is missing or has another length")
	case !signedBy(raw, user, string(deviceID), device.SigningKey):
		return known, fmt.Errorf("the keys are not signed by the device")
	case known != nil && known.SigningKey != device.SigningKey:
		changed := *known
		changed.Trust = id.TrustStateDeviceKeyMismatch
		return &changed, fmt.Errorf("the signing key is not the one that the device had")
	case known != nil:
		device.Trust = known.Trust
	}
	if name, ok := keys.Unsigned["device_display_name"].(string); ok {
		device.Name = name
	}
	return device, nil
}
