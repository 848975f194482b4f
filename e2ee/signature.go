//go:build goolm

package e2ee

import (
	"encoding/base64"
	"encoding/json"

	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"
)

// keyLength is that of a Curve25519 or Ed25519 key in unpadded Base64.
const keyLength = 43

func validKey[K ~string](key K) bool {
	raw, err := base64.RawStdEncoding.DecodeString(string(key))
	return err == nil && len(raw) == 32 && len(key) == keyLength
}

// signedBy reports whether object bears the user's signature by the key, whose id on the wire is "ed25519:" and name
// (spec: Appendices, "Checking for a signature"). It is made of the bytes as they came, with what no type here knows.
func signedBy(object json.RawMessage, user id.UserID, name string, key id.Ed25519) bool {
	if !validKey(key) {
		return false // crypto/ed25519 panics on keys of another length
	}
	ok, err := signatures.VerifySignatureJSON(object, user, name, key)
	return err == nil && ok
}
