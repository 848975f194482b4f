//go:build goolm

package e2ee

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"
)

const maxCachedTrust = 10_000

// trustKey names a device by what its signature is checked with.
type trustKey struct {
	user id.UserID
	key  id.SigningKey
}

type trusted struct {
	local id.TrustState // What the device itself was marked as
	state id.TrustState
}

// trustOf is how far the device is trusted.
//
// mautrix has the same rules, but reads and writes a cache of the bot's own keys on whatever goroutine asks.
func (l *deviceList) trustOf(ctx context.Context, device *id.Device) (id.TrustState, error) {
	switch device.Trust {
	case id.TrustStateVerified, id.TrustStateBlacklisted, id.TrustStateDeviceKeyMismatch:
		return device.Trust, nil
	}
	at := trustKey{device.UserID, device.SigningKey}
	l.mu.Lock()
	found, ok := l.trust[at]
	before := l.changes
	l.mu.Unlock()
	if ok && found.local == device.Trust {
		return found.state, nil
	}
	state, err := l.resolve(ctx, device)
	if err != nil {
		return id.TrustStateUnset, fmt.Errorf("look up trust in a device of %s: %w", device.UserID, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changes == before {
		if len(l.trust) >= maxCachedTrust {
			clear(l.trust)
		}
		l.trust[at] = trusted{device.Trust, state}
	}
	return state, nil
}

// resolve follows the signatures from the device to its user's master key, and from the bot's user-signing key to it.
func (l *deviceList) resolve(ctx context.Context, device *id.Device) (id.TrustState, error) {
	user := device.UserID
	keys, err := l.g.store.GetCrossSigningKeys(ctx, user)
	if err != nil {
		return id.TrustStateUnset, err
	}
	master, selfSigning := keys[id.XSUsageMaster], keys[id.XSUsageSelfSigning]
	if master.Key == "" || selfSigning.Key == "" {
		return id.TrustStateUnset, nil
	}
	for _, link := range [][2]id.Ed25519{{selfSigning.Key, master.Key}, {device.SigningKey, selfSigning.Key}} {
		signed, err := l.g.store.IsKeySignedBy(ctx, user, link[0], user, link[1])
		if err != nil || !signed {
			return id.TrustStateUnset, err
		}
	}
	own := l.g.identity.Load()
	switch {
	case own == nil:
	case user == l.g.account.UserID:
		if own.MasterKey.PublicKey() != master.Key {
			return id.TrustStateUnset, nil
		}
		return id.TrustStateCrossSignedVerified, nil
	default:
		verified, err := l.g.store.IsKeySignedBy(ctx, user, master.Key, l.g.account.UserID, own.UserSigningKey.PublicKey())
		if err != nil {
			return id.TrustStateUnset, err
		}
		if verified {
			return id.TrustStateCrossSignedVerified, nil
		}
	}
	if master.Key == master.First {
		return id.TrustStateCrossSignedTOFU, nil
	}
	return id.TrustStateCrossSignedUntrusted, nil
}

// forgetTrust has trust resolved anew, as after a verification, and with it what devices are marked as.
func (l *deviceList) forgetTrust() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	clear(l.trust)
	clear(l.devices)
	clear(l.lists)
	l.inLists = 0
}
