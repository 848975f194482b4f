//go:build goolm

package e2ee

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/backup"
	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"
)

const (
	backupBatch    = 100              // Sessions a request
	backupDebounce = time.Second      // After a key came, for more to come
	backupRetry    = time.Second      // Before the first repetition, doubled at each
	backupRetryMax = 10 * time.Minute // Before any repetition
)

// errBackupForeign means that the account's backup is under a key that this device does not have.
var errBackupForeign = errors.New("the account's key backup is under another key; give its recovery key")

// keyBackup keeps the keys of rooms in the account's backup on the server (spec: Client-Server API, "Server-side key
// backups"), and gets back what is missing here.
type keyBackup struct {
	g     *engine
	woken chan struct{}

	mu      sync.Mutex
	key     *backup.MegolmBackupKey
	version id.KeyBackupVersion // Empty where there is no backup to write to
}

func newKeyBackup(g *engine) *keyBackup {
	return &keyBackup{g: g, woken: make(chan struct{}, 1)}
}

// wake says that there may be something to upload.
func (b *keyBackup) wake() {
	select {
	case b.woken <- struct{}{}:
	default:
	}
}

func (b *keyBackup) current() (*backup.MegolmBackupKey, id.KeyBackupVersion) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.key, b.version
}

func publicKey(key *backup.MegolmBackupKey) id.Ed25519 {
	return id.Ed25519(base64.RawStdEncoding.EncodeToString(key.PublicKey().Bytes()))
}

func (b *keyBackup) storedKey(ctx context.Context) (*backup.MegolmBackupKey, error) {
	secrets, err := b.g.store.secrets(ctx, id.SecretMegolmBackupV1)
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawStdEncoding.DecodeString(secrets[id.SecretMegolmBackupV1])
	if err != nil {
		return nil, fmt.Errorf("read the backup key: %w", err)
	}
	key, err := backup.MegolmBackupKeyFromBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("read the backup key: %w", err)
	}
	return key, nil
}

// open finds the account's backup, or begins one. Only a backup under the key that is known is used: a server that
// names another would read what goes into it. A new identity gets a backup of its own.
func (b *keyBackup) open(ctx context.Context, fresh bool) error {
	key, err := b.storedKey(ctx)
	if err != nil {
		return err
	}
	found, err := b.g.client.GetKeyBackupLatestVersion(ctx)
	var version id.KeyBackupVersion
	switch {
	case errors.Is(err, mautrix.MNotFound):
		if version, err = b.create(ctx, key); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("look up the key backup: %w", err)
	case found.AuthData.PublicKey == publicKey(key) && found.Algorithm == id.KeyBackupAlgorithmMegolmBackupV1:
		version = found.Version
	case fresh:
		if version, err = b.create(ctx, key); err != nil {
			return err
		}
	default:
		if key, err = b.adopt(ctx, found.AuthData.PublicKey); errors.Is(err, errBackupForeign) {
			b.set(nil, "")
			b.g.log.Warn("keys are not backed up", "err", err)
			return nil
		} else if err != nil {
			return err
		}
		version = found.Version
	}
	b.set(key, version)
	b.wake()
	return nil
}

func (b *keyBackup) set(key *backup.MegolmBackupKey, version id.KeyBackupVersion) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.key, b.version = key, version
}

// create begins a backup, which the identity and the device sign.
func (b *keyBackup) create(ctx context.Context, key *backup.MegolmBackupKey) (id.KeyBackupVersion, error) {
	auth := backup.MegolmAuthData{PublicKey: publicKey(key)}
	identity := b.g.identity.Load()
	if identity == nil {
		return "", errors.New("begin a key backup: the identity is not there yet")
	}
	byMaster, err := identity.MasterKey.SignJSON(auth)
	if err != nil {
		return "", fmt.Errorf("sign the key backup: %w", err)
	}
	b.g.olm.Lock()
	byDevice, err := b.g.mach.GetAccount().SignJSON(auth)
	b.g.olm.Unlock()
	if err != nil {
		return "", fmt.Errorf("sign the key backup: %w", err)
	}
	auth.Signatures = signatures.Signatures{b.g.account.UserID: {
		id.NewKeyID(id.KeyAlgorithmEd25519, identity.MasterKey.PublicKey().String()): byMaster,
		id.NewKeyID(id.KeyAlgorithmEd25519, string(b.g.account.DeviceID)):            byDevice,
	}}
	created, err := b.g.client.CreateKeyBackupVersion(ctx, &mautrix.ReqRoomKeysVersionCreate[backup.MegolmAuthData]{
		Algorithm: id.KeyBackupAlgorithmMegolmBackupV1, AuthData: auth,
	})
	if err != nil {
		return "", fmt.Errorf("begin a key backup: %w", err)
	}
	return created.Version, nil
}

// adopt gets the key of a backup that another device has begun out of secret storage, where the recovery key is known.
func (b *keyBackup) adopt(ctx context.Context, public id.Ed25519) (*backup.MegolmBackupKey, error) {
	recovery, err := b.g.givenRecoveryKey(ctx)
	if err != nil || recovery == "" {
		return nil, errors.Join(errBackupForeign, err)
	}
	storage, err := b.g.storageKey(ctx, recovery)
	if err != nil {
		return nil, errors.Join(errBackupForeign, err)
	}
	value, err := b.g.storedSecret(ctx, id.SecretMegolmBackupV1, storage)
	if err != nil {
		return nil, errors.Join(errBackupForeign, err)
	}
	raw, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return nil, errors.Join(errBackupForeign, err)
	}
	key, err := backup.MegolmBackupKeyFromBytes(raw)
	if err != nil || publicKey(key) != public {
		return nil, errBackupForeign
	}
	return key, b.g.putSecrets(ctx, map[id.Secret]string{id.SecretMegolmBackupV1: value})
}

// run uploads what is not in the backup, at start and when keys have come.
func (b *keyBackup) run(ctx context.Context) {
	if err := b.restore(ctx); err != nil && ctx.Err() == nil {
		b.g.log.Warn("the key backup can't be read; its keys are fetched one by one", "err", err)
	}
	wait := backupRetry
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.woken:
		}
		if !sleep(ctx, backupDebounce) {
			return
		}
		for {
			err := b.upload(ctx)
			if err == nil {
				wait = backupRetry
				break
			}
			if ctx.Err() != nil {
				return
			}
			b.g.log.Warn("keys can't be backed up yet", "err", err, "retry_in", wait)
			if !sleep(ctx, wait/2+rand.N(wait/2)) {
				return
			}
			wait = min(2*wait, backupRetryMax)
		}
	}
}

// sleep waits, and reports whether it was to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// upload brings all sessions into the backup that are not in it, batch by batch.
func (b *keyBackup) upload(ctx context.Context) error {
	for {
		key, version := b.current()
		if version == "" {
			return nil
		}
		batch, err := b.pending(ctx, version, backupBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		request, err := packBatch(key, batch)
		if err != nil {
			return err
		}
		_, err = b.g.client.PutKeysInBackup(ctx, version, request)
		if errors.Is(err, mautrix.MWrongRoomKeysVersion) || errors.Is(err, mautrix.MNotFound) {
			b.g.log.Info("the key backup was replaced", "version", version)
			if err := b.open(ctx, false); err != nil {
				return err
			}
			if _, again := b.current(); again == version {
				return fmt.Errorf("the key backup %s is refused and named as the latest", version)
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("back keys up: %w", err)
		}
		err = b.g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
			for _, session := range batch {
				if err := b.g.store.SetGroupSessionKeyBackupVersion(ctx, session.ID(), version); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("note what is backed up: %w", err)
		}
	}
}

// pending are at most limit sessions that are not in the backup.
func (b *keyBackup) pending(
	ctx context.Context, version id.KeyBackupVersion, limit int,
) (batch []*crypto.InboundGroupSession, err error) {
	sessions := b.g.store.GetGroupSessionsWithoutKeyBackupVersion(ctx, version)
	err = sessions.Iter(func(session *crypto.InboundGroupSession) (bool, error) {
		batch = append(batch, session)
		return len(batch) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is to be backed up: %w", err)
	}
	return batch, nil
}

func packBatch(key *backup.MegolmBackupKey, batch []*crypto.InboundGroupSession) (*mautrix.ReqKeyBackup, error) {
	request := &mautrix.ReqKeyBackup{Rooms: make(map[id.RoomID]mautrix.ReqRoomKeyBackup)}
	for _, session := range batch {
		first := session.Internal.FirstKnownIndex()
		exported, err := session.Internal.Export(first)
		if err != nil {
			return nil, fmt.Errorf("export a session: %w", err)
		}
		sealed, err := backup.EncryptSessionData(key, backup.MegolmSessionData{
			Algorithm:          id.AlgorithmMegolmV1,
			ForwardingKeyChain: session.ForwardingChains,
			SenderClaimedKeys:  backup.SenderClaimedKeys{Ed25519: session.SigningKey},
			SenderKey:          session.SenderKey,
			SessionKey:         string(exported),
			SharedHistory:      session.SharedHistory,
		})
		if err != nil {
			return nil, fmt.Errorf("encrypt a session: %w", err)
		}
		data, err := json.Marshal(sealed)
		if err != nil {
			return nil, fmt.Errorf("encrypt a session: %w", err)
		}
		room := request.Rooms[session.RoomID]
		if room.Sessions == nil {
			room.Sessions = make(map[id.SessionID]mautrix.ReqKeyBackupData)
		}
		room.Sessions[session.ID()] = mautrix.ReqKeyBackupData{
			FirstMessageIndex: int(first),
			ForwardedCount:    len(session.ForwardingChains),
			IsVerified:        session.KeySource == id.KeySourceDirect,
			SessionData:       data,
		}
		request.Rooms[session.RoomID] = room
	}
	return request, nil
}
