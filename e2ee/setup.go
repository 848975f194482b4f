//go:build goolm

package e2ee

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/backup"
	"maunium.net/go/mautrix/crypto/ssss"
	"maunium.net/go/mautrix/id"
)

// secretPending is where the making of an identity is noted until all of it is done.
const secretPending id.Secret = "org.niobot.pending_identity"

var identitySecrets = []id.Secret{id.SecretXSMaster, id.SecretXSSelfSigning, id.SecretXSUserSigning}

// pending is an identity in the making. All of it is stored before the first step is taken, and each step may be taken
// again, so that a start that was cut short is made good by the next.
type pending struct {
	RecoveryKey string            `json:"recovery_key"`
	KeyID       string            `json:"key_id"`
	KeyData     *ssss.KeyMetadata `json:"key_data"`
	HandedOver  bool              `json:"handed_over"`
}

// setUp brings the identity to where it should be: made, or read from secret storage, or there already.
func (g *engine) setUp(ctx context.Context) error {
	secrets, err := g.store.secrets(ctx, append(identitySecrets, secretPending)...)
	if err != nil {
		return err
	}
	device, answer, err := g.devices.ownKeys(ctx)
	if err != nil {
		return err
	}
	master := readSigningKey(answer.Master[g.account.UserID], g.account.UserID, id.XSUsageMaster, nil)
	if secrets[secretPending] != "" {
		keys, err := decodeIdentity(secrets)
		if err != nil {
			return err
		}
		if master == nil || master.key == keys.MasterKey.PublicKey() || g.settings.allowReset {
			return g.resumeIdentity(ctx, secrets)
		}
		// A reset that the server never took, and that is not wanted any more.
		if err := g.dropSecrets(ctx); err != nil {
			return err
		}
		clear(secrets)
	}
	if secrets[id.SecretXSMaster] != "" {
		keys, err := decodeIdentity(secrets)
		if err != nil {
			return err
		}
		if master != nil && master.key == keys.MasterKey.PublicKey() {
			return g.takeUp(ctx, keys, device, answer)
		}
		g.log.Warn("the account's identity was replaced by another device", "user_id", g.account.UserID)
	}
	if master == nil {
		return g.makeIdentity(ctx)
	}
	recovery, err := g.givenRecoveryKey(ctx)
	switch {
	case err != nil:
		return err
	case recovery != "":
		err = g.recoverIdentity(ctx, recovery, master.key)
		if !errors.Is(err, ErrRecoveryKeyWrong) || !g.settings.allowReset {
			return err
		}
	case !g.settings.allowReset:
		return ErrRecoveryKeyNeeded
	}
	g.log.Warn("the identity is made anew; messages in the key backup can't be read any more, and verifications end",
		"user_id", g.account.UserID)
	return g.makeIdentity(ctx)
}

func decodeIdentity(secrets map[id.Secret]string) (*crypto.CrossSigningKeysCache, error) {
	var seeds crypto.CrossSigningSeeds
	for i, into := range []*[]byte{
		(*[]byte)(&seeds.MasterKey), (*[]byte)(&seeds.SelfSigningKey), (*[]byte)(&seeds.UserSigningKey),
	} {
		seed, err := base64.RawStdEncoding.DecodeString(secrets[identitySecrets[i]])
		if err != nil || len(seed) != 32 {
			return nil, fmt.Errorf("the secret %s is damaged", identitySecrets[i])
		}
		*into = seed
	}
	keys, err := seeds.Decode()
	if err != nil {
		return nil, fmt.Errorf("read the identity: %w", err)
	}
	return &keys, nil
}

// use has the machine sign with the keys.
func (g *engine) use(keys *crypto.CrossSigningKeysCache) error {
	g.olm.Lock()
	defer g.olm.Unlock()
	if err := g.mach.ImportCrossSigningKeys(keys.Seeds()); err != nil {
		return fmt.Errorf("use the identity: %w", err)
	}
	g.identity.Store(keys)
	g.devices.forgetTrust()
	return nil
}

// takeUp is the start of a device whose identity is the account's. It changes nothing where nothing is missing.
func (g *engine) takeUp(
	ctx context.Context, keys *crypto.CrossSigningKeysCache, device *mautrix.DeviceKeys, answer *queryAnswer,
) error {
	if err := g.use(keys); err != nil {
		return err
	}
	selfSigning := keys.SelfSigningKey.PublicKey()
	raw := answer.Devices[g.account.UserID][g.account.DeviceID]
	if device == nil || !signedBy(raw, g.account.UserID, selfSigning.String(), selfSigning) {
		if err := g.signDevice(ctx); err != nil {
			return err
		}
	}
	return g.backup.open(ctx, false)
}

func (g *engine) signDevice(ctx context.Context) error {
	g.olm.Lock()
	defer g.olm.Unlock()
	if err := g.mach.SignOwnDevice(ctx, g.mach.OwnIdentity()); err != nil {
		return fmt.Errorf("sign the device: %w", err)
	}
	if err := g.mach.SignOwnMasterKey(ctx); err != nil {
		return fmt.Errorf("sign the master key: %w", err)
	}
	return nil
}

// recoverIdentity reads the identity from secret storage (spec: Client-Server API, "Secrets"), and has it sign this
// device.
func (g *engine) recoverIdentity(ctx context.Context, recovery string, master id.Ed25519) error {
	key, err := g.storageKey(ctx, recovery)
	if err != nil {
		return err
	}
	secrets := make(map[id.Secret]string)
	for _, name := range identitySecrets {
		value, err := g.storedSecret(ctx, name, key)
		if err != nil {
			return err
		}
		secrets[name] = value
	}
	keys, err := decodeIdentity(secrets)
	if err != nil {
		return err
	}
	if keys.MasterKey.PublicKey() != master {
		return fmt.Errorf("what is in secret storage is not the account's identity: %w", ErrRecoveryKeyWrong)
	}
	value, err := g.storedSecret(ctx, id.SecretMegolmBackupV1, key)
	switch {
	case err == nil:
		secrets[id.SecretMegolmBackupV1] = value
	case errors.Is(err, mautrix.MNotFound):
		// A client without key backup made the identity; the bot begins one.
		backupKey, err := backup.NewMegolmBackupKey()
		if err != nil {
			return fmt.Errorf("make a backup key: %w", err)
		}
		err = g.mach.SSSS.SetEncryptedAccountData(ctx, secretType(id.SecretMegolmBackupV1), backupKey.Bytes(), key)
		if err != nil {
			return fmt.Errorf("store the backup key: %w", err)
		}
		secrets[id.SecretMegolmBackupV1] = base64.RawStdEncoding.EncodeToString(backupKey.Bytes())
	default:
		return err
	}
	if err := g.use(keys); err != nil {
		return err
	}
	if err := g.signDevice(ctx); err != nil {
		return err
	}
	// Stored last: a start that was cut short before begins here again.
	if err := g.putSecrets(ctx, secrets); err != nil {
		return err
	}
	return g.backup.open(ctx, false)
}

func (g *engine) putSecrets(ctx context.Context, secrets map[id.Secret]string) error {
	err := g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
		for name, value := range secrets {
			if err := g.store.PutSecret(ctx, name, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store the identity: %w", err)
	}
	return nil
}

func (g *engine) dropSecrets(ctx context.Context) error {
	err := g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
		for _, name := range append([]id.Secret{secretPending, id.SecretMegolmBackupV1}, identitySecrets...) {
			if err := g.store.DeleteSecret(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give up the identity in the making: %w", err)
	}
	return nil
}

// makeIdentity makes the keys of an identity, stores them, and takes the steps that bring it to the server.
func (g *engine) makeIdentity(ctx context.Context) error {
	if g.settings.keyFile == "" && g.settings.onRecoveryKey == nil {
		return ErrNoKeyPlace
	}
	keys, err := g.mach.GenerateCrossSigningKeys()
	if err != nil {
		return fmt.Errorf("make an identity: %w", err)
	}
	backupKey, err := backup.NewMegolmBackupKey()
	if err != nil {
		return fmt.Errorf("make a backup key: %w", err)
	}
	storage, err := ssss.NewKey("")
	if err != nil {
		return fmt.Errorf("make a recovery key: %w", err)
	}
	note, err := json.Marshal(pending{
		RecoveryKey: storage.RecoveryKey(), KeyID: storage.ID, KeyData: storage.Metadata,
	})
	if err != nil {
		return fmt.Errorf("make an identity: %w", err)
	}
	encode := base64.RawStdEncoding.EncodeToString
	secrets := map[id.Secret]string{
		id.SecretXSMaster:       encode(keys.MasterKey.Seed()),
		id.SecretXSSelfSigning:  encode(keys.SelfSigningKey.Seed()),
		id.SecretXSUserSigning:  encode(keys.UserSigningKey.Seed()),
		id.SecretMegolmBackupV1: encode(backupKey.Bytes()),
		secretPending:           string(note),
	}
	if err := g.putSecrets(ctx, secrets); err != nil {
		return err
	}
	return g.resumeIdentity(ctx, secrets)
}

// resumeIdentity takes all steps of an identity in the making. The recovery key is with its owner before anything that
// it unlocks is on the server. Secret storage is filled once the server took the identity: a password that is missing
// must not cost the account the secrets of the identity that it has.
func (g *engine) resumeIdentity(ctx context.Context, secrets map[id.Secret]string) error {
	var note pending
	if err := json.Unmarshal([]byte(secrets[secretPending]), &note); err != nil {
		return fmt.Errorf("read the identity in the making: %w", err)
	}
	keys, err := decodeIdentity(secrets)
	if err != nil {
		return err
	}
	if !note.HandedOver {
		if err := g.handOver(ctx, note.RecoveryKey); err != nil {
			return err
		}
		note.HandedOver = true
		data, err := json.Marshal(note)
		if err != nil {
			return fmt.Errorf("note the handing over: %w", err)
		}
		if err := g.putSecrets(ctx, map[id.Secret]string{secretPending: string(data)}); err != nil {
			return err
		}
	}
	if err := g.publish(ctx, keys); err != nil {
		return err
	}
	if err := g.fillStorage(ctx, note); err != nil {
		return err
	}
	if err := g.use(keys); err != nil {
		return err
	}
	if _, _, err := g.devices.ownKeys(ctx); err != nil {
		return err
	}
	if err := g.signDevice(ctx); err != nil {
		return err
	}
	if err := g.backup.open(ctx, true); err != nil {
		return err
	}
	if err := g.store.DeleteSecret(ctx, secretPending); err != nil {
		return fmt.Errorf("note that the identity is made: %w", err)
	}
	_, _, err = g.devices.ownKeys(ctx)
	return err
}
