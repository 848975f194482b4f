//go:build goolm

package e2ee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/internal/fakehs"
)

func sessionOf(t testing.TB, content json.RawMessage) id.SessionID {
	t.Helper()
	var sealed struct {
		SessionID id.SessionID `json:"session_id"`
	}
	if err := json.Unmarshal(content, &sealed); err != nil {
		t.Fatal(err)
	}
	return sealed.SessionID
}

// sealText encrypts a message and returns it with its session.
func (b *bot) sealText(room id.RoomID, text string) (json.RawMessage, id.SessionID) {
	b.t.Helper()
	content, err := b.encryptText(room, text)
	if err != nil {
		b.t.Fatal(err)
	}
	return content, sessionOf(b.t, content)
}

func (b *bot) deaf(evt id.EventID) {
	b.t.Helper()
	b.sync()
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.read[evt]; ok {
		b.t.Errorf("%s reads what is not for it", b.client.UserID)
	}
}

func TestWhoLeavesCanNotReadOn(t *testing.T) {
	hs := newServer(t)
	alice, bob, carol := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "carol")
	room := encryptedRoom(t, alice, bob, carol)
	sent, before := alice.sealText(room, "for three")
	said := alice.send(room, sent)
	bob.heard(said, "for three")
	carol.heard(said, "for three")
	if _, err := bob.client.LeaveRoom(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	alice.sync()
	carol.sync()
	sent, after := alice.sealText(room, "for two")
	if before == after {
		t.Error("the session was kept when somebody left")
	}
	said = alice.send(room, sent)
	carol.heard(said, "for two")
	bob.sync()
	if _, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, said, sent)); !errors.Is(err, niobot.ErrKeyMissing) {
		t.Errorf("who left gets %v", err)
	}
}

func eventOf(room id.RoomID, sender *bot, evt id.EventID, content json.RawMessage) *event.Event {
	return &event.Event{
		RoomID: room, Sender: sender.client.UserID, ID: evt, Type: event.EventEncrypted, Timestamp: 1,
		Content: event.Content{VeryRaw: content},
	}
}

func TestWhoJoinsReadsFromThenOn(t *testing.T) {
	hs := newServer(t)
	alice, bob, carol := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "carol")
	room := encryptedRoom(t, alice, bob)
	first, session := alice.sealText(room, "before")
	early := alice.send(room, first)
	bob.heard(early, "before")
	carol.join(room)
	alice.sync()
	carol.sync()
	second, same := alice.sealText(room, "after")
	if session != same {
		t.Error("a join ended the session")
	}
	carol.heard(alice.send(room, second), "after")
	_, err := carol.enc.Decrypt(deadline(t), eventOf(room, alice, early, first))
	if !errors.Is(err, niobot.ErrKeyMissing) {
		t.Errorf("what was said before the join gives %v", err)
	}
}

func TestNewDevicesGetTheKeyAndLostOnesEndTheSession(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	_, first := alice.sealText(room, "one")
	tablet := logIn(t, hs, "bob", e2ee.RecoveryKey(bob.keys[0]))
	tablet.start()
	tablet.sync()
	alice.sync()
	sent, second := alice.sealText(room, "two")
	if first != second {
		t.Error("a new device ended the session")
	}
	tablet.heard(alice.send(room, sent), "two")
	tablet.stop()
	hs.LogOut(tablet.client.AccessToken)
	alice.sync()
	if _, third := alice.sealText(room, "three"); third == second {
		t.Error("the session was kept when a device was signed out")
	}
}

func TestSessionsEndByTheRoomsSettings(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	settings := &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1, RotationPeriodMessages: 3}
	if _, err := alice.client.SendStateEvent(deadline(t), room, event.StateEncryption, "", settings); err != nil {
		t.Fatal(err)
	}
	seen := make(map[id.SessionID]int)
	for n := range 9 {
		_, session := alice.sealText(room, fmt.Sprint(n))
		seen[session]++
	}
	if len(seen) != 3 {
		t.Errorf("9 messages are in sessions of %v, want 3 of 3", seen)
	}
	_, before := alice.sealText(room, "x")
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	if _, after := alice.sealText(room, "y"); after == before {
		t.Error("Rotate kept the session")
	}
}

func TestHistoryVisibilityBeginsANewSession(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	room := encryptedRoom(t, alice)
	_, before := alice.sealText(room, "x")
	content := &event.HistoryVisibilityEventContent{HistoryVisibility: event.HistoryVisibilityJoined}
	if _, err := alice.client.SendStateEvent(deadline(t), room, event.StateHistoryVisibility, "", content); err != nil {
		t.Fatal(err)
	}
	alice.sync()
	if _, after := alice.sealText(room, "y"); after == before {
		t.Error("the session was kept")
	}
}

func TestNothingIsEncryptedInDoubt(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	for _, path := range []string{
		"/state/m.room.encryption", "/state/{type}", "/state/m.room.history_visibility", "/joined_members",
		"/keys/query", "/keys/claim", "/sendToDevice/",
	} {
		fault := hs.Fail(fakehs.Fault{User: alice.client.UserID, Path: path, Status: 400})
		content, err := alice.encryptText(room, "secret")
		hits := fault.Hits()
		fault.Remove()
		if hits > 0 && err == nil {
			t.Errorf("with %s failing, %s was made", path, content)
		}
	}
	bob.heard(alice.say(room, "at last"), "at last")

	plain, err := alice.client.CreateRoom(deadline(t), &mautrix.ReqCreateRoom{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alice.encryptText(plain.RoomID, "x"); !errors.Is(err, e2ee.ErrNotEncrypted) {
		t.Errorf("in a plain room: %v", err)
	}
}

func TestManyRoomsAtOnce(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	var rooms []id.RoomID
	for range 5 {
		rooms = append(rooms, encryptedRoom(t, alice, bob))
	}
	var mu sync.Mutex
	sent := make(map[id.EventID]string)
	var wg sync.WaitGroup
	for _, room := range rooms {
		for n := range 8 {
			wg.Go(func() {
				text := fmt.Sprintf("%s %d", room, n)
				content, err := alice.encryptText(room, text)
				if err != nil {
					t.Error(err)
					return
				}
				evt := alice.send(room, content)
				mu.Lock()
				defer mu.Unlock()
				sent[evt] = text
			})
		}
		wg.Go(func() { alice.hearsOfItself() })
	}
	wg.Wait()
	bob.sync()
	for evt, text := range sent {
		bob.knows(evt, text)
	}
	if n := hs.CountRequests("PUT", "/sendToDevice/m.room.encrypted"); n != len(rooms) {
		t.Errorf("keys were shared by %d requests, want one a room", n)
	}
}

// hearsOfItself takes in an update, as a sync does meanwhile.
func (b *bot) hearsOfItself() {
	if err := b.enc.Receive(b.t.Context(), niobot.DeviceUpdate{Changed: []id.UserID{b.client.UserID}}); err != nil {
		b.t.Error(err)
	}
}

func TestPolicyLeavesDevicesOut(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice", e2ee.ShareWith(e2ee.CrossSignedDevices))
	strict := newBot(t, hs, "strict", e2ee.ShareWith(e2ee.VerifiedDevices))
	bob := newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, strict, bob)
	bob.heard(alice.say(room, "signed"), "signed")
	sent, _ := strict.sealText(room, "verified only")
	evt := strict.send(room, sent)
	bob.deaf(evt)
	bob.mu.Lock()
	err := bob.failed[evt]
	bob.mu.Unlock()
	var withheld *e2ee.WithheldError
	if !errors.As(err, &withheld) || withheld.Code != event.RoomKeyWithheldUnverified {
		t.Errorf("who gets no key is told %v", err)
	}
}

func TestUsedUpOneTimeKeysFallBack(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob) // Before: a sync in between would let bob make up for the keys.
	uploads := hs.CountRequests("POST", "/keys/upload")
	for range 60 {
		claimed, err := alice.client.ClaimKeys(deadline(t), &mautrix.ReqClaimKeys{OneTimeKeys: mautrix.OneTimeKeysRequest{
			bob.client.UserID: {bob.client.DeviceID: id.KeyAlgorithmSignedCurve25519},
		}})
		if err != nil || len(claimed.OneTimeKeys[bob.client.UserID]) == 0 {
			t.Fatalf("no key is left: %v", err)
		}
	}
	bob.heard(alice.say(room, "by the fallback key"), "by the fallback key")
	if err := hs.WaitRequests(deadline(t), uploads+1, "POST", "/keys/upload"); err != nil {
		t.Errorf("no keys are made up for those used: %v", err)
	}
}

func TestDeviceWithoutKeysIsLeftOutAndTriedAgain(t *testing.T) {
	hs := newServer(t)
	alice, bob, carol := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "carol")
	room := encryptedRoom(t, alice, bob, carol)
	fault := hs.Fail(fakehs.Fault{Path: "/keys/claim", Response: []byte(`{"one_time_keys":{},"failures":{}}`)})
	evt := alice.say(room, "to nobody")
	fault.Remove()
	bob.deaf(evt)
	carol.deaf(evt)
}

// TestEarlierMessageOfAKnownSession has bob know a session from its second message on. The search for a better key must
// end, though one that is no better is found again and again.
func TestEarlierMessageOfAKnownSession(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice)
	early, _ := alice.sealText(room, "early")
	bob.join(room)
	bob.sync()
	alice.sync()
	bob.heard(alice.say(room, "late"), "late")
	bob.backedUp()
	for range 3 {
		_, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$early", early))
		if !errors.Is(err, niobot.ErrKeyMissing) {
			t.Fatalf("got %v", err)
		}
	}
	if err := hs.WaitRequests(deadline(t), 1, "PUT", "/sendToDevice/m.room_key_request/"); err != nil {
		t.Fatal(err)
	}
	if n := hs.CountRequests("GET", "/room_keys/keys/{room}/{session}"); n > 2 {
		t.Errorf("the backup is asked %d times", n)
	}
}

func TestWhoHasOldKeysIsForgotten(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	var sessions []id.SessionID
	for range 2 {
		_, session := alice.sealText(room, "x")
		sessions = append(sessions, session)
		if err := alice.enc.Rotate(deadline(t), room); err != nil {
			t.Fatal(err)
		}
	}
	_, current := alice.sealText(room, "x")
	alice.stop()
	_, err := alice.disk.db.Exec(deadline(t),
		"UPDATE crypto_megolm_inbound_session SET received_at=$1 WHERE session_id<>$2",
		time.Now().UTC().AddDate(0, -2, 0), sessions[1])
	if err != nil {
		t.Fatal(err)
	}
	alice.reset()
	alice.start()
	count := func(session id.SessionID) (n int) {
		err := alice.disk.db.QueryRow(deadline(t),
			"SELECT COUNT(*) FROM crypto_megolm_outbound_session_shared WHERE session_id=$1", session).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for ctx := deadline(t); count(sessions[0]) != 0; <-poll.C {
		if ctx.Err() != nil {
			t.Fatal("who has the oldest session's key is still known")
		}
	}
	if count(sessions[1]) != 1 || count(current) != 1 {
		t.Error("who has a newer session's key is forgotten")
	}
}
