// Command modules is a bot of two modules that share their state: points are given by ❤️ and won in a quiz.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/niobot/niobot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		slog.Error("the bot ended", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bot, err := newBot(ctx, "points.json")
	if err != nil {
		return err
	}
	return bot.Run(ctx)
}

// newBot makes the bot with its modules, which keep the points in a file.
func newBot(ctx context.Context, file string) (*niobot.Bot, error) {
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	})
	if err != nil {
		return nil, err
	}
	points := newScores(file)
	for _, m := range []niobot.Module{&board{scores: points}, &quiz{scores: points}} {
		if err := bot.Mount(ctx, m); err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Name(), err)
		}
	}
	return bot, nil
}
