package e2ee

import (
	"time"

	"maunium.net/go/mautrix/id"
)

// Device is a device of the bot's account.
type Device struct {
	ID          id.DeviceID
	Name        string
	LastSeen    time.Time // Zero where the server does not say
	Own         bool      // Whether it is this bot's
	Fingerprint string    // Its signing key in groups of four, as clients show it; empty where it has no keys
	Trust       id.TrustState
}

// Identity is how the bot's identity stands.
type Identity struct {
	MasterKey     id.Ed25519 // The public key that others verify
	Fingerprint   string     // Of the bot's device
	BackupVersion id.KeyBackupVersion
	WaitingKeys   int // Sessions that are not in the key backup yet
}
