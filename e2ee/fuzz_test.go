//go:build goolm

package e2ee

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

func FuzzEnvelope(f *testing.F) {
	key := strings.Repeat("A", 43)
	f.Add([]byte(`{"algorithm":"m.megolm.v1.aes-sha2","session_id":"` + key + `","ciphertext":"AwgAEnACgAkLmt6q"}`))
	f.Add([]byte(`{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":7}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		sealed, ciphertext, err := openEnvelope(data)
		if err != nil {
			if !errors.Is(err, niobot.ErrUnreadable) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if len(ciphertext) == 0 || len(ciphertext) > maxCiphertext || len(sealed.SessionID) != keyLength {
			t.Fatalf("let through: %q", data)
		}
		session := newTestSession(t)
		_ = guarded(func() error {
			text, _, err := session.Decrypt(ciphertext)
			if err == nil {
				t.Errorf("reads %q out of %q", text, ciphertext)
			}
			return err
		})
	})
}

func newTestSession(t testing.TB) olm.InboundGroupSession {
	t.Helper()
	out, err := olm.NewOutboundGroupSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := olm.NewInboundGroupSession([]byte(out.Key()))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func FuzzRelation(f *testing.F) {
	f.Add([]byte(`{"body":"x"}`), []byte(`{"rel_type":"m.thread"}`))
	f.Add([]byte(`{"m.relates_to":{}}`), []byte(`7`))
	f.Add([]byte(`null`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, content, relation []byte) {
		if !json.Valid(content) {
			return // It is a part of a document that was read.
		}
		merged, err := withRelation(content, relation)
		if err != nil {
			return
		}
		if _, ok := decodeObject(merged); !ok {
			t.Errorf("%q and %q make %q", content, relation, merged)
		}
	})
}

func FuzzToDevice(f *testing.F) {
	key := strings.Repeat("A", 43)
	f.Add([]byte(`{"algorithm":"m.olm.v1.curve25519-aes-sha2","sender_key":"` + key +
		`","ciphertext":{"` + key + `":{"type":0,"body":"AwogAA"}}}`))
	f.Add([]byte(`{"algorithm":"m.olm.v1.curve25519-aes-sha2","ciphertext":[]}`))
	f.Add([]byte(`{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"\""}`))
	account := crypto.NewOlmAccount()
	f.Fuzz(func(t *testing.T, data []byte) {
		content, err := parseOlm(data)
		if err != nil {
			return
		}
		for _, message := range content.OlmCiphertext {
			_ = guarded(func() error {
				_, err := account.Internal.NewInboundSessionFrom(&content.SenderKey, message.Body)
				return err
			})
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"user_id":"@a:b","usage":["master"],"keys":{"ed25519:A":"A"}}`))
	f.Add([]byte(`{"user_id":"@a:b","device_id":"D","keys":{"ed25519:D":"AA","curve25519:D":"AA"},` +
		`"signatures":{"@a:b":{"ed25519:D":"AA"}}}`))
	f.Add([]byte(`{"user_id":"@a:b","unsigned":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if master := readSigningKey(data, "@a:b", id.XSUsageMaster, nil); master != nil {
			if !validKey(master.key) {
				t.Errorf("takes %q", data)
			}
			if self := readSigningKey(data, "@a:b", id.XSUsageSelfSigning, master); self != nil {
				t.Errorf("takes a key that nobody has signed: %q", data)
			}
		}
		if device, err := readDevice(data, "@a:b", "D", nil); device != nil && err != nil {
			t.Errorf("takes %q in spite of %v", data, err)
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	sealed, err := sealKeyFile([]byte(`[]`), "pass")
	if err != nil {
		f.Fatal(err)
	}
	sealed[33], sealed[34], sealed[35], sealed[36] = 0, 0, 0, 1 // one round, so that each try is quick
	var whole bytes.Buffer
	if err := writeKeyFile(&whole, sealed); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte(keyFileBegin + "\nAQ==\n" + keyFileEnd))
	f.Add([]byte(keyFileBegin + keyFileEnd))
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := openKeyFile(data, "pass"); err == nil {
			t.Errorf("opens %q as %q", data, text)
		}
	})
}

func FuzzExportedSession(f *testing.F) {
	f.Add([]byte(`{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r","session_id":"x","session_key":"AQAAAAA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var exported crypto.ExportedSession
		if json.Unmarshal(data, &exported) != nil {
			return
		}
		session, err := importable(&exported)
		if err == nil && session.ID() != exported.SessionID {
			t.Errorf("takes %q", data)
		}
	})
}
