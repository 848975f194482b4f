package niobot_test

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

type muteArgs struct {
	User id.UserID     `arg:"user"`
	For  time.Duration `arg:"--for" default:"1h"`
}

// forms runs a bot with commands to be called by forms.
func forms(t *testing.T, bot *niobot.Bot) (*niobottest.Server, *niobottest.User, id.RoomID) {
	t.Helper()
	bot.Add(niobot.NewCommand("mute", func(ctx context.Context, c *niobot.Context, a muteArgs) error {
		return c.Reply(ctx, "muted %s for %s", a.User, a.For)
	}), niobot.NewGroup("config", niobot.Sub(
		command("get", func(ctx context.Context, c *niobot.Context) error { return c.Reply(ctx, "got %s", c.Called) }))),
		command("mine", func(ctx context.Context, c *niobot.Context) error { return nil }, niobot.Require(niobot.OwnerOnly())),
		echo())
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	return hs, alice, alice.NewRoom()
}

// form is the content of a message that calls a command by data.
func form(body, command string, arguments any, mentions ...id.UserID) map[string]any {
	return map[string]any{
		"msgtype": "m.text", "body": body, "m.mentions": map[string]any{"user_ids": mentions},
		"org.matrix.msc4391.command": map[string]any{"command": command, "arguments": arguments},
	}
}

func TestFormCallsACommand(t *testing.T) {
	hs, alice, room := forms(t, newBot(t))
	send := func(content map[string]any) { alice.Send(room, event.EventMessage, content) }
	bot := hs.BotID()
	for _, test := range []struct {
		name    string
		content map[string]any
		want    string
	}{
		{"arguments", form("/mute", "mute", map[string]any{"user": "@mallory:b", "for": "2h"}, bot), "muted @mallory:b for 2h0m0s"},
		{"defaults", form("/mute", "mute", map[string]any{"user": "@mallory:b"}, bot), "muted @mallory:b for 1h0m0s"},
		{"path", form("/config get", "config get", map[string]any{}, bot), "got config get"},
		{"no arguments", form("/config get", "config get", nil, bot), "got config get"},
		{"other case", form("/mute", "MUTE", map[string]any{"USER": "@mallory:b"}, bot), "muted @mallory:b for 1h0m0s"},
		{"data over text", form("!echo said", "echo", map[string]any{"text": "filled in"}, bot), "echo filled in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			send(test.content)
			hs.ExpectMessage(room, test.want)
			hs.ExpectNothing(room)
		})
	}
}

func TestFormsMistakesAreAnsweredAsThoseOfText(t *testing.T) {
	hs, alice, room := forms(t, newBot(t))
	for _, test := range []struct {
		name, command string
		arguments     map[string]any
		want          string
	}{
		{"wrong", "mute", map[string]any{"user": "@mallory:b", "for": "24x"},
			"for: \"24x\" is not a duration like 90s, 1h30m or 2d\n\n--user @mallory:b --for 24x\n" +
				"                        ^^^\n\nUsage: mute <user> [--for 1h]"},
		{"wrong type", "echo", map[string]any{"text": 5}, "text: 5 is not text\n\n--text 5\n       ^\n\nUsage: echo [text…]"},
		{"unknown", "mute", map[string]any{"usr": "@mallory:b"},
			"unknown argument \"usr\"; did you mean user?\n\n--usr @mallory:b\n^^^^^\n\nUsage: mute <user> [--for 1h]"},
		{"refused", "mine", nil, "Only the bot's owner may do that."},
	} {
		t.Run(test.name, func(t *testing.T) {
			alice.Send(room, event.EventMessage, form("/x", test.command, test.arguments, hs.BotID()))
			hs.ExpectMessage(room, test.want)
		})
	}
	alice.Send(room, event.EventMessage, form("/mute", "mute", map[string]any{}, hs.BotID()))
	hs.ExpectMessage(room, "user: missing; expected a user id like @name:example.org\n\nUsage: mute <user> [--for 1h]")
}

func TestFormIsTakenOnlyByTheBotThatItMentionsAlone(t *testing.T) {
	hs, alice, room := forms(t, newBot(t))
	bot, other := hs.BotID(), id.UserID("@other:localhost")
	for _, test := range []struct {
		name    string
		content map[string]any
		want    string // Empty for no answer
	}{
		{"another bot", form("!echo said", "echo", map[string]any{"text": "filled in"}, other), ""},
		{"nobody", form("!echo said", "echo", map[string]any{"text": "filled in"}), "echo said"},
		{"both", form("!echo said", "echo", map[string]any{"text": "filled in"}, bot, other), "echo said"},
		{"unknown command", form("!echo said", "gone", map[string]any{}, bot), "echo said"},
		{"command is no text", map[string]any{"msgtype": "m.text", "body": "!echo said",
			"m.mentions":                 map[string]any{"user_ids": []id.UserID{bot}},
			"org.matrix.msc4391.command": map[string]any{"command": 5}}, "echo said"},
		{"no object", map[string]any{"msgtype": "m.text", "body": "!echo said", "org.matrix.msc4391.command": "echo",
			"m.mentions": map[string]any{"user_ids": []id.UserID{bot}}}, "echo said"},
		{"notice", map[string]any{"msgtype": "m.notice", "body": "x",
			"m.mentions":                 map[string]any{"user_ids": []id.UserID{bot}},
			"org.matrix.msc4391.command": map[string]any{"command": "echo"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			alice.Send(room, event.EventMessage, test.content)
			if test.want != "" {
				hs.ExpectMessage(room, test.want)
			}
			hs.ExpectNothing(room)
		})
	}
}

func TestFormOfAnEditRunsAgain(t *testing.T) {
	hs, alice, room := forms(t, newBot(t))
	sent := alice.Send(room, event.EventMessage, form("/echo", "echo", map[string]any{"text": "one"}, hs.BotID()))
	first := hs.ExpectMessage(room, "echo one")
	edit := form("* /echo", "echo", map[string]any{"text": "outer"}, hs.BotID())
	edit["m.new_content"] = form("/echo", "echo", map[string]any{"text": "two"}, hs.BotID())
	edit["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": sent}
	alice.Send(room, event.EventMessage, edit)
	hs.ExpectEdit(first, "echo two")
	edit["m.new_content"] = map[string]any{"msgtype": "m.text", "body": "!echo said"}
	alice.Send(room, event.EventMessage, edit)
	hs.ExpectEdit(first, "echo said")
}
