//go:build !goolm

package e2ee

import (
	"context"
	"encoding/json"
	"io"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee/verify"
)

// Encryption stands for the real one in a program that was built without the tag goolm: all that it does is to say so.
type Encryption struct{}

var _ niobot.Encryption = (*Encryption)(nil)

// New returns an Encryption whose Start fails with [ErrNotBuilt].
func New(Database, ...Option) *Encryption { return &Encryption{} }

// Start implements [niobot.Encryption]: it returns [ErrNotBuilt].
func (*Encryption) Start(context.Context, niobot.EncryptionHost) error { return ErrNotBuilt }

// Receive implements [niobot.Encryption]: it returns [ErrNotBuilt].
func (*Encryption) Receive(context.Context, niobot.DeviceUpdate) error { return ErrNotBuilt }

// Changed implements [niobot.Encryption]: it returns [ErrNotBuilt].
func (*Encryption) Changed(context.Context, id.RoomID, *event.Event) error { return ErrNotBuilt }

// Decrypt implements [niobot.Encryption]: it returns [ErrNotBuilt].
func (*Encryption) Decrypt(context.Context, *event.Event) (niobot.Decrypted, error) {
	return niobot.Decrypted{}, ErrNotBuilt
}

// Encrypt implements [niobot.Encryption]: it returns [ErrNotBuilt].
func (*Encryption) Encrypt(context.Context, id.RoomID, event.Type, json.RawMessage) (json.RawMessage, error) {
	return nil, ErrNotBuilt
}

// Stop implements [niobot.Encryption]: there is nothing to stop.
func (*Encryption) Stop(context.Context) error { return nil }

// Export returns [ErrNotBuilt].
func (*Encryption) Export(context.Context, io.Writer, string) (int, error) { return 0, ErrNotBuilt }

// Import returns [ErrNotBuilt].
func (*Encryption) Import(context.Context, io.Reader, string) (imported, total int, err error) {
	return 0, 0, ErrNotBuilt
}

// Devices returns [ErrNotBuilt].
func (*Encryption) Devices(context.Context) ([]Device, error) { return nil, ErrNotBuilt }

// SignOut returns [ErrNotBuilt].
func (*Encryption) SignOut(context.Context, ...id.DeviceID) error { return ErrNotBuilt }

// SignOutOthers returns [ErrNotBuilt].
func (*Encryption) SignOutOthers(context.Context) ([]id.DeviceID, error) { return nil, ErrNotBuilt }

// Rotate returns [ErrNotBuilt].
func (*Encryption) Rotate(context.Context, id.RoomID) error { return ErrNotBuilt }

// ResetIdentity returns [ErrNotBuilt].
func (*Encryption) ResetIdentity(context.Context) error { return ErrNotBuilt }

// Identity returns [ErrNotBuilt].
func (*Encryption) Identity(context.Context) (Identity, error) { return Identity{}, ErrNotBuilt }

// Verifier returns nil: there is nothing to verify with.
func (*Encryption) Verifier() *verify.Engine { return nil }
