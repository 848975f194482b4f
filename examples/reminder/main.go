// Command reminder is a bot that reminds: !remind in 1h30m tea, !remind at 2026-12-24T18:00Z presents.
//
// It keeps the reminders in memory, so it forgets them when it ends, and says so. What has to outlive a bot belongs
// into a database, or into account data, as the example moderation keeps its warnings.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/niobot/niobot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bot, err := newBot()
	if err == nil {
		err = bot.Run(ctx)
	}
	if err != nil {
		slog.Error("the bot ended", "err", err)
		os.Exit(1)
	}
}

func newBot() (*niobot.Bot, error) {
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	})
	if err != nil {
		return nil, err
	}
	r := newReminders()
	bot.Add(r.command())
	bot.OnStop(r.warn)
	return bot, nil
}
