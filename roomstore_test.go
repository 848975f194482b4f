package niobot_test

import (
	"fmt"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestStateOfManyRoomsIsReadWhenItIsAskedFor(t *testing.T) {
	const rooms, most = 40, 5
	s := kept(setting{tune: func(bot *niobot.Bot) { bot.KeepRooms(most) }})
	inHouse(t, s, func(h *house) {
		var all []id.RoomID
		for i := range rooms {
			room := h.alice.newRoom()
			h.alice.state(room, event.StateTopic, "", map[string]string{"topic": fmt.Sprint("topic ", i)})
			h.alice.state(room, event.StatePowerLevels, "", map[string]any{
				"users": map[id.UserID]int{h.alice.UserID: 100, h.botID: i},
			})
			h.pass(time.Second)
			all = append(all, room)
		}
		check := func(when string) {
			t.Helper()
			for i, id := range all {
				room, ok := h.bot.Room(id)
				if !ok || room.Topic() != fmt.Sprint("topic ", i) || room.PowerLevels().User(h.botID) != i ||
					room.Membership() != event.MembershipJoin || room.Version() != "11" {
					t.Errorf("%s: room %d is %q with power %d", when, i, room.Topic(), room.PowerLevels().User(h.botID))
				}
				if m, ok := room.Member(h.alice.UserID); !ok || m.Membership != event.MembershipJoin || len(room.Members()) != 2 {
					t.Errorf("%s: alice is %+v in room %d of %d members", when, m, i, len(room.Members()))
				}
				if _, ok := room.Member("@nobody:localhost"); ok {
					t.Error("a stranger is a member")
				}
			}
			// Those that were asked for lately are given a second chance.
			if n := h.bot.LoadedRooms(); n > 2*most {
				t.Errorf("%s: the state of %d rooms is in memory, want about %d", when, n, most)
			}
		}
		check("at first")
		check("again")
		h.down()
		h.up(s)
		h.pass(time.Second)
		check("after a restart")
		h.alice.state(all[3], event.StateTopic, "", map[string]string{"topic": "new"})
		h.settle()
		for range 2 {
			if room, _ := h.bot.Room(all[3]); room.Topic() != "new" {
				t.Errorf("the topic is %q", room.Topic())
			}
			h.pass(time.Second)
			for _, id := range all[10:] {
				room, _ := h.bot.Room(id)
				_ = room.Topic()
			}
		}
		_, err := h.alice.KickUser(h.t.Context(), all[5], &mautrix.ReqKickUser{UserID: h.botID})
		h.must(err)
		h.pass(time.Second)
		h.down()
		h.up(s)
		if room, ok := h.bot.Room(all[5]); !ok || room.Membership() != event.MembershipLeave {
			t.Error("the bot takes itself for a member of a room that it was kicked from")
		}
	})
}

func TestInviteOfBeforeARestartIsAccepted(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		refused := h.fail(fakehs.Fault{Path: "/join", Status: 502})
		resp, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{Invite: []id.UserID{h.botID}})
		h.must(err)
		h.pass(time.Second)
		h.down()
		refused.Remove()
		h.up(s)
		h.pass(time.Minute)
		if m := h.hs.Members(resp.RoomID)[h.botID]; m != event.MembershipJoin {
			t.Errorf("the bot is %q in a room that it was invited to before", m)
		}
	})
}

func TestForgottenTokenIsNoEnd(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		h.alice.say("!echo one")
		h.wantSaid("echo one")
		h.pass(time.Second)
		h.down()
		h.fail(fakehs.Fault{Path: "/sync", Status: 400, ErrCode: "M_INVALID_PARAM", Count: 4})
		h.up(s)
		h.pass(time.Minute)
		h.alice.say("!echo two")
		h.wantSaid("echo one", "echo two")
	})
}
