package fakehs_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// TestConcurrentUse has clients and the Go API use the whole server at once, for the race detector's sake; what it
// checks by itself is that no call fails and that all messages are there in the end.
func TestConcurrentUse(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	owner := person(t, hs, "owner")
	const users, rounds = 4, 15
	var clients []*mautrix.Client
	var members []id.UserID
	for i := range users {
		clients = append(clients, person(t, hs, fmt.Sprintf("user%d", i)))
		members = append(members, clients[i].UserID)
	}
	room := must(hs.NewRoom(owner.UserID, "public_chat", members...))(t)
	lobby := must(hs.NewRoom(owner.UserID, "public_chat"))(t)
	hs.Fail(fakehs.Fault{Path: "/sync", Duplicate: true, Shuffle: true, Probability: 0.3, Seed: 7})

	var group sync.WaitGroup
	check := func(what string, err error) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, c := range clients {
		group.Go(func() {
			ctx := deadline(t)
			for n := range rounds {
				sent, err := c.SendText(ctx, room, fmt.Sprintf("%d %d", i, n))
				check("send", err)
				_, err = c.UserTyping(ctx, room, n%2 == 0, time.Millisecond)
				check("typing", err)
				check("receipt", c.MarkRead(ctx, room, sent.EventID))
				check("name", c.SetDisplayName(ctx, fmt.Sprintf("Name %d", n)))
				check("data", c.SetRoomAccountData(ctx, room, "org.example", map[string]int{"n": n}))
				_, err = c.JoinRoomByID(ctx, lobby)
				check("join", err)
				_, err = c.LeaveRoom(ctx, lobby)
				check("leave", err)
				_, err = c.SendToDevice(ctx, event.Type{Type: "org.example", Class: event.ToDeviceEventType},
					&mautrix.ReqSendToDevice{Messages: map[id.UserID]map[id.DeviceID]*event.Content{
						owner.UserID: {"*": {Raw: map[string]any{}}},
					}})
				check("to device", err)
				_, err = c.Messages(ctx, room, "", "", mautrix.DirectionBackward, nil, 20)
				check("messages", err)
			}
		})
		group.Go(func() {
			since := ""
			for range rounds {
				resp, err := c.SyncRequest(deadline(t), 5, since, `{"room":{"state":{"lazy_load_members":true}}}`, false, "")
				check("sync", err)
				if err == nil {
					since = resp.NextBatch
				}
			}
		})
	}
	group.Go(func() {
		for range rounds {
			hs.Timeline(room)
			hs.Members(lobby)
			hs.Typing(room)
			hs.Requests()
			hs.Faults()
			_, err := hs.SendState(owner.UserID, lobby, event.StateTopic, "", map[string]string{"topic": "x"})
			check("topic", err)
			check("patch", hs.InjectSync(owner.UserID, []byte(`{"x":1}`)))
		}
	})
	group.Wait()
	if n := len(hs.Messages(room, "")); n != users*rounds {
		t.Errorf("the room holds %d messages, want %d", n, users*rounds)
	}
}
