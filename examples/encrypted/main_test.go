//go:build goolm

package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/store/sqlite"
)

func openStore(t *testing.T) *sqlite.Store {
	t.Helper()
	store := niobot.Must(sqlite.Open(filepath.Join(t.TempDir(), "test.db")))
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func start(t *testing.T) *niobottest.Server {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	t.Setenv("NIOBOT_OWNER", "@alice:localhost")
	return niobottest.Start(t, niobot.Must(newBot(openStore(t))))
}

// client runs the user's own client, which can encrypt. What others say comes by the channel.
func client(t *testing.T, hs *niobottest.Server, u *niobottest.User) (*niobot.Bot, <-chan *niobot.Event) {
	t.Helper()
	store := openStore(t)
	own := niobot.Must(niobot.New(
		niobot.Config{Homeserver: hs.URL(), Token: u.Client().AccessToken, Prefixes: []string{"none "}},
		niobot.WithMessageType(event.MsgText), niobot.WithStore(store), niobot.WithLogger(slog.New(slog.DiscardHandler)),
		niobot.WithEncryption(e2ee.New(store, e2ee.RecoveryKeyFile(store.String()+"-recovery-key")))))
	read := make(chan *niobot.Event, 10)
	own.On(event.EventMessage, func(_ context.Context, e *niobot.Event) error {
		if e.Sender != u.ID() {
			read <- e
		}
		return nil
	})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- own.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-own.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatal(errors.Join(errors.New("the client has ended"), err))
	}
	return own, read
}

func TestAnswersInAnEncryptedRoom(t *testing.T) {
	hs := start(t)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetState(room, event.StateEncryption, "", &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
	own, read := client(t, hs, alice)
	if _, err := own.Send(t.Context(), room, niobot.Plain("!ping")); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-read:
		var answer event.MessageEventContent
		if err := e.Decode(&answer); err != nil || answer.Body != "pong" || e.Sender != hs.BotID() {
			t.Errorf("%s says %q, %v", e.Sender, answer.Body, err)
		}
		origin, ok := e.Origin()
		if !ok || origin.Trust < id.TrustStateCrossSignedTOFU {
			t.Errorf("the answer comes from %+v, want a cross-signed device", origin)
		}
	case <-time.After(30 * time.Second):
		t.Error("there is no answer that alice can read")
	}
}

func TestAnswersInThePlain(t *testing.T) {
	alice := start(t).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!ping")
	alice.ExpectReply("pong")
	alice.Say(room, "!verify")
	alice.ExpectReplyMatch("^No verification waits for you")
}

func TestOnlyTheOwnerVerifies(t *testing.T) {
	bob := start(t).User("bob")
	bob.Say(bob.NewRoom(), "!verify")
	bob.ExpectReply("Only the bot's owner may do that.")
}
