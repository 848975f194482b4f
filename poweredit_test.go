package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

const bob id.UserID = "@bob:localhost"

// levels are the content of a room's power levels.
func levels(t *testing.T, u *niobottest.User, room id.RoomID) map[string]any {
	t.Helper()
	var content map[string]any
	must(t, u.Client().StateEvent(t.Context(), room, event.StatePowerLevels, "", &content))
	return content
}

func TestPowerEditKeepsAllThatItDoesNotTouch(t *testing.T) {
	hs, alice, room := powered(t)
	before := levels(t, alice, room)
	before["org.example.unknown"] = map[string]any{"deep": []any{"kept", 1}}
	before["notifications"] = map[string]any{"org.example.other": 7}
	alice.SetState(room, event.StatePowerLevels, "", before)

	must(t, hs.Bot().EditPower(t.Context(), room, func(p *niobot.PowerEdit) {
		p.Users[bob] = 50
		p.Events["m.room.topic"] = 25
		delete(p.Events, "m.room.name")
		p.Ban = 75
		p.NotifyRoom = 60
	}))

	before["users"].(map[string]any)[string(bob)] = 50
	events := before["events"].(map[string]any)
	events["m.room.topic"] = 25
	delete(events, "m.room.name")
	before["ban"] = 75
	before["notifications"].(map[string]any)["room"] = 60
	if got, want := fmt.Sprint(levels(t, alice, room)), fmt.Sprint(before); got != want {
		t.Errorf("the levels are\n%s\nwant\n%s", got, want)
	}
}

func TestPowerEditThatChangesNothingSendsNothing(t *testing.T) {
	hs, _, room := powered(t)
	puts := hs.Fail(niobottest.Fault{Method: "PUT", Path: "/state/"})
	must(t, hs.Bot().SetPower(t.Context(), room, hs.BotID(), 100))
	must(t, hs.Bot().EditPower(t.Context(), room, func(*niobot.PowerEdit) {}))
	if puts.Hits() != 0 {
		t.Errorf("%d requests were made", puts.Hits())
	}
}

// nio-bot has no bounds: it shows the server's refusal, if any.
func TestPowerEditRefusesWhatTheBotMayNotDo(t *testing.T) {
	hs, alice, room := powered(t)
	bot := hs.Bot()
	// From here on the bot has 60, and changing the levels takes 55.
	must(t, bot.EditPower(t.Context(), room, func(p *niobot.PowerEdit) {
		p.Users[bob] = 60
		p.Users["@carol:localhost"] = 59
		p.Events["m.room.power_levels"] = 55
		p.Events["m.room.server_acl"] = 100
		p.Users[hs.BotID()] = 60
	}))
	before := stateOf(t, alice, room, event.StatePowerLevels, "")
	tests := []struct {
		name string
		edit func(p *niobot.PowerEdit)
		need int
		want string
	}{
		{"raise above itself", func(p *niobot.PowerEdit) { p.Users["@carol:localhost"] = 61 }, 61,
			"to set the level of @carol:localhost to 61 takes a power level of 61"},
		{"raise itself", func(p *niobot.PowerEdit) { p.Users[hs.BotID()] = 100 }, 100,
			"to set the level of @bot:localhost to 100 takes a power level of 100"},
		{"lower an equal", func(p *niobot.PowerEdit) { p.Users[bob] = 0 }, 61,
			"to change the level of @bob:localhost from 60 takes a power level of 61"},
		{"unlist one above", func(p *niobot.PowerEdit) { delete(p.Users, alice.ID()) }, 101,
			"to change the level of @alice:localhost from 100 takes a power level of 101"},
		{"lower an event above", func(p *niobot.PowerEdit) { p.Events["m.room.server_acl"] = 50 }, 100,
			"to change the level for m.room.server_acl from 100 takes a power level of 100"},
		{"unlist an event above", func(p *niobot.PowerEdit) { delete(p.Events, "m.room.server_acl") }, 100,
			"to change the level for m.room.server_acl from 100 takes"},
		{"raise an event above", func(p *niobot.PowerEdit) { p.Events["m.sticker"] = 70 }, 70,
			"to set the level for m.sticker to 70 takes a power level of 70"},
		{"raise an action above", func(p *niobot.PowerEdit) { p.Kick = 80 }, 80, "to set the level kick to 80 takes"},
		{"raise the mention above", func(p *niobot.PowerEdit) { p.NotifyRoom = 61 }, 61, "to set the level notifications.room to 61"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := bot.EditPower(t.Context(), room, test.edit)
			low, ok := errors.AsType[*niobot.PowerError](err)
			if !ok || low.Need != test.need || low.Have != 60 || low.RoomID != room {
				t.Fatalf("the error is %#v: %v", low, err)
			}
			wantErr(t, err, test.want, "the bot has 60")
		})
	}
	if after := stateOf(t, alice, room, event.StatePowerLevels, ""); after != before {
		t.Errorf("the levels changed from\n%s\nto\n%s", before, after)
	}
	// The same bounds are no bar to what is below them.
	must(t, bot.EditPower(t.Context(), room, func(p *niobot.PowerEdit) {
		p.Users["@carol:localhost"] = 60
		p.Users[hs.BotID()] = 58
		p.Kick = 58
	}))
}

func TestPowerEditTakesThePowerToChangePowerLevels(t *testing.T) {
	hs, alice, _ := powered(t)
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 99)
	err := hs.Bot().SetPower(t.Context(), room, bob, 1)
	wantErr(t, err, "to change power levels takes a power level of 100", "the bot has 99")
}

func TestPowerEditRefusesImpossibleLevels(t *testing.T) {
	hs, _, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	wantErr(t, bot.SetPower(ctx, room, bob, niobot.MinPower-1), "can't be -9007199254740992")
	wantErr(t, bot.SetPower(ctx, room, bob, niobot.MaxPower+1), "can't be 9007199254740992")
	wantErr(t, bot.SetPower(ctx, room, "bob", 1), `"bob" is no user id`)
	must(t, bot.SetPower(ctx, room, bob, niobot.MinPower))
}

func TestCreatorsOfVersion12AreNotListed(t *testing.T) {
	bot := newBot(t)
	hs := niobottest.Start(t, bot, niobottest.RoomVersion("12"))
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 100)
	hs.Settle()
	wantErr(t, bot.SetPower(t.Context(), room, alice.ID(), 50), "@alice:localhost is a creator of", "can't have one")
	must(t, bot.SetPower(t.Context(), room, bob, 100))
	wantErr(t, bot.Kick(t.Context(), room, alice.ID(), ""), "no power level suffices to kick @alice:localhost")

	// Its own room's power has no bound.
	own, err := bot.CreateRoom(t.Context(), niobot.NewRoom{})
	must(t, err)
	must(t, bot.SetPower(t.Context(), own, bob, 9000))
	must(t, bot.SetPower(t.Context(), own, bob, 50))
	wantErr(t, bot.SetPower(t.Context(), own, hs.BotID(), 100), "@bot:localhost is a creator of")
}

func TestPowerEditsAtOnceLoseNothing(t *testing.T) {
	hs, alice, room := powered(t)
	const edits = 8
	done := make(chan error, edits)
	for n := range edits {
		go func() {
			done <- hs.Bot().SetPower(t.Context(), room, id.UserID(fmt.Sprintf("@user%d:localhost", n)), n+1)
		}()
	}
	for range edits {
		must(t, within(t, "edit power levels", done))
	}
	if got := strings.Count(stateOf(t, alice, room, event.StatePowerLevels, ""), "@user"); got != edits {
		t.Errorf("%d of %d edits are there", got, edits)
	}
}

func ExampleBot_EditPower() {
	calm := niobot.NewCommand("calm", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Bot().EditPower(ctx, c.Room.ID(), func(p *niobot.PowerEdit) {
			p.EventsDefault = 50             // Only moderators talk,
			p.Events["m.reaction"] = 0       // all may react,
			p.Users["@kim:example.org"] = 50 // and Kim helps out.
		})
	}, niobot.Describe("Let only moderators talk."))
	fmt.Println(calm)
	// Output: calm
}

func ExamplePowerError() {
	err := fmt.Errorf("greet: %w", &niobot.PowerError{RoomID: "!tea:example.org", Action: "invite", Need: 50, Have: 20})
	if low, ok := errors.AsType[*niobot.PowerError](err); ok {
		fmt.Printf("Please give me %d more power.\n", low.Need-low.Have)
	}
	fmt.Println(err)
	// Output:
	// Please give me 30 more power.
	// greet: to invite takes a power level of 50 in !tea:example.org, and the bot has 20
}
