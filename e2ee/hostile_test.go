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
	"github.com/niobot/niobot/internal/fakehs"
)

func TestForgedMessagesAreUnreadable(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room, other := encryptedRoom(t, alice, bob), encryptedRoom(t, alice, bob)
	sent, _ := alice.sealText(room, "real")
	evt := alice.send(room, sent)
	bob.heard(evt, "real")
	second, _ := alice.sealText(room, "second")
	change := func(raw json.RawMessage, edit func(map[string]any)) json.RawMessage {
		var content map[string]any
		if err := json.Unmarshal(raw, &content); err != nil {
			t.Fatal(err)
		}
		edit(content)
		out, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	text := func(raw json.RawMessage) string {
		var content map[string]string
		_ = json.Unmarshal(raw, &content)
		return content["ciphertext"]
	}(second)
	for name, forged := range map[string]*event.Event{
		"replayed as another event": eventOf(room, alice, "$other", sent),
		"sent by another user":      eventOf(room, bob, "$new", second),
		"truncated": eventOf(room, alice, "$new", change(second, func(c map[string]any) {
			c["ciphertext"] = text[:len(text)-8]
		})),
		"bits turned": eventOf(room, alice, "$new", change(second, func(c map[string]any) {
			c["ciphertext"] = strings.Replace(text, text[40:44], "AAAA", 1)
		})),
		"no Base64": eventOf(room, alice, "$new", change(second, func(c map[string]any) { c["ciphertext"] = "%%%" })),
		"empty":     eventOf(room, alice, "$new", change(second, func(c map[string]any) { c["ciphertext"] = "" })),
		"olm": eventOf(room, alice, "$new", change(second, func(c map[string]any) {
			c["algorithm"] = "m.olm.v1.curve25519-aes-sha2"
		})),
		"a number":         eventOf(room, alice, "$new", change(second, func(c map[string]any) { c["ciphertext"] = 7 })),
		"no session":       eventOf(room, alice, "$new", change(second, func(c map[string]any) { c["session_id"] = "x" })),
		"no object at all": eventOf(room, alice, "$new", json.RawMessage(`[]`)),
	} {
		if open, err := bob.enc.Decrypt(deadline(t), forged); !errors.Is(err, niobot.ErrUnreadable) {
			t.Errorf("%s: got %s, %v", name, open.Content, err)
		}
	}
	_, err := bob.enc.Decrypt(deadline(t), eventOf(other, alice, "$new", second))
	if !errors.Is(err, niobot.ErrKeyMissing) {
		t.Errorf("moved to another room: %v", err)
	}
	// None of that has used the second message up; and the first may come again, as after a crash.
	if _, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$second", second)); err != nil {
		t.Errorf("the real one: %v", err)
	}
	if _, err := bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$second", second)); err != nil {
		t.Errorf("the real one, once more: %v", err)
	}
}

// TestForeignDevicesAreNotTaken has the server answer with keys that are not the user's.
func TestForeignDevicesAreNotTaken(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	encode := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	foreign := askKeys(t, mallory.client, mallory.client.UserID)
	device := encode(foreign.Devices[mallory.client.UserID][mallory.client.DeviceID])
	master, self := encode(foreign.Master[mallory.client.UserID]), encode(foreign.SelfSigning[mallory.client.UserID])
	renamed := func(s string) string {
		return strings.ReplaceAll(s, string(mallory.client.UserID), string(bob.client.UserID))
	}
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "a first meeting"), "a first meeting")
	const form = `{"device_keys":{"@bob:localhost":{"%s":%s}},"master_keys":{"@bob:localhost":%s},` +
		`"self_signing_keys":{"@bob:localhost":%s}}`
	for name, answer := range map[string]string{
		"another user's": fmt.Sprintf(form,
			mallory.client.DeviceID, device, master, self),
		"another user's, renamed": fmt.Sprintf(form,
			mallory.client.DeviceID, renamed(device), renamed(master), renamed(self)),
		"short keys": `{"device_keys":{"@bob:localhost":{"X":{"user_id":"@bob:localhost","device_id":"X",` +
			`"keys":{"ed25519:X":"AA","curve25519:X":"AA"},"signatures":{"@bob:localhost":{"ed25519:X":"AA"}}}}}}`,
		"no objects": `{"device_keys":{"@bob:localhost":{"X":7,"Y":null,"Z":[]}},"master_keys":{"@bob:localhost":7}}`,
	} {
		fault := hs.Fail(fakehs.Fault{User: alice.client.UserID, Path: "/keys/query", Response: []byte(answer)})
		if err := alice.enc.Receive(deadline(t), niobot.DeviceUpdate{Changed: []id.UserID{bob.client.UserID}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		content, err := alice.encryptText(room, name)
		fault.Remove()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		evt := alice.send(room, content)
		mallory.join(room)
		mallory.deaf(evt)
		if _, err := mallory.client.LeaveRoom(deadline(t), room); err != nil {
			t.Fatal(err)
		}
	}
	if err := alice.enc.Receive(deadline(t), niobot.DeviceUpdate{Changed: []id.UserID{bob.client.UserID}}); err != nil {
		t.Fatal(err)
	}
	alice.sync()
	got := alice.heard(bob.say(room, "it is me"), "it is me")
	if got.Origin.Trust != id.TrustStateCrossSignedTOFU || got.Origin.DeviceID != bob.client.DeviceID {
		t.Errorf("after all that, bob's origin is %+v", got.Origin)
	}
}

func TestChangedSigningKeyIsNotTrusted(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "x"), "x")
	// Another device of bob's, which the server passes off as the first by its id.
	other := logIn(t, hs, "bob", e2eeKey(bob))
	other.start()
	fake := askKeys(t, alice.client, bob.client.UserID).Devices[bob.client.UserID][other.client.DeviceID]
	fake["device_id"] = bob.client.DeviceID
	data, err := json.Marshal(map[string]any{"device_keys": map[id.UserID]any{
		bob.client.UserID: map[id.DeviceID]any{bob.client.DeviceID: fake},
	}})
	if err != nil {
		t.Fatal(err)
	}
	hs.Fail(fakehs.Fault{User: alice.client.UserID, Path: "/keys/query", Response: data})
	if err := alice.enc.Receive(deadline(t), niobot.DeviceUpdate{Changed: []id.UserID{bob.client.UserID}}); err != nil {
		t.Fatal(err)
	}
	if err := alice.enc.Rotate(deadline(t), room); err != nil { // Bob's backup may hold the session before.
		t.Fatal(err)
	}
	evt := alice.say(room, "to whom?")
	other.deaf(evt)
}

func TestServerThatGivesForeignOneTimeKeys(t *testing.T) {
	hs := newServer(t)
	alice, bob, mallory := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "mallory")
	room := encryptedRoom(t, alice, bob)
	for _, answer := range []string{
		`{"one_time_keys":{"@mallory:localhost":{"X":{"signed_curve25519:A":{"key":"AA"}}}}}`,
		`{"one_time_keys":{"@bob:localhost":{"` + string(bob.client.DeviceID) +
			`":{"signed_curve25519:A":{"key":"AA","signatures":{}}}}}}`,
		`{"one_time_keys":{"@bob:localhost":{"` + string(bob.client.DeviceID) + `":{"signed_curve25519:A":"AA"}}}}`,
		`{"one_time_keys":{"@bob:localhost":{"` + string(bob.client.DeviceID) + `":{"x":{"key":7}}}}}`,
	} {
		if err := alice.enc.Rotate(deadline(t), room); err != nil {
			t.Fatal(err)
		}
		fault := hs.Fail(fakehs.Fault{User: alice.client.UserID, Path: "/keys/claim", Response: []byte(answer)})
		if content, err := alice.encryptText(room, "x"); err == nil {
			evt := alice.send(room, content)
			mallory.deaf(evt)
			bob.deaf(evt)
		}
		fault.Remove()
	}
	if err := alice.enc.Rotate(deadline(t), room); err != nil {
		t.Fatal(err)
	}
	bob.heard(alice.say(room, "real"), "real")
}

func TestSessionCanNotBeMovedToAnotherRoom(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	bob.heard(alice.say(room, "x"), "x")
	// An export is the way of a user to the same store as a key that a malicious member sends again for another room.
	exported := exportOf(t, alice, room, "!elsewhere:localhost")
	if imported, total, err := bob.enc.Import(deadline(t), strings.NewReader(exported), "pass"); err != nil ||
		imported != 0 || total != 1 {
		t.Errorf("imported %d of %d, %v", imported, total, err)
	}
	bob.heard(alice.say(room, "y"), "y")
}

func TestFloodOfKeysIsBounded(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	before := hs.CountRequests("POST", "/keys/query")
	var flood []*event.Event
	for n := range 300 {
		key := fmt.Sprintf("%043d", n)
		flood = append(flood, &event.Event{
			Sender: "@mallory:localhost", Type: event.ToDeviceEncrypted,
			Content: event.Content{VeryRaw: json.RawMessage(`{"algorithm":"m.olm.v1.curve25519-aes-sha2","sender_key":"` +
				key + `","ciphertext":{"` + key + `":{"type":0,"body":"AAAA"}}}`)},
		}, &event.Event{
			Sender: "@mallory:localhost", Type: event.ToDeviceRoomKeyRequest,
			Content: event.Content{VeryRaw: json.RawMessage(`{"action":"request","request_id":"` + key +
				`","requesting_device_id":"` + key + `","body":{"room_id":"!r","session_id":"` + key + `"}}`)},
		}, &event.Event{
			Sender: "@mallory:localhost", Type: event.ToDeviceRoomKeyWithheld,
			Content: event.Content{VeryRaw: json.RawMessage(`{"code":"m.blacklisted","room_id":"` + room.String() +
				`","session_id":"` + key + `","algorithm":"m.megolm.v1.aes-sha2"}`)},
		})
	}
	if err := bob.enc.Receive(deadline(t), niobot.DeviceUpdate{ToDevice: flood}); err != nil {
		t.Fatal(err)
	}
	bob.heard(alice.say(room, "still here"), "still here")
	if n := hs.CountRequests("POST", "/keys/query") - before; n > 40 {
		t.Errorf("the flood makes %d requests", n)
	}
}

func TestWithheldByAnotherDoesNotCount(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	sent, session := alice.sealText(room, "x")
	for _, sender := range []id.UserID{"@mallory:localhost", alice.client.UserID} {
		err := bob.enc.Receive(deadline(t), niobot.DeviceUpdate{ToDevice: []*event.Event{{
			Sender: sender, Type: event.ToDeviceRoomKeyWithheld,
			Content: event.Content{VeryRaw: json.RawMessage(fmt.Sprintf(
				`{"algorithm":"m.megolm.v1.aes-sha2","room_id":%q,"session_id":%q,"code":"m.blacklisted"}`, room, session))},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = bob.enc.Decrypt(deadline(t), eventOf(room, alice, "$x", sent))
		if said := strings.Contains(fmt.Sprint(err), "withholds"); said != (sender == alice.client.UserID) {
			t.Errorf("withheld by %s: %v", sender, err)
		}
	}
	bob.heard(alice.send(room, sent), "x") // whatever was said, the key came
}
