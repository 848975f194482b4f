package niobot_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestEditAfterARestartFindsNoReplyThatIsGone(t *testing.T) {
	s := kept(setting{commands: []*niobot.Command{
		niobot.NewCommand("hush", func(context.Context, *niobot.Context, niobot.NoArgs) error { return nil }),
	}})
	inHouse(t, s, func(h *house) {
		command := h.alice.say("!echo one")
		h.settle()
		h.alice.edit(command, "!hush")
		h.wantSaid("gone")
		h.pass(time.Second)
		h.down()
		h.up(s)
		h.alice.edit(command, "!echo two")
		h.pass(time.Second)
		h.wantSaid("gone", "echo two")
	})
}

func TestUpgradeThatACrashHasInterruptedIsFollowed(t *testing.T) {
	s, store := mortalSetting()
	inHouse(t, s, func(h *house) {
		next, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{Preset: "public_chat"})
		h.must(err)
		refused := h.fail(fakehs.Fault{Path: "/join/", Status: 502})
		h.alice.state(h.room, event.StateTombstone, "", &event.TombstoneEventContent{ReplacementRoom: next.RoomID})
		h.pass(time.Second)
		h.crash(store)
		refused.Remove()
		h.up(s)
		h.pass(time.Minute)
		if got := h.hs.Members(next.RoomID)[h.botID]; got != event.MembershipJoin {
			t.Fatalf("the bot's membership of the next room is %q", got)
		}
		h.must(h.bot.Leave(h.t.Context(), next.RoomID, ""))
		h.pass(time.Second)
		h.down()
		h.up(s)
		h.pass(time.Minute)
		if got := h.hs.Members(next.RoomID)[h.botID]; got != event.MembershipLeave {
			t.Errorf("the bot's membership of the next room that it left is %q", got)
		}
	})
}

// The server has lost what the sync token stood for, and with it what happened since.
func TestTokenThatIsRefusedLeavesNoRoomsOfBefore(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		bob := h.guest("bob")
		_, err := h.alice.InviteUser(h.t.Context(), h.room, &mautrix.ReqInviteUser{UserID: bob.UserID})
		h.must(err)
		_, err = bob.JoinRoomByID(h.t.Context(), h.room)
		h.must(err)
		left := h.alice.newRoom()
		h.pass(time.Second)
		h.down()
		_, err = h.alice.KickUser(h.t.Context(), left, &mautrix.ReqKickUser{UserID: h.botID})
		h.must(err)
		_, err = bob.LeaveRoom(h.t.Context(), h.room)
		h.must(err)
		h.fail(fakehs.Fault{
			Path: "/sync", Status: 400, ErrCode: "M_INVALID_PARAM", Count: 4,
			Match: func(r *http.Request) bool { return r.URL.Query().Get("since") != "" },
		})
		h.up(s)
		h.pass(5 * time.Minute)
		if rooms := h.bot.Rooms(); len(rooms) != 1 || rooms[0].ID() != h.room {
			t.Errorf("the bot takes itself to be in %v", rooms)
		}
		for range 2 {
			room, _ := h.bot.Room(h.room)
			if m, ok := room.Member(bob.UserID); ok && m.Membership == event.MembershipJoin {
				t.Error("bob is there though he has left")
			}
			if gone, ok := h.bot.Room(left); ok && gone.Membership() == event.MembershipJoin {
				t.Error("the room that the bot was kicked from is one of its own")
			}
			h.alice.say("!ping")
			h.pass(time.Second)
			h.down()
			h.up(s)
		}
		h.wantSaid("pong", "pong")
	})
}

func TestTapThatACrashHasInterruptedIsHandled(t *testing.T) {
	menu, poll := voting()
	s, store := mortalSetting(poll)
	s.tune = func(b *niobot.Bot) { b.AddMenu(menu) }
	inHouse(t, s, func(h *house) {
		h.alice.say("!poll")
		h.settle()
		question := h.last().ID
		h.pass(time.Second)
		h.down()
		h.up(s) // The bot asks the server what the message was.
		slow := h.fail(fakehs.Fault{Path: "/event/", Status: 502})
		h.alice.react(question, "🍕")
		h.pass(time.Second)
		h.crash(store)
		slow.Remove()
		h.up(s)
		h.pass(time.Minute)
		h.wantSaid("lunch?", "alice takes pizza")
		h.pass(time.Second)
		h.crash(store)
		h.up(s)
		h.pass(time.Minute)
		h.wantSaid("lunch?", "alice takes pizza")
	})
}

func TestRestOfAGapIsFilledByTheNextStart(t *testing.T) {
	s := kept(setting{config: func(c *niobot.Config) { c.Backlog = -1 }})
	inHouse(t, s, func(h *house) {
		h.alice.say("!echo first")
		h.pass(time.Second)
		h.down()
		h.alice.say("!echo second")
		for range 150 {
			h.alice.say("x")
		}
		h.alice.say("!echo third")
		for range 60 {
			h.alice.say("x")
		}
		broken := h.fail(fakehs.Fault{Path: "/messages", Status: 502, Skip: 1})
		h.up(s)
		h.pass(time.Hour)
		h.wantSaid("echo first", "echo third")
		h.down()
		broken.Remove()
		for range 2 {
			h.up(s)
			h.pass(time.Minute)
			h.wantSaid("echo first", "echo third", "echo second")
			h.down()
		}
		h.up(s)
	})
}
