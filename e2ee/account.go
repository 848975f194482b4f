//go:build goolm

package e2ee

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

const (
	fewKeys      = 50        // One-time keys on the server below which more are uploaded, up to it
	fallbackRest = time.Hour // Between two fallback keys
)

// fallbackMaker is what goolm's account has beyond mautrix' interface: a key that is given out when the one-time keys
// are used up, so that nobody is kept from writing to the bot.
type fallbackMaker interface {
	GenFallbackKey() error
	FallbackKey() map[string]id.Curve25519
}

// openAccount loads the device's keys, or makes them, and brings them to the server. The keys that the server has must
// be these.
func (g *engine) openAccount(ctx context.Context) error {
	deviceID, err := g.store.FindDeviceID(ctx)
	if err != nil {
		return fmt.Errorf("read the account's keys: %w", err)
	}
	if deviceID != "" && deviceID != g.account.DeviceID {
		return fmt.Errorf("the keys in the store are those of device %s: %w", deviceID, ErrDeviceMismatch)
	}
	if err := g.mach.Load(ctx); err != nil {
		return fmt.Errorf("read the account's keys: %w", err)
	}
	g.signingKey, g.identityKey = g.mach.GetAccount().Keys()
	onServer, _, err := g.devices.ownKeys(ctx)
	if err != nil {
		return err
	}
	fresh := deviceID == ""
	if onServer != nil {
		same := onServer.Keys.GetCurve25519(g.account.DeviceID) == g.identityKey &&
			onServer.Keys.GetEd25519(g.account.DeviceID) == g.signingKey
		if !same {
			return fmt.Errorf("device %s: %w", g.account.DeviceID, ErrDeviceMismatch)
		}
	}
	if fresh {
		// Stored before the upload: keys that are on the server alone could never be used.
		if err := g.mach.CryptoStore.PutAccount(ctx, g.mach.GetAccount()); err != nil {
			return fmt.Errorf("store the account's keys: %w", err)
		}
	}
	if onServer == nil {
		if err := g.uploadKeys(ctx, true, true); err != nil {
			return err
		}
		if _, _, err := g.devices.ownKeys(ctx); err != nil {
			return err
		}
	} else if err := g.uploadKeys(ctx, false, g.lacksFallback()); err != nil {
		return err
	}
	return g.devices.load(ctx)
}

func (g *engine) lacksFallback() bool {
	maker, ok := g.mach.GetAccount().Internal.(fallbackMaker)
	return ok && len(maker.FallbackKey()) == 0
}

// keyUpload is the body of /keys/upload (spec: Client-Server API, "Uploading keys").
type keyUpload struct {
	DeviceKeys *mautrix.DeviceKeys             `json:"device_keys,omitempty"`
	OneTime    map[id.KeyID]mautrix.OneTimeKey `json:"one_time_keys,omitempty"`
	Fallback   map[id.KeyID]mautrix.OneTimeKey `json:"fallback_keys,omitempty"`
}

func (g *engine) postKeys(ctx context.Context, body keyUpload) (count int, err error) {
	var answer mautrix.RespUploadKeys
	url := g.client.BuildClientURL("v3", "keys", "upload")
	if _, err := g.client.MakeRequest(ctx, http.MethodPost, url, body, &answer); err != nil {
		return 0, fmt.Errorf("upload keys: %w", err)
	}
	return answer.OneTimeKeyCounts.SignedCurve25519, nil
}

// uploadKeys uploads the device's keys, where device is set, and as many one-time keys as the server lacks. It asks for
// their number first: a count from a sync may be old, and of more than 100 keys the oldest would be forgotten here,
// although somebody may have been given them.
func (g *engine) uploadKeys(ctx context.Context, device, fallback bool) error {
	count, err := 0, error(nil)
	if !device {
		if count, err = g.postKeys(ctx, keyUpload{}); err != nil {
			return err
		}
		if count >= fewKeys && !fallback {
			return nil
		}
	}
	body, err := g.makeKeys(ctx, count, device, fallback)
	if err != nil {
		return err
	}
	if _, err := g.postKeys(ctx, body); err != nil {
		if !keysTaken(err) {
			return err
		}
		// The store was set back to an earlier state, so that ids are used twice. Keys by other ids take their place.
		g.log.Warn("the server has one-time keys that the store does not know; was the store restored?", "err", err)
		return g.replaceKeys(ctx)
	}
	return g.markPublished(ctx)
}

func keysTaken(err error) bool {
	var httpErr mautrix.HTTPError
	return errors.As(err, &httpErr) && httpErr.IsStatus(http.StatusBadRequest)
}

// replaceKeys counts what was refused as published, which has the next ones made under new ids.
func (g *engine) replaceKeys(ctx context.Context) error {
	if err := g.markPublished(ctx); err != nil {
		return err
	}
	body, err := g.makeKeys(ctx, 0, false, true)
	if err != nil {
		return err
	}
	if _, err := g.postKeys(ctx, body); err != nil {
		return err
	}
	return g.markPublished(ctx)
}

// makeKeys makes keys and stores them, before they are on the server.
func (g *engine) makeKeys(ctx context.Context, count int, device, fallback bool) (body keyUpload, err error) {
	g.olm.Lock()
	defer g.olm.Unlock()
	account := g.mach.GetAccount()
	if device {
		if body.DeviceKeys, err = g.signedDeviceKeys(account); err != nil {
			return body, err
		}
	}
	unpublished, err := account.Internal.OneTimeKeys()
	if err != nil {
		return body, fmt.Errorf("read the one-time keys: %w", err)
	}
	if missing := fewKeys - count - len(unpublished); missing > 0 {
		if err := account.Internal.GenOneTimeKeys(uint(missing)); err != nil {
			return body, fmt.Errorf("make one-time keys: %w", err)
		}
		if unpublished, err = account.Internal.OneTimeKeys(); err != nil {
			return body, fmt.Errorf("read the one-time keys: %w", err)
		}
	}
	if body.OneTime, err = g.signedKeys(account, unpublished, false); err != nil {
		return body, err
	}
	if maker, ok := account.Internal.(fallbackMaker); ok && fallback {
		if err := maker.GenFallbackKey(); err != nil {
			return body, fmt.Errorf("make a fallback key: %w", err)
		}
		if body.Fallback, err = g.signedKeys(account, maker.FallbackKey(), true); err != nil {
			return body, err
		}
	}
	if err := g.store.PutAccount(ctx, account); err != nil {
		return body, fmt.Errorf("store the one-time keys: %w", err)
	}
	return body, nil
}

func (g *engine) markPublished(ctx context.Context) error {
	g.olm.Lock()
	defer g.olm.Unlock()
	account := g.mach.GetAccount()
	account.Internal.MarkKeysAsPublished()
	account.Shared = true
	if err := g.store.PutAccount(ctx, account); err != nil {
		return fmt.Errorf("store the one-time keys: %w", err)
	}
	return nil
}

func (g *engine) signedKeys(
	account *crypto.OlmAccount, keys map[string]id.Curve25519, fallback bool,
) (map[id.KeyID]mautrix.OneTimeKey, error) {
	signed := make(map[id.KeyID]mautrix.OneTimeKey, len(keys))
	for name, value := range keys {
		key := mautrix.OneTimeKey{Key: value, Fallback: fallback, IsSigned: true}
		signature, err := account.SignJSON(&key)
		if err != nil {
			return nil, fmt.Errorf("sign a one-time key: %w", err)
		}
		key.Signatures = signatures.NewSingleSignature(
			g.account.UserID, id.KeyAlgorithmEd25519, string(g.account.DeviceID), signature)
		signed[id.NewKeyID(id.KeyAlgorithmSignedCurve25519, name)] = key
	}
	return signed, nil
}

func (g *engine) signedDeviceKeys(account *crypto.OlmAccount) (*mautrix.DeviceKeys, error) {
	device := g.account.DeviceID
	keys := &mautrix.DeviceKeys{
		UserID:     g.account.UserID,
		DeviceID:   device,
		Algorithms: []id.Algorithm{id.AlgorithmMegolmV1, id.AlgorithmOlmV1},
		Keys: mautrix.KeyMap{
			id.NewDeviceKeyID(id.KeyAlgorithmCurve25519, device): string(g.identityKey),
			id.NewDeviceKeyID(id.KeyAlgorithmEd25519, device):    string(g.signingKey),
		},
	}
	signature, err := account.SignJSON(keys)
	if err != nil {
		return nil, fmt.Errorf("sign the device's keys: %w", err)
	}
	keys.Signatures = signatures.NewSingleSignature(
		g.account.UserID, id.KeyAlgorithmEd25519, string(device), signature)
	return keys, nil
}

// keyCounts follows what a sync says of the keys on the server.
func (m *mailbox) keyCounts(u niobot.DeviceUpdate) {
	if !u.HasKeyCounts {
		return
	}
	fallback := !slices.Contains(u.FallbackKeys, id.KeyAlgorithmSignedCurve25519)
	m.keysWanted(u.OneTimeKeys[id.KeyAlgorithmSignedCurve25519] < fewKeys, fallback)
}
