package main

import (
	"context"
	"errors"
	"time"

	"github.com/niobot/niobot"
)

// patience is how long each answer is waited for.
const patience = 2 * time.Minute

// What is asked for has the same tags as what stands behind a command's name, and is checked in the same way.
type (
	nameAnswer struct {
		Name string `arg:"name,rest" len:"1..50"`
	}
	guestsAnswer struct {
		Guests int `arg:"guests" min:"1" max:"12"`
	}
)

var hours = []string{"18:00", "19:30", "21:00"}

// bookCommand makes the command. Each question is a call that returns the answer, so that a conversation reads from top
// to bottom; while it waits, the bot goes on with everything else.
func bookCommand(asking *conversations, patience time.Duration) *niobot.Command {
	book := func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		within := niobot.Within(patience)
		ctx, end, ok := asking.begin(ctx, c)
		if !ok {
			return c.Reply(ctx, "I am asking you already. `%scancel` ends that.", c.Prefix)
		}
		defer end()

		first := niobot.Markdown("For whom is the table? `%scancel` ends the questions.", c.Prefix)
		name, err := niobot.Ask[nameAnswer](ctx, c, first, within)
		if err != nil {
			return settle(ctx, err)
		}
		number, err := niobot.Ask[guestsAnswer](ctx, c, niobot.Plain("How many will you be?"), within)
		if err != nil {
			return settle(ctx, err)
		}
		hour, err := c.Choose(ctx, niobot.Plain("When?"), hours, within)
		if err != nil {
			return settle(ctx, err)
		}
		return c.Reply(ctx, "A table for **%d**, at **%s**, for **%s**. See you!",
			number.Guests, hours[hour], name.Name)
	}
	return niobot.NewCommand("book", book, niobot.Describe("Book a table. I ask for what I need to know."))
}

// settle makes no error of what the user wanted, whatever it was that the end of the context cut off. The others are
// returned as they are: the user is told of a question that nobody answered or that somebody removed.
func settle(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errCancelled) {
		return nil
	}
	return err
}
