//go:build goolm

package e2ee_test

import (
	"errors"
	"fmt"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto/backup"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestKeysGoIntoTheBackupInBatches(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	// Nothing is taken while the keys are made, however long that may be.
	uploads := fakehs.Fault{User: alice.client.UserID, Method: "PUT", Path: "/room_keys/keys", Status: 500}
	closed := hs.Fail(uploads)
	for n := range 120 {
		if err := alice.enc.Rotate(deadline(t), room); err != nil {
			t.Fatal(err)
		}
		alice.sealText(room, fmt.Sprint(n))
	}
	alice.stop()
	closed.Remove()
	uploads.Count = 1
	once := hs.Fail(uploads)
	before := hs.CountRequests("PUT", "/room_keys/keys")
	alice.reset()
	alice.start()
	alice.backedUp()
	if once.Hits() != 1 {
		t.Error("the upload did not meet the fault")
	}
	keys, err := alice.client.GetKeyBackup(deadline(t), "1")
	if err != nil || len(keys.Rooms[room].Sessions) != 120 {
		t.Errorf("the backup holds %d sessions, %v", len(keys.Rooms[room].Sessions), err)
	}
	if n := hs.CountRequests("PUT", "/room_keys/keys") - before; n != 3 {
		t.Errorf("they were uploaded by %d requests, want one that fails, 100 and 20", n)
	}
}

func TestBackupGoesOnAfterARestart(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	fault := hs.Fail(fakehs.Fault{User: alice.client.UserID, Path: "/room_keys/keys", Status: 502})
	alice.sealText(room, "x")
	alice.stop()
	fault.Remove()
	alice.reset()
	alice.start()
	alice.backedUp()
}

func TestReplacedBackupIsFollowed(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	alice.sealText(room, "x")
	alice.backedUp()
	// Deleted by another client: the bot begins a new one.
	if err := alice.client.DeleteKeyBackupVersion(deadline(t), "1"); err != nil {
		t.Fatal(err)
	}
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	alice.sealText(room, "y")
	if err := hs.WaitAnswers(deadline(t), 2, "POST", "/room_keys/version"); err != nil {
		t.Fatal(err)
	}
	alice.backedUp()
	keys, err := alice.client.GetKeyBackup(deadline(t), "2")
	if err != nil || len(keys.Rooms[room].Sessions) != 2 {
		t.Errorf("the new backup holds %+v, %v", keys, err)
	}
	// Replaced under a key that the bot does not have: nothing goes into it.
	foreign, err := backup.NewMegolmBackupKey()
	if err != nil {
		t.Fatal(err)
	}
	public := id.Ed25519(encode64(foreign.PublicKey().Bytes()))
	_, err = alice.client.CreateKeyBackupVersion(deadline(t), &mautrix.ReqRoomKeysVersionCreate[backup.MegolmAuthData]{
		Algorithm: id.KeyBackupAlgorithmMegolmBackupV1, AuthData: backup.MegolmAuthData{PublicKey: public},
	})
	if err != nil {
		t.Fatal(err)
	}
	looked := hs.CountRequests("GET", "/room_keys/version")
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	alice.sealText(room, "z")
	if err := hs.WaitAnswers(deadline(t), looked+1, "GET", "/room_keys/version"); err != nil {
		t.Fatal(err)
	}
	alice.stop()
	if keys, err := alice.client.GetKeyBackup(deadline(t), "3"); err != nil || len(keys.Rooms) != 0 {
		t.Errorf("a foreign backup got %+v, %v", keys, err)
	}
}

func TestMissingKeyIsFoundInTheBackup(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	tablet := logIn(t, hs, "bob", e2eeKey(bob))
	tablet.start()
	tablet.sync()
	room := encryptedRoom(t, alice, bob)
	sent, _ := alice.sealText(room, "x")
	evt := alice.send(room, sent)
	bob.heard(evt, "x")
	bob.backedUp()
	// The tablet has not synced, and asks for the message out of turn.
	tablet.decrypt(eventOf(room, alice, evt, sent))
	if got := tablet.knows(evt, "x"); got.Origin.Trust != id.TrustStateBackup {
		t.Errorf("the origin is %+v", got.Origin)
	}
}

func TestForeignKeysInTheBackupAreLeftOut(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	sent, session := alice.sealText(room, "x")
	for _, data := range []string{
		`{}`, `{"ciphertext":"AAAA","ephemeral":"` + string(session) + `","mac":"AAAA"}`,
	} {
		_, err := bob.client.PutKeysInBackupForRoomAndSession(deadline(t), "1", room, session, &mautrix.ReqKeyBackupData{
			SessionData: []byte(data),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$x", sent)); !errors.Is(err, niobot.ErrKeyMissing) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if err := hs.WaitRequests(deadline(t), 1, "GET", "/room_keys/keys/{room}/{session}"); err != nil {
		t.Error(err)
	}
	bob.heard(alice.send(room, sent), "x")
}
