// Command ping is the smallest bot: it answers !ping.
package main

import (
	"context"
	"log" //nolint:depguard // A program this small ends by log.Fatal.
	"os"

	"github.com/niobot/niobot"
)

func main() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org",
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	}))
	bot.Add(niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "pong")
	}))
	log.Fatal(bot.Run(context.Background()))
}
