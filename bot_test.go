package niobot_test

import (
	"context"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func newBot(t testing.TB, opts ...niobot.Option) *niobot.Bot {
	t.Helper()
	bot, err := niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org",
		Token:      "token",
		Prefixes:   []string{"!"},
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

func ping(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	return c.Reply(ctx, "pong")
}

func TestCommandIsAnswered(t *testing.T) {
	bot := newBot(t)
	bot.Add(niobot.NewCommand("ping", ping))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!ping")
	alice.ExpectReply("pong")
	hs.ExpectNothing(room)
}
