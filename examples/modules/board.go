package main

import (
	"context"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// heart is the reaction that gives a point to the author of a message.
const heart = "❤"

// saveInterval is how often the points are saved while the bot runs: so much is lost in a crash.
const saveInterval = time.Minute

// board is the module that owns the points: it loads and saves them, gives them for hearts, and shows them.
type board struct {
	scores *scores
	bot    *niobot.Bot
}

var _ interface {
	niobot.ModuleSetup
	niobot.ModuleCloser
} = (*board)(nil)

func (b *board) Name() string { return "points" }

func (b *board) Commands() []*niobot.Command {
	return []*niobot.Command{
		niobot.NewCommand("points", b.show, niobot.Describe("Show who has the most points.")),
	}
}

// Setup reads the points, and adds what is to go with the module when it is unmounted.
func (b *board) Setup(_ context.Context, s *niobot.Scope) error {
	if err := b.scores.load(); err != nil {
		return err // Without its points, there is no module.
	}
	b.bot = s.Bot()
	niobot.Listen(s, event.EventReaction, b.hear)
	s.Go(func(ctx context.Context) error {
		tick := time.NewTicker(saveInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				if err := b.scores.save(); err != nil {
					s.Logger().Warn("points not saved", "err", err)
				}
			}
		}
	})
	return nil
}

// Close is called when commands, listeners and work of the module are gone.
func (b *board) Close(context.Context) error { return b.scores.save() }

// hear gives a point for a heart, though not for one's own.
func (b *board) hear(ctx context.Context, e *niobot.Event, reaction *event.ReactionEventContent) error {
	// Some clients add the sign that asks for a coloured picture, others don't.
	if strings.TrimSuffix(reaction.RelatesTo.Key, "\ufe0f") != heart {
		return nil
	}
	m, err := b.bot.Message(ctx, e.RoomID, reaction.RelatesTo.EventID)
	if err != nil || m.Sender == e.Sender || m.Sender == b.bot.UserID() {
		return err
	}
	b.scores.add(m.Sender, 1)
	return nil
}

func (b *board) show(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	table := render.Table{Columns: []render.Column{{Name: "Who"}, {Name: "Points", Align: render.AlignRight}}}
	for _, line := range b.scores.best(10) {
		table.Add(line.user, line.points)
	}
	if len(table.Rows) == 0 {
		return c.Reply(ctx, "Nobody has any.")
	}
	_, err := c.Respond(ctx, table.Body())
	return err
}
