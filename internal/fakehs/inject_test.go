package fakehs_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func rawSync(t *testing.T, hs *fakehs.Server, token, since string) string {
	t.Helper()
	status, body := do(t, hs, token, "GET", "/_matrix/client/v3/sync?since="+since, "")
	if status != 200 {
		t.Fatalf("sync: %d %s", status, body)
	}
	return body
}

func TestInjectTimelineIsVerbatim(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	_, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	if _, err := hs.InjectTimeline(room, json.RawMessage(`{"body":<7>}`)); err == nil {
		t.Error("what is no JSON is accepted")
	}
	odd := []string{
		`{"type":"m.room.message","event_id":"$odd","sender":"@x:y","content":{"body":7,"msgtype":["<&>"]}}`,
		`{"content":null}`,
		`null`,
		`{"type":"m.room.member","state_key":"@bob:localhost","content":{"membership":"ban"},"unsigned":[]}`,
	}
	for _, raw := range odd {
		must(hs.InjectTimeline(room, json.RawMessage(raw)))(t)
	}
	body := rawSync(t, hs, bob.AccessToken, since)
	if !strings.Contains(body, strings.Join(odd, ",")) {
		t.Errorf("the sync holds %s", body)
	}
	if hs.Members(room)[bob.UserID] != event.MembershipJoin {
		t.Error("an injected event changed the members")
	}
	if status, body := do(t, hs, bob.AccessToken, "GET", client+"/rooms/"+room.String()+"/event/$odd", ""); body != odd[0] {
		t.Errorf("the event endpoint gives %d %s", status, body)
	}
}

func TestInjectSyncMergesOnce(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	must(hs.SendText(alice.UserID, room, "real"))(t)
	patch := `{"to_device":{"events":[{"type":7}]},"rooms":{"join":{"` + room.String() +
		`":{"timeline":{"events":[null]}},"!other":{"timeline":12345678901234567890}}},"next_batch":5}`
	if err := hs.InjectSync(bob.UserID, json.RawMessage(patch)); err != nil {
		t.Fatal(err)
	}
	body := rawSync(t, hs, bob.AccessToken, since)
	for _, want := range []string{
		`"to_device":{"events":[{"type":7}]}`, `"real"`, `},null]`, `"!other":{"timeline":12345678901234567890}`,
		`"next_batch":5`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the sync lacks %s: %s", want, body)
		}
	}
	if again := rawSync(t, hs, bob.AccessToken, since); strings.Contains(again, "!other") {
		t.Error("the patch came twice")
	}
	if err := hs.InjectSync(bob.UserID, json.RawMessage(`[]`)); err == nil {
		t.Error("a patch that is no object is accepted")
	}
}

func TestWaitForFindsPastAndFutureEvents(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	is := func(text string) func(*event.Event) bool {
		return func(evt *event.Event) bool { return evt.Content.Raw["body"] == text }
	}
	past := must(hs.SendText(alice.UserID, room, "past"))(t)
	if got := must(hs.WaitFor(deadline(t), room, is("past")))(t); got.ID != past || got.Content.AsMessage().Body != "past" {
		t.Errorf("got %v", got)
	}
	found := make(chan error)
	go func() {
		_, err := hs.WaitFor(deadline(t), room, is("future"))
		found <- err
	}()
	must(hs.SendText(alice.UserID, room, "other"))(t)
	must(hs.SendText(alice.UserID, room, "future"))(t)
	if err := <-found; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hs.WaitFor(ctx, room, is("never")); err == nil {
		t.Error("waiting for nothing ended well")
	}
	if _, err := hs.WaitFor(deadline(t), "!none", is("x")); err == nil {
		t.Error("waiting in no room ended well")
	}
}

func TestServerNeedsNoAddressInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := fakehs.New(fakehs.Options{})
		defer hs.Close()
		alice := must(hs.Register("alice", ""))(t)
		session := must(hs.LogIn(alice, ""))(t)
		room := must(hs.NewRoom(alice, "public_chat"))(t)
		if err := hs.SetTyping(alice, room, true); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		since := must(parseSync(rawSync(t, hs, session.Token, "")))(t)
		_, body := do(t, hs, session.Token, "GET", client+"/sync?timeout=60000&since="+since, "")
		if !strings.Contains(body, `"user_ids":[]`) || time.Since(start) != 30*time.Second {
			t.Errorf("after %s: %s", time.Since(start), body)
		}
	})
}

func parseSync(body string) (string, error) {
	var resp struct {
		Next string `json:"next_batch"`
	}
	err := json.Unmarshal([]byte(body), &resp)
	return resp.Next, err
}

func TestToDeviceFromATest(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	bob := person(t, hs, "bob")
	typ := event.Type{Type: "org.example", Class: event.ToDeviceEventType}
	if err := hs.SendToDevice("@ghost:elsewhere", bob.UserID, "", typ, map[string]int{"n": 1}); err != nil {
		t.Fatal(err)
	}
	if got := syncOnce(t, bob, "").ToDevice.Events; len(got) != 1 || got[0].Sender != id.UserID("@ghost:elsewhere") {
		t.Errorf("got %v", got)
	}
}
