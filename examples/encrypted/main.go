// Command encrypted is the smallest bot that reads and writes in encrypted rooms. Build it with -tags goolm.
//
// Its keys are in a file, named by NIOBOT_STORE or encrypted.db. The recovery key of its account is put beside it at the
// first start: keep a copy of it elsewhere. The user whom NIOBOT_OWNER names may verify the bot: begin that in your
// client, and answer with !verify.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("the bot ended", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	store, err := sqlite.Open(cmp.Or(os.Getenv("NIOBOT_STORE"), "encrypted.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	bot, err := newBot(store)
	if err != nil {
		return err
	}
	return bot.Run(ctx)
}

func newBot(store *sqlite.Store) (*niobot.Bot, error) {
	encryption := e2ee.New(store, e2ee.RecoveryKeyFile(store.String()+"-recovery-key"))
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
		Owners:     []id.UserID{id.UserID(os.Getenv("NIOBOT_OWNER"))},
	}, niobot.WithStore(store), niobot.WithEncryption(encryption))
	if err != nil {
		return nil, err
	}
	bot.Add(niobot.NewCommand("ping", ping), e2ee.VerifyCommand(encryption))
	return bot, nil
}

func ping(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	return c.Reply(ctx, "pong")
}
