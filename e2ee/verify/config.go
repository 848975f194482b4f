package verify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Transport sends what the engine has to say. It must not wait for a later [Engine.Handle], and repeats requests that
// fail on the way by itself: an error ends the verification.
type Transport interface {
	// ToDevice sends a to-device message. The device "*" means all devices of the user.
	ToDevice(ctx context.Context, user id.UserID, device id.DeviceID, typ event.Type, content json.RawMessage) error

	// InRoom sends an event into a room, encrypted where the room is, and so that devices that are not verified yet can
	// read it. The content's m.relates_to stays in the part that is encrypted as well.
	InRoom(ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage) (id.EventID, error)
}

// Keys knows the keys of devices and users, and keeps what was proven of them.
type Keys interface {
	// Own gives the keys of this device and its user.
	Own(ctx context.Context) (OwnKeys, error)

	// Peer gives the keys of a device and its user, fetched where they are not known. A device that is not there is an
	// [ErrNoDevice]; a user without cross-signing has an empty master key.
	Peer(ctx context.Context, user id.UserID, device id.DeviceID) (PeerKeys, error)

	// Devices lists a user's devices.
	Devices(ctx context.Context, user id.UserID) ([]id.DeviceID, error)

	// Trust keeps what a verification has proven, and uploads the signatures that follow from it:
	//   - of another user's master key, by the own user-signing key;
	//   - of another own device, by the self-signing key, where this device has that;
	//   - of the own master key, by this device, where it was proven and this device did not trust it yet.
	//
	// The keys are those that Own and Peer have just given; they may be trusted already. An error cancels the
	// verification.
	Trust(ctx context.Context, proof Proof) error
}

// OwnKeys are the keys of this device.
type OwnKeys struct {
	Device        id.Ed25519 // The device's key
	Master        id.Ed25519 // The user's master key, empty where there is none
	MasterTrusted bool       // Whether this device vouches for the master key: made it, or verified it
}

// PeerKeys are the keys of the other side, as the server has them.
type PeerKeys struct {
	Device id.Ed25519 // The device's key
	Master id.Ed25519 // The user's master key, empty where there is none
}

// Proof is what a verification has proven. At least one of the keys is there.
type Proof struct {
	User      id.UserID   // The other side; the own user where another own device was verified
	Device    id.DeviceID // The other side's device
	DeviceKey id.Ed25519  // The key of that device, empty where only the master key was proven
	MasterKey id.Ed25519  // The master key of User, empty where only the device key was proven
}

// Decision is what becomes of a request.
type Decision int

const (
	// Decline answers a request with m.key.verification.cancel.
	Decline Decision = iota

	// Accept answers a request with m.key.verification.ready.
	Accept

	// Ask leaves the request to the [Hook], which calls [Session.Accept] or [Session.Cancel] within two minutes.
	Ask
)

// Peer is who wants to verify, or is verified.
type Peer struct {
	User   id.UserID
	Device id.DeviceID // Not proven to be theirs before the verification is done
	Room   id.RoomID   // Empty where it goes by to-device messages
}

// Policy is who may verify the bot, and how.
type Policy struct {
	// Admit decides on requests. It must not block. Nil declines all.
	Admit func(Peer) Decision

	// AutoConfirm says whose verifications are confirmed without anyone comparing on this side. The other side still
	// compares, so it knows the bot; but the bot then signs whatever keys are at the other end, an attacker's too. It
	// must not block, nor call the session. Nil confirms none.
	AutoConfirm func(Peer) bool

	ShowQR bool // Whether QR codes are shown: [Session.QR] is then there in [StateReady], where the other side scans
	ScanQR bool // Whether QR codes can be read, and come by [Session.Scan]
}

// Hook is told of each step of a verification that a person might see. It is called from the goroutine that brought
// the step about, one step of a session at a time and in order, without a lock held: it may call the session's methods.
// As it may hold up the sync, it must not wait for a person.
type Hook interface {
	Changed(ctx context.Context, s *Session, state State)
}

// HookFunc is a function as a [Hook].
type HookFunc func(ctx context.Context, s *Session, state State)

// Changed calls f.
func (f HookFunc) Changed(ctx context.Context, s *Session, state State) { f(ctx, s, state) }

var _ Hook = HookFunc(nil)

// Journal remembers open verifications over a restart, which loses them: give what it has kept to [Engine.Abandon].
type Journal interface {
	// Keep replaces what was kept before.
	Keep(ctx context.Context, open []Ref) error
}

// Config is what an [Engine] needs.
type Config struct {
	User   id.UserID   // The own user; required
	Device id.DeviceID // The own device; required

	Transport Transport // Required
	Keys      Keys      // Required

	Policy  Policy           // The zero value declines all, and only speaks SAS
	Hook    Hook             // Nil tells nobody
	Journal Journal          // Nil remembers nothing
	Logger  *slog.Logger     // Nil logs nothing
	Now     func() time.Time // Nil is time.Now
}

func (c *Config) validate() error {
	var errs []error
	if c.User == "" || c.Device == "" {
		errs = append(errs, errors.New("config: User and Device are required"))
	}
	if c.Transport == nil {
		errs = append(errs, errors.New("config: Transport is required"))
	}
	if c.Keys == nil {
		errs = append(errs, errors.New("config: Keys is required"))
	}
	return errors.Join(errs...)
}
