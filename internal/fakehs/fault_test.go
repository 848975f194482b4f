package fakehs_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func sendOnce(t testing.TB, c *mautrix.Client, room id.RoomID, txn string) (*mautrix.RespSendEvent, error) {
	t.Helper()
	c.DefaultHTTPRetries = 0
	return c.SendMessageEvent(deadline(t), room, event.EventMessage,
		&event.MessageEventContent{MsgType: event.MsgText, Body: txn}, mautrix.ReqSendEvent{TransactionID: txn})
}

func TestCutAfterProcessingAndRetryMakeOneEvent(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	hs.Fail(fakehs.Fault{Path: "/send/", Cut: fakehs.CutAfter, Count: 1})
	if _, err := sendOnce(t, alice, room, "a"); err == nil {
		t.Fatal("the cut connection gave no error")
	}
	made := hs.Messages(room, alice.UserID)
	if len(made) != 1 {
		t.Fatalf("after the cut the room holds %d messages, want 1", len(made))
	}
	resp := must(sendOnce(t, alice, room, "a"))(t)
	if resp.EventID != made[0].ID || len(hs.Messages(room, alice.UserID)) != 1 {
		t.Errorf("the retry made %s beside %s", resp.EventID, made[0].ID)
	}
}

func TestTransactionIDsOutliveALogInToTheSameDevice(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	first := must(sendOnce(t, alice, room, "a"))(t)
	session := must(hs.LogIn(alice.UserID, alice.DeviceID))(t)
	alice.AccessToken = session.Token
	if again := must(sendOnce(t, alice, room, "a"))(t); again.EventID != first.EventID {
		t.Errorf("got %s, want %s", again.EventID, first.EventID)
	}
}

func TestCutBeforeProcessingDoesNothing(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	hs.Fail(fakehs.Fault{Path: "/send/", Cut: fakehs.CutBefore, Count: 1})
	if _, err := sendOnce(t, alice, room, "a"); err == nil {
		t.Fatal("the cut connection gave no error")
	}
	if n := len(hs.Messages(room, "")); n != 0 {
		t.Errorf("the room holds %d messages", n)
	}
}

func TestCutInTheMiddleOfASyncBody(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	_, bob, _ := pair(t, hs)
	hs.Fail(fakehs.Fault{Path: "/sync", Cut: fakehs.CutMiddle, Count: 1})
	status, body, err := read(t, "GET", hs.URL()+"/_matrix/client/v3/sync?access_token="+bob.AccessToken, nil)
	if status != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(body, "{") {
		t.Errorf("got %d, %d bytes, error %v", status, len(body), err)
	}
	syncOnce(t, bob, "")
}

func TestRateLimitSaysWhenToComeBack(t *testing.T) {
	tests := []struct {
		form         fakehs.RetryAfterForm
		header, body string
	}{
		{fakehs.RetryInHeader, "2", ""},
		{fakehs.RetryInBody, "", `"retry_after_ms":1500`},
		{fakehs.RetryInBoth, "2", `"retry_after_ms":1500`},
		{0, "", ""},
	}
	for _, tc := range tests {
		t.Run(fmt.Sprint(tc.form), func(t *testing.T) {
			hs := newServer(t, fakehs.Options{})
			hs.Fail(fakehs.Fault{Path: "/versions", Status: 429, RetryAfter: 1500 * time.Millisecond, RetryForm: tc.form})
			resp := must(http.Get(hs.URL() + "/_matrix/client/versions"))(t)
			defer resp.Body.Close()
			body := string(must(io.ReadAll(resp.Body))(t))
			if resp.StatusCode != 429 || errCode(body) != "M_LIMIT_EXCEEDED" {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
			if got := resp.Header.Get("Retry-After"); got != tc.header {
				t.Errorf("Retry-After is %q, want %q", got, tc.header)
			}
			if strings.Contains(body, "retry_after_ms") != (tc.body != "") || !strings.Contains(body, tc.body) {
				t.Errorf("body is %s", body)
			}
		})
	}
}

func TestFaultMatching(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	fault := hs.Fail(fakehs.Fault{
		Method: "PUT", Path: "/rooms/{room}/send/", User: bob.UserID, Status: 502, Skip: 1, Count: 2,
	})
	must(sendOnce(t, alice, room, "a"))(t)
	must(sendOnce(t, bob, room, "skipped"))(t)
	for _, txn := range []string{"hit 1", "hit 2"} {
		_, err := sendOnce(t, bob, room, txn)
		wantCode(t, err, 502, "M_UNKNOWN")
	}
	if len(hs.Faults()) != 0 {
		t.Error("a fault that is used up is still listed")
	}
	must(sendOnce(t, bob, room, "free"))(t)
	if fault.Hits() != 2 {
		t.Errorf("%d hits, want 2", fault.Hits())
	}

	header := hs.Fail(fakehs.Fault{Status: 500, Match: func(r *http.Request) bool { return r.URL.Query().Has("bad") }})
	if status, _, err := read(t, "GET", hs.URL()+"/_matrix/client/versions?bad", nil); err != nil || status != 500 {
		t.Errorf("got %d, %v", status, err)
	}
	header.Remove()
	header.Remove()
	if status, _, err := read(t, "GET", hs.URL()+"/_matrix/client/versions?bad", nil); err != nil || status != 200 {
		t.Errorf("after removal: %d, %v", status, err)
	}
}

func TestFaultProbabilityIsRepeatable(t *testing.T) {
	pattern := func(seed uint64) string {
		hs := fakehs.New(fakehs.Options{})
		hs.Fail(fakehs.Fault{Path: "/versions", Status: 503, Probability: 0.5, Seed: seed})
		var out strings.Builder
		for range 64 {
			status, _ := do(t, hs, "", "GET", "/_matrix/client/versions", "")
			fmt.Fprint(&out, status/100)
		}
		return out.String()
	}
	first := pattern(1)
	if first != pattern(1) {
		t.Error("the same seed gives another pattern")
	}
	if first == pattern(2) {
		t.Error("another seed gives the same pattern")
	}
	if !strings.Contains(first, "2") || !strings.Contains(first, "5") {
		t.Errorf("not a mix: %s", first)
	}
}

func TestLatencyDelays(t *testing.T) {
	hs := fakehs.New(fakehs.Options{})
	hs.Fail(fakehs.Fault{Latency: 30 * time.Millisecond, Count: 1})
	start := time.Now()
	do(t, hs, "", "GET", "/_matrix/client/versions", "")
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

func TestSyncFaults(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	must(hs.SendText(alice.UserID, room, "old"))(t)
	since := syncOnce(t, bob, "").NextBatch
	for _, text := range []string{"a", "b", "c", "d"} {
		must(hs.SendText(alice.UserID, room, text))(t)
	}
	timeline := func(f fakehs.Fault) mautrix.SyncTimeline {
		f.Path, f.Count = "/sync", 1
		hs.Fail(f)
		return syncOnce(t, bob, since).Rooms.Join[room].Timeline
	}
	if got := bodies(timeline(fakehs.Fault{Duplicate: true}).Events); strings.Join(got, "") != "aabbccdd" {
		t.Errorf("duplicate: %q", got)
	}
	if got := bodies(timeline(fakehs.Fault{Replay: 1}).Events); strings.Join(got, " ") != "old a b c d" {
		t.Errorf("replay: %q", got)
	}
	shuffled := bodies(timeline(fakehs.Fault{Shuffle: true, Seed: 3}).Events)
	if strings.Join(shuffled, "") == "abcd" {
		t.Error("shuffle left the order alone")
	}
	slices.Sort(shuffled)
	if strings.Join(shuffled, "") != "abcd" {
		t.Errorf("shuffle: %q", shuffled)
	}
	gap := timeline(fakehs.Fault{TimelineLimit: 1})
	if got := bodies(gap.Events); strings.Join(got, "") != "d" || !gap.Limited || gap.PrevBatch == "" {
		t.Errorf("gap: %q, limited %t, prev_batch %q", got, gap.Limited, gap.PrevBatch)
	}
	if got := bodies(timeline(fakehs.Fault{}).Events); strings.Join(got, "") != "abcd" {
		t.Errorf("without faults: %q", got)
	}
}

func TestResponseOverrideIsVerbatim(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	bob := person(t, hs, "bob")
	const garbage = `{"next_batch":"s1","rooms":{"join":{"!a` + "\x00"
	hs.Fail(fakehs.Fault{Path: "/sync", User: bob.UserID, Count: 1, Response: []byte(garbage)})
	url := hs.URL() + "/_matrix/client/v3/sync?access_token=" + bob.AccessToken
	if status, body, err := read(t, "GET", url, nil); err != nil || status != 200 || body != garbage {
		t.Errorf("got %d %q, %v", status, body, err)
	}
}

func TestRestartKeepsStateAndAddress(t *testing.T) {
	hs := newServer(t, fakehs.Options{RestartDelay: time.Millisecond})
	alice, bob, room := pair(t, hs)
	must(hs.SendText(alice.UserID, room, "before"))(t)
	resp := syncOnce(t, bob, "")
	poll := make(chan error)
	go func() {
		_, err := bob.SyncRequest(deadline(t), 60_000, resp.NextBatch, "", false, "")
		poll <- err
	}()
	if err := hs.WaitRequests(deadline(t), 2, "GET", "/sync"); err != nil {
		t.Fatal(err)
	}
	url := hs.URL()
	// The poll is awaited while the server is down: net/http would repeat it on its own once the server is back.
	if err := hs.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := <-poll; err == nil {
		t.Error("the long poll outlived the server")
	}
	if err := hs.Restart(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if hs.URL() != url {
		t.Errorf("moved from %s to %s", url, hs.URL())
	}
	must(alice.SendText(deadline(t), room, "after"))(t)
	events := syncOnce(t, bob, resp.NextBatch).Rooms.Join[room].Timeline.Events
	if got := bodies(events); !slices.Equal(got, []string{"after"}) {
		t.Errorf("after the restart: %q", got)
	}
}

func TestUnplugRefusesUntilPlug(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	if err := hs.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(t, "GET", hs.URL()+"/_matrix/client/versions", nil); err == nil {
		t.Error("an unplugged server answers")
	}
	if err := hs.Plug(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(t, "GET", hs.URL()+"/_matrix/client/versions", nil); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsOpenPollsAndWaits(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	bob := person(t, hs, "bob")
	since := syncOnce(t, bob, "").NextBatch
	poll := make(chan error)
	go func() {
		_, err := bob.SyncRequest(deadline(t), 60_000, since, "", false, "")
		poll <- err
	}()
	if err := hs.WaitRequests(deadline(t), 2, "GET", "/sync"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-poll; err == nil {
		t.Error("the poll ended well")
	}
	if err := hs.Plug(); !errors.Is(err, fakehs.ErrClosed) {
		t.Errorf("Plug after Close gives %v", err)
	}
}
