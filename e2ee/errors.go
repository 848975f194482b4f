package e2ee

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

var (
	// ErrNotBuilt means that the program was built without the tag goolm.
	ErrNotBuilt = errors.New("built without encryption; rebuild with -tags goolm")

	// ErrRecoveryKeyNeeded means that the account has a cross-signing identity that this store has no keys of, and no
	// recovery key was given.
	ErrRecoveryKeyNeeded = errors.New("the account has an identity, and without its recovery key this device can't be " +
		"signed nor old messages be read; give it by e2ee.RecoveryKey or e2ee.RecoveryKeyFile, or lose both with " +
		"e2ee.AllowReset")

	// ErrRecoveryKeyWrong means that a recovery key was given that is not the account's.
	ErrRecoveryKeyWrong = errors.New("the recovery key is not the account's; it may have been replaced")

	// ErrNoKeyPlace means that a recovery key is to be made, and there is nowhere to put it.
	ErrNoKeyPlace = errors.New("a recovery key is to be made, and there is nowhere to put it; " +
		"add e2ee.RecoveryKeyFile or e2ee.OnRecoveryKey")

	// ErrDeviceMismatch means that the device's keys on the server are not those of the store: the store was lost, or is
	// another device's.
	ErrDeviceMismatch = errors.New("the device has keys on the server that its store has not; bring the store back, " +
		"or log in again to get a new device")

	// ErrPasswordNeeded means that the server asks for the account's password.
	ErrPasswordNeeded = errors.New("the server asks for the account's password; add e2ee.Password")

	// ErrPasswordWrong means that the server did not take the password.
	ErrPasswordWrong = errors.New("the server did not take the account's password")

	// ErrNotEncrypted means that a room is not encrypted, or by an algorithm that is not known.
	ErrNotEncrypted = errors.New("the room is not encrypted by an algorithm that is known")

	// ErrNotStarted means that encryption was used before its start or after its end.
	ErrNotStarted = errors.New("encryption is not running")

	// ErrNotKeyFile means that what is to be imported is not an export of keys.
	ErrNotKeyFile = errors.New("is not an export of keys")

	// ErrPassphraseWrong means that an export of keys was made with another passphrase, or is damaged.
	ErrPassphraseWrong = errors.New("the passphrase is wrong, or the export of keys is damaged")
)

// ApprovalError means that a person must approve a step before it can be done.
type ApprovalError struct {
	URL string // Where in a browser
}

// Error implements error: where to approve.
func (e *ApprovalError) Error() string {
	return fmt.Sprintf("the server wants a person to approve this: open %s in a browser as the bot's user, approve, "+
		"and start again", e.URL)
}

// WithheldError means that the sender's device does not give the key, and why. It is wrapped in the errors of
// Decrypt where that is known.
type WithheldError struct {
	SessionID id.SessionID
	Code      event.RoomKeyWithheldCode // Such as m.unverified
	Reason    string                    // What the device says; may be empty
}

// Error implements error: the code and the reason.
func (e *WithheldError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("the sender's device withholds the key (%s)", e.Code)
	}
	return fmt.Sprintf("the sender's device withholds the key (%s: %q)", e.Code, e.Reason)
}
