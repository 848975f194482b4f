package e2ee

import (
	"context"

	"go.mau.fi/util/dbutil"

	"github.com/niobot/niobot/e2ee/verify"
)

// Database is a store that keeps the keys as well: store/sqlite and store/postgres have it.
type Database interface {
	// Database is the SQL database that the store is in. It is asked for once, after the store was claimed.
	Database() *dbutil.Database
}

// Option is an option of [New].
type Option func(*settings)

type settings struct {
	recovery      []func(context.Context) (string, error)
	keyFile       string
	onRecoveryKey func(ctx context.Context, key string) error
	password      func(context.Context) (string, error)
	onApproval    func(ctx context.Context, url string) error
	allowReset    bool
	sharing       Sharing
	pickleKey     []byte
	policy        verify.Policy
	verifyHook    verify.Hook
}

// RecoveryKey gives the account's recovery key, as it was handed over when the identity was made. A new device signs
// itself with it, and reads the key backup.
func RecoveryKey(key string) Option {
	return RecoveryKeyFunc(func(context.Context) (string, error) { return key, nil })
}

// RecoveryKeyFunc gives the recovery key by a function, such as one that asks a secret manager. It is called where the
// key is needed only; an empty one means that there is none.
func RecoveryKeyFunc(f func(context.Context) (string, error)) Option {
	return func(s *settings) { s.recovery = append(s.recovery, f) }
}

// RecoveryKeyFile names the file of the recovery key. Where it is there, the key is read from it; where a key is made,
// it is written to it, for its user only (0600), before anything that it unlocks is on the server. Its folder must be
// there.
func RecoveryKeyFile(path string) Option {
	return func(s *settings) { s.keyFile = path }
}

// OnRecoveryKey hands over the recovery key when one was made, so that it can be put where it is safe. An error ends
// the start, and nothing is on the server yet. It is called once, and again with the same key where the process ends
// right after it.
func OnRecoveryKey(f func(ctx context.Context, key string) error) Option {
	return func(s *settings) { s.onRecoveryKey = f }
}

// Password gives the account's password, which many servers ask for when cross-signing keys are replaced or devices are
// signed out. It is not stored.
func Password(password string) Option {
	return PasswordFunc(func(context.Context) (string, error) { return password, nil })
}

// PasswordFunc gives the account's password by a function. It is called where the server asks only.
func PasswordFunc(f func(context.Context) (string, error)) Option {
	return func(s *settings) { s.password = f }
}

// OnApproval is called where a person must approve a step in a browser, at the address, as servers with Matrix
// Authentication Service ask for. It returns when that is done. Without it the step fails with an [*ApprovalError].
func OnApproval(f func(ctx context.Context, url string) error) Option {
	return func(s *settings) { s.onApproval = f }
}

// AllowReset lets a start without the recovery key make a new identity in place of the one that the account has. What
// it loses: others see that the bot's identity changed, verifications of it end, and what was in the key backup can't
// be read by the bot any more. Without this option such a start fails with [ErrRecoveryKeyNeeded].
func AllowReset() Option {
	return func(s *settings) { s.allowReset = true }
}

// Sharing says whose devices get the keys of what the bot writes.
type Sharing int

// Whose devices get keys, of the users who may read a room.
const (
	AllDevices         Sharing = iota // All of them. The default, and what people expect of a bot
	CrossSignedDevices                // Those that their user's identity has signed
	VerifiedDevices                   // Those of users whom the bot has verified, that their identity has signed
)

// ShareWith says whose devices get the keys of what the bot writes. The others are told that they get none.
func ShareWith(whose Sharing) Option {
	return func(s *settings) { s.sharing = whose }
}

// PickleKey is a key under which the secrets in the database are encrypted, instead of one that is kept in the store.
// It must be the same at each start; its length is free, but 32 random bytes are what makes sense.
func PickleKey(key []byte) Option {
	return func(s *settings) { s.pickleKey = key }
}

// Verification says who may verify the bot, and shows the steps of it to a person. A policy without Admit takes
// requests of the bot's owners and of its own account; a nil hook writes each step with its emoji into the log. Without
// this option it is both. What a person says to the emoji goes to the session, which [Encryption.Verifier] finds.
func Verification(policy verify.Policy, hook verify.Hook) Option {
	return func(s *settings) { s.policy, s.verifyHook = policy, hook }
}

func makeSettings(opts []Option) settings {
	var s settings
	for _, opt := range opts {
		opt(&s)
	}
	return s
}
