package niobot_test

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// marks is the bot's m.direct as the server has it.
func (h *house) marks() map[id.UserID][]id.RoomID {
	h.t.Helper()
	marks := make(map[id.UserID][]id.RoomID)
	if data := h.hs.AccountData(h.botID, "", "m.direct"); data != nil {
		h.must(json.Unmarshal(data, &marks))
	}
	return marks
}

// mark sets the bot's m.direct, as another device of its account does.
func (h *house) mark(content string) {
	h.t.Helper()
	client, err := mautrix.NewClient("http://localhost", h.botID, h.token)
	h.must(err)
	client.Client.Transport = h.hs.Transport()
	h.must(client.SetAccountData(h.t.Context(), "m.direct", json.RawMessage(content)))
}

// nio-bot 69, 70: the room is usable at once, and all other marks stay.
func TestDirectRoomKeepsTheMarksOfOthers(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.mark(`{"@carol:elsewhere":["!c:elsewhere"],"@odd:elsewhere":7}`)
		room, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		again, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		if again != room {
			t.Errorf("a second call gave %s, want %s", again, room)
		}
		var marks map[string]any
		h.must(json.Unmarshal(h.hs.AccountData(h.botID, "", "m.direct"), &marks))
		want := map[string]any{"@carol:elsewhere": []any{"!c:elsewhere"}, "@odd:elsewhere": 7.0,
			string(h.alice.UserID): []any{string(room)}}
		if !reflect.DeepEqual(marks, want) {
			t.Errorf("m.direct is %v, want %v", marks, want)
		}
		h.settle()
		if r, ok := h.bot.Room(room); !ok || !r.Direct() {
			t.Error("the room does not count as direct")
		}
	})
}

func TestDirectRoomsAskedForAtOnceAreOne(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/createRoom", Latency: time.Second})
		rooms := make(chan id.RoomID, 8)
		for range cap(rooms) {
			go func() {
				room, _ := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
				rooms <- room
			}()
		}
		first := <-rooms
		for range cap(rooms) - 1 {
			if room := <-rooms; room != first || room == "" {
				t.Errorf("one call gave %q, another %q", first, room)
			}
		}
	})
}

func TestDirectRoomWaitsNoLongerThanItsContext(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/createRoom", Latency: 30 * time.Second})
		made := make(chan error)
		go func() {
			_, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
			made <- err
		}()
		h.settle()
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := h.bot.DirectRoom(ctx, h.alice.UserID); err == nil || time.Since(start) != time.Second {
			t.Errorf("returned %v after %s", err, time.Since(start))
		}
		h.must(<-made)
	})
}

func TestDirectRoomIsFoundBeforeTheBotHasSynced(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		room, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		fresh, err := niobot.New(niobot.Config{Homeserver: "http://localhost", Token: "token", Prefixes: []string{"!"}},
			h.logs.option())
		h.must(err)
		defer fresh.Close()
		again, err := fresh.DirectRoom(h.bed(h.t.Context()), h.alice.UserID)
		h.must(err)
		if again != room {
			t.Errorf("a bot that has not synced made %s, though there is %s", again, room)
		}
	})
}

// nio-bot 76.
func TestDirectRoomThatTheUserLeftIsNotUsed(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		room, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		_, err = h.alice.JoinRoomByID(h.t.Context(), room)
		h.must(err)
		_, err = h.alice.LeaveRoom(h.t.Context(), room)
		h.must(err)
		h.settle()
		again, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		if again == room {
			t.Error("the room that the user left was used")
		}
		if got := h.marks()[h.alice.UserID]; !slices.Equal(got, []id.RoomID{room, again}) {
			t.Errorf("marked are %v", got)
		}
	})
}

func TestDirectRoomIsMadeOnceWhereTheRateIsLimited(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/createRoom", Status: 429, RetryAfter: 5 * time.Second, RetryForm: fakehs.RetryInBody, Count: 2})
		_, err := h.bot.DirectRoom(h.t.Context(), h.alice.UserID)
		h.must(err)
		h.fail(fakehs.Fault{Path: "/createRoom", Cut: fakehs.CutAfter, Count: 1})
		before := h.hs.CountRequests(http.MethodPost, "/createRoom")
		if _, err := h.bot.DirectRoom(h.t.Context(), "@dave:localhost"); err == nil {
			t.Error("no error for a room of which nobody knows whether it was made")
		}
		if n := h.hs.CountRequests(http.MethodPost, "/createRoom") - before; n != 1 {
			t.Errorf("%d requests to make a room, want 1", n)
		}
	})
}

// nio-bot 58, 79: a direct invite is marked, and counts from the first message on.
func TestInviteIntoADirectRoomIsMarked(t *testing.T) {
	check := command("secret", ping2, niobot.Require(niobot.DirectOnly()))
	inHouse(t, setting{commands: []*niobot.Command{check}, opts: []niobot.Option{niobot.WithBareDirect()}}, func(h *house) {
		h.alice.say("!secret")
		h.wantSaid("That works only in a direct room with me.")
		h.fail(fakehs.Fault{Path: "/account_data/", Latency: 10 * time.Second})
		room, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{
			Preset: "trusted_private_chat", IsDirect: true, Invite: []id.UserID{h.botID},
		})
		h.must(err)
		h.settle()
		h.room = room.RoomID
		h.alice.say("secret")
		h.wantSaid("pong")
		h.pass(time.Minute)
		if got := h.marks()[h.alice.UserID]; !slices.Equal(got, []id.RoomID{h.room}) {
			t.Errorf("marked are %v", got)
		}
		h.alice.say("secret")
		h.wantSaid("pong", "pong")
		h.mark(`{}`) // Another device has taken the mark away.
		h.settle()
		h.alice.say("!secret")
		h.wantSaid("pong", "pong", "That works only in a direct room with me.")
	})
}

func ping2(ctx context.Context, c *niobot.Context) error { return c.Reply(ctx, "pong") }

func TestJoinPolicies(t *testing.T) {
	for _, test := range []struct {
		name   string
		policy []niobot.JoinPolicy
		want   event.Membership
	}{
		{"everyone", []niobot.JoinPolicy{niobot.JoinEveryone()}, event.MembershipJoin},
		{"none", []niobot.JoinPolicy{niobot.JoinNone()}, event.MembershipInvite},
		{"owners", []niobot.JoinPolicy{niobot.JoinOwners()}, event.MembershipInvite},
		{"the user", []niobot.JoinPolicy{niobot.JoinUsers("@alice:localhost")}, event.MembershipJoin},
		{"another user", []niobot.JoinPolicy{niobot.JoinUsers("@bob:localhost")}, event.MembershipInvite},
		{"the server", []niobot.JoinPolicy{niobot.JoinServers("LOCALHOST")}, event.MembershipJoin},
		{"another port", []niobot.JoinPolicy{niobot.JoinServers("localhost:8448")}, event.MembershipInvite},
		{"both, of which one refuses", []niobot.JoinPolicy{niobot.JoinEveryone(), niobot.JoinOwners()}, event.MembershipInvite},
		{"a function", []niobot.JoinPolicy{niobot.JoinIf(func(i niobot.Invite) bool { return i.Direct })}, event.MembershipInvite},
		{"small rooms", []niobot.JoinPolicy{niobot.JoinUpTo(2)}, event.MembershipJoin},
		{"smaller rooms", []niobot.JoinPolicy{niobot.JoinUpTo(1)}, event.MembershipLeave},
	} {
		t.Run(test.name, func(t *testing.T) {
			inHouse(t, setting{opts: []niobot.Option{niobot.WithAutoJoin(test.policy...)}, before: func(*house) {}}, func(h *house) {
				room, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{
					Preset: "private_chat", Invite: []id.UserID{h.botID},
				})
				h.must(err)
				h.settle()
				if got := h.hs.Members(room.RoomID)[h.botID]; got != test.want {
					t.Errorf("the bot's membership is %q, want %q", got, test.want)
				}
			})
		})
	}
}

// nio-bot 79: over federation, the first attempts may come too soon.
func TestJoinIsTriedAgain(t *testing.T) {
	for name, fault := range map[string]fakehs.Fault{
		"not found":   {Path: "/join/", Status: 404, ErrCode: "M_NOT_FOUND", Count: 3},
		"rate":        {Path: "/join/", Status: 429, RetryAfter: 20 * time.Second, RetryForm: fakehs.RetryInBody, Count: 3},
		"cut after":   {Path: "/join/", Cut: fakehs.CutAfter, Count: 3},
		"bad gateway": {Path: "/join/", Status: 502, Count: 12},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{before: func(h *house) { h.fail(fault) }}, func(h *house) {
				room, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{
					Preset: "private_chat", Invite: []id.UserID{h.botID},
				})
				h.must(err)
				h.pass(15 * time.Minute)
				if got := h.hs.Members(room.RoomID)[h.botID]; got != event.MembershipJoin {
					t.Errorf("the bot's membership is %q", got)
				}
			})
		})
	}
}

func TestRoomUpgradeIsFollowedWhereItsSenderCouldInvite(t *testing.T) {
	for _, test := range []struct {
		name   string
		levels string
		cut    bool
		want   event.Membership
	}{
		{"with power", `{"users":{"@alice:localhost":100},"invite":50}`, false, event.MembershipJoin},
		{"with power, in a response that is cut", `{"users":{"@alice:localhost":100},"invite":50}`, true, event.MembershipJoin},
		{"without power", `{"users":{"@alice:localhost":50},"invite":100}`, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inHouse(t, setting{}, func(h *house) {
				next, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{Preset: "public_chat"})
				h.must(err)
				h.alice.state(h.room, event.StatePowerLevels, "", json.RawMessage(test.levels))
				h.settle()
				if test.cut {
					h.fail(fakehs.Fault{Path: "/sync", Cut: fakehs.CutMiddle, Count: 3})
				}
				h.alice.state(h.room, event.StateTombstone, "", &event.TombstoneEventContent{ReplacementRoom: next.RoomID})
				h.pass(time.Minute)
				if got := h.hs.Members(next.RoomID)[h.botID]; got != test.want {
					t.Errorf("the bot's membership of the next room is %q, want %q", got, test.want)
				}
			})
		})
	}
}

// nio-bot 56: the levels of the room decide, with the specification's defaults.
func TestPowerChecks(t *testing.T) {
	commands := []*niobot.Command{
		command("mod", ping2, niobot.Require(niobot.SenderPower(50))),
		command("botmod", ping2, niobot.Require(niobot.BotPower(50))),
		command("topic", ping2, niobot.Require(niobot.SenderCan(niobot.Sending(event.StateTopic)))),
	}
	inHouse(t, setting{commands: commands}, func(h *house) {
		for _, step := range []struct{ levels, command, want string }{
			{`{"users":{"@alice:localhost":100}}`, "!mod", "pong"},
			{`{"users":{"@alice:localhost":100}}`, "!botmod",
				"For that I need a power level of 50 in this room, and mine is 0."},
			{`{"users":{"@alice:localhost":100},"users_default":60}`, "!botmod", "pong"},
			{`{"users":{"@alice:localhost":100},"events":{"m.room.topic":99}}`, "!topic", "pong"},
			{`{"users":{"@alice:localhost":49},"state_default":49,"events":{"m.room.power_levels":49}}`, "!mod",
				"That takes a power level of 50, and yours is 49."},
			{`{"users":{"@alice:localhost":49},"state_default":49,"events":{"m.room.power_levels":49}}`, "!topic", "pong"},
		} {
			h.alice.state(h.room, event.StatePowerLevels, "", json.RawMessage(step.levels))
			h.settle()
			h.alice.say(step.command)
			h.settle()
			if said := h.said(h.room); said[len(said)-1] != step.want {
				t.Errorf("with %s, %s was answered by %q, want %q", step.levels, step.command, said[len(said)-1], step.want)
			}
		}
	})
}

// nio-bot 57: a server's name includes its port.
func TestFromServerComparesPorts(t *testing.T) {
	for server, want := range map[string]string{
		"localhost": "pong", "LocalHost": "pong", "localhost:8448": "Users of your server may not do that.",
	} {
		commands := []*niobot.Command{command("here", ping2, niobot.Require(niobot.FromServer(server)))}
		inHouse(t, setting{commands: commands}, func(h *house) {
			h.alice.say("!here")
			h.wantSaid(want)
		})
	}
}

// nio-bot 23: receipts are apart from all other work, and one covers all that came meanwhile.
func TestReceiptsAreCoalesced(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.pass(time.Minute)
		before := h.hs.CountRequests("", "/receipt/")
		var last id.EventID
		for range 20 {
			last = h.alice.say("text")
			h.settle()
		}
		h.pass(10 * time.Second)
		if n := h.hs.CountRequests("", "/receipt/") - before; n > 3 {
			t.Errorf("%d receipts for 20 messages at once", n)
		}
		if got := h.hs.ReadUpTo(h.room, h.botID, event.ReceiptTypeRead); got != last {
			t.Errorf("read up to %s, want %s", got, last)
		}
		h.fail(fakehs.Fault{Path: "/receipt/", Status: 429, RetryAfter: time.Minute, RetryForm: fakehs.RetryInBody})
		h.alice.say("!ping")
		h.wantSaid("pong")
	})
}

// nio-bot 75: typing is renewed for as long as the handler works, and ends with it.
func TestTypingLastsAsLongAsTheHandler(t *testing.T) {
	slow := command("slow", func(ctx context.Context, c *niobot.Context) error {
		c.Typing()
		c.Typing()
		select {
		case <-time.After(100 * time.Second):
		case <-ctx.Done():
		}
		return c.Reply(ctx, "done")
	})
	inHouse(t, setting{commands: []*niobot.Command{slow}}, func(h *house) {
		h.alice.say("!slow")
		for range 9 {
			h.pass(10 * time.Second)
			if got := h.hs.Typing(h.room); !slices.Equal(got, []id.UserID{h.botID}) {
				t.Errorf("typing are %v", got)
			}
		}
		h.pass(11 * time.Second)
		if got := h.hs.Typing(h.room); len(got) != 0 {
			t.Errorf("after the end, typing are %v", got)
		}
		h.wantSaid("done")
	})
}
