package docs_test

import (
	"context"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in direct-messages.md, piece by piece.

func newSecretary(config niobot.Config) (*niobot.Bot, error) {
	bot, err := niobot.New(config, niobot.WithBareDirect())
	if err != nil {
		return nil, err
	}
	bot.Add(
		niobot.NewCommand("tell", tell, niobot.Describe("Pass a message on.")),
		niobot.NewCommand("pin", pin, niobot.Describe("Show your secret number."), niobot.Require(niobot.DirectOnly())),
	)
	return bot, nil
}

type tellArgs struct {
	User id.UserID `arg:"user" help:"whom"`
	Text string    `arg:"text,rest" help:"what"`
}

func tell(ctx context.Context, c *niobot.Context, a tellArgs) error {
	if _, err := c.Bot().SendDirect(ctx, a.User, niobot.Markdown("%s says: %s", c.Sender(), a.Text)); err != nil {
		return err
	}
	_, err := c.React(ctx, "✅")
	return err
}

func pin(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error { return c.Reply(ctx, "1234") }

// That was shown.

func TestSecretary(t *testing.T) {
	hs := niobottest.Start(t, niobot.Must(newSecretary(testConfig())))
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom()
	direct, err := hs.Bot().DirectRoom(t.Context(), bob.ID())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Client().JoinRoomByID(t.Context(), direct); err != nil {
		t.Fatal(err)
	}
	alice.Say(room, "!tell "+string(bob.ID())+" tea is *ready*")
	alice.ExpectReaction("✅")
	hs.ExpectMessage(direct, string(alice.ID())+" says: tea is *ready*")
	alice.Say(room, "!pin")
	alice.ExpectReply("That works only in a direct room with me.")
	bob.Say(direct, "pin")
	bob.ExpectReply("1234")
}
