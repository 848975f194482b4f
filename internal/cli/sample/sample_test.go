package sample_test

import (
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/cli/sample"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/render"
)

func start(t *testing.T) (hs *niobottest.Server, alice *niobottest.User, room id.RoomID) {
	t.Helper()
	bot, err := niobot.New(niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}})
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(sample.Commands()...)
	hs = niobottest.Start(t, bot)
	alice = hs.User("alice")
	return hs, alice, alice.NewRoom()
}

func TestReplies(t *testing.T) {
	_, alice, room := start(t)
	for _, tt := range []struct{ say, want string }{
		{"!ping", "pong"},
		{"!echo hello  world", "hello  world"},
		{"!echo **bold** [link](https://example.org) @room", "**bold** [link](https://example.org) @room"},
		{"!echo --loud hello", "HELLO"},
		{"!echo -l hello", "HELLO"},
		{"!add 1 2.5", "1 + 2.5 = 3.5"},
		{"!add -1 1e3", "-1 + 1000 = 999"},
		{"!choose tea tea", "I take tea."},
		{"!pick 'green tea' 'green tea'", "I take green tea."},
		{"!roll 3d1", "🎲 3d1: 3"},
	} {
		alice.Say(room, tt.say)
		alice.ExpectReply(tt.want)
	}
}

func TestWrongArguments(t *testing.T) {
	_, alice, room := start(t)
	for _, tt := range []struct{ say, want string }{
		{"!echo", "missing"},
		{"!add 1 two", `"two" is not a number`},
		{"!choose tea", "Usage: !choose <options…>"},
		{"!hug nobody", "Usage: !hug <user>"},
		{"!countdown 11", "Usage: !countdown \\[from\\]"},
		{"!roll 0d6", `the number of dice in "0d6" is not one from 1 to 100`},
		{"!roll 101d6", `the number of dice`},
		{"!roll 2d1001", `the number of sides in "2d1001" is not one from 1 to 1000`},
		{"!roll d", `the number of sides`},
		{"!roll 99999999999999999999", `the number of sides`},
	} {
		alice.Say(room, tt.say)
		alice.ExpectReplyMatch(tt.want)
	}
}

func TestRollIsWithinLimits(t *testing.T) {
	_, alice, room := start(t)
	for range 20 {
		alice.Say(room, "!roll")
		alice.ExpectReplyMatch(`^🎲 1d6: [1-6]$`)
	}
	alice.Say(room, "!dice 2D20")
	alice.ExpectReplyMatch(`^🎲 2d20: ([2-9]|[1-3][0-9]|40)$`)
}

func TestHugReactsAndMentions(t *testing.T) {
	hs, alice, room := start(t)
	bob := hs.User("bob")
	alice.SayBody(room, render.Markdown("!hug %v", render.User(bob.ID(), "Bob")))
	alice.ExpectReaction("🤗")
	m := hs.ExpectMessage(room, "@alice:localhost hugs @bob:localhost")
	mentions := m.Event.Content.AsMessage().Mentions
	if mentions == nil || !mentions.Has(bob.ID()) {
		t.Errorf("bob is not mentioned: %v", mentions)
	}
}

func TestCountdownEditsOneMessage(t *testing.T) {
	hs, alice, room := start(t)
	alice.Say(room, "!countdown 2")
	m := alice.ExpectReply("2…")
	hs.ExpectEdit(m, "1…")
	hs.ExpectEdit(m, "🚀")
	hs.ExpectNothing(room)
}

func TestAskWaitsForTheSender(t *testing.T) {
	hs, alice, _ := start(t)
	bob := hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!ask")
	alice.ExpectReply("What is your favourite colour?")
	hs.Settle()
	bob.Say(room, "red")
	alice.Say(room, "*blue*")
	alice.ExpectReply("I like *blue*, too.")
	hs.ExpectNothing(room)
}

func TestHelpExplainsAll(t *testing.T) {
	_, alice, room := start(t)
	alice.Say(room, "!help")
	text := alice.ExpectReplyMatch("^Commands").Body
	for _, cmd := range sample.Commands() {
		if !strings.Contains(text, "!"+cmd.Name()) || cmd.Description() == "" {
			t.Errorf("%s is not explained in %q", cmd.Name(), text)
		}
	}
}

func FuzzDice(f *testing.F) {
	for _, text := range []string{"d6", "2d20", "6", "0", "d", "1d", "-1d-1", "1d2d3", "９d６"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d sample.Dice
		if d.UnmarshalText([]byte(text)) != nil {
			if d != (sample.Dice{}) {
				t.Errorf("%q is refused but leaves %v", text, d)
			}
			return
		}
		if d.Count < 1 || d.Count > sample.MaxCount || d.Sides < 1 || d.Sides > sample.MaxSides {
			t.Errorf("%q is %v, beyond the limits", text, d)
		}
		var again sample.Dice
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q is %v, which reads as %v, %v", text, d, again, err)
		}
	})
}
