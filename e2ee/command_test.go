//go:build goolm

package e2ee_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/store/sqlite"
)

// commanded runs a bot that has the command verify, and these owners, and tells of each step of its verifications.
func commanded(t *testing.T, hs *fakehs.Server, owners ...id.UserID) (bot *niobot.Bot, steps chan verify.State) {
	t.Helper()
	userID, err := hs.Register("bot", "")
	if err != nil {
		t.Fatal(err)
	}
	session, err := hs.LogIn(userID, "")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	store, err := sqlite.Open(filepath.Join(folder, "bot.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	steps = make(chan verify.State, 100)
	enc := e2ee.New(store, e2ee.RecoveryKeyFile(filepath.Join(folder, "recovery.key")),
		e2ee.Verification(verify.Policy{}, verify.HookFunc(
			func(_ context.Context, _ *verify.Session, state verify.State) { steps <- state })))
	bot, err = niobot.New(niobot.Config{
		Homeserver: hs.URL(), Token: session.Token, Prefixes: []string{"!"}, Owners: owners,
	}, niobot.WithStore(store), niobot.WithEncryption(enc))
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(e2ee.VerifyCommand(enc))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-bot.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	return bot, steps
}

// told says something to the bot, and returns what it replies.
func told(t *testing.T, hs *fakehs.Server, room id.RoomID, user id.UserID, text string) string {
	t.Helper()
	said, err := hs.SendText(user, room, text)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := hs.WaitFor(deadline(t), room, func(e *event.Event) bool {
		if e.Type == event.EventReaction {
			return e.Content.AsReaction().RelatesTo.EventID == said
		}
		return e.Type == event.EventMessage && e.Content.AsMessage().RelatesTo.GetReplyTo() == said
	})
	if err != nil {
		t.Fatal(err)
	}
	if reply.Type == event.EventReaction {
		return reply.Content.AsReaction().RelatesTo.Key
	}
	return reply.Content.AsMessage().Body
}

// compared begins a verification of the bot by alice, and returns when the bot has emoji to show.
func compared(t *testing.T, alice *bot, robot id.UserID, steps <-chan verify.State) *verify.Session {
	t.Helper()
	s, err := alice.enc.Verifier().Request(deadline(t), robot)
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	for {
		select {
		case state := <-steps:
			if state == verify.StateComparing {
				return s
			}
		case <-ctx.Done():
			t.Fatalf("nothing is to be compared: %v", s.State())
		default:
			alice.sync()
		}
	}
}

var codeInReply = regexp.MustCompile(`!verify yes (\S+?)\x60?, else`)

func TestVerifyCommand(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice", admitAll())
	mallory := newBot(t, hs, "mallory")
	robot, steps := commanded(t, hs, alice.client.UserID, hs.UserID("carol"))
	carol, err := hs.Register("carol", "")
	if err != nil {
		t.Fatal(err)
	}
	room, err := hs.NewRoom(alice.client.UserID, "private_chat", robot.UserID(), mallory.client.UserID, carol)
	if err != nil {
		t.Fatal(err)
	}
	owner := alice.client.UserID
	if got := told(t, hs, room, owner, "!verify"); !strings.HasPrefix(got, "No verification waits") {
		t.Errorf("with none, got %q", got)
	}
	s := compared(t, alice, robot.UserID(), steps)
	shown := told(t, hs, room, owner, "!verify")
	for _, emoji := range s.Emoji() {
		if !strings.Contains(shown, emoji.String()) {
			t.Errorf("%q lacks %s", shown, emoji)
		}
	}
	code := codeInReply.FindStringSubmatch(shown)
	if code == nil {
		t.Fatalf("there is no code in %q", shown)
	}
	if got := told(t, hs, room, owner, "!verify yes"); !strings.HasPrefix(got, "No verification of that code") {
		t.Errorf("without a code, got %q", got)
	}
	if got := told(t, hs, room, owner, "!verify yes 1-2-3"); !strings.HasPrefix(got, "No verification of that code") {
		t.Errorf("with a wrong code, got %q", got)
	}
	if got := told(t, hs, room, carol, "!verify"); !strings.HasPrefix(got, "No verification waits") {
		t.Errorf("another owner is shown %q", got)
	}
	if got := told(t, hs, room, carol, "!verify yes "+code[1]); !strings.HasPrefix(got, "No verification of that code") {
		t.Errorf("another owner is told %q", got)
	}
	for _, text := range []string{"!verify", "!verify yes " + code[1]} {
		if got := told(t, hs, room, mallory.client.UserID, text); got != "Only the bot's owner may do that." {
			t.Errorf("who is no owner is told %q", got)
		}
	}
	if got := told(t, hs, room, owner, "!verify yes "+code[1]); got != "✅" {
		t.Errorf("got %q", got)
	}
	verified(t, s, alice)
}

func TestVerifyCommandSaysNo(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice", admitAll())
	robot, steps := commanded(t, hs, alice.client.UserID)
	room, err := hs.NewRoom(alice.client.UserID, "private_chat", robot.UserID())
	if err != nil {
		t.Fatal(err)
	}
	s := compared(t, alice, robot.UserID(), steps)
	code := codeInReply.FindStringSubmatch(told(t, hs, room, alice.client.UserID, "!verify"))
	if code == nil {
		t.Fatal("there is no code")
	}
	if got := told(t, hs, room, alice.client.UserID, "!verify no "+code[1]); got != "✅" {
		t.Errorf("got %q", got)
	}
	ctx := deadline(t)
	for s.Err() == nil && ctx.Err() == nil {
		alice.sync()
	}
	if s.State() != verify.StateCancelled {
		t.Errorf("the verification is %v", s.State())
	}
}
