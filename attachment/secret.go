package attachment

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"maunium.net/go/mautrix/crypto/attachment"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// What an EncryptedFile is made of (spec: Client-Server API, "Sending encrypted attachments").
const (
	secretVersion   = "v2"
	secretAlgorithm = "A256CTR"
)

// digest is a SHA-256.
type digest = [sha256.Size]byte

// secret is what encrypts one file.
type secret struct {
	key [32]byte
	iv  [aes.BlockSize]byte
}

// newSecret is a secret of its own for each file: with the same key and counter twice, both could be read.
func newSecret() secret {
	var s secret
	_, _ = rand.Read(s.key[:]) // It never fails.
	// The other half counts blocks from zero, so that it can't overflow.
	_, _ = rand.Read(s.iv[:8])
	return s
}

// stream encrypts or decrypts, which is the same.
func (s *secret) stream() cipher.Stream {
	block, err := aes.NewCipher(s.key[:])
	if err != nil {
		panic("attachment: " + err.Error()) // The key has the right length.
	}
	return cipher.NewCTR(block, s.iv[:])
}

// info is the EncryptedFile object of a file.
func (s *secret) info(uri id.ContentURI, sum digest) *event.EncryptedFileInfo {
	return &event.EncryptedFileInfo{
		EncryptedFile: attachment.EncryptedFile{
			Key: attachment.JSONWebKey{
				Key: base64.RawURLEncoding.EncodeToString(s.key[:]), Algorithm: secretAlgorithm, Extractable: true,
				KeyType: "oct", KeyOps: []string{"encrypt", "decrypt"},
			},
			InitVector: base64.RawStdEncoding.EncodeToString(s.iv[:]),
			Hashes:     attachment.EncryptedFileHashes{SHA256: base64.RawStdEncoding.EncodeToString(sum[:])},
			Version:    secretVersion,
		},
		URL: uri.CUString(),
	}
}

// parseSecret takes an EncryptedFile object apart. Its errors are [ErrBadKey].
func parseSecret(f *event.EncryptedFileInfo) (s secret, sum digest, err error) {
	switch {
	case f.Version != secretVersion:
		return s, sum, fmt.Errorf("%w: version %q", ErrBadKey, f.Version)
	case f.Key.Algorithm != secretAlgorithm:
		return s, sum, fmt.Errorf("%w: algorithm %q", ErrBadKey, f.Key.Algorithm)
	case f.Key.KeyType != "oct":
		return s, sum, fmt.Errorf("%w: key type %q", ErrBadKey, f.Key.KeyType)
	case !slices.Contains(f.Key.KeyOps, "decrypt"):
		return s, sum, fmt.Errorf("%w: key is not for decrypting", ErrBadKey)
	}
	for _, part := range []struct {
		name    string
		text    string
		decoder *base64.Encoding
		into    []byte
	}{
		{"key", f.Key.Key, base64.RawURLEncoding, s.key[:]},
		{"iv", f.InitVector, base64.RawStdEncoding, s.iv[:]},
		{"sha256", f.Hashes.SHA256, base64.RawStdEncoding, sum[:]},
	} {
		// Matrix has base64 without padding; some clients pad all the same.
		text := strings.TrimRight(part.text, "=")
		if len(text) != part.decoder.EncodedLen(len(part.into)) {
			return s, sum, fmt.Errorf("%w: %s is of the wrong length", ErrBadKey, part.name)
		}
		if _, err := part.decoder.Decode(part.into, []byte(text)); err != nil {
			return s, sum, fmt.Errorf("%w: %s is no base64", ErrBadKey, part.name)
		}
	}
	return s, sum, nil
}
