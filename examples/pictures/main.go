// Command pictures is a bot that turns pictures grey: send one with the caption !grey, or reply to one with it.
//
// It shows an argument that is a file, and how files are received and sent.
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
	bot.Add(niobot.NewCommand("grey", grey, niobot.Describe("Turns a picture grey."), niobot.MaxConcurrency(2)))
	return bot, nil
}
