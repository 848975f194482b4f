package attachment

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// The other implementation is mautrix's.
func TestSecretsAreUnderstoodByOthers(t *testing.T) {
	plain := bytes.Repeat([]byte("secret plans "), 1000)
	for _, length := range []int{0, 1, 15, 16, 17, len(plain)} {
		s := newSecret()
		sealed := make([]byte, length)
		s.stream().XORKeyStream(sealed, plain[:length])
		sum, err := digestOf(t.Context(), inMemory(sealed))
		if err != nil {
			t.Fatal(err)
		}
		info := s.info(id.ContentURI{Homeserver: "a", FileID: "b"}, sum)
		data, err := json.Marshal(info)
		if err != nil {
			t.Fatal(err)
		}
		var received event.EncryptedFileInfo
		if err := json.Unmarshal(data, &received); err != nil {
			t.Fatal(err)
		}
		again, wantSum, err := parseSecret(&received)
		if err != nil || again != s || wantSum != sum {
			t.Errorf("%d: read back as another, %v", length, err)
		}
		if err := received.DecryptInPlace(sealed); err != nil || !bytes.Equal(sealed, plain[:length]) {
			t.Errorf("%d: %v", length, err)
		}
	}
	if a, b := newSecret(), newSecret(); a.key == b.key || a.iv == b.iv || !bytes.Equal(a.iv[8:], make([]byte, 8)) {
		t.Error("secrets are not as they should be")
	}
}

// FuzzSecret holds what is taken for a key to its shape.
func FuzzSecret(f *testing.F) {
	s := newSecret()
	good, err := json.Marshal(s.info(id.ContentURI{Homeserver: "a", FileID: "b"}, digest{}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"v":"v2","key":{"kty":"oct","alg":"A256CTR","key_ops":["decrypt"],"k":"===="},"iv":"=","hashes":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file event.EncryptedFileInfo
		if json.Unmarshal(data, &file) != nil {
			return
		}
		s, sum, err := parseSecret(&file)
		if err != nil {
			if !errors.Is(err, ErrBadKey) {
				t.Errorf("got %v", err)
			}
			return
		}
		again, sum2, err := parseSecret(s.info(id.ContentURI{}, sum))
		if err != nil || again != s || sum2 != sum || len(file.Key.Key) < base64.RawURLEncoding.EncodedLen(32) {
			t.Errorf("read back as another, %v", err)
		}
	})
}
