//go:build goolm

package e2ee_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
)

func e2eeKey(b *bot) e2ee.Option { return e2ee.RecoveryKey(b.keys[0]) }

// exportOf is what the bot exports, with one room's id put in place of another's.
func exportOf(t testing.TB, b *bot, room, as id.RoomID) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := b.enc.Export(deadline(t), &out, "pass"); err != nil {
		t.Fatal(err)
	}
	text, err := e2ee.OpenKeyFile(out.Bytes(), "pass")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := crypto.EncryptKeyExport("pass", []byte(strings.ReplaceAll(string(text), string(room), string(as))))
	if err != nil {
		t.Fatal(err)
	}
	return string(sealed)
}

// TestExportAndImport imports while the bot runs, which is when there is a store to import into (nio-bot 1).
func TestExportAndImport(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	room := encryptedRoom(t, alice, bob)
	sent, _ := alice.sealText(room, "x")
	evt := alice.send(room, sent)
	bob.heard(evt, "x")
	var out bytes.Buffer
	if n, err := bob.enc.Export(deadline(t), &out, "päss"); n != 1 || err != nil {
		t.Fatalf("exported %d, %v", n, err)
	}
	carol := newBot(t, hs, "carol")
	_, _, err := carol.enc.Import(deadline(t), bytes.NewReader(out.Bytes()), "pass")
	if !errors.Is(err, e2ee.ErrPassphraseWrong) {
		t.Errorf("with a wrong passphrase: %v", err)
	}
	mangled := "\ufeffSaved by mail:\r\n" + strings.ReplaceAll(out.String(), "\n", " \r\n")
	imported, total, err := carol.enc.Import(deadline(t), strings.NewReader(mangled), "päss")
	if imported != 1 || total != 1 || err != nil {
		t.Fatalf("imported %d of %d, %v", imported, total, err)
	}
	got, err := carol.enc.Decrypt(deadline(t), eventOf(room, alice, evt, sent))
	if err != nil || bodyOf(got) != "x" || !got.Origin.Forwarded || got.Origin.Trust != id.TrustStateBackup {
		t.Errorf("got %+v, %v", got, err)
	}
	if again, _, err := carol.enc.Import(deadline(t), bytes.NewReader(out.Bytes()), "päss"); again != 1 || err != nil {
		t.Errorf("imported once more: %d, %v", again, err)
	}
}

// TestImportOfAnotherImplementation reads what mautrix writes, and mautrix' reading is that of clients.
func TestImportOfAnotherImplementation(t *testing.T) {
	sealed, err := crypto.EncryptKeyExport("pass", []byte(`[]`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := e2ee.OpenKeyFile(sealed, "pass")
	if err != nil || string(text) != "[]" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestImportOfWhatIsNoExport(t *testing.T) {
	hs := newServer(t)
	b := newBot(t, hs, "alice")
	for _, text := range []string{
		"", "hello", "-----BEGIN MEGOLM SESSION DATA-----\n",
		"-----BEGIN MEGOLM SESSION DATA-----\nAAAA\n-----END MEGOLM SESSION DATA-----",
		"-----BEGIN MEGOLM SESSION DATA-----\n%%%%\n-----END MEGOLM SESSION DATA-----\n",
		"-----BEGIN MEGOLM SESSION DATA-----\nAf" + strings.Repeat("//", 100) + "\n-----END MEGOLM SESSION DATA-----\n",
	} {
		if _, _, err := b.enc.Import(deadline(t), strings.NewReader(text), "pass"); !errors.Is(err, e2ee.ErrNotKeyFile) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	if _, err := b.enc.Export(deadline(t), &bytes.Buffer{}, ""); err == nil {
		t.Error("keys are exported without a passphrase")
	}
}
