// Command translated is a bot that speaks English or German to each of its users: !language german.
//
// The choice is kept in the account data of the bot, which the homeserver keeps, so it outlives the bot.
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
	var spoken languages
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	}, niobot.WithTexts(spoken.texts))
	if err != nil {
		return nil, err
	}
	bot.OnStart(func(ctx context.Context) {
		if err := spoken.load(ctx, bot); err != nil {
			bot.Logger().Error("languages are unknown; all are spoken to in english", "err", err)
		}
	})
	bot.Add(spoken.languageCommand(), spoken.greetCommand())
	return bot, nil
}
