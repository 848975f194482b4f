package main

import (
	"context"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
)

type topicArgs struct {
	Topic string `arg:"topic,rest" help:"the new topic"`
}

var topicCommand = niobot.NewCommand("topic", setTopic,
	niobot.Describe("Set this room's topic."),
	niobot.Require(niobot.SenderPower(50), niobot.BotPower(50)))

func setTopic(ctx context.Context, c *niobot.Context, a topicArgs) error {
	client, err := c.Bot().Client(ctx)
	if err != nil {
		return err
	}
	content := event.TopicEventContent{Topic: a.Topic}
	if _, err := client.SendStateEvent(ctx, c.Room.ID(), event.StateTopic, "", content); err != nil {
		return err
	}
	_, err = c.React(ctx, "✅")
	return err
}
