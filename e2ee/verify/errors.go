package verify

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
)

var (
	// ErrState is returned by a call that does not fit what the verification is at, such as a second Confirm.
	ErrState = errors.New("the verification is not at this step")

	// ErrBusy is returned by a request while too many verifications are open, or one with that user in that room.
	ErrBusy = errors.New("too many verifications are open")

	// ErrClosed is returned by an engine that was closed.
	ErrClosed = errors.New("verification has been closed")

	// ErrNoDevice is returned where the other side has no device to be verified, and by [Keys] for a device that is
	// not there.
	ErrNoDevice = errors.New("no such device")

	// ErrNoMethod is returned where the two sides have no way of verifying in common.
	ErrNoMethod = errors.New("the other device knows no way of verifying in common")

	// ErrPayload is returned for bytes that are not of a verification's QR code.
	ErrPayload = errors.New("not the QR code of a verification")
)

// CancelError is how a verification ended that did not succeed.
type CancelError struct {
	Code   event.VerificationCancelCode // As in m.key.verification.cancel
	Reason string                       // In words; from the other side cut to 200 characters of one line
	ByPeer bool                         // Whether the other side cancelled it
	Err    error                        // What went wrong on this side, or nil
}

// Error implements error.
func (e *CancelError) Error() string {
	who := "verification cancelled"
	if e.ByPeer {
		who += " by the other side"
	}
	text := fmt.Sprintf("%s (%s): %s", who, e.Code, e.Reason)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives what went wrong on this side.
func (e *CancelError) Unwrap() error { return e.Err }

func refuse(code event.VerificationCancelCode, reason string) *CancelError {
	return &CancelError{Code: code, Reason: reason}
}
