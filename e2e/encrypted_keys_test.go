//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
)

// secondDevice logs the account in on another device.
func secondDevice(t *testing.T, hs Homeserver, account Account) Account {
	t.Helper()
	client, err := mautrix.NewClient(hs.URL(), "", "")
	check(t, "make client", err)
	resp, err := client.Login(t.Context(), &mautrix.ReqLogin{
		Type:       mautrix.AuthTypePassword,
		Identifier: mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: account.UserID.String()},
		Password:   account.Password,
	})
	check(t, "log in", err)
	account.DeviceID, account.Token = resp.DeviceID, resp.AccessToken
	return account
}

// eventually asks until it is so.
func eventually(t *testing.T, what string, is func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := is(ctx)
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not in time: %v", what, err)
		}
	}
}

// looksUp fetches a message until it can be read.
func (b *secretBot) looksUp(room id.RoomID, message id.EventID, want string) {
	b.t.Helper()
	eventually(b.t, "read "+want, func(ctx context.Context) (bool, error) {
		m, err := b.Message(ctx, room, message)
		if err != nil && !errors.Is(err, niobot.ErrEncrypted) {
			b.t.Fatalf("look up %s: %v", want, err)
		}
		if err == nil && m.Body != want {
			b.t.Fatalf("%s reads %q, want %q", b.account.UserID, m.Body, want)
		}
		return err == nil, err
	})
}

func secretNewDevice(t *testing.T, hs Homeserver) {
	alice, bot := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot")
	room := secretRoom(alice, bot)
	heard := alice.says(room, "to be remembered")
	bot.hears(heard, "to be remembered")
	said := bot.says(room, "I shall")
	alice.hears(said, "I shall")
	eventually(t, "back the keys up", func(ctx context.Context) (bool, error) {
		identity, err := bot.enc.Identity(ctx)
		return identity.WaitingKeys == 0, err
	})
	bot.stop()

	next := secretBotOf(t, hs, secondDevice(t, hs, bot.account), e2ee.RecoveryKey(bot.recoveryKey))
	if next.recoveryKey != "" {
		t.Error("the new device made a new recovery key")
	}
	next.looksUp(room, heard, "to be remembered")
	next.looksUp(room, said, "I shall")
	alice.isAnswered(room, next)
	newUser(t, hs, "carol").checksIdentity(next.account)
}

func secretKeyFile(t *testing.T, hs Homeserver) {
	alice, bot, carol := newSecretBot(t, hs, "alice"), newSecretBot(t, hs, "bot"), newSecretBot(t, hs, "carol")
	room := secretRoom(alice, bot)
	said := alice.says(room, "before carol came")
	bot.hears(said, "before carol came")
	_, err := carol.Join(t.Context(), room.String())
	check(t, "join", err)
	if m, err := carol.Message(t.Context(), room, said); !errors.Is(err, niobot.ErrEncrypted) {
		t.Fatalf("carol reads %v without the key, err %v", m, err)
	}
	var file bytes.Buffer
	n, err := bot.enc.Export(t.Context(), &file, "open sesame")
	check(t, "export", err)
	if _, _, err := carol.enc.Import(t.Context(), bytes.NewReader(file.Bytes()), "wrong"); !errors.Is(err, e2ee.ErrPassphraseWrong) {
		t.Errorf("with another passphrase: %v", err)
	}
	imported, total, err := carol.enc.Import(t.Context(), &file, "open sesame")
	check(t, "import", err)
	if n == 0 || imported != n || total != n {
		t.Errorf("exported %d, imported %d of %d", n, imported, total)
	}
	carol.looksUp(room, said, "before carol came")
}

func secretIdentity(t *testing.T, hs Homeserver) {
	bot := newSecretBot(t, hs, "bot")
	newUser(t, hs, "carol").checksIdentity(bot.account)
}

// checksIdentity asks for a user's keys, as a stranger, and checks every signature from the master key down to the
// device, by the words of the specification alone (Client-Server API, "Signing JSON" and "Cross-signing").
func (u *user) checksIdentity(of Account) {
	u.t.Helper()
	var keys struct {
		Devices     map[id.UserID]map[id.DeviceID]json.RawMessage `json:"device_keys"`
		Master      map[id.UserID]json.RawMessage                 `json:"master_keys"`
		SelfSigning map[id.UserID]json.RawMessage                 `json:"self_signing_keys"`
	}
	_, err := u.MakeRequest(u.ctx, "POST", u.BuildClientURL("v3", "keys", "query"),
		map[string]any{"device_keys": map[id.UserID][]string{of.UserID: {}}}, &keys)
	check(u.t, "ask for keys", err)
	device, master, selfSigning := keys.Devices[of.UserID][of.DeviceID], keys.Master[of.UserID], keys.SelfSigning[of.UserID]
	if device == nil || master == nil || selfSigning == nil {
		u.t.Fatalf("the server has device %s, master key %s, self-signing key %s", device, master, selfSigning)
	}
	masterKey, selfSigningKey := soleKey(u.t, master, "master", of.UserID), soleKey(u.t, selfSigning, "self_signing", of.UserID)
	var own struct {
		UserID   id.UserID         `json:"user_id"`
		DeviceID id.DeviceID       `json:"device_id"`
		Keys     map[string]string `json:"keys"`
	}
	check(u.t, "read the device's keys", json.Unmarshal(device, &own))
	if own.UserID != of.UserID || own.DeviceID != of.DeviceID {
		u.t.Errorf("the keys are those of %s of %s", own.DeviceID, own.UserID)
	}
	fingerprint := own.Keys["ed25519:"+of.DeviceID.String()]
	checkSignature(u.t, device, of.UserID, of.DeviceID.String(), fingerprint)
	checkSignature(u.t, master, of.UserID, of.DeviceID.String(), fingerprint)
	checkSignature(u.t, selfSigning, of.UserID, masterKey, masterKey)
	checkSignature(u.t, device, of.UserID, selfSigningKey, selfSigningKey)
}

// soleKey is the public key of a cross-signing key object of the usage.
func soleKey(t *testing.T, object json.RawMessage, usage string, of id.UserID) string {
	t.Helper()
	var key struct {
		UserID id.UserID         `json:"user_id"`
		Usage  []string          `json:"usage"`
		Keys   map[string]string `json:"keys"`
	}
	check(t, "read the "+usage+" key", json.Unmarshal(object, &key))
	if key.UserID != of || len(key.Usage) != 1 || key.Usage[0] != usage || len(key.Keys) != 1 {
		t.Fatalf("the %s key is %s", usage, object)
	}
	for name, public := range key.Keys {
		if name != "ed25519:"+public {
			t.Fatalf("the %s key is %s", usage, object)
		}
		return public
	}
	return ""
}

// checkSignature wants the object to be signed by a user's key of that name.
func checkSignature(t *testing.T, object json.RawMessage, signer id.UserID, keyName, public string) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber() // A float would not come out as it was.
	var all map[string]any
	check(t, "read a signed object", decoder.Decode(&all))
	signatures, _ := all["signatures"].(map[string]any)
	bySigner, _ := signatures[signer.String()].(map[string]any)
	signature, _ := bySigner["ed25519:"+keyName].(string)
	delete(all, "signatures")
	delete(all, "unsigned")
	var canonical bytes.Buffer // Go sorts the keys; only the escapes of HTML and the line end are in the way.
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	check(t, "write a signed object", encoder.Encode(all))
	message := bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))
	key, err := base64.RawStdEncoding.DecodeString(public)
	check(t, "read a public key", err)
	raw, err := base64.RawStdEncoding.DecodeString(signature)
	check(t, "read a signature", err)
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, message, raw) {
		t.Errorf("%s is not signed by ed25519:%s", object, keyName)
	}
}
