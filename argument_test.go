package niobot_test

import (
	"context"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestMessagesEventsAndRoomsAreArguments(t *testing.T) {
	bot := newBot(t)
	bot.Add(
		niobot.NewCommand("show", func(ctx context.Context, c *niobot.Context, a struct {
			Message *niobot.Message `arg:"message" default:"reply"`
		}) error {
			return c.Reply(ctx, "%s said %s", a.Message.Sender.Localpart(), a.Message.Body)
		}),
		niobot.NewCommand("type", func(ctx context.Context, c *niobot.Context, a struct {
			Event *niobot.Event `arg:"event"`
		}) error {
			return c.Reply(ctx, "%s", a.Event.Type.Type)
		}),
		niobot.NewCommand("room", func(ctx context.Context, c *niobot.Context, a struct {
			Room *niobot.Room `arg:"room"`
		}) error {
			return c.Reply(ctx, "%s", a.Room.ID())
		}),
	)
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room, secret := alice.NewRoom(bob), bob.NewRoom()
	tea := bob.Say(room, "tea")
	bob.Edit(tea, "coffee")
	hidden := bob.Say(secret, "a secret")
	gone := bob.Say(room, "gone")
	bob.Redact(gone)
	link := func(room id.RoomID, m *niobottest.Message) string {
		return fmt.Sprintf("https://matrix.to/#/%s/%s", room, m.ID)
	}

	alice.Reply(tea, "!show")
	alice.ExpectReply("bob said coffee")
	for said, want := range map[string]string{
		"!show " + string(tea.ID):                   "bob said coffee",
		"!show " + link(room, tea):                  "bob said coffee",
		"!type " + string(tea.ID):                   "m.room.message",
		"!room " + string(room):                     string(room),
		"!room https://matrix.to/#/" + string(room): string(room),
	} {
		alice.Say(room, said)
		alice.ExpectReply(want)
	}
	for said, want := range map[string]string{
		"!show":                         "message: reply to the message that you mean",
		"!show nonsense":                `message: "nonsense" is neither the id of an event nor a link`,
		"!show $nothing":                "message: there is no such message",
		"!show " + string(gone.ID):      "message: that message was removed",
		"!show " + link(secret, hidden): "message: that message is in a room that we are not both in",
		"!room #none:localhost":         "room: there is no room #none:localhost",
		"!room !none:localhost":         "room: I am not in the room",
		"!room @alice:localhost":        `room: "@alice:localhost" is neither a room`,
	} {
		alice.Say(room, said)
		alice.ExpectReplyMatch("^" + want)
	}
	// Who is in both rooms may quote the one in the other.
	bob.Say(room, "!show "+link(secret, hidden))
	bob.ExpectReply("bob said a secret")
}
