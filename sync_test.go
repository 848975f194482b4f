package niobot_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func numbered(n int, prefix string) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%s%d", prefix, i))
	}
	return texts
}

// Each trouble of the network or the server must neither lose a command nor answer one twice.
func TestCommandsAreAnsweredOnceWhateverTheServerDoes(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults []fakehs.Fault
	}{
		{"sync cut before", []fakehs.Fault{{Path: "/sync", Cut: fakehs.CutBefore, Count: 2}}},
		{"sync cut after", []fakehs.Fault{{Path: "/sync", Cut: fakehs.CutAfter, Count: 2}}},
		{"sync cut in the middle", []fakehs.Fault{{Path: "/sync", Cut: fakehs.CutMiddle, Count: 3}}},
		{"every other sync cut", []fakehs.Fault{{Path: "/sync", Cut: fakehs.CutMiddle, Probability: 0.5, Seed: 7, Count: 20}}},
		{"sync answered with an error", []fakehs.Fault{{Path: "/sync", Status: 502, Count: 3}}},
		{"sync answered with HTML", []fakehs.Fault{{Path: "/sync", Response: []byte("<html>"), Count: 2}}},
		{"sync answered with null", []fakehs.Fault{{Path: "/sync", Response: []byte("null"), Count: 2}}},
		{"sync without next_batch", []fakehs.Fault{{Path: "/sync", Response: []byte(`{"rooms":{}}`), Count: 2}}},
		{"duplicates", []fakehs.Fault{{Path: "/sync", Duplicate: true}}},
		{"replays", []fakehs.Fault{{Path: "/sync", Replay: 10}}},
		{"limited", []fakehs.Fault{{Path: "/sync", TimelineLimit: 1}}},
		{"limited, with replays and duplicates",
			[]fakehs.Fault{{Path: "/sync", TimelineLimit: 3, Duplicate: true, Replay: 2}}},
		{"limited, and messages cut", []fakehs.Fault{{Path: "/sync", TimelineLimit: 1},
			{Path: "/messages", Cut: fakehs.CutMiddle, Count: 2}, {Path: "/messages", Status: 500, Count: 2, Skip: 2}}},
		{"send cut before", []fakehs.Fault{{Path: "/send/", Cut: fakehs.CutBefore, Count: 3}}},
		{"send cut after", []fakehs.Fault{{Path: "/send/", Cut: fakehs.CutAfter, Count: 3}}},
		{"send cut in the middle", []fakehs.Fault{{Path: "/send/", Cut: fakehs.CutMiddle, Count: 3}}},
		{"send answered with an error", []fakehs.Fault{{Path: "/send/", Status: 500, Count: 3}}},
		{"send refused for the rate, told in the header", []fakehs.Fault{{Path: "/send/", Status: 429, Count: 3,
			RetryAfter: 4 * time.Second, RetryForm: fakehs.RetryInHeader}}},
		{"send refused for the rate, told in the body", []fakehs.Fault{{Path: "/send/", Status: 429, Count: 3,
			RetryAfter: 4 * time.Second, RetryForm: fakehs.RetryInBody}}},
		{"send refused for the rate without a time", []fakehs.Fault{{Path: "/send/", Status: 429, Count: 3}}},
		{"all at random", []fakehs.Fault{
			{Cut: fakehs.CutAfter, Probability: 0.2, Seed: 1, Count: 30},
			{Cut: fakehs.CutBefore, Probability: 0.2, Seed: 2, Count: 30},
			{Path: "/sync", Cut: fakehs.CutMiddle, Probability: 0.3, Seed: 3, Count: 30},
			{Status: 503, Probability: 0.2, Seed: 4, Count: 30},
			{Path: "/sync", TimelineLimit: 2, Replay: 1, Duplicate: true},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inHouse(t, setting{config: workers(1)}, func(h *house) {
				for _, f := range test.faults {
					h.fail(f)
				}
				var want []string
				for round := range 3 {
					for _, text := range numbered(5, fmt.Sprint(round)) {
						h.alice.say("!echo " + text)
						want = append(want, "echo "+text)
					}
					h.pass(20 * time.Second)
				}
				h.pass(10 * time.Minute)
				h.wantSaid(want...)
			})
		})
	}
}

func TestReorderedEventsAreAnsweredOnce(t *testing.T) {
	inHouse(t, setting{config: workers(1)}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/sync", Shuffle: true, Seed: 5, Replay: 4})
		var want []string
		for _, text := range numbered(20, "") {
			h.alice.say("!echo " + text)
			want = append(want, "echo "+text)
		}
		h.settle()
		got := h.said(h.room)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the bot said %q", got)
		}
	})
}

// nio-bot 18: what a limited timeline leaves out is fetched, page by page, and handled in the order of the room.
func TestGapInTheTimelineIsFilledInOrder(t *testing.T) {
	const messages = 250
	inHouse(t, setting{config: workers(1)}, func(h *house) {
		block := h.fail(fakehs.Fault{Path: "/sync", Status: 503})
		h.pass(time.Minute) // The long poll is over, and the next syncs fail.
		var want []string
		for _, text := range numbered(messages, "") {
			h.alice.say("!echo " + text)
			want = append(want, "echo "+text)
		}
		block.Remove()
		h.pass(2 * time.Minute)
		h.wantSaid(want...)
		if pages := h.hs.CountRequests(http.MethodGet, "/messages"); pages < 2 {
			t.Errorf("%d pages were asked for, want several", pages)
		}
	})
}

func TestGapThatCannotBeFilledLosesOnlyItself(t *testing.T) {
	for name, fault := range map[string]fakehs.Fault{
		"null":       {Path: "/messages", Response: []byte("null")},
		"empty":      {Path: "/messages", Response: []byte("{}")},
		"wrong type": {Path: "/messages", Response: []byte(`{"chunk":7,"end":[]}`)},
		"odd events": {Path: "/messages", Response: []byte(`{"chunk":[null,7,[],{},{"type":7},{"type":"m.room.message","content":7}]}`)},
		"no end":     {Path: "/messages", Response: []byte(`{"chunk":[],"end":"again"}`)},
		"refused":    {Path: "/messages", Status: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{config: workers(1)}, func(h *house) {
				limit := h.fail(fakehs.Fault{Path: "/sync", TimelineLimit: 1})
				h.fail(fault)
				block := h.fail(fakehs.Fault{Path: "/sync", Status: 503})
				h.pass(time.Minute) // The long poll is over: both messages come with one sync.
				h.alice.say("!echo lost")
				h.alice.say("!echo kept")
				block.Remove()
				h.pass(2 * time.Minute)
				limit.Remove()
				h.alice.say("!ping")
				h.settle()
				got := h.said(h.room)
				if !slices.Contains(got, "echo kept") || got[len(got)-1] != "pong" {
					t.Errorf("the bot said %q", got)
				}
			})
		})
	}
}

// nio-bot 19: by position, not by the sender's clock.
func TestHistoryOfTheFirstSyncIsNotAnswered(t *testing.T) {
	inHouse(t, setting{before: func(h *house) {
		resp, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{Preset: "private_chat", Invite: []id.UserID{h.botID}})
		h.must(err)
		h.room = resp.RoomID
		_, err = h.hs.LogIn(h.botID, "")
		h.must(err)
		h.join(h.room)
		for range 60 {
			h.alice.say("!ping")
		}
	}}, func(h *house) {
		h.wantSaid()
		h.alice.say("!ping")
		h.wantSaid("pong")
	})
}

// join puts the bot into a room before it runs.
func (h *house) join(room id.RoomID) {
	h.t.Helper()
	client, err := mautrix.NewClient("http://localhost", h.botID, h.token)
	h.must(err)
	client.Client.Transport = h.hs.Transport()
	_, err = client.JoinRoomByID(h.t.Context(), room)
	h.must(err)
}

func TestClocksThatAreWrongDropNoCommand(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		var want []string
		for i, skew := range []time.Duration{-24 * 365 * time.Hour, -time.Hour, time.Hour, 24 * 365 * time.Hour} {
			raw := fmt.Sprintf(`{"type":"m.room.message","event_id":"$skewed%d","sender":%q,"origin_server_ts":%d,`+
				`"unsigned":{"age":%d},"content":{"msgtype":"m.text","body":"!echo %s"}}`,
				i, h.alice.UserID, time.Now().Add(skew).UnixMilli(), -skew.Milliseconds(), skew)
			_, err := h.hs.InjectTimeline(h.room, []byte(raw))
			h.must(err)
			want = append(want, "echo "+skew.String())
			h.settle()
		}
		h.wantSaid(want...)
	})
}

func TestWhatCameBeforeTheJoinIsHistory(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		room, err := h.alice.CreateRoom(h.t.Context(), &mautrix.ReqCreateRoom{Preset: "public_chat"})
		h.must(err)
		h.alice.sayIn(room.RoomID, "!echo before")
		h.fail(fakehs.Fault{Path: "/join/", Latency: 40 * time.Second})
		_, err = h.alice.InviteUser(h.t.Context(), room.RoomID, &mautrix.ReqInviteUser{UserID: h.botID})
		h.must(err)
		h.alice.sayIn(room.RoomID, "!echo also before") // The join takes its time.
		// The long poll ends, and the next syncs fail until something has been said after the join: all comes at once.
		block := h.fail(fakehs.Fault{Path: "/sync", Status: 503})
		h.pass(time.Minute)
		h.alice.sayIn(room.RoomID, "!echo after")
		block.Remove()
		h.pass(2 * time.Minute)
		if got := h.said(room.RoomID); !slices.Equal(got, []string{"echo after"}) {
			t.Errorf("the bot said %q", got)
		}
	})
}

func TestRoomThatIsJoinedAgainIsAnsweredFromThereOn(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.alice.say("!ping")
		h.settle()
		_, err := h.alice.KickUser(h.t.Context(), h.room, &mautrix.ReqKickUser{UserID: h.botID})
		h.must(err)
		h.settle()
		if r, _ := h.bot.Room(h.room); r.Membership() != event.MembershipLeave {
			t.Errorf("after the kick, the membership is %q", r.Membership())
		}
		h.alice.say("!echo while away")
		h.settle()
		_, err = h.alice.InviteUser(h.t.Context(), h.room, &mautrix.ReqInviteUser{UserID: h.botID})
		h.must(err)
		h.settle()
		h.alice.say("!echo back")
		h.wantSaid("pong", "echo back")
		_, err = h.alice.BanUser(h.t.Context(), h.room, &mautrix.ReqBanUser{UserID: h.botID})
		h.must(err)
		h.settle()
		if r, _ := h.bot.Room(h.room); r.Membership() != event.MembershipBan {
			t.Errorf("after the ban, the membership is %q", r.Membership())
		}
		if rooms := h.bot.Rooms(); len(rooms) != 0 {
			t.Errorf("the bot is in %v", rooms)
		}
	})
}

// nio-bot 6, 7, 8: state that comes in a timeline counts, and the newer one wins.
func TestStateOfATimelineIsTaken(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		room, _ := h.bot.Room(h.room)
		for _, topic := range []string{"first", "second"} {
			h.alice.state(h.room, event.StateTopic, "", &event.TopicEventContent{Topic: topic})
			h.settle()
			if got := room.Topic(); got != topic {
				t.Errorf("the topic is %q, want %q", got, topic)
			}
		}
		bob := h.guest("bob")
		if _, ok := room.Member(bob.UserID); ok {
			t.Error("bob is known before he was there")
		}
		_, err := h.alice.InviteUser(h.t.Context(), h.room, &mautrix.ReqInviteUser{UserID: bob.UserID})
		h.must(err)
		_, err = bob.JoinRoomByID(h.t.Context(), h.room)
		h.must(err)
		h.settle()
		if m, _ := room.Member(bob.UserID); m.Membership != event.MembershipJoin {
			t.Errorf("bob's membership is %q", m.Membership)
		}
		_, err = bob.LeaveRoom(h.t.Context(), h.room)
		h.must(err)
		h.settle()
		if m, _ := room.Member(bob.UserID); m.Membership != event.MembershipLeave {
			t.Errorf("bob's membership is %q", m.Membership)
		}
	})
}

func TestTokenThatIsRevokedEndsRun(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		if !h.hs.Revoke(h.token, false) {
			t.Fatal("not revoked")
		}
		h.pass(time.Minute)
		within(h.t, "Run returns", h.ended)
		if !errors.Is(h.err, niobot.ErrUnknownToken) || !errors.Is(h.err, mautrix.MUnknownToken) {
			t.Errorf("Run returned %v", h.err)
		}
	})
}

func TestSyncThatIsRefusedForTheRateWaitsAsLongAsTold(t *testing.T) {
	for name, form := range map[string]fakehs.RetryAfterForm{
		"header": fakehs.RetryInHeader, "body": fakehs.RetryInBody, "both": fakehs.RetryInBoth,
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{}, func(h *house) {
				h.fail(fakehs.Fault{Path: "/sync", Status: 429, RetryAfter: 90 * time.Second, RetryForm: form, Count: 1})
				before := h.hs.CountRequests("", "/sync")
				h.alice.say("nothing") // Ends the poll that is under way.
				h.pass(89 * time.Second)
				if n := h.hs.CountRequests("", "/sync") - before; n != 1 {
					t.Errorf("%d syncs within the wait, want the one that was refused", n)
				}
				h.alice.say("!ping")
				h.pass(2 * time.Second)
				h.wantSaid("pong")
			})
		})
	}
}

func TestSyncThatFailsIsRepeatedWithGrowingWaits(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		fault := h.fail(fakehs.Fault{Path: "/sync", Status: 500})
		h.alice.say("nothing")
		h.pass(10 * time.Minute)
		// Half a second, doubled up to a minute: some 15 in 10 minutes, with jitter some more.
		if n := fault.Hits(); n < 8 || n > 30 {
			t.Errorf("%d syncs in 10 minutes of trouble", n)
		}
		fault.Remove()
		h.pass(time.Minute)
		h.alice.say("!ping")
		h.wantSaid("pong")
		if lines := h.logs.with("WARN", "sync failed"); len(lines) != fault.Hits() {
			t.Errorf("%d lines for %d failures", len(lines), fault.Hits())
		}
	})
}

func TestBotGoesOnAfterTheServerWasAway(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.must(h.hs.Unplug())
		h.pass(5 * time.Minute)
		h.must(h.hs.Plug())
		h.pass(2 * time.Minute)
		h.alice.say("!ping")
		h.wantSaid("pong")
	})
}

func TestSyncAsksForNoHistoryAndSkipsWhatNobodyWants(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		for range 5 {
			h.alice.say("!ping")
			h.settle()
		}
		if n := h.hs.CountRequests(http.MethodPost, "/filter"); n != 2 {
			t.Errorf("%d filters were made, want one for the first sync and one for the rest", n)
		}
		before := h.hs.CountRequests("", "/sync")
		h.must(h.hs.SetTyping(h.alice.UserID, h.room, true))
		h.settle()
		if n := h.hs.CountRequests("", "/sync") - before; n != 0 {
			t.Error("a typing notification that nobody listens for woke the bot")
		}
	})
}

func TestLongPollsAreShorterThanTheirTimeLimit(t *testing.T) {
	inHouse(t, setting{}, func(h *house) { // nio-bot 17
		before := h.hs.CountRequests("", "/sync")
		h.pass(5 * time.Minute)
		if n := h.hs.CountRequests("", "/sync") - before; n < 9 || n > 11 {
			t.Errorf("%d syncs in 5 quiet minutes, want one each 30 s", n)
		}
		lines := slices.DeleteFunc(h.logs.with("WARN"), func(l string) bool { return strings.Contains(l, "has no store") })
		if len(lines) > 0 {
			t.Errorf("quiet minutes were logged: %s", strings.Join(lines, "\n"))
		}
	})
}
