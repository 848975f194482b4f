package niobot_test

import (
	"errors"
	"fmt"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestUpgrade(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	must(t, bot.SetRoomName(ctx, room, "Tea"))
	must(t, bot.SetAccountData(ctx, "m.direct", map[id.UserID][]id.RoomID{alice.ID(): {room}}))
	next, err := bot.Upgrade(ctx, room, "12")
	must(t, err)
	hs.Settle()
	r, ok := bot.Room(next)
	if !ok || r.Membership() != event.MembershipJoin || r.Version() != "12" || r.Name(hs.BotID()) != "Tea" || !r.Direct() {
		t.Errorf("the new room is %+v", r)
	}
	if old, _ := bot.Room(room); old.Replacement() != next {
		t.Errorf("the old room points to %q, want %q", old.Replacement(), next)
	}
	if got, want := direct(t, hs), fmt.Sprintf(`{"@alice:localhost":[%q,%q]}`, room, next); got != want {
		t.Errorf("m.direct is %s, want %s", got, want)
	}
	must(t, bot.Invite(ctx, next, alice.ID(), ""))
	_, err = alice.Client().JoinRoomByID(ctx, next)
	must(t, err)
	pinged(alice, next)
}

func TestUpgradeIsRefused(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	_, err := bot.Upgrade(ctx, room, "none")
	if !errors.Is(err, mautrix.MUnsupportedRoomVersion) {
		t.Errorf("an unknown version: %v", err)
	}
	weak := alice.NewRoom()
	_, err = bot.Upgrade(ctx, weak, "11")
	if low, ok := errors.AsType[*niobot.PowerError](err); !ok || low.Need != 100 || low.Have != 0 {
		t.Errorf("without power: %v", err)
	}
	_, err = bot.Upgrade(ctx, roomOf(t, alice), "11")
	if _, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok {
		t.Errorf("a room of others: %v", err)
	}
	posts := hs.Fail(niobottest.Fault{Path: "/upgrade", Cut: niobottest.CutAfter})
	if _, err := bot.Upgrade(ctx, room, "11"); err == nil || posts.Hits() != 1 {
		t.Errorf("a lost answer: %v after %d requests", err, posts.Hits())
	}
}
