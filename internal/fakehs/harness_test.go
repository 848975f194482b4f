package fakehs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// limit ends what would wait for ever; no test comes near it.
const limit = time.Minute

func newServer(t testing.TB, opts fakehs.Options) *fakehs.Server {
	t.Helper()
	hs := fakehs.New(opts)
	if _, err := hs.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
	})
	return hs
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// person registers a user and returns a client that is logged in.
func person(t testing.TB, hs *fakehs.Server, name string) *mautrix.Client {
	t.Helper()
	userID, err := hs.Register(name, name+" password")
	if err != nil {
		t.Fatal(err)
	}
	session, err := hs.LogIn(userID, "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := mautrix.NewClient(hs.URL(), session.UserID, session.Token)
	if err != nil {
		t.Fatal(err)
	}
	client.DeviceID = session.DeviceID
	client.StateStore = nil
	return client
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// pair returns two users in a public room.
func pair(t testing.TB, hs *fakehs.Server) (alice, bob *mautrix.Client, room id.RoomID) {
	t.Helper()
	alice, bob = person(t, hs, "alice"), person(t, hs, "bob")
	room = must(hs.NewRoom(alice.UserID, "public_chat", bob.UserID))(t)
	return alice, bob, room
}

func syncOnce(t testing.TB, c *mautrix.Client, since string) *mautrix.RespSync {
	t.Helper()
	return must(c.SyncRequest(deadline(t), 0, since, "", false, ""))(t)
}

func syncFilter(t testing.TB, c *mautrix.Client, since, filter string) *mautrix.RespSync {
	t.Helper()
	return must(c.SyncRequest(deadline(t), 0, since, filter, false, ""))(t)
}

// wantCode checks that err is the Matrix error with the code and the HTTP status.
func wantCode(t testing.TB, err error, status int, code string) {
	t.Helper()
	var httpErr mautrix.HTTPError
	if !errors.As(err, &httpErr) || httpErr.RespError == nil || httpErr.Response == nil {
		t.Fatalf("got error %v, want %d %s", err, status, code)
	}
	if httpErr.RespError.ErrCode != code || httpErr.Response.StatusCode != status {
		t.Fatalf("got %d %s (%s), want %d %s", httpErr.Response.StatusCode, httpErr.RespError.ErrCode,
			httpErr.RespError.Err, status, code)
	}
}

func bodies(events []*event.Event) []string {
	list := []string{}
	for _, evt := range events {
		if body, ok := evt.Content.Raw["body"].(string); ok && evt.Type.Type == "m.room.message" {
			list = append(list, body)
		}
	}
	return list
}

func types(events []*event.Event) []string {
	list := []string{}
	for _, evt := range events {
		list = append(list, evt.Type.Type)
	}
	return list
}

// do sends a request in memory and returns the status and the body.
func do(t testing.TB, hs *fakehs.Server, token, method, path, body string) (int, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(deadline(t), method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	hs.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

func errCode(body string) string {
	var reply struct {
		Code string `json:"errcode"`
	}
	if json.Unmarshal([]byte(body), &reply) != nil {
		return "not JSON: " + body
	}
	return reply.Code
}

// read sends a real HTTP request and returns the status and the body, or the error that the client saw.
func read(t testing.TB, method, url string, body io.Reader) (int, string, error) {
	t.Helper()
	req := must(http.NewRequestWithContext(deadline(t), method, url, body))(t)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}
