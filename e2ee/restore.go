//go:build goolm

package e2ee

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto/backup"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// restoredRecord notes up to which backup all keys were taken in.
const restoredRecord = "restored_backup"

type sealedSession = backup.EncryptedSessionData[backup.MegolmSessionData]

// restore takes in all keys of a backup that this device has not made, once. It may be cut short: what came stays, and
// the next start begins again.
func (b *keyBackup) restore(ctx context.Context) error {
	key, version := b.current()
	if version == "" {
		return nil
	}
	done, _, err := b.g.host.Store().Get(ctx, table, restoredRecord)
	if err != nil {
		return fmt.Errorf("read which backup was restored: %w", err)
	}
	if string(done) == string(version) {
		return nil
	}
	keys, err := b.g.client.GetKeyBackup(ctx, version)
	if err != nil && !errors.Is(err, mautrix.MNotFound) {
		return fmt.Errorf("download the key backup: %w", err)
	}
	taken, failed := 0, 0
	if keys != nil {
		for room, sessions := range keys.Rooms {
			for session, data := range sessions.Sessions {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err := b.take(ctx, key, version, room, session, &data.SessionData); err != nil {
					failed++
					b.g.log.Debug("a key in the backup is not valid", "room_id", room, "session_id", session, "err", err)
					continue
				}
				taken++
			}
		}
	}
	if taken+failed > 0 {
		b.g.log.Info("keys were taken from the backup", "version", version, "keys", taken, "failed", failed)
	}
	err = b.g.host.Store().Commit(ctx, []niobot.Change{niobot.Put(table, restoredRecord, []byte(version))})
	if err != nil {
		return fmt.Errorf("note which backup was restored: %w", err)
	}
	return nil
}

// take stores one session out of the backup. What it holds is of unknown origin: whoever knows the backup's public key
// could have put it there.
func (b *keyBackup) take(
	ctx context.Context, key *backup.MegolmBackupKey, version id.KeyBackupVersion,
	room id.RoomID, session id.SessionID, sealed *sealedSession,
) error {
	return guarded(func() error {
		if sealed.Ephemeral.PublicKey == nil {
			return errors.New("the session has no ephemeral key")
		}
		data, err := sealed.Decrypt(key)
		if err != nil {
			return fmt.Errorf("decrypt a session of the backup: %w", err)
		}
		_, err = b.g.mach.ImportRoomKeyFromBackup(b.g.machineContext(ctx), version, room, session, data)
		return err
	})
}

// lookUp gets one session from the backup, where it is there.
func (b *keyBackup) lookUp(ctx context.Context, room id.RoomID, session id.SessionID) error {
	key, version := b.current()
	if version == "" {
		return nil
	}
	found, err := b.g.client.GetKeyBackupForRoomAndSession(ctx, version, room, session)
	if errors.Is(err, mautrix.MNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look up a key in the backup: %w", err)
	}
	return b.take(ctx, key, version, room, session, &found.SessionData)
}
