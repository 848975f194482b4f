package niobot_test

import (
	"context"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What a quick user says between the bot's question and the handler's wait for the answer must count.
func TestAnswersQuickerThanTheHandlerAreHeard(t *testing.T) {
	bot := newBot(t)
	answered := make(chan struct{})
	bot.Add(niobot.NewCommand("name", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if err := c.Reply(ctx, "Your names?"); err != nil {
			return err
		}
		<-answered // The bot has seen both answers.
		first, err := c.WaitForMessage(ctx, nil)
		if err != nil {
			return err
		}
		second, err := c.WaitForMessage(ctx, nil)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s and %s", first.Body, second.Body)
	}))
	seen := make(chan string, 10)
	bot.OnMessage(func(_ context.Context, m *niobot.Message) error {
		seen <- m.Body
		return nil
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!name")
	alice.ExpectReply("Your names?")
	alice.Say(room, "Ada")
	alice.Say(room, "Grace")
	for body := range seen {
		if body == "Grace" {
			break
		}
	}
	close(answered)
	hs.ExpectMessage(room, "Ada and Grace")
}
