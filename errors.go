package niobot

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/id"
)

var (
	// ErrUnknownToken ends [Bot.Run] when the homeserver no longer accepts the access token.
	ErrUnknownToken = errors.New("access token is not accepted; log in again and give the bot the new token")

	// ErrClosed is returned by a bot that was closed.
	ErrClosed = errors.New("bot is closed")

	// ErrRunning is returned by a second [Bot.Run] while the first goes on.
	ErrRunning = errors.New("bot is already running")

	// ErrEncrypted is returned by a send into an encrypted room: nothing goes there in the clear.
	ErrEncrypted = errors.New("room is encrypted and the bot has no encryption")

	// ErrNotCommand is returned by [Bot.Process] for a message that calls no command.
	ErrNotCommand = errors.New("message calls no command")

	// ErrBusy refuses a call of a command that runs as often as [RejectAbove] allows.
	ErrBusy = errors.New("command is already running")

	// ErrInterrupted is told to the error handler of a command with [AtMostOnce] whose run a crash of the bot has ended.
	ErrInterrupted = errors.New("the bot ended while it ran the command, which is not repeated")

	// ErrTooOld means that a message could not be sent for as long as [WithMaxSendAge] says.
	ErrTooOld = errors.New("message was not taken by the server in time")

	// ErrEmptyMessage is returned by a send of a body without text.
	ErrEmptyMessage = errors.New("message is empty")

	// ErrTooLarge is returned by a send of an event that is larger than the 65,536 bytes of the specification.
	ErrTooLarge = errors.New("message is larger than an event may be; split it with render.Split or send a file")
)

// PanicError is what a panic in a handler becomes.
type PanicError struct {
	Value any    // What was given to panic
	Stack []byte // The stack of the goroutine, as runtime/debug.Stack gives it
}

// Error implements error, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the panic's value where it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// CheckError says that a check refused the command. Reason is shown to the user.
type CheckError struct {
	Check  string // The check's name, such as "sender power"
	Reason string // A sentence for the user
}

// Error implements error: the check and its reason.
func (e *CheckError) Error() string { return e.Check + ": " + e.Reason }

// UnknownRoomError is returned where a room is named that the bot is not in.
type UnknownRoomError struct{ RoomID id.RoomID }

// Error implements error.
func (e *UnknownRoomError) Error() string { return fmt.Sprintf("bot is not in room %s", e.RoomID) }
