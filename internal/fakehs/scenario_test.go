package fakehs_test

import (
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func TestTwoUsersTalk(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	ctx := deadline(t)

	created := must(alice.CreateRoom(ctx, &mautrix.ReqCreateRoom{Name: "Lobby", Invite: []id.UserID{bob.UserID}}))(t)
	invited := syncOnce(t, bob, "")
	part := invited.Rooms.Invite[created.RoomID]
	if part == nil {
		t.Fatalf("no invite in %+v", invited.Rooms)
	}
	if got := types(part.State.Events); !slices.Contains(got, "m.room.name") || !slices.Contains(got, "m.room.create") {
		t.Errorf("invite state holds %v", got)
	}
	must(bob.JoinRoomByID(ctx, created.RoomID))(t)
	joined := syncOnce(t, bob, invited.NextBatch)
	if joined.Rooms.Join[created.RoomID] == nil || joined.Rooms.Invite[created.RoomID] != nil {
		t.Fatalf("after joining: %+v", joined.Rooms)
	}

	sent := must(alice.SendText(ctx, created.RoomID, "hello"))(t)
	news := syncOnce(t, bob, joined.NextBatch)
	events := news.Rooms.Join[created.RoomID].Timeline.Events
	if len(events) != 1 || events[0].ID != sent.EventID || events[0].Sender != alice.UserID {
		t.Fatalf("got timeline %v", events)
	}
	if got := bodies(events); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("got %q", got)
	}
	again := syncOnce(t, bob, news.NextBatch)
	if len(again.Rooms.Join) != 0 {
		t.Errorf("a sync without news holds %+v", again.Rooms.Join)
	}
}

func TestLongPollWakesForAMessage(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch

	type result struct {
		resp *mautrix.RespSync
		err  error
	}
	done := make(chan result)
	start := time.Now()
	go func() {
		resp, err := bob.SyncRequest(deadline(t), 50_000, since, "", false, "")
		done <- result{resp, err}
	}()
	// Whether the poll waits already or comes after the message, it must not run into its timeout.
	must(alice.SendText(deadline(t), room, "wake up"))(t)
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	if took := time.Since(start); took > 40*time.Second {
		t.Errorf("the poll took %s", took)
	}
	if text := bodies(got.resp.Rooms.Join[room].Timeline.Events); !slices.Equal(text, []string{"wake up"}) {
		t.Errorf("got %q", text)
	}
}

func TestLongPollEndsAtItsTimeout(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	_, bob, _ := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	resp := must(bob.SyncRequest(deadline(t), 30, since, "", false, ""))(t)
	if len(resp.Rooms.Join) != 0 || resp.NextBatch == "" {
		t.Errorf("got %+v", resp)
	}
}

func TestTransactionIDMakesOneEvent(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	send := func(c *mautrix.Client, txn string) id.EventID {
		resp := must(c.SendMessageEvent(deadline(t), room, event.EventMessage,
			&event.MessageEventContent{MsgType: event.MsgText, Body: "once"}, mautrix.ReqSendEvent{TransactionID: txn}))(t)
		return resp.EventID
	}
	first := send(alice, "a")
	if second := send(alice, "a"); second != first {
		t.Errorf("the same transaction made %s and %s", first, second)
	}
	if other := send(bob, "a"); other == first {
		t.Error("transaction ids of two devices are mixed up")
	}
	if other := send(alice, "b"); other == first {
		t.Error("another transaction id gave the same event")
	}
	if n := len(hs.Messages(room, "")); n != 3 {
		t.Errorf("the room holds %d messages, want 3", n)
	}

	own := syncOnce(t, alice, "").Rooms.Join[room].Timeline.Events
	foreign := syncOnce(t, bob, "").Rooms.Join[room].Timeline.Events
	find := func(events []*event.Event) *event.Event {
		return events[slices.IndexFunc(events, func(evt *event.Event) bool { return evt.ID == first })]
	}
	if got := find(own).Unsigned.TransactionID; got != "a" {
		t.Errorf("the sender's device sees transaction id %q, want a", got)
	}
	if got := find(foreign).Unsigned.TransactionID; got != "" {
		t.Errorf("another user sees transaction id %q", got)
	}
}

func TestEphemeralAndAccountDataReachSync(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	since := syncOnce(t, bob, "").NextBatch

	sent := must(alice.SendText(ctx, room, "hi"))(t)
	must(alice.UserTyping(ctx, room, true, 10*time.Second))(t)
	if err := bob.MarkRead(ctx, room, sent.EventID); err != nil {
		t.Fatal(err)
	}
	if err := bob.SetAccountData(ctx, "org.example", map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	if err := bob.SetRoomAccountData(ctx, room, "org.example.room", map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	resp := syncOnce(t, bob, since)
	part := resp.Rooms.Join[room]
	if got := types(part.Ephemeral.Events); !slices.Contains(got, "m.typing") || !slices.Contains(got, "m.receipt") {
		t.Errorf("ephemeral holds %v", got)
	}
	if got := types(resp.AccountData.Events); !slices.Equal(got, []string{"org.example"}) {
		t.Errorf("account data holds %v", got)
	}
	if got := types(part.AccountData.Events); !slices.Equal(got, []string{"org.example.room"}) {
		t.Errorf("room account data holds %v", got)
	}
	if got := hs.Typing(room); !slices.Equal(got, []id.UserID{alice.UserID}) {
		t.Errorf("typing: %v", got)
	}
	if got := hs.ReadUpTo(room, bob.UserID, event.ReceiptTypeRead); got != sent.EventID {
		t.Errorf("read up to %q, want %s", got, sent.EventID)
	}
	must(alice.UserTyping(ctx, room, false, 0))(t)
	stopped := syncOnce(t, bob, resp.NextBatch).Rooms.Join[room].Ephemeral.Events
	if len(stopped) != 1 || len(stopped[0].Content.Raw["user_ids"].([]any)) != 0 {
		t.Errorf("after typing stopped: %v", stopped)
	}
}

func TestTypingExpires(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	must(alice.UserTyping(ctx, room, true, 20*time.Millisecond))(t)
	since := syncOnce(t, bob, "").NextBatch
	for len(hs.Typing(room)) > 0 {
		resp := must(bob.SyncRequest(ctx, 10_000, since, "", false, ""))(t)
		since = resp.NextBatch
	}
}

func TestMessagesPagesThroughHistory(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	var want []string
	for i := range 25 {
		text := string(rune('a' + i))
		want = append(want, text)
		must(hs.SendText(alice.UserID, room, text))(t)
	}
	collect := func(dir mautrix.Direction, from string) []string {
		var got []string
		for {
			resp := must(bob.Messages(ctx, room, from, "", dir, nil, 7))(t)
			got = append(got, bodies(resp.Chunk)...)
			if resp.End == "" {
				return got
			}
			from = resp.End
		}
	}
	if got := collect(mautrix.DirectionForward, ""); !slices.Equal(got, want) {
		t.Errorf("forwards: %q", got)
	}
	backwards := collect(mautrix.DirectionBackward, "")
	slices.Reverse(backwards)
	if !slices.Equal(backwards, want) {
		t.Errorf("backwards: %q", backwards)
	}
	part := syncOnce(t, bob, "").Rooms.Join[room].Timeline
	if !part.Limited || len(part.Events) != 10 {
		t.Fatalf("initial timeline: limited %t, %d events", part.Limited, len(part.Events))
	}
	older := collect(mautrix.DirectionBackward, part.PrevBatch)
	slices.Reverse(older)
	if got := slices.Concat(older, bodies(part.Events)); !slices.Equal(got, want) {
		t.Errorf("prev_batch and timeline give %q", got)
	}
}

func TestLeavingStopsTyping(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	must(bob.UserTyping(deadline(t), room, true, time.Minute))(t)
	since := syncOnce(t, alice, "").NextBatch
	must(bob.LeaveRoom(deadline(t), room))(t)
	events := syncOnce(t, alice, since).Rooms.Join[room].Ephemeral.Events
	if len(events) != 1 || len(events[0].Content.Raw["user_ids"].([]any)) != 0 || len(hs.Typing(room)) != 0 {
		t.Errorf("after leaving: %v", events)
	}
}
