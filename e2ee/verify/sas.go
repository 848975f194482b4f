package verify

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// What is spoken of SAS, and offered.
const (
	sasHash      = event.VerificationHashMethodSHA256
	sasAgreement = event.KeyAgreementProtocolCurve25519HKDFSHA256
	sasMAC       = event.MACMethodHKDFHMACSHA256V2
)

var sasStrings = []event.SASMethod{event.SASMethodDecimal, event.SASMethodEmoji}

// party is one of the two devices, as the derivations name it.
type party struct {
	user   id.UserID
	device id.DeviceID
}

// commitment binds the one who accepts to a key before they have seen the other's (spec: m.key.verification.accept).
func commitment(public []byte, start json.RawMessage) []byte {
	h := sha256.New()
	h.Write([]byte(encodeBase64(public))) // The key counts in its base64 form, not in bytes
	h.Write(start)
	return h.Sum(nil)
}

// agree gives the shared secret of two ephemeral keys. A key of small order, which makes it guessable, is an error.
func agree(own *ecdh.PrivateKey, other []byte) ([]byte, error) {
	public, err := ecdh.X25519().NewPublicKey(other)
	if err != nil {
		return nil, fmt.Errorf("read ephemeral key: %w", err)
	}
	secret, err := own.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("agree on a secret: %w", err)
	}
	return secret, nil
}

// shortString derives the bytes that are shown as emoji or numbers (spec: "SAS HKDF calculation").
func shortString(secret []byte, starter, accepter party, starterKey, accepterKey []byte, txn string) ([6]byte, error) {
	info := strings.Join([]string{
		"MATRIX_KEY_VERIFICATION_SAS",
		starter.user.String(), starter.device.String(), encodeBase64(starterKey),
		accepter.user.String(), accepter.device.String(), encodeBase64(accepterKey),
		txn,
	}, "|")
	out, err := hkdf.Key(sha256.New, secret, nil, info, 6)
	if err != nil {
		return [6]byte{}, fmt.Errorf("derive short string: %w", err)
	}
	return [6]byte(out), nil
}

// macer makes the MACs of one direction (spec: "MAC calculation", hkdf-hmac-sha256.v2).
type macer struct {
	secret   []byte
	from, to party
	txn      string
}

// mac is the MAC of a key under its id, or of the list of key ids under "KEY_IDS".
func (m macer) mac(keyID, text string) ([]byte, error) {
	info := "MATRIX_KEY_VERIFICATION_MAC" + m.from.user.String() + m.from.device.String() +
		m.to.user.String() + m.to.device.String() + m.txn + keyID
	derived, err := hkdf.Key(sha256.New, m.secret, nil, info, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive MAC key: %w", err)
	}
	h := hmac.New(sha256.New, derived)
	h.Write([]byte(text))
	return h.Sum(nil), nil
}

// seal makes the content that proves the given keys, by their ids.
func (m macer) seal(keys map[string]id.Ed25519) (*macContent, error) {
	content := &macContent{MAC: make(map[string]string, len(keys))}
	for name, key := range keys {
		mac, err := m.mac(name, key.String())
		if err != nil {
			return nil, err
		}
		content.MAC[name] = encodeBase64(mac)
	}
	list, err := m.mac("KEY_IDS", strings.Join(slices.Sorted(maps.Keys(keys)), ","))
	if err != nil {
		return nil, err
	}
	content.Keys = encodeBase64(list)
	return content, nil
}

// open checks what the other side sealed, and gives the ids of those of the known keys that it proves. Keys that are
// not known are left alone; a MAC that does not fit is an error.
func (m macer) open(content macContent, known map[string]id.Ed25519) ([]string, error) {
	list, err := m.mac("KEY_IDS", strings.Join(slices.Sorted(maps.Keys(content.MAC)), ","))
	if err != nil {
		return nil, err
	}
	if !macEqual(list, content.Keys) {
		return nil, refuse(event.VerificationCancelCodeKeyMismatch, "the list of keys was changed on the way")
	}
	var proven []string
	for _, name := range slices.Sorted(maps.Keys(content.MAC)) {
		key, ok := known[name]
		if !ok {
			continue
		}
		mac, err := m.mac(name, key.String())
		if err != nil {
			return nil, err
		}
		if !macEqual(mac, content.MAC[name]) {
			return nil, refuse(event.VerificationCancelCodeKeyMismatch, "a key is not the one expected")
		}
		proven = append(proven, name)
	}
	return proven, nil
}

func macEqual(want []byte, got string) bool {
	b, err := decodeKey(got)
	return err == nil && hmac.Equal(want, b)
}

func keyID(name string) string { return string(id.KeyAlgorithmEd25519) + ":" + name }
