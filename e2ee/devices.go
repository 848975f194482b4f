//go:build goolm

package e2ee

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// Devices are the devices of the bot's account, this one first.
func (e *Encryption) Devices(ctx context.Context) ([]Device, error) {
	g, err := e.running()
	if err != nil {
		return nil, err
	}
	listed, err := g.client.GetDevicesInfo(ctx)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	if _, _, err := g.devices.ownKeys(ctx); err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	known, err := g.devices.of(ctx, g.account.UserID)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	var devices []Device
	for _, info := range listed.Devices {
		d := Device{ID: info.DeviceID, Name: info.DisplayName, Own: info.DeviceID == g.account.DeviceID}
		if info.LastSeenTS > 0 {
			d.LastSeen = time.UnixMilli(info.LastSeenTS)
		}
		if keys := known[info.DeviceID]; keys != nil {
			d.Fingerprint = keys.SigningKey.Fingerprint()
			if d.Trust, err = g.devices.trustOf(ctx, keys); err != nil {
				return nil, fmt.Errorf("list devices: %w", err)
			}
		}
		devices = append(devices, d)
	}
	slices.SortFunc(devices, func(a, b Device) int {
		if a.Own || b.Own {
			return cmp.Compare(rank(a), rank(b))
		}
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	return devices, nil
}

// rank has the bot's own device come first.
func rank(d Device) int {
	if d.Own {
		return 0
	}
	return 1
}

// SignOut signs devices of the bot's account out. This device can't be one of them. Many servers ask for the password,
// see [Password], or for a person, see [OnApproval].
func (e *Encryption) SignOut(ctx context.Context, devices ...id.DeviceID) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	if slices.Contains(devices, g.account.DeviceID) {
		return errors.New("sign devices out: the bot's own device is one of them")
	}
	if len(devices) == 0 {
		return nil
	}
	err = g.authenticated(ctx, g.client.BuildClientURL("v3", "delete_devices"), func(auth any) any {
		return &mautrix.ReqDeleteDevices[any]{Devices: devices, Auth: auth}
	})
	if err != nil {
		return fmt.Errorf("sign devices out: %w", err)
	}
	return g.devices.changed(ctx, []id.UserID{g.account.UserID})
}

// SignOutOthers signs all devices of the bot's account out but this one, and returns which these were.
func (e *Encryption) SignOutOthers(ctx context.Context) ([]id.DeviceID, error) {
	devices, err := e.Devices(ctx)
	if err != nil {
		return nil, err
	}
	var others []id.DeviceID
	for _, d := range devices {
		if !d.Own {
			others = append(others, d.ID)
		}
	}
	return others, e.SignOut(ctx, others...)
}

// Identity is how the bot's identity stands.
func (e *Encryption) Identity(ctx context.Context) (Identity, error) {
	g, err := e.running()
	if err != nil {
		return Identity{}, err
	}
	_, version := g.backup.current()
	identity := Identity{
		MasterKey:     g.identity.Load().MasterKey.PublicKey(),
		Fingerprint:   g.signingKey.Fingerprint(),
		BackupVersion: version,
	}
	err = g.store.DB.QueryRow(ctx, `SELECT COUNT(*) FROM crypto_megolm_inbound_session
		WHERE account_id=$1 AND session IS NOT NULL AND key_backup_version<>$2`,
		g.store.AccountID, version).Scan(&identity.WaitingKeys)
	if err != nil {
		return Identity{}, fmt.Errorf("count the keys that are not backed up: %w", err)
	}
	return identity, nil
}

// ResetIdentity makes a new identity in place of the account's, with a new recovery key and a new key backup, which all
// keys that this device has go into. Others see that the bot's identity changed, and verifications of it end. A reset
// that is cut short is gone on with at the next start, where [AllowReset] is given or the server has taken it.
func (e *Encryption) ResetIdentity(ctx context.Context) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	if err := g.makeIdentity(ctx); err != nil {
		return fmt.Errorf("reset the identity: %w", err)
	}
	g.rooms.rotateAll()
	return nil
}
