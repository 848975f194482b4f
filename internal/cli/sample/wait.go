package sample

import (
	"context"
	"errors"
	"time"

	"github.com/niobot/niobot"
)

// step is how long the countdown shows each number.
const step = 300 * time.Millisecond

type countdownArgs struct {
	From int `arg:"from" default:"3" min:"1" max:"10"`
}

// countdown shows work that takes its time: the bot is shown as typing, and its answer is edited as the work goes on.
func countdown(ctx context.Context, c *niobot.Context, a countdownArgs) error {
	c.Typing()
	tick := time.NewTicker(step)
	defer tick.Stop()
	for n := a.From; n > 0; n-- {
		if err := c.EditReply(ctx, "%d…", n); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return c.EditReply(ctx, "🚀")
}

// patience is how long ask waits for an answer.
const patience = time.Minute

// ask shows a conversation: the handler waits for the sender's next message as if it were a function call.
func ask(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	if err := c.Reply(ctx, "What is your favourite colour?"); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := c.WaitForMessage(waiting, nil)
	switch {
	case err == nil:
		_, err = c.Send(ctx, niobot.Markdown("I like **%s**, too.", answer.Body), niobot.InReplyTo(answer.ID))
		return err
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return c.Reply(ctx, "Never mind.")
	}
	return err
}
