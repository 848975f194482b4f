//go:build goolm

package e2ee_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// crash begins another process with what is on the disk, while nothing of the one before is ended in order.
func (b *bot) crash() {
	b.t.Helper()
	before := b.enc
	b.t.Cleanup(func() { _ = before.Stop(context.WithoutCancel(b.t.Context())) })
	b.reset()
	b.start()
}

// TestMessagesAreHeardOnce replays messages as other events, as a member of the room or its server can: while the bot
// runs, once the session is no longer in memory, and after a crash.
func TestMessagesAreHeardOnce(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	sealed, _ := alice.sealText(room, "do it")
	original := eventOf(room, alice, "$original", sealed)
	replay := eventOf(room, alice, "$replay", sealed)
	later := eventOf(room, alice, "$original", sealed)
	later.Timestamp += 60_000
	bob.sync()
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"at once", func() {}},
		{"out of memory", func() { bob.enc.ForgetSessions() }},
		{"after a restart", func() { bob.restart() }},
		{"after a crash", func() { bob.crash() }},
	} {
		c.do()
		open, err := bob.enc.Decrypt(deadline(t), original)
		if err != nil || bodyOf(open) != "do it" {
			t.Errorf("%s: the event itself: %q, %v", c.name, bodyOf(open), err)
		}
		if _, err := bob.enc.Decrypt(deadline(t), replay); !errors.Is(err, niobot.ErrUnreadable) {
			t.Errorf("%s: the message as another event: %v", c.name, err)
		}
		if _, err := bob.enc.Decrypt(deadline(t), later); !errors.Is(err, niobot.ErrUnreadable) {
			t.Errorf("%s: the event with another time: %v", c.name, err)
		}
	}
}

// TestReplayAfterACrashInBetween ends the process right behind each message, before anything else is stored.
func TestReplayAfterACrashInBetween(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	for n := range 5 {
		content, _ := alice.sealText(room, "do it")
		bob.sync()
		if _, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, id.EventID(fmt.Sprint("$", n)), content)); err != nil {
			t.Fatal(err)
		}
		bob.crash()
		_, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, id.EventID(fmt.Sprint("$again", n)), content))
		if !errors.Is(err, niobot.ErrUnreadable) {
			t.Errorf("message %d as another event: %v", n, err)
		}
	}
}

// TestNoKeyEncryptsTwice crashes a bot after each so many messages. Had it used the key of a message again, the reader
// would take the second for a replay of the first.
func TestNoKeyEncryptsTwice(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	sessions := make(map[id.SessionID]bool)
	for life := range 8 {
		for n := range []int{1, 2, 15, 16, 17, 3, 1, 1}[life] {
			text := fmt.Sprintf("message %d of life %d", n, life)
			content, session := alice.sealText(room, text)
			sessions[session] = true
			bob.heard(alice.send(room, content), text)
		}
		alice.crash()
	}
	if len(sessions) > 2 {
		t.Errorf("56 messages took %d sessions: crashes use up more of a session than they must", len(sessions))
	}
}
