package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/niobot/niobot/e2ee"
)

// runKeys writes the keys of rooms into a file, or reads them from one.
func runKeys(ctx context.Context, env Env, flags *flag.FlagSet) error {
	if len(env.Args) == 0 {
		return &usageError{reason: errors.New("export or import is needed")}
	}
	what := env.Args[0]
	work := map[string]func(context.Context, Env, *account, string) error{"export": exportKeys, "import": importKeys}[what]
	if work == nil && what != "-h" && what != "--help" && what != "-help" {
		return &usageError{reason: fmt.Errorf("unknown keys command %q", what)}
	}
	a := accountFlags(&env, flags)
	if work != nil {
		env.Args = env.Args[1:]
	}
	path, err := parseOne(env, flags, "a file")
	if err != nil {
		return err
	}
	return work(ctx, env, a, path)
}

// parseOne reads a command line that has one argument beside its flags, before or behind them.
func parseOne(env Env, flags *flag.FlagSet, what string) (string, error) {
	var given []string
	for rest := env.Args; ; rest = flags.Args()[1:] {
		if err := flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return "", err
		} else if err != nil {
			return "", &usageError{reason: err}
		}
		if flags.NArg() == 0 {
			break
		}
		given = append(given, flags.Arg(0))
	}
	switch len(given) {
	case 0:
		return "", &usageError{reason: fmt.Errorf("%s is needed", what)}
	case 1:
		return given[0], nil
	}
	return "", &usageError{reason: fmt.Errorf("unexpected argument %q", given[1])}
}

// exportKeys makes a new file, for its user only: whoever guesses the passphrase can read what the bot could.
func exportKeys(ctx context.Context, env Env, a *account, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already; name a new file", path)
	}
	return a.withEncryption(ctx, env, false, func(ctx context.Context, encryption *e2ee.Encryption) error {
		secret, err := passphrase(&env, true)
		if err != nil {
			return err
		}
		var file bytes.Buffer
		n, err := encryption.Export(ctx, &file, secret)
		if err != nil {
			return err
		}
		if err := writeNew(path, file.Bytes()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "%s exported to %s\n", counted(n), path)
		return err
	})
}

func writeNew(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func importKeys(ctx context.Context, env Env, a *account, path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return a.withEncryption(ctx, env, true, func(ctx context.Context, encryption *e2ee.Encryption) error {
		secret, err := passphrase(&env, false)
		if err != nil {
			return err
		}
		taken, total, err := encryption.Import(ctx, file, secret)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		text := counted(taken) + " imported from " + path
		if taken < total {
			text += fmt.Sprintf("; %d were not valid", total-taken)
		}
		_, err = fmt.Fprintln(env.Stdout, text)
		return err
	})
}

func counted(keys int) string {
	if keys == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", keys)
}
