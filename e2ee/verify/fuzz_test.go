package verify

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

var contents = []string{
	`{"from_device":"D","methods":["m.sas.v1"],"timestamp":1,"transaction_id":"t"}`,
	`{"from_device":"D","methods":["m.sas.v1"],"m.relates_to":{"rel_type":"m.reference","event_id":"$e"}}`,
	`{"from_device":"D","method":"m.sas.v1","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256"],` +
		`"message_authentication_codes":["hkdf-hmac-sha256.v2"],"short_authentication_string":["decimal","emoji"]}`,
	`{"from_device":"D","method":"m.reciprocate.v1","secret":"AAAAAAAAAAAAAAAAAAAAAA"}`,
	`{"commitment":"e7lLRAahJ4wECiJsIkHNr4iLqYWm5cCxK9/w3cMiAtY","hash":"sha256",` +
		`"short_authentication_string":["emoji"],"key_agreement_protocol":"curve25519-hkdf-sha256",` +
		`"message_authentication_code":"hkdf-hmac-sha256.v2"}`,
	`{"key":"e7lLRAahJ4wECiJsIkHNr4iLqYWm5cCxK9/w3cMiAtY=","transaction_id":"t"}`,
	`{"keys":"e7lLRAahJ4wECiJsIkHNr4iLqYWm5cCxK9/w3cMiAtY","mac":` +
		`{"ed25519:D":"e7lLRAahJ4wECiJsIkHNr4iLqYWm5cCxK9/w3cMiAtY"},"transaction_id":"t"}`,
	`{"code":"m.user","reason":"no","transaction_id":"t"}`,
	`{"m.relates_to":5}`, `[]`, `null`, ``, `{"mac":null}`, `{"from_device":"D","methods":null}`,
}

// FuzzContents gives every parser the same bytes. What one accepts is read again as the same from its own writing.
func FuzzContents(f *testing.F) {
	for _, c := range contents {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		again[requestContent](t, raw)
		again[readyContent](t, raw)
		again[startContent](t, raw)
		again[acceptContent](t, raw)
		again[keyContent](t, raw)
		again[macContent](t, raw)
		again[cancelContent](t, raw)
		for _, room := range []id.RoomID{"", "!room"} {
			txn, err := parseAddress(Event{Room: room, Content: raw})
			if err == nil && (txn == "" || len(txn) > maxID) {
				t.Errorf("transaction %q with room %q", txn, room)
			}
		}
		if json.Valid(raw) {
			if one, err := canonical(raw); err == nil {
				if two, err := canonical(one); err != nil || !bytes.Equal(one, two) {
					t.Errorf("%q becomes %q and then %q, %v", raw, one, two, err)
				}
			}
		}
		_ = Concerns(event.EventMessage, raw)
	})
}

func again[T any, P checked[T]](t *testing.T, raw []byte) {
	t.Helper()
	one, err := parse[T, P](raw)
	if err != nil {
		return
	}
	written, err := json.Marshal(one)
	if err != nil {
		t.Fatalf("%T: %v", one, err)
	}
	two, err := parse[T, P](written)
	if err != nil && len(written) <= maxContent {
		t.Fatalf("%T: %q is not read again: %v", one, written, err)
	}
	if twice, err := json.Marshal(two); err != nil || len(written) <= maxContent && !reflect.DeepEqual(twice, written) {
		t.Errorf("%T: %s became %s, %v", one, written, twice, err)
	}
}

// FuzzQR reads payloads; what is accepted is written as the same bytes, and can be drawn.
func FuzzQR(f *testing.F) {
	f.Add([]byte("MATRIX\x02\x00\x00\x01t" + string(make([]byte, 80))))
	f.Add([]byte("MATRIX\x02\x03"))
	f.Add([]byte("MATRIX\x02\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		code, err := ParseQR(payload)
		if err != nil {
			return
		}
		if written, err := code.Payload(); err != nil || !bytes.Equal(written, payload) {
			t.Errorf("%q became %q, %v", payload, written, err)
		}
		if _, err := code.Text(); err != nil {
			t.Errorf("%q can't be drawn: %v", payload, err)
		}
	})
}

// FuzzPlain shortens foreign words to one clean line.
func FuzzPlain(f *testing.F) {
	f.Add("no\nline \x1b[31m ä")
	f.Add(string(bytes.Repeat([]byte("ä"), 900)))
	f.Fuzz(func(t *testing.T, s string) {
		got := plain(s)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxReason {
			t.Errorf("%q became %q", s, got)
		}
		for _, r := range got {
			if r < ' ' {
				t.Errorf("%q became %q", s, got)
			}
		}
	})
}
