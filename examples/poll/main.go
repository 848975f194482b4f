// Command poll is a bot that makes polls: !poll "Lunch?" pizza salad. People vote by reactions. Whoever asked ends the
// poll by 🏁.
//
// All that the bot knows of a poll stands in the poll's message, and the votes are the room's: a poll goes on when the
// bot was restarted in between.
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
	bot.AddMenu(ballot)
	bot.Add(pollCommand)
	return bot, nil
}
