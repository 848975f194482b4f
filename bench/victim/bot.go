package victim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
)

// Role is the first argument of a process that is to be the bot; see [Process].
const Role = "bot"

// The variables by which a bot's process is told what to do.
const (
	variableHomeserver = "NIOBOT_VICTIM_HOMESERVER"
	variableToken      = "NIOBOT_VICTIM_TOKEN"
	variableKind       = "NIOBOT_VICTIM_STORE"
	variablePlace      = "NIOBOT_VICTIM_STORE_AT"
	variableStandby    = "NIOBOT_VICTIM_STANDBY"
	variableRecovery   = "NIOBOT_VICTIM_RECOVERY"
)

// drain is how long the bot lets handlers end, less than the slowest takes.
const drain = 500 * time.Millisecond

// Main is the process of the bot. It logs JSON lines to standard error, ends with SIGTERM, and with its standard input, so
// that it does not outlive the process that started it. It returns the exit status.
func Main() int {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // Nothing is said on it
		os.Exit(1)
	}()
	surviveSizeLimit()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := work(ctx, log); err != nil {
		log.Error(ended, "err", err)
		return 1
	}
	return 0
}

// ended is logged where the bot ends with an error.
const ended = "the bot ended"

func work(ctx context.Context, log *slog.Logger) (err error) {
	options := []niobot.Option{niobot.WithLogger(log)}
	store, err := Place{Kind: os.Getenv(variableKind), At: os.Getenv(variablePlace)}.Open(log)
	if err != nil {
		return err
	}
	if store != nil {
		defer func() { err = errors.Join(err, store.Close()) }()
		options = append(options, niobot.WithStore(store))
	}
	if recovery := os.Getenv(variableRecovery); recovery != "" {
		db, ok := store.(e2ee.Database)
		if !ok {
			return errors.New("a store of this kind has no place for keys")
		}
		options = append(options, niobot.WithEncryption(e2ee.New(db, e2ee.RecoveryKeyFile(recovery))))
	}
	if os.Getenv(variableStandby) != "" {
		options = append(options, niobot.WithStandby())
	}
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv(variableHomeserver),
		Token:      os.Getenv(variableToken),
		Prefixes:   []string{"!"},
		Drain:      drain,
		Backlog:    -1,
	}, options...)
	if err != nil {
		return fmt.Errorf("make the bot: %w", err)
	}
	bot.Add(Commands()...)
	return bot.Run(ctx)
}
