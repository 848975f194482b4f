package fakehs

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// contentHash returns the 43 characters of an event id or of a version 12 room id: unpadded URL-safe base64 of SHA-256.
func contentHash(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// shortHash returns 18 hexadecimal characters. They are the same on every run, so that recorded tests stay stable.
func shortHash(parts ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return hex.EncodeToString(sum[:9])
}
