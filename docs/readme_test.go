package docs_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows stands in the README, up to the function newBot.

type banArgs struct {
	User   id.UserID     `arg:"user" help:"who to ban"`
	For    time.Duration `arg:"--for,-f" default:"24h" help:"how long"`
	Reason string        `arg:"reason,rest" default:"no reason"`
}

func ban(ctx context.Context, c *niobot.Context, a banArgs) error {
	return c.Reply(ctx, "**Done.** %s is banned for %s: %s", a.User, a.For, a.Reason)
}

var banCommand = niobot.NewCommand("ban", ban,
	niobot.Describe("Ban someone for a while."),
	niobot.Require(niobot.SenderPower(50), niobot.BotPower(50)))

func TestBan(t *testing.T) {
	hs := niobottest.Start(t, newBot())
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 50)
	alice.Say(room, "!ban @spam:example.org --for soon")
	alice.ExpectReplyMatch(`"soon" is not a duration`)
}

func newBot() *niobot.Bot {
	bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}}))
	bot.Add(banCommand)
	return bot
}

// The README shows the bot's answer as it is.
func TestReadmeShowsTheAnswer(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	hs := niobottest.Start(t, newBot())
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 50)
	alice.Say(room, "!ban @spam:example.org --for soon")
	answer := alice.ExpectReplyMatch("").Body
	shown := strings.ReplaceAll(string(readme), "\n    ", "\n")
	for line := range strings.Lines(answer) {
		if text := strings.TrimSpace(line); !strings.Contains(shown, text) {
			t.Errorf("the README does not show %q of the answer\n%s", text, answer)
		}
	}
	alice.Say(room, "!ban @spam:example.org --for 2d flooding")
	alice.ExpectReply("Done. @spam:example.org is banned for 48h0m0s: flooding")
}
