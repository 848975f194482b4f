// Command wizard is a bot that asks before it acts: !book asks three questions, one after the other, and books a table.
// !cancel ends the questions, and so does silence.
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
	var asking conversations
	bot.Add(bookCommand(&asking, patience), cancelCommand(&asking))
	return bot, nil
}
