package verify

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image/png"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// The expected values below are computed by other means than this package: by hand from the spec's formulas with
// Python's hmac and hashlib. The keys are those of RFC 7748, section 6.1.
const (
	shared      = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
	alicePublic = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
	bobSecret   = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
	bobPublic   = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAgreementVector(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(unhex(t, bobSecret))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := agree(private, unhex(t, alicePublic))
	if err != nil || hex.EncodeToString(secret) != shared {
		t.Errorf("the secret is %x, %v", secret, err)
	}
	if got := hex.EncodeToString(private.PublicKey().Bytes()); got != bobPublic {
		t.Errorf("the public key is %s", got)
	}
}

func TestShortStringVector(t *testing.T) {
	starter, accepter := party{"@alice:example.org", "PHONE"}, party{"@robot:example.org", "ROBOT"}
	sas, err := shortString(unhex(t, shared), starter, accepter,
		unhex(t, alicePublic), unhex(t, bobPublic), "$txn")
	if err != nil || hex.EncodeToString(sas[:]) != "777caa2f63b1" {
		t.Fatalf("the bytes are %x, %v", sas, err)
	}
	var numbers []int
	for _, e := range emojiOf(sas) {
		numbers = append(numbers, e.Number)
	}
	if want := []int{29, 55, 50, 42, 11, 54, 14}; !slices.Equal(numbers, want) {
		t.Errorf("the emoji are %v, want %v", numbers, want)
	}
	if got, want := decimalsOf(sas), [3]int{4823, 5776, 7065}; got != want {
		t.Errorf("the numbers are %v, want %v", got, want)
	}
}

func TestShortStringBounds(t *testing.T) {
	for _, tt := range []struct {
		sas      [6]byte
		emoji    int
		decimals [3]int
	}{
		{[6]byte{}, 0, [3]int{1000, 1000, 1000}},
		{[6]byte{255, 255, 255, 255, 255, 255}, 63, [3]int{9191, 9191, 9191}},
	} {
		for _, e := range emojiOf(tt.sas) {
			if e != emojis[tt.emoji] {
				t.Errorf("emoji %v", e)
			}
		}
		if got := decimalsOf(tt.sas); got != tt.decimals {
			t.Errorf("numbers %v", got)
		}
	}
}

// TestEmojiTable holds the table to a few of the spec's rows, and to being one to one.
func TestEmojiTable(t *testing.T) {
	for number, want := range map[int]string{
		0:  "🐶 Dog",
		20: "🌙 Moon", 21: "☁️ Cloud", 29: "❤️ Heart", 34: "🔧 Spanner", 38: "⌛ Hourglass",
		47: "🔑 Key", 53: "✈️ Aeroplane", 63: "📌 Pin",
	} {
		if got := emojis[number].String(); got != want || emojis[number].Number != number {
			t.Errorf("number %d is %s, want %s", number, got, want)
		}
	}
	seen := map[string]bool{}
	for _, e := range emojis {
		if e.Symbol == "" || e.Name == "" || seen[e.Symbol] || seen[e.Name] {
			t.Errorf("%+v", e)
		}
		seen[e.Symbol], seen[e.Name] = true, true
	}
}

func TestCommitmentVector(t *testing.T) {
	// Key order and space do not matter.
	start, err := canonical(json.RawMessage(`{ "m.relates_to": {"rel_type":"m.reference","event_id":"$txn"},
		"from_device": "PHONE", "method":"m.sas.v1", "hashes": ["sha256"],
		"key_agreement_protocols": ["curve25519-hkdf-sha256"], "message_authentication_codes":["hkdf-hmac-sha256.v2"],
		"short_authentication_string": ["decimal", "emoji"] }`))
	if err != nil {
		t.Fatal(err)
	}
	got := encodeBase64(commitment(unhex(t, bobPublic), start))
	if want := "e7lLRAahJ4wECiJsIkHNr4iLqYWm5cCxK9/w3cMiAtY"; got != want {
		t.Errorf("the commitment is %s, want %s", got, want)
	}
}

func TestMACVector(t *testing.T) {
	const (
		device = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
		master = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
	)
	m := macer{
		secret: unhex(t, shared), txn: "$txn",
		from: party{"@alice:example.org", "PHONE"}, to: party{"@robot:example.org", "ROBOT"},
	}
	keys := map[string]id.Ed25519{"ed25519:PHONE": device, "ed25519:" + master: master}
	got, err := m.seal(keys)
	if err != nil {
		t.Fatal(err)
	}
	if got.Keys != "5rH2XilC0xKYKzhB95l/yT11EjhA81DCpEiEYJDL3hk" ||
		got.MAC["ed25519:PHONE"] != "6qfCo/+ljo5bscYKglADzOcen6V5vDUz395nKb4cLHA" ||
		got.MAC["ed25519:"+master] != "LLGYtuD4+uf4oTpwQQMSIKQnaFokwVNSTr8Fn0h4sCA" {
		t.Errorf("the MACs are %+v", got)
	}
	proven, err := m.open(*got, keys)
	if err != nil || !slices.Equal(proven, []string{"ed25519:" + master, "ed25519:PHONE"}) {
		t.Errorf("it proves %v, %v", proven, err)
	}
	for name, wrong := range map[string]macer{
		"secret":      {unhex(t, bobPublic), m.from, m.to, m.txn},
		"direction":   {m.secret, m.to, m.from, m.txn},
		"transaction": {m.secret, m.from, m.to, "$other"},
	} {
		if _, err := wrong.open(*got, keys); err == nil {
			t.Errorf("a MAC of another %s is taken", name)
		}
	}
	// A key that is swapped for another under the same id.
	if _, err := m.open(*got, map[string]id.Ed25519{"ed25519:PHONE": master}); err == nil {
		t.Error("a MAC of another key is taken")
	}
}

func TestQRPayload(t *testing.T) {
	key := func(b byte) id.Ed25519 {
		return id.Ed25519(base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32)))
	}
	code := &QR{Mode: QRTrusting, Transaction: "abc", Key1: key('1'), Key2: key('2'), Secret: []byte("sixteen bytes it")}
	payload, err := code.Payload()
	if err != nil {
		t.Fatal(err)
	}
	want := "MATRIX\x02\x01\x00\x03abc" + strings.Repeat("1", 32) + strings.Repeat("2", 32) + "sixteen bytes it"
	if string(payload) != want {
		t.Errorf("the payload is %q", payload)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"mode":   func(b []byte) []byte { b[7] = 3; return b },
		"header": func(b []byte) []byte { b[6] = 1; return b },
		"length": func(b []byte) []byte { b[9] = 200; return b },
		"empty":  func(b []byte) []byte { b[9] = 0; return b },
		"end":    func(b []byte) []byte { return b[:len(b)-9] },
	} {
		if _, err := ParseQR(change(bytes.Clone(payload))); !errors.Is(err, ErrPayload) {
			t.Errorf("with another %s: %v", name, err)
		}
	}
	for _, broken := range []*QR{
		{Mode: 3, Transaction: "a", Key1: key(1), Key2: key(2), Secret: code.Secret},
		{Transaction: "", Key1: key(1), Key2: key(2), Secret: code.Secret},
		{Transaction: strings.Repeat("a", 256), Key1: key(1), Key2: key(2), Secret: code.Secret},
		{Transaction: "a", Key1: "short", Key2: key(2), Secret: code.Secret},
		{Transaction: "a", Key1: key(1), Key2: key(2), Secret: []byte("short")},
	} {
		if _, err := broken.Payload(); err == nil {
			t.Errorf("%+v has a payload", broken)
		}
		if _, err := broken.PNG(); err == nil {
			t.Errorf("%+v is drawn", broken)
		}
	}
}

// TestQRDrawings compares the two ways to draw a code, point by point.
func TestQRDrawings(t *testing.T) {
	key := id.Ed25519(base64.RawStdEncoding.EncodeToString(make([]byte, 32)))
	code := &QR{Transaction: "$event:example.org", Key1: key, Key2: key, Secret: make([]byte, 16)}
	picture, err := code.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	text, err := code.Text()
	if err != nil {
		t.Fatal(err)
	}
	const scale, quiet = 8, 4
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	size := img.Bounds().Dx()/scale - 2*quiet
	black := 0
	for y := range size {
		line := []rune(lines[(y+2)/2])
		for x := range size {
			r, _, _, _ := img.At((x+quiet)*scale, (y+quiet)*scale).RGBA()
			var inText bool
			switch line[x+2] {
			case ' ':
				inText = true
			case '▄':
				inText = (y+2)%2 == 0
			case '▀':
				inText = (y+2)%2 == 1
			}
			if inText != (r == 0) {
				t.Fatalf("the drawings differ at %d,%d", x, y)
			}
			if inText {
				black++
			}
		}
	}
	if black < size*size/4 {
		t.Errorf("%d of %d points are black", black, size*size)
	}
}

func TestConcerns(t *testing.T) {
	for _, tt := range []struct {
		typ, content string
		want         bool
	}{
		{"m.key.verification.request", `{}`, true},
		{"m.key.verification.mac", `{}`, true},
		{"m.key.verification.magic", `{}`, false},
		{"m.key.verification.", `{}`, false},
		{"ready", `{}`, false},
		{"m.room.message", `{"msgtype":"m.key.verification.request"}`, true},
		{"m.room.message", `{"msgtype":"m.text"}`, false},
		{"m.room.message", `nonsense`, false},
		{"m.room.encrypted", `{}`, false},
	} {
		if got := Concerns(event.Type{Type: tt.typ}, json.RawMessage(tt.content)); got != tt.want {
			t.Errorf("%s %s: %t", tt.typ, tt.content, got)
		}
	}
}
