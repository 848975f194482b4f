//go:build goolm

package e2ee

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto/ssss"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// secretType is the account data that keeps the secret.
func secretType(name id.Secret) event.Type {
	return event.Type{Type: string(name), Class: event.AccountDataEventType}
}

// storageKey is the key of secret storage (spec: Client-Server API, "Secret storage") that the recovery key stands for.
func (g *engine) storageKey(ctx context.Context, recovery string) (*ssss.Key, error) {
	keyID, data, err := g.mach.SSSS.GetDefaultKeyData(ctx)
	switch {
	case errors.Is(err, ssss.ErrNoDefaultKeyAccountDataEvent), errors.Is(err, ssss.ErrNoKeyFieldInAccountDataEvent),
		errors.Is(err, mautrix.MNotFound):
		return nil, fmt.Errorf("the account has no secret storage: %w", ErrRecoveryKeyWrong)
	case err != nil:
		return nil, fmt.Errorf("look up secret storage: %w", err)
	}
	key, err := data.VerifyRecoveryKey(keyID, recovery)
	if key != nil && errors.Is(err, ssss.ErrUnverifiableKey) {
		return key, nil // what it decrypts is checked
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecoveryKeyWrong, err)
	}
	return key, nil
}

// storedSecret is a secret out of secret storage, in unpadded Base64. One that is not there is mautrix.MNotFound.
func (g *engine) storedSecret(ctx context.Context, name id.Secret, key *ssss.Key) (string, error) {
	data, err := g.mach.SSSS.GetDecryptedAccountData(ctx, secretType(name), key)
	switch {
	case errors.Is(err, ssss.ErrNotEncryptedForKey), errors.Is(err, ssss.ErrKeyDataMACMismatch):
		return "", fmt.Errorf("read %s: %w: %w", name, ErrRecoveryKeyWrong, err)
	case err != nil:
		return "", fmt.Errorf("read %s from secret storage: %w", name, err)
	case len(data) != 32:
		return "", fmt.Errorf("%s in secret storage is %d bytes long, want 32", name, len(data))
	}
	return base64.RawStdEncoding.EncodeToString(data), nil
}

// fillStorage puts the secrets into secret storage under the key in the making.
func (g *engine) fillStorage(ctx context.Context, note pending) error {
	if note.KeyData == nil {
		return errors.New("the identity in the making is damaged")
	}
	key, err := note.KeyData.VerifyRecoveryKey(note.KeyID, note.RecoveryKey)
	if err != nil {
		return fmt.Errorf("open secret storage: %w", err)
	}
	if err := g.mach.SSSS.SetKeyData(ctx, key.ID, note.KeyData); err != nil {
		return fmt.Errorf("make secret storage: %w", err)
	}
	names := append([]id.Secret{id.SecretMegolmBackupV1}, identitySecrets...)
	secrets, err := g.store.secrets(ctx, names...)
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := base64.RawStdEncoding.DecodeString(secrets[name])
		if err != nil || len(data) != 32 {
			return fmt.Errorf("the secret %s is damaged", name)
		}
		if err := g.mach.SSSS.SetEncryptedAccountData(ctx, secretType(name), data, key); err != nil {
			return fmt.Errorf("put %s into secret storage: %w", name, err)
		}
	}
	if err := g.mach.SSSS.SetDefaultKeyID(ctx, key.ID); err != nil {
		return fmt.Errorf("make secret storage the account's: %w", err)
	}
	return nil
}
