package docs_test

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/render"
)

// What follows is shown in storage.md, piece by piece.

func karma(bot *niobot.Bot) []*niobot.Command {
	points := niobot.KVOf[int](bot.KV("karma"))
	type args struct {
		User id.UserID `arg:"user"`
	}
	return []*niobot.Command{
		niobot.NewCommand("thank", func(ctx context.Context, c *niobot.Context, a args) error {
			n, err := points.In(c).Update(ctx, string(a.User), func(n int, _ bool) (int, error) { return n + 1, nil })
			if err != nil {
				return err
			}
			return c.Reply(ctx, "%v has %d points.", render.User(a.User, ""), n)
		}),
		niobot.NewCommand("karma", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			table := render.Table{Columns: []render.Column{{Name: "Who"}, {Name: "Points", Align: render.AlignRight}}}
			for item, err := range points.List(ctx, "@") {
				if err != nil {
					return err
				}
				table.Add(item.Key, item.Value)
			}
			_, err := c.Respond(ctx, table)
			return err
		}),
	}
}

func visit(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	seen := c.Bot().KV("visits")
	first, err := seen.CompareAndSwap(ctx, string(c.Sender()), nil, []byte{}, niobot.Expire(24*time.Hour))
	if err != nil {
		return err
	}
	if first {
		return c.Reply(ctx, "Welcome! This is your first visit today.")
	}
	return c.Reply(ctx, "Welcome back!")
}

func TestStorage(t *testing.T) {
	bot := storedBot(t)
	bot.Add(karma(bot)...)
	bot.Add(niobot.NewCommand("visit", visit))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	for _, want := range []string{"1 points", "2 points"} {
		alice.Say(room, "!thank "+string(bob.ID()))
		alice.ExpectReplyMatch(want)
		hs.Settle()
	}
	alice.Say(room, "!karma")
	alice.ExpectReplyMatch(string(bob.ID()) + ` +\| +2`)
	alice.Say(room, "!visit")
	alice.ExpectReply("Welcome! This is your first visit today.")
	alice.Say(room, "!visit")
	alice.ExpectReply("Welcome back!")
}
