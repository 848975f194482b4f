package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// Environment variables with secrets: arguments can be read by everybody on the machine.
const (
	tokenVariable    = "NIOBOT_TOKEN"
	passwordVariable = "NIOBOT_PASSWORD"
)

var errNoToken = errors.New(tokenVariable + ` is not set; it holds the access token of the bot's account

To get one, log in as the bot with Element and look at All settings, Help & About, Advanced, Access Token,
or follow https://github.com/niobot/niobot/blob/main/docs/tutorial.md#on-a-real-homeserver.
To set it without a trace in the shell's history:

  read -rs NIOBOT_TOKEN && export NIOBOT_TOKEN`)

// account is the bot's account as the command line names it, and where its keys are.
type account struct {
	config  niobot.Config
	store   string // The path; empty: none
	keyFile string // Of the recovery key
	level   *slog.Level
}

// accountFlags adds the flags by which an account is named.
func accountFlags(env *Env, flags *flag.FlagSet) *account {
	a := &account{config: niobot.Config{Token: strings.TrimSpace(env.Getenv(tokenVariable))}, level: logLevel(flags)}
	flags.StringVar(&a.config.Homeserver, "homeserver", "", "")
	flags.StringVar(&a.store, "store", "", "")
	flags.StringVar(&a.keyFile, "recovery-key-file", "", "")
	return a
}

// check says what is missing.
func (a *account) check() error {
	if a.config.Homeserver == "" {
		return &usageError{reason: errors.New("--homeserver is needed")}
	}
	if a.config.Token == "" {
		return errNoToken
	}
	if a.keyFile == "" {
		a.keyFile = a.store + "-recovery-key"
	}
	return nil
}

func (a *account) open(logger *slog.Logger) (*sqlite.Store, error) {
	return sqlite.Open(a.store, sqlite.WithLogger(logger))
}

// encryption is that of the account, with the keys in the store.
func (a *account) encryption(env *Env, store *sqlite.Store, opts ...e2ee.Option) *e2ee.Encryption {
	opts = append([]e2ee.Option{
		e2ee.RecoveryKeyFile(a.keyFile),
		e2ee.OnRecoveryKey(func(context.Context, string) error {
			_, err := fmt.Fprintf(env.Stdout,
				"the recovery key of the account is in %s; keep a copy of it elsewhere\n", a.keyFile)
			return err
		}),
		e2ee.PasswordFunc(func(context.Context) (string, error) { return env.Getenv(passwordVariable), nil }),
	}, opts...)
	return e2ee.New(store, opts...)
}

// explainedError is an error in the words of the command line.
type explainedError struct {
	text string
	err  error
}

func (e *explainedError) Error() string { return e.text }

func (e *explainedError) Unwrap() error { return e.err }

// explain says what went wrong with the account in the words of the command line. inUse is what helps where the store is
// another process's.
func (a *account) explain(err error, inUse string) error {
	say := func(format string, args ...any) error {
		return &explainedError{text: fmt.Sprintf(format, args...), err: err}
	}
	if store, ok := errors.AsType[*niobot.StoreError](err); ok && errors.Is(err, niobot.ErrStoreInUse) {
		return say("store %s: %v; %s", store.Store, niobot.ErrStoreInUse, inUse)
	}
	switch {
	case errors.Is(err, e2ee.ErrRecoveryKeyNeeded):
		return say("the account has an identity, and without its recovery key this device can't be signed nor old messages "+
			"be read; put the recovery key into %s, or lose both with run --reset-identity", a.keyFile)
	case errors.Is(err, e2ee.ErrRecoveryKeyWrong):
		return say("%v; look at %s", err, a.keyFile)
	case errors.Is(err, e2ee.ErrPasswordNeeded):
		return say("the server asks for the password of the bot's account; set %s", passwordVariable)
	case errors.Is(err, e2ee.ErrPasswordWrong):
		return say("%v; look at %s", err, passwordVariable)
	}
	return err
}

// inFlags says what is wrong with a configuration in the words of the command line.
func inFlags(err error) error {
	var all []error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	} else {
		all = []error{err}
	}
	names := map[string]string{
		"Config.Homeserver": "--homeserver",
		"Config.Token":      tokenVariable,
		"Config.Prefixes":   "--prefix",
		"Config.Owners":     "--owner",
	}
	var said []error
	for _, err := range all {
		var wrong *niobot.ConfigError
		if errors.As(err, &wrong) {
			field, _, _ := strings.Cut(wrong.Field, "[")
			err = fmt.Errorf("%s: %s", cmp.Or(names[field], wrong.Field), wrong.Reason)
		}
		said = append(said, err)
	}
	return &usageError{reason: errors.Join(said...)}
}
