package fakehs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/fakehs"
)

// BenchmarkSendToSync sends a message over HTTP and waits until another user's long poll has delivered it.
func BenchmarkSendToSync(b *testing.B) {
	hs := newServer(b, fakehs.Options{})
	alice, bob, room := pair(b, hs)
	since := syncOnce(b, bob, "").NextBatch
	got := make(chan struct{})
	go func() {
		defer close(got)
		for seen := 0; seen < b.N; {
			resp, err := bob.SyncRequest(b.Context(), 30_000, since, `{"room":{"timeline":{"limit":100}}}`, false, "")
			if err != nil {
				b.Error(err)
				return
			}
			since = resp.NextBatch
			for range resp.Rooms.Join[room].Timeline.Events {
				seen++
				got <- struct{}{}
			}
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := alice.SendText(b.Context(), room, "hello"); err != nil {
			b.Fatal(err)
		}
		<-got
	}
}

// BenchmarkSend measures the server alone, without HTTP on the wire.
func BenchmarkSend(b *testing.B) {
	hs := fakehs.New(fakehs.Options{})
	defer hs.Close()
	alice := must(hs.Register("alice", ""))(b)
	session := must(hs.LogIn(alice, ""))(b)
	room := must(hs.NewRoom(alice, "public_chat"))(b)
	prefix := "/_matrix/client/v3/rooms/" + room.String() + "/send/m.room.message/"
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		req := httptest.NewRequest("PUT", prefix+fmt.Sprint(n), strings.NewReader(`{"msgtype":"m.text","body":"hello"}`))
		req.Header.Set("Authorization", "Bearer "+session.Token)
		rec := httptest.NewRecorder()
		hs.ServeHTTP(rec, req)
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Body)
		}
	}
}

// BenchmarkInitialSync measures a first sync of 20 rooms with 100 messages each, as JSON.
func BenchmarkInitialSync(b *testing.B) {
	hs := fakehs.New(fakehs.Options{})
	defer hs.Close()
	alice := must(hs.Register("alice", ""))(b)
	session := must(hs.LogIn(alice, ""))(b)
	for range 20 {
		room := must(hs.NewRoom(alice, "public_chat"))(b)
		for i := range 100 {
			must(hs.SendText(alice, room, fmt.Sprint(i)))(b)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		_, body := do(b, hs, session.Token, "GET", "/_matrix/client/v3/sync", "")
		if !json.Valid([]byte(body)) {
			b.Fatal(body)
		}
	}
}
