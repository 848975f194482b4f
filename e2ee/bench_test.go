//go:build goolm

package e2ee_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// BenchmarkEncrypt and BenchmarkDecrypt are what an encrypted command costs beyond a plaintext one, SQLite included.
func BenchmarkEncrypt(b *testing.B) {
	hs := newServer(b)
	alice, bob := newBot(b, hs, "alice"), newBot(b, hs, "bob")
	room := encryptedRoom(b, alice, bob)
	longSessions(b, alice, room)
	content := json.RawMessage(`{"msgtype":"m.text","body":"a message of a usual length, as a bot may send it"}`)
	if _, err := alice.enc.Encrypt(b.Context(), room, event.EventMessage, content); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := alice.enc.Encrypt(b.Context(), room, event.EventMessage, content); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	hs := newServer(b)
	alice, bob := newBot(b, hs, "alice"), newBot(b, hs, "bob")
	room := encryptedRoom(b, alice, bob)
	longSessions(b, alice, room)
	const count = 2000
	var events []*event.Event
	for n := range count {
		content, err := alice.encryptText(room, fmt.Sprint("message ", n))
		if err != nil {
			b.Fatal(err)
		}
		events = append(events, eventOf(room, alice, id.EventID(fmt.Sprint("$", n)), content))
	}
	bob.sync()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := bob.enc.Decrypt(b.Context(), events[n%count]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func longSessions(b *testing.B, who *bot, room id.RoomID) {
	b.Helper()
	settings := &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1, RotationPeriodMessages: 10_000}
	if _, err := who.client.SendStateEvent(deadline(b), room, event.StateEncryption, "", settings); err != nil {
		b.Fatal(err)
	}
}
