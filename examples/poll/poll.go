package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

var pollCommand = niobot.NewCommand("poll", newPoll,
	niobot.Describe("Ask the room a question.\n\nWhat has spaces in it goes in quotes: !poll Lunch? pizza \"green salad\"."))

type pollArgs struct {
	Question string   `arg:"question" len:"1..200" help:"what is asked"`
	Options  []string `arg:"options" len:"2..10" help:"what can be answered"`
}

// keys are the reactions that stand for the options.
var keys = [...]string{"1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣", "🔟"}

// endKey is the reaction that ends a poll.
const endKey = "🏁"

// poll is what the 🏁 button says to the handler of the menu.
type poll struct {
	By       id.UserID `json:"by"`
	Question string    `json:"question"`
	Options  []string  `json:"options"`
}

func newPoll(ctx context.Context, c *niobot.Context, a pollArgs) error {
	data, err := json.Marshal(poll{c.Sender(), a.Question, a.Options})
	if err != nil {
		return fmt.Errorf("describe the poll: %w", err)
	}
	lines := make([]any, 0, 2*len(a.Options)+1)
	lines = append(lines, a.Question)
	buttons := make([]niobot.Button, 0, len(a.Options)+1)
	for i, option := range a.Options {
		lines = append(lines, keys[i], option)
		buttons = append(buttons, niobot.Button{Key: keys[i]})
	}
	buttons = append(buttons, niobot.Button{Key: endKey, Data: string(data)})
	body := niobot.Markdown("**%s**\n"+strings.Repeat("\n%s %s", len(a.Options)), lines...)
	_, err = c.Offer(ctx, ballot, body, buttons...)
	return err
}

// ballot is the menu of all polls. Votes need no handler: clients show them by themselves, and they are counted when
// the poll ends.
var ballot = niobot.NewMenu("poll", func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
	if p.Key != endKey {
		return nil
	}
	var ended poll
	if err := json.Unmarshal([]byte(p.Data), &ended); err != nil {
		return fmt.Errorf("read the poll: %w", err)
	}
	if ended.By != p.User {
		return nil
	}
	votes, err := count(ctx, c.Bot(), c.Room.ID(), p.MessageID)
	if err != nil {
		return err
	}
	return p.End(ctx, result(ended, votes))
})
