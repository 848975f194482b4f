// Command reminder is a bot that reminds: !remind in 1h30m tea, !remind at 2026-12-24T18:00Z presents.
//
// What it shall remind of stands in a file, named by NIOBOT_STORE or reminder.db, so that it is not forgotten when the
// bot ends. What has become due meanwhile it says when it is back.
package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/niobot/niobot"
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
	store, err := sqlite.Open(cmp.Or(os.Getenv("NIOBOT_STORE"), "reminder.db"))
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

func newBot(store niobot.Store) (*niobot.Bot, error) {
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	}, niobot.WithStore(store))
	if err != nil {
		return nil, err
	}
	bot.Add(newReminders(bot).command())
	return bot, nil
}
