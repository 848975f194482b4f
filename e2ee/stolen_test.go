//go:build goolm

package e2ee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// TestSessionsStayTheirOwners has a member of a room say that another member's session is her own. She has its key from
// an earlier message on than bob, who joined later, so that hers would be the better one.
func TestSessionsStayTheirOwners(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	room := encryptedRoom(t, alice, mallory)
	early, session := alice.sealText(room, "early")
	key, err := alice.enc.SessionKey(deadline(t), room)
	if err != nil {
		t.Fatal(err)
	}
	alice.say(room, "second")
	bob.join(room)
	for _, b := range []*bot{alice, bob, mallory} {
		b.sync()
	}
	before := bob.heard(alice.say(room, "third"), "third")
	if before.Origin.DeviceID != alice.client.DeviceID {
		t.Fatalf("the origin is %+v", before.Origin)
	}
	for _, restart := range []bool{false, true} {
		if err := mallory.enc.Claim(deadline(t), bob.Account(), room, session, key); err != nil {
			t.Fatal(err)
		}
		bob.sync()
		if restart {
			bob.restart()
		}
		text := fmt.Sprint("restarted: ", restart)
		if got := bob.heard(alice.say(room, text), text); got.Origin != before.Origin {
			t.Errorf("%s, the origin is %+v, want %+v", text, got.Origin, before.Origin)
		}
	}
	evt := eventOf(room, mallory, "$early", early)
	if open, err := bob.enc.Decrypt(deadline(t), evt); err == nil {
		t.Errorf("what alice wrote is read as mallory's: %s", open.Content)
	}
}

// TestImportedSessionsStayTheirOwners is the same for a session that bob has from a file.
func TestImportedSessionsStayTheirOwners(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	room := encryptedRoom(t, alice, mallory)
	content, session := alice.sealText(room, "first")
	mallory.heard(alice.send(room, content), "first")
	key, err := alice.enc.SessionKey(deadline(t), room)
	if err != nil {
		t.Fatal(err)
	}
	exported := exportOf(t, mallory, room, room)
	if n, _, err := bob.enc.Import(deadline(t), strings.NewReader(exported), "pass"); n == 0 || err != nil {
		t.Fatalf("imported %d, %v", n, err)
	}
	if err := mallory.enc.Claim(deadline(t), bob.Account(), room, session, key); err != nil {
		t.Fatal(err)
	}
	bob.sync()
	open, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$first", content))
	if err != nil || bodyOf(open) != "first" || open.Origin.Trust != id.TrustStateBackup {
		t.Errorf("got %q of %+v, %v", bodyOf(open), open.Origin, err)
	}
}

// TestKeysInTheClearAreNotTaken sends keys that nobody has encrypted, which anybody can forge.
func TestKeysInTheClearAreNotTaken(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice)
	content, session := alice.sealText(room, "x")
	key, err := alice.enc.SessionKey(deadline(t), room)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []event.Type{event.ToDeviceRoomKey, event.ToDeviceForwardedRoomKey} {
		err := hs.SendToDevice(alice.client.UserID, bob.client.UserID, bob.client.DeviceID, typ, map[string]any{
			"algorithm": id.AlgorithmMegolmV1, "room_id": room, "session_id": session, "session_key": key,
			"sender_key": "x", "sender_claimed_ed25519_key": "x", "forwarding_curve25519_key_chain": []string{},
		})
		if err != nil {
			t.Fatal(err)
		}
		bob.sync()
		_, err = bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$x", content))
		if !errors.Is(err, niobot.ErrKeyMissing) {
			t.Errorf("with a %s in the clear: %v", typ.Type, err)
		}
	}
}

// TestFloodByAStranger has one user send more messages than are read, while another's are read on.
func TestFloodByAStranger(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	queries, sends := hs.CountRequests("POST", "/keys/query"), hs.CountRequests("PUT", "/sendToDevice/")
	identity, flood := identityOf(t, bob), make([]*event.Event, 10_100)
	for n := range flood {
		key := fmt.Sprintf("%043d", n%97)
		flood[n] = &event.Event{
			Sender: "@mallory:localhost", Type: event.ToDeviceEncrypted,
			Content: event.Content{VeryRaw: json.RawMessage(`{"algorithm":"m.olm.v1.curve25519-aes-sha2","sender_key":"` + key +
				`","ciphertext":{"` + identity + `":{"type":0,"body":"AAAA"}}}`)},
		}
	}
	if err := bob.enc.Receive(t.Context(), niobot.DeviceUpdate{ToDevice: flood}); err != nil {
		t.Fatal(err)
	}
	bob.heard(alice.say(room, "still here"), "still here")
	if n := hs.CountRequests("POST", "/keys/query") - queries; n > 30 {
		t.Errorf("the flood makes %d questions for devices", n)
	}
	if n := hs.CountRequests("PUT", "/sendToDevice/") - sends; n > 100 {
		t.Errorf("the flood makes %d answers", n)
	}
}

func identityOf(t *testing.T, b *bot) string {
	t.Helper()
	keys, _ := askKeys(t, b.client, b.client.UserID).Devices[b.client.UserID][b.client.DeviceID]["keys"].(map[string]any)
	key, _ := keys["curve25519:"+string(b.client.DeviceID)].(string)
	if key == "" {
		t.Fatal("the device has no key")
	}
	return key
}
