//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/id"
)

// TestEncryption runs bots with encryption against every homeserver, in talk with each other.
func TestEncryption(t *testing.T) {
	runEverywhere(t, []scenario{
		{name: "two bots talk both ways", run: secretTalk},
		{name: "reads what was sent while it was down", run: secretRestart},
		{name: "reads old messages on a new device", run: secretNewDevice},
		{name: "exports and imports keys", run: secretKeyFile},
		{name: "signs its device for strangers to check", run: secretIdentity},
	})
}

func secretTalk(t *testing.T, hs Homeserver) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := secretRoom(alice, bot)
	m := bot.hears(alice.says(room, "hello"), "hello")
	if o, _ := m.Origin(); o.DeviceID != alice.account.DeviceID || o.Trust != id.TrustStateCrossSignedTOFU {
		t.Errorf("the origin is %+v, want the cross-signed %s", o, alice.account.DeviceID)
	}
	alice.hears(bot.says(room, "hi"), "hi")
	bot.hears(alice.says(room, "how are you?"), "how are you?")
	alice.isAnswered(room, bot)
}

// isAnswered sends a command, and waits for its answer.
func (b *secretBot) isAnswered(room id.RoomID, by *secretBot) {
	b.t.Helper()
	said := b.says(room, "!ping")
	m, err := b.heard.answer(b.t.Context(), by.account.UserID, said)
	check(b.t, "get an answer", err)
	b.hears(m.ID, "pong")
}

func secretRestart(t *testing.T, hs Homeserver) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := secretRoom(alice, bot)
	bot.hears(alice.says(room, "before"), "before")
	bot.stop()
	missed := alice.says(room, "while you were away")
	bot.start()
	bot.hears(missed, "while you were away")
	alice.isAnswered(room, bot)
	alice.stop()
	alice.start()
	alice.isAnswered(room, bot)
}
