package niobot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// direct is the bot's m.direct as the server has it.
func direct(t *testing.T, hs *niobottest.Server) string {
	t.Helper()
	client, err := hs.Bot().Client(t.Context())
	must(t, err)
	var raw json.RawMessage
	err = client.GetAccountData(t.Context(), event.AccountDataDirectChats.Type, &raw)
	if errors.Is(err, mautrix.MNotFound) {
		return `{}`
	}
	must(t, err)
	return sorted(t, raw)
}

// nio-bot 78.
func TestLeaveTakesAllMarksOfTheRoom(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	kept := alice.NewRoom()
	must(t, bot.SetAccountData(ctx, "m.direct", map[id.UserID]any{
		"@a:localhost": []any{room},
		"@b:localhost": []any{kept, room, room},
		"@c:localhost": []any{7, room, nil},
		"@d:localhost": "spoilt",
		"@e:localhost": []any{kept},
	}))
	if r, _ := bot.Room(room); !r.Direct() {
		t.Fatal("the room is not direct as soon as it is marked")
	}
	must(t, bot.Leave(ctx, room, "good bye"))
	want := fmt.Sprintf(`{"@b:localhost":[%[1]q],"@c:localhost":[7,null],"@d:localhost":"spoilt","@e:localhost":[%[1]q]}`, kept)
	if got := direct(t, hs); got != want {
		t.Errorf("m.direct is\n%s\nwant\n%s", got, want)
	}
	if got := memberOf(t, alice, room, hs.BotID()); got != "leave: good bye" {
		t.Errorf("the membership is %q", got)
	}
	hs.Settle()
	if r, _ := bot.Room(room); r.Direct() {
		t.Error("the room is still direct")
	}
	if r, _ := bot.Room(kept); !r.Direct() {
		t.Error("the other room is not direct any more")
	}
}

// nio-bot 78.
func TestMarksOfDirectRoomsAreNotLostAtOnce(t *testing.T) {
	hs, _, _ := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	const users = 6
	rooms := make([]id.RoomID, users)
	for n := range users {
		room, err := bot.DirectRoom(ctx, hs.User(fmt.Sprintf("user%d", n)).ID())
		must(t, err)
		rooms[n] = room
	}
	done := make(chan error, 2*users)
	for n, room := range rooms {
		if n%2 == 0 {
			go func() { done <- bot.Leave(ctx, room, "") }()
		}
		other := hs.User(fmt.Sprintf("other%d", n)).ID()
		go func() {
			_, err := bot.DirectRoom(ctx, other)
			done <- err
		}()
	}
	for range users + users/2 {
		must(t, within(t, "change direct rooms", done))
	}
	var marks map[id.UserID][]id.RoomID
	must(t, json.Unmarshal([]byte(direct(t, hs)), &marks))
	for n, room := range rooms {
		left := n%2 == 0
		user := hs.User(fmt.Sprintf("user%d", n)).ID()
		if slices.Contains(marks[user], room) == left {
			t.Errorf("user %d: left is %t, and the marks are %v", n, left, marks[user])
		}
		if other := hs.User(fmt.Sprintf("other%d", n)).ID(); len(marks[other]) != 1 {
			t.Errorf("other %d has the marks %v", n, marks[other])
		}
	}
}

func TestKickLeavesTheMarkOfADirectRoom(t *testing.T) {
	hs, alice, _ := powered(t)
	room := alice.NewRoom()
	must(t, hs.Bot().SetAccountData(t.Context(), "m.direct", map[id.UserID][]id.RoomID{alice.ID(): {room}}))
	before := direct(t, hs)
	_, err := alice.Client().KickUser(t.Context(), room, &mautrix.ReqKickUser{UserID: hs.BotID()})
	must(t, err)
	hs.Settle()
	if after := direct(t, hs); after != before {
		t.Errorf("m.direct changed from %s to %s", before, after)
	}
}

func TestLeaveOfADirectRoomMakesWayForANewOne(t *testing.T) {
	hs, alice, _ := powered(t)
	room := alice.NewDirectRoom()
	must(t, hs.Bot().Leave(t.Context(), room, ""))
	next, err := hs.Bot().DirectRoom(t.Context(), alice.ID())
	must(t, err)
	if next == room {
		t.Error("the room that was left is used again")
	}
	if got, want := direct(t, hs), fmt.Sprintf(`{"@alice:localhost":[%q]}`, next); got != want {
		t.Errorf("m.direct is %s, want %s", got, want)
	}
}

func TestLeaveSurvivesFaults(t *testing.T) {
	hs, alice, _ := powered(t)
	directRoom := func() id.RoomID {
		room, err := hs.Bot().DirectRoom(t.Context(), alice.ID())
		must(t, err)
		return room
	}
	for _, fault := range []niobottest.Fault{
		{Path: "/leave", Count: 1, Cut: niobottest.CutAfter},
		{Path: "/leave", Count: 1, Status: http.StatusTooManyRequests, RetryForm: niobottest.RetryInBody},
		{Path: "/account_data/m.direct", Count: 1, Cut: niobottest.CutAfter},
	} {
		room := directRoom()
		active := hs.Fail(fault)
		must(t, hs.Bot().Leave(t.Context(), room, ""))
		if got := direct(t, hs); got != `{}` || active.Hits() == 0 {
			t.Errorf("m.direct is %s after %d faults", got, active.Hits())
		}
	}
	room := directRoom()
	hs.Fail(niobottest.Fault{Path: "/account_data/m.direct", Count: 1, Status: http.StatusForbidden, ErrCode: "M_FORBIDDEN"})
	wantErr(t, hs.Bot().Leave(t.Context(), room, ""), "it is left, but still marked as direct")
	must(t, hs.Bot().Leave(t.Context(), room, ""))
	if got := direct(t, hs); got != `{}` {
		t.Errorf("m.direct is %s", got)
	}
}

// nio-bot 78: what comes late must not mark a room that was left.
func TestDirectRoomThatIsLeftAtOnceIsNotMarked(t *testing.T) {
	hs, alice, _ := powered(t)
	for range 10 {
		room := alice.NewDirectRoom()
		must(t, hs.Bot().Leave(t.Context(), room, ""))
		if got := direct(t, hs); got != `{}` {
			t.Fatalf("m.direct is %s", got)
		}
	}
}

func TestForget(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	wantErr(t, bot.Forget(ctx, room), "forget "+string(room), "you are in the room")
	must(t, bot.SetRoomAccountData(ctx, room, weatherData, weather{"blue"}))
	must(t, bot.Leave(ctx, room, ""))
	hs.Fail(niobottest.Fault{Path: "/forget", Count: 1, Cut: niobottest.CutAfter})
	must(t, bot.Forget(ctx, room))
	if _, err := niobot.RoomAccountData[weather](ctx, bot, room, weatherData); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("data of a forgotten room: %v, want ErrNotFound", err)
	}
	// It may be joined again.
	alice.Invite(room)
	if _, err := bot.Join(ctx, string(room)); err != nil {
		t.Error(err)
	}
}
