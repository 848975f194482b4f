//go:build goolm

package e2ee_test

import (
	"testing"

	"maunium.net/go/mautrix/id"
)

func TestTwoBotsTalkBothWays(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	got := bob.heard(alice.say(room, "hello"), "hello")
	if got.Origin.DeviceID != alice.client.DeviceID || got.Origin.Trust != id.TrustStateCrossSignedTOFU ||
		got.Origin.Forwarded {
		t.Errorf("the origin is %+v", got.Origin)
	}
	alice.heard(bob.say(room, "hi"), "hi")
	bob.heard(alice.say(room, "how are you?"), "how are you?")
	if n := len(hs.Messages(room, "")); n != 0 {
		t.Errorf("%d messages are not encrypted", n)
	}
}

// TestTalkGoesOnAfterARestart keeps the device and its keys (nio-bot 4).
func TestTalkGoesOnAfterARestart(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "before"), "before")
	sent := alice.say(room, "while bob was away")
	bob.restart()
	bob.heard(sent, "while bob was away")
	alice.restart()
	bob.heard(alice.say(room, "after"), "after")
	alice.heard(bob.say(room, "good"), "good")
	if len(alice.keys) != 1 || len(bob.keys) != 1 {
		t.Errorf("recovery keys were handed over %d and %d times", len(alice.keys), len(bob.keys))
	}
}
