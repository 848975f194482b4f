package main

import (
	"context"

	"github.com/niobot/niobot"
)

type topicArgs struct {
	Topic string `arg:"topic,rest" help:"the new topic"`
}

var topicCommand = niobot.NewCommand("topic", setTopic,
	niobot.Describe("Set this room's topic."),
	niobot.Require(niobot.SenderPower(50), niobot.BotPower(50)))

func setTopic(ctx context.Context, c *niobot.Context, a topicArgs) error {
	if err := c.Bot().SetTopic(ctx, c.Room.ID(), a.Topic); err != nil {
		return err
	}
	_, err := c.React(ctx, "✅")
	return err
}
