package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/fakehs"
)

// The program runs as it stands. Its homeserver is played by one in this process, to which all connections lead; since
// the program never ends, neither does the server.
func TestPing(t *testing.T) {
	hs := fakehs.New(fakehs.Options{})
	base, err := hs.Listen()
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport)
	transport.Proxy = nil
	transport.DialTLSContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(base, "http://"))
	}
	bot, err := hs.Register("bot", "")
	if err != nil {
		t.Fatal(err)
	}
	session, err := hs.LogIn(bot, "")
	if err != nil {
		t.Fatal(err)
	}
	alice, err := hs.Register("alice", "")
	if err != nil {
		t.Fatal(err)
	}
	room, err := hs.NewRoom(alice, "private_chat")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NIOBOT_TOKEN", session.Token)

	go main()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := hs.SetMembership(alice, room, bot, "invite"); err != nil {
		t.Fatal(err)
	}
	if _, err := hs.WaitFor(ctx, room, func(e *event.Event) bool {
		return e.Type == event.StateMember && e.Sender == bot
	}); err != nil {
		t.Fatal("the bot did not join:", err)
	}
	if _, err := hs.SendText(alice, room, "!ping"); err != nil {
		t.Fatal(err)
	}
	reply, err := hs.WaitFor(ctx, room, func(e *event.Event) bool {
		return e.Type == event.EventMessage && e.Sender == bot
	})
	if err != nil {
		t.Fatal("the bot did not answer:", err)
	}
	if got := reply.Content.AsMessage().Body; got != "pong" {
		t.Errorf("got %q, want pong", got)
	}
}
