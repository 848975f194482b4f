//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func sameTokenSameAnswer(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	before := bob.since
	sent := alice.sayMany(room, 3)
	// What a bot does that crashed before it stored the new token.
	for range 2 {
		bob.since = before
		var got []id.EventID
		bob.await("the messages", func(resp *mautrix.RespSync) bool {
			got = append(got, messageIDs(timeline(resp, room))...)
			return slices.Contains(got, sent[2])
		})
		wantIDs(t, got, sent...)
	}
}

func limitedTimeline(t *testing.T, hs Homeserver) {
	const total, shown = 30, 5
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	known := alice.say(room, "the last that bob knows")
	bob.awaitEvent(room, known)
	sent := alice.sayMany(room, total)
	// Let the server deliver the last one to a sync somewhere before bob comes back.
	alice.awaitEvent(room, sent[total-1])

	bob.filterBy(&mautrix.Filter{Room: &mautrix.RoomFilter{Timeline: &mautrix.FilterPart{Limit: shown}}})
	joined := bob.poll(0).Rooms.Join[room]
	if joined == nil {
		t.Fatal("the room is not in the response")
	}
	if !joined.Timeline.Limited || joined.Timeline.PrevBatch == "" {
		t.Fatalf("limited = %t, prev_batch = %q, want a gap to fill", joined.Timeline.Limited, joined.Timeline.PrevBatch)
	}
	wantIDs(t, messageIDs(joined.Timeline.Events), sent[total-shown:]...)

	// Walk back from the gap's end until the last known event, page by page.
	var filled []id.EventID
	from := joined.Timeline.PrevBatch
	for !slices.Contains(filled, known) {
		page, err := bob.Messages(bob.ctx, room, from, "", mautrix.DirectionBackward, nil, 7)
		check(t, "messages", err)
		if len(page.Chunk) == 0 {
			t.Fatalf("history ended before the known event, after %v", filled)
		}
		filled = append(filled, messageIDs(page.Chunk)...)
		from = page.End
	}
	slices.Reverse(filled)
	filled = filled[slices.Index(filled, known)+1:]
	wantIDs(t, filled, sent[:total-shown]...)
}

func messagesBothWays(t *testing.T, hs Homeserver) {
	const total = 12
	alice := newUser(t, hs, "alice")
	room := alice.createRoom()
	sent := alice.sayMany(room, total)
	alice.awaitEvent(room, sent[total-1])

	walk := func(dir mautrix.Direction, from string) (ids []id.EventID, end string) {
		for range total * 3 {
			page, err := alice.Messages(alice.ctx, room, from, "", dir, nil, 5)
			check(t, "messages", err)
			ids = append(ids, messageIDs(page.Chunk)...)
			if len(page.Chunk) == 0 || page.End == "" {
				return ids, from
			}
			from = page.End
		}
		t.Fatalf("walking %c does not end", dir)
		return nil, ""
	}
	back, start := walk(mautrix.DirectionBackward, alice.since)
	slices.Reverse(back)
	wantIDs(t, back, sent...)
	forth, _ := walk(mautrix.DirectionForward, start)
	// Dendrite ends a forward page before its last event, so that the next begins with it: who pages forward has to
	// drop what is already there.
	wantIDs(t, slices.Compact(forth), sent...)
}

func eventContext(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	room := alice.createRoom()
	sent := alice.sayMany(room, 7)
	alice.awaitEvent(room, sent[6])
	got, err := alice.GetEvent(alice.ctx, room, sent[3])
	check(t, "get event", err)
	if got.ID != sent[3] || got.RoomID != room || got.Sender != alice.UserID {
		t.Errorf("got %s of %s by %s, want %s of %s by %s", got.ID, got.RoomID, got.Sender, sent[3], room, alice.UserID)
	}
	around, err := alice.Context(alice.ctx, room, sent[3], nil, 4)
	check(t, "context", err)
	if around.Event.ID != sent[3] {
		t.Errorf("context is of %s, want %s", around.Event.ID, sent[3])
	}
	wantIDs(t, eventIDs(around.EventsBefore), sent[2], sent[1])
	wantIDs(t, eventIDs(around.EventsAfter), sent[4], sent[5])
}

func lazyMembers(t *testing.T, hs Homeserver) {
	alice, bob, carol := newUser(t, hs, "alice"), newUser(t, hs, "bob"), newUser(t, hs, "carol")
	crowd := []*user{bob, carol}
	for range 6 {
		crowd = append(crowd, newUser(t, hs, "silent"))
	}
	room := alice.createRoomAs(&mautrix.ReqCreateRoom{Preset: "public_chat", Name: "Lazy"}, crowd...)
	sent := carol.sayMany(room, 3)
	bob.awaitEvent(room, sent[2])

	fresh := newDevice(t, hs, bob.account)
	fresh.filterBy(&mautrix.Filter{Room: &mautrix.RoomFilter{
		State:    &mautrix.FilterPart{LazyLoadMembers: true},
		Timeline: &mautrix.FilterPart{Limit: 2},
	}})
	joined := fresh.poll(0).Rooms.Join[room]
	if joined == nil {
		t.Fatal("the room is not in the response")
	}
	wantIDs(t, messageIDs(joined.Timeline.Events), sent[1:]...)
	state := joined.State.Events
	if findState(state, event.StateMember, carol.UserID.String()) == nil {
		t.Error("state lacks the member who speaks in the timeline")
	}
	if findState(state, event.StatePowerLevels, "") == nil {
		t.Error("state lacks what is not about members")
	}
	// A server may send the five members that would give the room its name; the last to join are not among them.
	for _, silent := range crowd[len(crowd)-3:] {
		if findState(state, event.StateMember, silent.UserID.String()) != nil {
			t.Errorf("state has %s, who neither speaks in the timeline nor gives the room its name", silent.UserID)
		}
	}
	// A bot counts on the summary where it does not have the members.
	if n := joined.Summary.JoinedMemberCount; n == nil || *n != len(crowd)+1 {
		t.Errorf("summary's joined members = %v, want %d", n, len(crowd)+1)
	}
}

func members(t *testing.T, hs Homeserver) {
	alice, bob, carol := newUser(t, hs, "alice"), newUser(t, hs, "bob"), newUser(t, hs, "carol")
	room := alice.createRoom(bob)
	_, err := alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: carol.UserID})
	check(t, "invite", err)
	bob.await("the invite", func(resp *mautrix.RespSync) bool {
		return membership(t, timeline(resp, room), carol.UserID) == event.MembershipInvite
	})

	joined, err := bob.JoinedMembers(bob.ctx, room)
	check(t, "joined members", err)
	if _, ok := joined.Joined[alice.UserID]; !ok || len(joined.Joined) != 2 {
		t.Errorf("joined = %v, want alice and bob", joined.Joined)
	}
	invited, err := bob.Members(bob.ctx, room, mautrix.ReqMembers{Membership: event.MembershipInvite})
	check(t, "invited members", err)
	if len(invited.Chunk) != 1 || invited.Chunk[0].GetStateKey() != carol.UserID.String() {
		t.Errorf("invited = %v, want carol alone", invited.Chunk)
	}
	all, err := bob.Members(bob.ctx, room)
	check(t, "members", err)
	if len(all.Chunk) != 3 {
		t.Errorf("%d members, want 3", len(all.Chunk))
	}
}

func storedFilter(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	created, err := bob.CreateFilter(bob.ctx, &mautrix.Filter{
		Room: &mautrix.RoomFilter{Timeline: &mautrix.FilterPart{
			NotTypes: []event.Type{event.EventReaction}, NotSenders: []id.UserID{bob.UserID},
		}},
	})
	check(t, "create filter", err)
	bob.filter = created.FilterID

	own := bob.say(room, "filtered by sender")
	reacted, err := alice.SendReaction(alice.ctx, room, own, "filtered by type")
	check(t, "react", err)
	last := alice.say(room, "let through")
	var seen []id.EventID
	bob.await("the last message", func(resp *mautrix.RespSync) bool {
		seen = append(seen, eventIDs(timeline(resp, room))...)
		return slices.Contains(seen, last)
	})
	if slices.Contains(seen, own) || slices.Contains(seen, reacted.EventID) {
		t.Errorf("the filter let %v through", seen)
	}
}

func restart(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	known := alice.say(room, "before")
	bob.awaitEvent(room, known)
	unseen := alice.say(room, "just before")
	alice.awaitEvent(room, unseen)

	hs.Restart(t)

	after := alice.say(room, "after")
	var got []id.EventID
	bob.await("what came around the restart", func(resp *mautrix.RespSync) bool {
		got = append(got, messageIDs(timeline(resp, room))...)
		return slices.Contains(got, after)
	})
	wantIDs(t, got, unseen, after)
}
