package docs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/render"
)

// What follows is shown in messages.md, piece by piece.

type userArgs struct {
	User id.UserID `arg:"user"`
}

func welcome(ctx context.Context, c *niobot.Context, a userArgs) error {
	body := niobot.Markdown("**Welcome**, %v! The rules are in %v.",
		render.User(a.User, ""), render.RoomAlias("#rules:example.org"))
	sent, err := c.Send(ctx, body)
	if err != nil {
		return err
	}
	_, err = sent.React(ctx, "👋")
	return err
}

func steps(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	c.Typing()
	for _, step := range []string{"fetching", "building", "testing"} {
		if err := c.EditReply(ctx, "%s…", step); err != nil {
			return err
		}
	}
	return c.EditReply(ctx, "**Done.**")
}

func prices(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	table := render.Table{Columns: []render.Column{{Name: "Drink"}, {Name: "€", Align: render.AlignRight}}}
	table.Add("Tea", "2.50")
	table.Add("Coffee", "3.00")
	return c.Reply(ctx, "Today:\n\n%v", table)
}

type quoteArgs struct {
	Message *niobot.Message `arg:"message" default:"reply"`
}

func quote(ctx context.Context, c *niobot.Context, a quoteArgs) error {
	return c.Reply(ctx, "%v\n\nSo it was said.", niobot.Quote(a.Message))
}

func closeRoom(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	sure, err := c.Confirm(ctx, niobot.Plain("Close this room?"), niobot.Within(time.Minute))
	if err != nil || !sure {
		return err
	}
	why, err := niobot.Ask[string](ctx, c, niobot.Plain("What shall I say?"))
	if err != nil {
		return err
	}
	return c.Reply(ctx, "It is closed: %s", why)
}

var traffic = niobot.NewMenu("traffic", func(ctx context.Context, _ *niobot.Context, p niobot.Press) error {
	return p.Edit(ctx, niobot.Markdown("The light is **%s**.", p.Data))
})

func light(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	_, err := c.Offer(ctx, traffic, niobot.Plain("The light is off."),
		niobot.Button{Key: "🔴", Data: "red"}, niobot.Button{Key: "🟢", Data: "green"})
	return err
}

func list(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	var pages []niobot.Body
	for page := range 3 {
		pages = append(pages, niobot.Markdown("Here is part **%d**.", page+1))
	}
	return c.Pages(ctx, pages)
}

// That was shown.

func TestMessages(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	bot.AddMenu(traffic)
	bot.Add(
		niobot.NewCommand("welcome", welcome),
		niobot.NewCommand("steps", steps),
		niobot.NewCommand("prices", prices),
		niobot.NewCommand("quote", quote),
		niobot.NewCommand("close", closeRoom),
		niobot.NewCommand("light", light),
		niobot.NewCommand("list", list),
	)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()

	alice.Say(room, fmt.Sprintf("!welcome %s", alice.ID()))
	m := hs.ExpectMessage(room, "Welcome, "+string(alice.ID())+"! The rules are in #rules:example.org.")
	if mentioned := m.Event.Content.AsMessage().Mentions; mentioned == nil || !mentioned.Has(alice.ID()) {
		t.Errorf("alice is not mentioned: %v", mentioned)
	}
	alice.Say(room, "!steps")
	step := alice.ExpectReply("fetching…")
	hs.ExpectEdit(step, "building…")
	hs.ExpectEdit(step, "testing…")
	hs.ExpectEdit(step, "Done.")
	alice.Say(room, "!prices")
	prices := alice.ExpectReplyMatch(`(?s)Today:.*Tea.*2\.50`)
	if text := documents(t)["messages.md"]; !strings.Contains(strings.ReplaceAll(text, "\n    ", "\n"), prices.Body) {
		t.Errorf("messages.md does not show\n%s", prices.Body)
	}
	alice.Reply(prices, "!quote")
	alice.ExpectReplyMatch(`(?s)> .*Tea.*So it was said\.`)

	alice.Say(room, "!close")
	question := alice.ExpectReply("Close this room?")
	alice.React(question, "👍")
	hs.ExpectMessage(room, "What shall I say?")
	alice.Say(room, "Good night!")
	hs.ExpectMessage(room, "It is closed: Good night!")

	alice.Say(room, "!light")
	off := alice.ExpectReply("The light is off.")
	alice.React(off, "🟢")
	hs.ExpectEdit(off, "The light is green.")

	alice.Say(room, "!list")
	first := alice.ExpectReply("Here is part 1.\n\n1/3")
	alice.React(first, "▶️")
	hs.ExpectEdit(first, "Here is part 2.\n\n2/3")
}
