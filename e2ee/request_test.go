//go:build goolm

package e2ee_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"go.mau.fi/util/dbutil"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/internal/fakehs"
)

func encode64(data []byte) string { return base64.RawStdEncoding.EncodeToString(data) }

// TestMissingKeyIsAskedFor has a member's key be lost on its way, and the sender give it again when asked.
func TestMissingKeyIsAskedFor(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	fault := hs.Fail(fakehs.Fault{
		User: alice.client.UserID, Path: "/sendToDevice/m.room.encrypted/", Count: 1, Response: []byte(`{}`),
	})
	evt := alice.say(room, "x")
	if fault.Hits() != 1 {
		t.Fatal("the key was not lost")
	}
	bob.sync()
	if err := hs.WaitAnswers(deadline(t), 1, "PUT", "/sendToDevice/m.room_key_request/"); err != nil {
		t.Fatalf("nobody is asked: %v", err)
	}
	alice.sync()
	if err := hs.WaitAnswers(deadline(t), 2, "PUT", "/sendToDevice/m.room.encrypted/"); err != nil {
		t.Fatalf("nobody answers: %v", err)
	}
	got := bob.heard(evt, "x")
	if !got.Origin.Forwarded || got.Origin.Trust > id.TrustStateForwarded {
		t.Errorf("the origin is %+v", got.Origin)
	}
	if err := hs.WaitRequests(deadline(t), 2, "PUT", "/sendToDevice/m.room_key_request/"); err != nil {
		t.Errorf("the request is not taken back: %v", err)
	}
}

// TestForwardedKeysNobodyAskedForAreNotTaken is nio-bot's and mautrix' fault: whoever sends a key is believed.
func TestForwardedKeysNobodyAskedForAreNotTaken(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	room := encryptedRoom(t, mallory, bob)
	bob.heard(mallory.say(room, "hello"), "hello")
	// A session of mallory's own that is said to be alice's.
	other := encryptedRoom(t, mallory)
	sent, session := mallory.sealText(other, "I am alice")
	if err := mallory.enc.Forward(deadline(t), bob.Account(), other, session, alice.Account()); err != nil {
		t.Fatal(err)
	}
	bob.sync()
	if got, err := bob.enc.Decrypt(deadline(t), eventOf(other, alice, "$x", sent)); !errors.Is(err, niobot.ErrKeyMissing) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOnlyWhoWasGivenAKeyGetsItAgain(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	room := encryptedRoom(t, alice, bob)
	_, session := alice.sealText(room, "x")
	sends := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted/")
	ask := func(b *bot) {
		content := map[string]any{
			"action": "request", "request_id": "r" + string(b.client.DeviceID), "requesting_device_id": b.client.DeviceID,
			"body": map[string]any{"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": session},
		}
		err := hs.SendToDevice(b.client.UserID, alice.client.UserID, "*", event.ToDeviceRoomKeyRequest, content)
		if err != nil {
			t.Fatal(err)
		}
		alice.sync()
	}
	ask(mallory)
	ask(bob) // answered in their order, so that mallory's was dealt with once bob's is there
	if err := hs.WaitRequests(deadline(t), sends+1, "PUT", "/sendToDevice/m.room.encrypted/"); err != nil {
		t.Fatal(err)
	}
	if n := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted/"); n != sends+1 {
		t.Errorf("%d keys were sent, want one", n-sends)
	}
}

// TestBrokenOlmSessionIsMended has bob's session with alice be lost, so that her messages can't be read.
func TestBrokenOlmSessionIsMended(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "x"), "x")
	alice.heard(bob.say(room, "y"), "y")
	bob.heard(alice.say(room, "z"), "z")
	bob.stop()
	if _, err := bob.disk.db.Exec(deadline(t), "DELETE FROM crypto_olm_session"); err != nil {
		t.Fatal(err)
	}
	bob.reset()
	bob.start()
	sends := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted/")
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	alice.say(room, "lost")
	bob.sync()
	if err := hs.WaitAnswers(deadline(t), sends+2, "PUT", "/sendToDevice/m.room.encrypted/"); err != nil {
		t.Fatalf("no new session is begun: %v", err)
	}
	alice.sync()
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	bob.heard(alice.say(room, "mended"), "mended")
}

// TestKeySurvivesACrashWhileItIsStored has the transaction of a sync fail once, as a crash in the middle does.
func TestKeySurvivesACrashWhileItIsStored(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	if bob.disk.db.Dialect != dbutil.SQLite {
		t.Skip("the trigger that fails is written for SQLite")
	}
	evt := alice.say(room, "x")
	resp, err := bob.client.SyncRequest(deadline(t), 0, bob.since, "", true, "")
	if err != nil {
		t.Fatal(err)
	}
	const trigger = `CREATE TRIGGER broken BEFORE INSERT ON crypto_megolm_inbound_session
		BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`
	if _, err := bob.disk.db.Exec(deadline(t), trigger); err != nil {
		t.Fatal(err)
	}
	if err := bob.enc.Receive(deadline(t), bob.update(resp)); err == nil {
		t.Fatal("a key that can't be stored is no error")
	}
	if _, err := bob.disk.db.Exec(deadline(t), "DROP TRIGGER broken"); err != nil {
		t.Fatal(err)
	}
	bob.heard(evt, "x")
	alice.sync()
	alice.heard(bob.say(room, "and back"), "and back")
}

func TestRedeliveredKeysAreNoError(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	evt := alice.say(room, "x")
	since := bob.since
	bob.heard(evt, "x")
	bob.since = since
	bob.restart()
	bob.heard(evt, "x")
}

func TestSecretsAreForVerifiedDevicesOfTheAccount(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	tablet := logIn(t, hs, "alice", e2eeKey(alice))
	tablet.start()
	alice.sync()
	ask := func(user id.UserID, device id.DeviceID, name string) {
		err := hs.SendToDevice(user, alice.client.UserID, alice.client.DeviceID, event.ToDeviceSecretRequest, map[string]any{
			"action": "request", "request_id": "1", "requesting_device_id": device, "name": name,
		})
		if err != nil {
			t.Fatal(err)
		}
		alice.sync()
	}
	sends := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted/")
	ask(bob.client.UserID, bob.client.DeviceID, "m.cross_signing.master")
	ask(alice.client.UserID, tablet.client.DeviceID, "org.niobot.pending_identity")
	ask(alice.client.UserID, "UNKNOWN", "m.cross_signing.master")
	ask(alice.client.UserID, tablet.client.DeviceID, "m.cross_signing.self_signing")
	if err := hs.WaitRequests(deadline(t), sends+1, "PUT", "/sendToDevice/m.room.encrypted/"); err != nil {
		t.Fatal(err)
	}
	if n := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted/"); n != sends+1 {
		t.Errorf("%d secrets were sent, want one", n-sends)
	}
}

func TestDevicesAndSignOut(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice", e2ee.Password("alice password"))
	tablet := logIn(t, hs, "alice", e2eeKey(alice))
	tablet.start()
	tablet.stop()
	devices, err := alice.enc.Devices(deadline(t))
	if err != nil || len(devices) != 2 || !devices[0].Own || devices[0].ID != alice.client.DeviceID ||
		devices[1].Trust != id.TrustStateCrossSignedVerified || devices[1].Fingerprint == "" {
		t.Fatalf("got %+v, %v", devices, err)
	}
	if err := alice.enc.SignOut(deadline(t), alice.client.DeviceID); err == nil {
		t.Error("the bot signs itself out")
	}
	gone, err := alice.enc.SignOutOthers(deadline(t))
	if err != nil || len(gone) != 1 || gone[0] != tablet.client.DeviceID {
		t.Errorf("signed out were %v, %v", gone, err)
	}
	if left := hs.Devices(alice.client.UserID); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}

func TestResetOfTheIdentity(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice", e2ee.Password("alice password")), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "before"), "before")
	before := masterKey(t, bob.client, alice.client.UserID)
	if err := alice.enc.ResetIdentity(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if masterKey(t, bob.client, alice.client.UserID) == before || len(alice.keys) != 2 {
		t.Error("the identity is the same")
	}
	if !crossSigned(t, bob.client, alice.client.UserID, alice.client.DeviceID) {
		t.Error("the device is not signed by the new identity")
	}
	bob.sync()
	got := bob.heard(alice.say(room, "after"), "after")
	if got.Origin.Trust != id.TrustStateCrossSignedUntrusted {
		t.Errorf("a changed identity has the trust %s", got.Origin.Trust)
	}
	alice.backedUp()
	tablet := logIn(t, hs, "alice", e2ee.RecoveryKey(alice.keys[1]))
	tablet.start()
	alice.restart()
}

func TestRelationsStayOutside(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	content := json.RawMessage(`{"body":"x","msgtype":"m.text","m.relates_to":{"rel_type":"m.thread","event_id":"$t"}}`)
	sealed, err := alice.enc.Encrypt(deadline(t), room, event.EventMessage, content)
	if err != nil {
		t.Fatal(err)
	}
	var outside map[string]json.RawMessage
	if err := json.Unmarshal(sealed, &outside); err != nil || !strings.Contains(string(outside["m.relates_to"]), "$t") {
		t.Errorf("outside is %s", sealed)
	}
	alice.send(room, sealed)
	bob.sync()
	// A client that leaves it outside alone.
	reaction, err := alice.enc.Encrypt(deadline(t), room, event.EventReaction, json.RawMessage(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	outside = nil
	if err := json.Unmarshal(reaction, &outside); err != nil {
		t.Fatal(err)
	}
	outside["m.relates_to"] = json.RawMessage(`{"rel_type":"m.annotation","event_id":"$e","key":"👍"}`)
	merged, err := json.Marshal(outside)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$r", merged))
	if err != nil || got.Type != event.EventReaction || !strings.Contains(string(got.Content), "👍") {
		t.Errorf("got %+v, %v", got, err)
	}
}
