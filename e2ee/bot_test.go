//go:build goolm

package e2ee_test

import (
	"context"
	"path/filepath"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// TestBotAnswersEncryptedCommands is the whole way: a bot as its author makes it, with a token and no device id, which
// must not leave encryption off (nio-bot 3).
func TestBotAnswersEncryptedCommands(t *testing.T) {
	hs := newServer(t)
	userID, err := hs.Register("bot", "bot password")
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
	defer func() { _ = store.Close() }()
	bot, err := niobot.New(niobot.Config{Homeserver: hs.URL(), Token: session.Token, Prefixes: []string{"!"}},
		niobot.WithStore(store),
		niobot.WithEncryption(e2ee.New(store, e2ee.RecoveryKeyFile(filepath.Join(folder, "recovery.key")))))
	if err != nil {
		t.Fatal(err)
	}
	reply := func(text string) func(context.Context, *niobot.Context, struct{}) error {
		return func(ctx context.Context, c *niobot.Context, _ struct{}) error {
			return c.Reply(ctx, "%s", text)
		}
	}
	bot.Add(
		niobot.NewCommand("encrypted", reply("yes"), niobot.Require(e2ee.Encrypted())),
		niobot.NewCommand("signed", reply("signed"), niobot.Require(e2ee.CrossSigned())),
		niobot.NewCommand("verified", reply("verified"), niobot.Require(e2ee.Verified())),
	)
	ctx, cancel := context.WithCancel(deadline(t))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	if err := hs.WaitAnswers(ctx, 1, "POST", "/keys/device_signing/upload"); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.client.InviteUser(ctx, room, &mautrix.ReqInviteUser{UserID: userID}); err != nil {
		t.Fatal(err)
	}
	_, err = hs.WaitFor(ctx, room, func(evt *event.Event) bool {
		return evt.Type == event.StateMember && evt.GetStateKey() == string(userID) &&
			evt.Content.AsMember().Membership == event.MembershipJoin
	})
	if err != nil {
		t.Fatal(err)
	}
	alice.sync()
	for command, want := range map[string]string{
		"!encrypted": "yes", "!signed": "signed",
		"!verified": "This command is taken from users only whom I have verified.",
	} {
		alice.answered(room, command, userID, want)
	}
	if plain := hs.Messages(room, userID); len(plain) != 0 {
		t.Errorf("%d answers are not encrypted", len(plain))
	}
}

// answered sends a command, and wants one of the answers that come to read so.
func (b *bot) answered(room id.RoomID, command string, from id.UserID, want string) {
	b.t.Helper()
	ctx := deadline(b.t)
	before := b.hs.CountRequests("PUT", "/send/m.room.encrypted/")
	sent := b.say(room, command)
	if err := b.hs.WaitAnswers(ctx, before+2, "PUT", "/send/m.room.encrypted/"); err != nil {
		b.t.Fatalf("%s is not answered: %v", command, err)
	}
	_, err := b.hs.WaitFor(ctx, room, func(evt *event.Event) bool {
		if evt.Sender != from || evt.Type.Type != event.EventEncrypted.Type {
			return false
		}
		b.sync()
		b.mu.Lock()
		defer b.mu.Unlock()
		return bodyOf(b.read[evt.ID]) == want
	})
	if err != nil {
		b.t.Fatalf("%s (%s) is answered otherwise: %v", command, sent, err)
	}
}
