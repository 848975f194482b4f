package fakehs_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix"

	"github.com/niobot/niobot/internal/fakehs"
)

// inMemory returns a server and a client that reaches it without sockets.
func inMemory(t *testing.T) (*fakehs.Server, *mautrix.Client) {
	t.Helper()
	hs := fakehs.New(fakehs.Options{RestartDelay: time.Hour})
	session := must(hs.LogIn(must(hs.Register("alice", "pw"))(t), ""))(t)
	c := must(mautrix.NewClient("http://in.memory", session.UserID, session.Token))(t)
	c.DeviceID, c.Client = session.DeviceID, &http.Client{Transport: hs.Transport()}
	return hs, c
}

func TestTransportInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs, alice := inMemory(t)
		defer hs.Close()
		room := must(hs.NewRoom(alice.UserID, "public_chat"))(t)
		since := must(alice.SyncRequest(t.Context(), 0, "", "", false, ""))(t).NextBatch
		start := time.Now()
		must(alice.SyncRequest(t.Context(), 30_000, since, "", false, ""))(t)
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("a poll without news took %s of the bubble's time", took)
		}
		polled := make(chan []string)
		go func() {
			resp, err := alice.SyncRequest(t.Context(), 30_000, since, "", false, "")
			if err != nil {
				t.Error(err)
			}
			polled <- bodies(resp.Rooms.Join[room].Timeline.Events)
		}()
		synctest.Wait()
		must(hs.SendText(alice.UserID, room, "in the bubble"))(t)
		if got := <-polled; !slices.Equal(got, []string{"in the bubble"}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestTransportUnderFaults(t *testing.T) {
	hs, alice := inMemory(t)
	defer hs.Close()
	alice.DefaultHTTPRetries = 0
	whoami := func() error {
		_, err := alice.Whoami(deadline(t))
		return err
	}
	for _, tc := range []struct {
		cut  fakehs.CutPoint
		want error
	}{
		{fakehs.CutBefore, io.EOF}, {fakehs.CutAfter, io.EOF}, {fakehs.CutMiddle, io.ErrUnexpectedEOF}, {fakehs.CutNone, nil},
	} {
		fault := hs.Fail(fakehs.Fault{Cut: tc.cut, Count: 1})
		if err := whoami(); !errors.Is(err, tc.want) {
			t.Errorf("cut %d: %v, want %v", tc.cut, err, tc.want)
		}
		fault.Remove()
	}
	if err := hs.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := whoami(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("unplugged: %v", err)
	}
	if err := hs.Plug(); err != nil {
		t.Fatal(err)
	}
	if err := whoami(); err != nil {
		t.Errorf("plugged again: %v", err)
	}
	if url := hs.URL(); url != "" {
		t.Errorf("a server that never listened is at %s", url)
	}
}

func TestTransportRestartAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs, alice := inMemory(t)
		defer hs.Close()
		since := must(alice.SyncRequest(t.Context(), 0, "", "", false, ""))(t).NextBatch
		poll := func(ctx context.Context) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := alice.SyncRequest(ctx, 60_000, since, "", false, "")
				done <- err
			}()
			synctest.Wait()
			return done
		}
		polling := poll(t.Context())
		start := time.Now()
		if err := hs.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != time.Hour {
			t.Errorf("down for %s", took)
		}
		if err := <-polling; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the poll ended with %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		polling = poll(ctx)
		cancel()
		if err := <-polling; !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled poll ended with %v", err)
		}
	})
}
