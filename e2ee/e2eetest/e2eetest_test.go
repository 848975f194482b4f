//go:build goolm

package e2eetest_test

import (
	"context"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/e2eetest"
	"github.com/niobot/niobot/niobottest"
)

func newBot(t *testing.T, opts ...niobot.Option) *niobot.Bot {
	t.Helper()
	if opts == nil {
		opts = e2eetest.Bot(t)
	}
	bot, err := niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"},
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "pong")
	}, niobot.Require(e2ee.CrossSigned())))
	return bot
}

func TestUsersTalkInEncryptedRooms(t *testing.T) {
	hs := niobottest.Start(t, newBot(t), niobottest.Encrypted(e2eetest.Device))
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	said := alice.Say(room, "!ping")
	alice.ExpectReply("pong")
	bob.Reply(said, "!ping")
	bob.ExpectReply("pong")
	hs.ExpectNothing(room)

	page, err := alice.Client().Messages(t.Context(), room, "", "", 'b', nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := 0
	for _, e := range page.Chunk {
		switch e.Type.Type {
		case event.EventMessage.Type:
			t.Errorf("the server reads %s", e.ID)
		case event.EventEncrypted.Type:
			encrypted++
		}
	}
	if encrypted != 4 {
		t.Errorf("%d events are encrypted, want 4", encrypted)
	}
}

func TestDirectRoomsAreEncrypted(t *testing.T) {
	hs := niobottest.Start(t, newBot(t), niobottest.Encrypted(e2eetest.Device))
	alice := hs.User("alice")
	room := alice.NewDirectRoom()
	said := alice.Say(room, "!png")
	alice.Edit(said, "!ping")
	alice.ExpectReply("pong")
}

// The bot of an encrypted room crashes, reads what was said meanwhile, and goes on; another one listens.
func TestBotsOfEncryptedRoomsRestart(t *testing.T) {
	opts := e2eetest.Restarts(t)
	hs := niobottest.Start(t, newBot(t, opts()...), niobottest.Encrypted(e2eetest.Device))
	other := hs.StartBot("other", newBot(t))
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!ping")
	alice.ExpectReply("pong")
	other.User("alice").ExpectReply("pong")
	device := hs.Bot().DeviceID()
	hs.Crash()
	alice.Say(room, "!ping")
	hs.Resume(newBot(t, opts()...))
	alice.ExpectReply("pong")
	if got := hs.Bot().DeviceID(); got != device {
		t.Errorf("the device is %s, was %s", got, device)
	}
	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	alice.Say(room, "!ping")
	hs.Resume(newBot(t, opts()...))
	alice.ExpectReply("pong")
	hs.ExpectNothing(room)
}
