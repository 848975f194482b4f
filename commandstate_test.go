package niobot_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// describing runs a bot that describes its commands, in a room where it has the power to.
func describing(t *testing.T) (*niobottest.Server, *niobottest.User, id.RoomID, records, heard) {
	t.Helper()
	logs := newRecords()
	bot := newBot(t, logs.option(), niobot.WithCommandState(), niobot.WithHelp(nil))
	bot.Add(niobot.NewCommand("ping", ping), niobot.NewGroup("config", niobot.Sub(typed[niobot.NoArgs]("get"))))
	changes := make(heard, 100)
	niobot.Listen(bot, event.StateMSC4391BotCommand,
		func(_ context.Context, e *niobot.Event, c *cmdschema.EventContent) error {
			changes.add("%s by %s", c.Command, e.Sender)
			return nil
		})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 50)
	logs.wait(t, "commands described", string(room), "written=2 withdrawn=0")
	return hs, alice, room, logs, changes
}

// described is the commands that a room's state describes, with who described them.
func described(t *testing.T, u *niobottest.User, room id.RoomID) []string {
	t.Helper()
	state, err := u.Client().State(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for key, e := range state[event.StateMSC4391BotCommand] {
		content, ok := e.Content.Parsed.(*cmdschema.EventContent)
		if !ok || content.Command == "" {
			continue
		}
		all = append(all, content.Command+" by "+string(e.Sender))
		if strings.HasPrefix(string(e.Sender), "@bot:") && key != content.StateKey(e.Sender) {
			t.Errorf("%s has the state key %q", content.Command, key)
		}
	}
	slices.Sort(all)
	return all
}

func wantDescribed(t *testing.T, u *niobottest.User, room id.RoomID, want ...string) {
	t.Helper()
	if got := described(t, u, room); !slices.Equal(got, want) {
		t.Errorf("described are %q, want %q", got, want)
	}
}

func TestCommandsAreDescribedOnceTheBotHasThePower(t *testing.T) {
	_, alice, room, logs, _ := describing(t)
	wantDescribed(t, alice, room, "config get by @bot:localhost", "ping by @bot:localhost")
	if lines := logs.with("commands not described"); len(lines) > 0 {
		t.Errorf("the bot tried without the power: %q", lines)
	}
}

func TestDescriptionsFollowTheCommands(t *testing.T) {
	hs, alice, room, logs, _ := describing(t)
	more := typed[niobot.NoArgs]("more")
	hs.Bot().Add(more)
	logs.wait(t, "commands described", "written=1 withdrawn=0")
	wantDescribed(t, alice, room, "config get by @bot:localhost", "more by @bot:localhost", "ping by @bot:localhost")
	hs.Bot().Remove(more)
	logs.wait(t, "commands described", "written=0 withdrawn=1")
	wantDescribed(t, alice, room, "config get by @bot:localhost", "ping by @bot:localhost")
}

func TestDescriptionsOfAnEarlierStartAreBroughtUpToDate(t *testing.T) {
	hs, alice, room, logs, _ := describing(t)
	bot := hs.Bot()
	old := cmdschema.EventContent{Command: "old"}
	ping := cmdschema.EventContent{Command: "ping", Aliases: []string{"old alias"}}
	for _, content := range []cmdschema.EventContent{old, ping} {
		_, err := bot.SetState(t.Context(), room, event.StateMSC4391BotCommand, content.StateKey(bot.UserID()), content)
		if err != nil {
			t.Fatal(err)
		}
	}
	alice.SetState(room, event.StateMSC4391BotCommand, "hers", cmdschema.EventContent{Command: "hers"})
	hs.Settle()
	bot.Add(typed[niobot.NoArgs]("more"))
	logs.wait(t, "commands described", "written=2 withdrawn=1")
	wantDescribed(t, alice, room, "config get by @bot:localhost", "hers by @alice:localhost", "more by @bot:localhost",
		"ping by @bot:localhost")
	var content cmdschema.EventContent
	if err := alice.Client().StateEvent(t.Context(), room, event.StateMSC4391BotCommand, ping.StateKey(bot.UserID()),
		&content); err != nil || len(content.Aliases) > 0 {
		t.Errorf("ping is described as %+v, %v", content, err)
	}
}

func TestDescriptionsThatAreRightAreNotWrittenAgain(t *testing.T) {
	hs, alice, room, logs, changes := describing(t)
	hs.Settle()
	if len(changes) != 2 {
		t.Errorf("%d changes, want 2", len(changes))
	}
	// What follows makes the bot look at the room again; the new command tells when it has.
	alice.SetPower(room, hs.User("bob").ID(), 10)
	hs.Settle()
	hs.Bot().Add(typed[niobot.NoArgs]("more"))
	logs.wait(t, "commands described", "written=1")
	hs.Settle()
	if len(changes) != 3 {
		t.Errorf("%d changes, want 3", len(changes))
	}
}

func TestNothingIsDescribedWithoutPowerOrUse(t *testing.T) {
	hs, alice, room, logs, _ := describing(t)
	powerless := alice.NewRoom()
	encrypted := alice.NewRoom()
	alice.SetState(encrypted, event.StateEncryption, "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2"})
	hs.Settle()
	alice.SetPower(encrypted, hs.BotID(), 50)
	hs.Settle()
	hs.Bot().Add(typed[niobot.NoArgs]("more"))
	logs.wait(t, "commands described", string(room), "written=1")
	wantDescribed(t, alice, powerless)
	wantDescribed(t, alice, encrypted)
	if lines := logs.with("commands not described"); len(lines) > 0 {
		t.Errorf("the bot tried: %q", lines)
	}
}

func TestCommandsAreNotDescribedUnlessAsked(t *testing.T) {
	hs, alice, room := start(t)
	alice.SetPower(room, hs.BotID(), 50)
	hs.Settle()
	hs.Bot().Add(typed[niobot.NoArgs]("more"))
	pinged(alice, room)
	hs.Settle()
	wantDescribed(t, alice, room)
}

func TestRefusedDescriptionIsLogged(t *testing.T) {
	hs, alice, room, logs, _ := describing(t)
	hs.Fail(niobottest.Fault{Method: "PUT", Path: "org.matrix.msc4391.command_description", Status: 403})
	hs.Bot().Add(typed[niobot.NoArgs]("more"))
	logs.wait(t, "WARN commands not described", string(room))
	pinged(alice, room)
}
