package fakehs_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func memberKeys(events []*event.Event) []string {
	var list []string
	for _, evt := range events {
		if evt.Type.Type == "m.room.member" {
			list = append(list, *evt.StateKey)
		}
	}
	slices.Sort(list)
	return list
}

func TestInitialSyncHoldsStateBeforeTheTimeline(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	must(hs.SendState(alice.UserID, room, event.StateRoomName, "", map[string]string{"name": "first"}))(t)
	for i := range 12 {
		must(hs.SendText(alice.UserID, room, fmt.Sprint(i)))(t)
	}
	must(hs.SendState(alice.UserID, room, event.StateRoomName, "", map[string]string{"name": "second"}))(t)

	part := syncOnce(t, bob, "").Rooms.Join[room]
	name := part.State.Events[slices.IndexFunc(part.State.Events, func(evt *event.Event) bool {
		return evt.Type.Type == "m.room.name"
	})]
	if got := name.Content.Raw["name"]; got != "first" {
		t.Errorf("the state before the timeline says the name is %v", got)
	}
	last := part.Timeline.Events[len(part.Timeline.Events)-1]
	if last.Content.Raw["name"] != "second" || last.Unsigned.PrevContent.Raw["name"] != "first" {
		t.Errorf("the timeline ends with %v, before it %v", last.Content.Raw, last.Unsigned.PrevContent)
	}
	if !part.Timeline.Limited || len(part.Timeline.Events) != 10 {
		t.Errorf("limited %t with %d events", part.Timeline.Limited, len(part.Timeline.Events))
	}
	if part.Summary.JoinedMemberCount == nil || *part.Summary.JoinedMemberCount != 2 ||
		!slices.Equal(part.Summary.Heroes, nil) {
		t.Errorf("got summary %+v", part.Summary)
	}
}

func TestHeroesStandInForAMissingName(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	part := syncOnce(t, bob, "").Rooms.Join[room]
	if got := part.Summary.Heroes; !slices.Equal(got, []id.UserID{alice.UserID}) {
		t.Errorf("got heroes %v", got)
	}
}

func TestGapGivesTheStateThatChangedInIt(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	must(hs.SendState(alice.UserID, room, event.StateTopic, "", map[string]string{"topic": "new"}))(t)
	var want []string
	for i := range 15 {
		text := fmt.Sprint(i)
		want = append(want, text)
		must(hs.SendText(alice.UserID, room, text))(t)
	}
	part := syncOnce(t, bob, since).Rooms.Join[room]
	if !part.Timeline.Limited {
		t.Fatal("the timeline is not limited")
	}
	if got := types(part.State.Events); !slices.Equal(got, []string{"m.room.topic"}) {
		t.Errorf("the state holds %v", got)
	}
	// The hole can be filled from prev_batch back to the token of the last sync, without overlap.
	fill := must(bob.Messages(deadline(t), room, part.Timeline.PrevBatch, since, mautrix.DirectionBackward, nil, 100))(t)
	slices.Reverse(fill.Chunk)
	if got := bodies(append(fill.Chunk, part.Timeline.Events...)); !slices.Equal(got, want) {
		t.Errorf("filled: %q", got)
	}
	if fill.End != "" {
		t.Errorf("the filled gap goes on at %s", fill.End)
	}
}

func TestLazyMembersComeOnceForEachSender(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	carol := person(t, hs, "carol")
	for _, extra := range []string{"dan", "eve", "fay", "gus", "hal", "ida"} {
		u := person(t, hs, extra)
		if err := hs.SetMembership(u.UserID, room, u.UserID, "join"); err != nil {
			t.Fatal(err)
		}
	}
	if err := hs.SetMembership(carol.UserID, room, carol.UserID, "join"); err != nil {
		t.Fatal(err)
	}
	const lazy = `{"room":{"state":{"lazy_load_members":true},"timeline":{"limit":1}}}`
	must(hs.SendText(alice.UserID, room, "one"))(t)
	first := syncFilter(t, bob, "", lazy)
	members := memberKeys(first.Rooms.Join[room].State.Events)
	if !slices.Contains(members, bob.UserID.String()) || !slices.Contains(members, alice.UserID.String()) {
		t.Errorf("self and sender are missing from %v", members)
	}
	if slices.Contains(members, carol.UserID.String()) {
		t.Errorf("%v holds someone who is neither sender nor hero", members)
	}

	must(hs.SendText(carol.UserID, room, "two"))(t)
	second := syncFilter(t, bob, first.NextBatch, lazy)
	if got := memberKeys(second.Rooms.Join[room].State.Events); !slices.Equal(got, []string{carol.UserID.String()}) {
		t.Errorf("the second sync holds members %v", got)
	}
	// A client that never got the response asks again, and must be told again.
	retried := syncFilter(t, bob, first.NextBatch, lazy)
	if got := memberKeys(retried.Rooms.Join[room].State.Events); !slices.Equal(got, []string{carol.UserID.String()}) {
		t.Errorf("the retried sync holds members %v", got)
	}
	must(hs.SendText(carol.UserID, room, "three"))(t)
	third := syncFilter(t, bob, second.NextBatch, lazy)
	if got := memberKeys(third.Rooms.Join[room].State.Events); len(got) != 0 {
		t.Errorf("the third sync repeats members %v", got)
	}
}

func TestFilters(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	other := must(hs.NewRoom(alice.UserID, "public_chat", bob.UserID))(t)
	since := syncOnce(t, bob, "").NextBatch
	must(hs.SendText(alice.UserID, room, "from alice"))(t)
	must(hs.SendText(bob.UserID, room, "from bob"))(t)
	must(hs.SendState(alice.UserID, room, event.StateTopic, "", map[string]string{"topic": "x"}))(t)
	must(hs.SendText(alice.UserID, other, "elsewhere"))(t)

	tests := []struct {
		name, filter string
		timeline     []string
		state        []string
		elsewhere    bool
	}{
		{"none", ``, []string{"m.room.message", "m.room.message", "m.room.topic"}, nil, true},
		{"types", `{"room":{"timeline":{"types":["m.room.mess*"]}}}`,
			[]string{"m.room.message", "m.room.message"}, []string{"m.room.topic"}, true},
		{"not types", `{"room":{"timeline":{"not_types":["m.room.message"]}}}`, []string{"m.room.topic"}, nil, false},
		{"senders", `{"room":{"timeline":{"senders":["@bob:localhost"]}}}`,
			[]string{"m.room.message"}, []string{"m.room.topic"}, false},
		{"not senders", `{"room":{"timeline":{"not_senders":["@bob:localhost"]}}}`,
			[]string{"m.room.message", "m.room.topic"}, nil, true},
		{"limit", `{"room":{"timeline":{"limit":1}}}`, []string{"m.room.topic"}, nil, true},
		{"rooms", `{"room":{"rooms":["` + room.String() + `"]}}`,
			[]string{"m.room.message", "m.room.message", "m.room.topic"}, nil, false},
		{"not rooms", `{"room":{"not_rooms":["` + other.String() + `"]}}`,
			[]string{"m.room.message", "m.room.message", "m.room.topic"}, nil, false},
		{"no state", `{"room":{"timeline":{"types":[]},"state":{"types":[]}}}`, []string{}, nil, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			resp := syncFilter(t, bob, since, tc.filter)
			if part := resp.Rooms.Join[room]; part == nil {
				if len(tc.timeline)+len(tc.state) > 0 {
					t.Fatal("the room is missing")
				}
			} else {
				if got := types(part.Timeline.Events); !slices.Equal(got, tc.timeline) {
					t.Errorf("timeline: %v, want %v", got, tc.timeline)
				}
				if got := types(part.State.Events); !slices.Equal(got, tc.state) {
					t.Errorf("state: %v, want %v", got, tc.state)
				}
			}
			if got := resp.Rooms.Join[other] != nil; got != tc.elsewhere {
				t.Errorf("the other room is in the response: %t, want %t", got, tc.elsewhere)
			}
		})
	}
}

func TestStoredFilterIsUsedByItsID(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	filter := &mautrix.Filter{Room: &mautrix.RoomFilter{Timeline: &mautrix.FilterPart{Limit: 2}}}
	created := must(bob.CreateFilter(deadline(t), filter))(t)
	for range 5 {
		must(hs.SendText(alice.UserID, room, "x"))(t)
	}
	if got := len(syncFilter(t, bob, "", created.FilterID).Rooms.Join[room].Timeline.Events); got != 2 {
		t.Errorf("got %d events, want 2", got)
	}
	_, err := bob.SyncRequest(deadline(t), 0, "", "99", false, "")
	wantCode(t, err, 400, "M_INVALID_PARAM")
}

func TestLeavingShowsUpToTheLeave(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	must(hs.SendText(alice.UserID, room, "before"))(t)
	must(alice.KickUser(deadline(t), room, &mautrix.ReqKickUser{UserID: bob.UserID, Reason: "spam"}))(t)
	must(hs.SendText(alice.UserID, room, "after"))(t)

	resp := syncOnce(t, bob, since)
	part := resp.Rooms.Leave[room]
	if part == nil || resp.Rooms.Join[room] != nil {
		t.Fatalf("got rooms %+v", resp.Rooms)
	}
	if got := bodies(part.Timeline.Events); !slices.Equal(got, []string{"before"}) {
		t.Errorf("the one who left sees %q", got)
	}
	last := part.Timeline.Events[len(part.Timeline.Events)-1]
	if last.Type.Type != "m.room.member" || last.Content.Raw["reason"] != "spam" {
		t.Errorf("the timeline ends with %v", last)
	}
	if again := syncOnce(t, bob, resp.NextBatch); again.Rooms.Leave[room] != nil {
		t.Error("the room is told of twice")
	}
	if fresh := syncOnce(t, bob, ""); fresh.Rooms.Leave[room] != nil {
		t.Error("an initial sync holds a left room without include_leave")
	}
	if fresh := syncFilter(t, bob, "", `{"room":{"include_leave":true}}`); fresh.Rooms.Leave[room] == nil {
		t.Error("an initial sync with include_leave lacks the left room")
	}
}

func TestRejoiningGivesTheWholeStateAgain(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	must(bob.LeaveRoom(deadline(t), room))(t)
	for range 11 {
		must(hs.SendText(alice.UserID, room, "x"))(t)
	}
	must(bob.JoinRoomByID(deadline(t), room))(t)
	part := syncOnce(t, bob, since).Rooms.Join[room]
	got := types(part.State.Events)
	if !slices.Contains(got, "m.room.create") || !slices.Contains(got, "m.room.power_levels") {
		t.Errorf("the state holds %v", got)
	}
}

func TestUnreadCountsFollowReceipts(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	must(hs.SendText(alice.UserID, room, "one"))(t)
	second := must(hs.Send(alice.UserID, room, event.EventMessage, map[string]any{
		"msgtype": "m.text", "body": "two", "m.mentions": map[string]any{"user_ids": []id.UserID{bob.UserID}},
	}))(t)
	must(hs.Send(alice.UserID, room, event.EventMessage, map[string]any{"msgtype": "m.notice", "body": "psst"}))(t)
	resp := syncOnce(t, bob, "")
	if got := *resp.Rooms.Join[room].UnreadNotifications; got.NotificationCount != 2 || got.HighlightCount != 1 {
		t.Errorf("got %+v", got)
	}
	if err := bob.MarkRead(deadline(t), room, second); err != nil {
		t.Fatal(err)
	}
	if got := *syncOnce(t, bob, resp.NextBatch).Rooms.Join[room].UnreadNotifications; got.NotificationCount != 0 {
		t.Errorf("after the receipt: %+v", got)
	}
}

func TestHistoryVisibilityJoinedHidesWhatCameBefore(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	room := must(hs.NewRoom(alice.UserID, "public_chat"))(t)
	must(hs.SendState(alice.UserID, room, event.StateHistoryVisibility, "",
		map[string]string{"history_visibility": "joined"}))(t)
	secret := must(hs.SendText(alice.UserID, room, "secret"))(t)
	must(bob.JoinRoomByID(deadline(t), room))(t)
	must(hs.SendText(alice.UserID, room, "open"))(t)
	if got := bodies(syncOnce(t, bob, "").Rooms.Join[room].Timeline.Events); !slices.Equal(got, []string{"open"}) {
		t.Errorf("sync shows %q", got)
	}
	_, err := bob.GetEvent(deadline(t), room, secret)
	wantCode(t, err, 404, "M_NOT_FOUND")
}

func TestUnknownSyncTokenIsAnError(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	bob := person(t, hs, "bob")
	for _, since := range []string{"nonsense", "s", "szzzz", "s-1"} {
		_, err := bob.SyncRequest(deadline(t), 0, since, "", false, "")
		wantCode(t, err, 400, "M_INVALID_PARAM")
	}
}

// TestConcurrentSendersLoseNothing has several users send to several rooms while one syncs: each event must come once,
// and the events of one sender in the order of sending.
func TestConcurrentSendersLoseNothing(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	watcher := person(t, hs, "watcher")
	const senders, rooms, each = 4, 3, 60
	var clients []*mautrix.Client
	var members []id.UserID
	for i := range senders {
		clients = append(clients, person(t, hs, fmt.Sprintf("sender%d", i)))
		members = append(members, clients[i].UserID)
	}
	var roomIDs []id.RoomID
	for range rooms {
		roomIDs = append(roomIDs, must(hs.NewRoom(watcher.UserID, "public_chat", members...))(t))
	}
	since := syncOnce(t, watcher, "").NextBatch
	var group sync.WaitGroup
	for i, client := range clients {
		group.Go(func() {
			for n := range each {
				if _, err := client.SendText(deadline(t), roomIDs[n%rooms], fmt.Sprintf("%d %d", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := make(map[id.EventID]bool)
	var order []string
	for len(seen) < senders*each && !t.Failed() {
		resp := must(watcher.SyncRequest(deadline(t), 10_000, since,
			`{"room":{"timeline":{"limit":100}}}`, false, ""))(t)
		since = resp.NextBatch
		for room, part := range resp.Rooms.Join {
			if part.Timeline.Limited {
				t.Fatalf("the timeline of %s is limited; raise the filter's limit", room)
			}
			for _, evt := range part.Timeline.Events {
				if seen[evt.ID] {
					t.Errorf("%s came twice", evt.ID)
				}
				seen[evt.ID] = true
				order = append(order, room.String()+" "+bodies([]*event.Event{evt})[0])
			}
		}
	}
	group.Wait()
	for i := range senders {
		for _, room := range roomIDs {
			last := -1
			for _, line := range order {
				var from, n int
				text, ok := strings.CutPrefix(line, room.String()+" ")
				if !ok {
					continue
				}
				if _, err := fmt.Sscanf(text, "%d %d", &from, &n); err != nil {
					t.Fatal(err)
				}
				if from == i {
					if n <= last {
						t.Errorf("in %s sender %d: %d came after %d", room, i, n, last)
					}
					last = n
				}
			}
		}
	}
}

func TestTurningDownAnInviteRevealsNothing(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	room := must(hs.NewRoom(alice.UserID, "private_chat"))(t)
	since := syncOnce(t, bob, "").NextBatch
	if err := hs.SetMembership(alice.UserID, room, bob.UserID, "invite"); err != nil {
		t.Fatal(err)
	}
	must(hs.SendState(alice.UserID, room, event.StateTopic, "", map[string]string{"topic": "secret"}))(t)
	must(hs.SendText(alice.UserID, room, "secret"))(t)
	must(bob.LeaveRoom(deadline(t), room))(t)
	part := syncOnce(t, bob, since).Rooms.Leave[room]
	if got := types(part.State.Events); len(got) != 0 {
		t.Errorf("the state holds %v", got)
	}
	if got := memberKeys(part.Timeline.Events); len(got) != len(part.Timeline.Events) {
		t.Errorf("the timeline holds %v", types(part.Timeline.Events))
	}
	_, err := bob.State(deadline(t), room)
	wantCode(t, err, 403, "M_FORBIDDEN")
}

func TestANewNameIsNoNewJoin(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	_, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	if err := hs.SetDisplayName(bob.UserID, "Robert"); err != nil {
		t.Fatal(err)
	}
	part := syncOnce(t, bob, since).Rooms.Join[room]
	if len(part.State.Events) != 0 || len(part.Timeline.Events) != 1 {
		t.Errorf("state %v, timeline %v", types(part.State.Events), types(part.Timeline.Events))
	}
}
