package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"maunium.net/go/mautrix/crypto/canonicaljson"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Bounds of what comes from outside. Real contents are far below them.
const (
	maxContent = 64 << 10 // Bytes of a content; an event is no larger
	maxID      = 255      // Bytes of a transaction, event, user or device id
	maxList    = 32       // Methods, hashes, protocols and the like
	maxKeys    = 16       // Keys in m.key.verification.mac
	maxReason  = 200      // Characters of a reason that are kept
	keySize    = 32       // Bytes of a Curve25519 key, an Ed25519 key, a SHA-256 sum
)

var errContent = errors.New("content of the wrong form")

// address is the part of a content that says which verification it belongs to: one of the two.
type address struct {
	Transaction string    `json:"transaction_id,omitempty"` // To-device
	RelatesTo   *relation `json:"m.relates_to,omitempty"`   // In a room
}

func (a *address) setAddress(r Ref) {
	if r.Room == "" {
		*a = address{Transaction: r.Transaction}
		return
	}
	*a = address{RelatesTo: &relation{Type: event.RelReference, EventID: id.EventID(r.Transaction)}}
}

type relation struct {
	Type    event.RelationType `json:"rel_type"`
	EventID id.EventID         `json:"event_id"`
}

// content is what can be sent to the other side.
type content interface{ setAddress(Ref) }

// checked is a content that can be read, and then checked for its form.
type checked[T any] interface {
	*T
	check() error
}

// parse reads the content of an event before anything in it is known to be true.
func parse[T any, P checked[T]](raw json.RawMessage) (T, error) {
	var content T
	if len(raw) > maxContent {
		return content, errContent
	}
	if err := json.Unmarshal(raw, &content); err != nil {
		return content, errContent
	}
	return content, P(&content).check()
}

// parseAddress gives the transaction that an event speaks of.
func parseAddress(evt Event) (string, error) {
	a, err := parse[address](evt.Content)
	if err != nil {
		return "", err
	}
	if evt.Room == "" {
		if a.Transaction == "" {
			return "", errContent
		}
		return a.Transaction, nil
	}
	if a.RelatesTo == nil || a.RelatesTo.Type != event.RelReference || a.RelatesTo.EventID == "" {
		return "", errContent
	}
	return string(a.RelatesTo.EventID), nil
}

func (a *address) check() error {
	if len(a.Transaction) > maxID || a.RelatesTo != nil && len(a.RelatesTo.EventID) > maxID {
		return errContent
	}
	return nil
}

// requestContent is m.key.verification.request, in both forms.
type requestContent struct {
	address
	FromDevice id.DeviceID                `json:"from_device"`
	Methods    []event.VerificationMethod `json:"methods"`
	Timestamp  int64                      `json:"timestamp,omitempty"` // Milliseconds; to-device only

	// Of a room's m.room.message only.
	MsgType event.MessageType `json:"msgtype,omitempty"`
	To      id.UserID         `json:"to,omitempty"`
	Body    string            `json:"body,omitempty"`
}

func (c *requestContent) check() error { return checkOffer(c.FromDevice, c.Methods) }

type readyContent struct {
	address
	FromDevice id.DeviceID                `json:"from_device"`
	Methods    []event.VerificationMethod `json:"methods"`
}

func (c *readyContent) check() error { return checkOffer(c.FromDevice, c.Methods) }

func checkOffer(device id.DeviceID, methods []event.VerificationMethod) error {
	if device == "" || len(device) > maxID || len(methods) > maxList {
		return errContent
	}
	return nil
}

// startContent is m.key.verification.start, for SAS and for m.reciprocate.v1. Other implementations compute the
// commitment from these fields alone, so none may be added.
type startContent struct {
	address
	FromDevice id.DeviceID                    `json:"from_device"`
	Method     event.VerificationMethod       `json:"method"`
	Hashes     []event.VerificationHashMethod `json:"hashes,omitempty"`
	Agreements []event.KeyAgreementProtocol   `json:"key_agreement_protocols,omitempty"`
	MACs       []event.MACMethod              `json:"message_authentication_codes,omitempty"`
	SAS        []event.SASMethod              `json:"short_authentication_string,omitempty"`
	Secret     string                         `json:"secret,omitempty"` // Unpadded base64
}

func (c *startContent) check() error {
	if c.FromDevice == "" || len(c.FromDevice) > maxID || c.Method == "" || len(c.Secret) > 4*maxID ||
		max(len(c.Hashes), len(c.Agreements), len(c.MACs), len(c.SAS)) > maxList {
		return errContent
	}
	return nil
}

type acceptContent struct {
	address
	Commitment string                       `json:"commitment"`
	Hash       event.VerificationHashMethod `json:"hash"`
	Agreement  event.KeyAgreementProtocol   `json:"key_agreement_protocol"`
	MAC        event.MACMethod              `json:"message_authentication_code"`
	SAS        []event.SASMethod            `json:"short_authentication_string"`
}

func (c *acceptContent) check() error {
	if len(c.SAS) == 0 || len(c.SAS) > maxList {
		return errContent
	}
	_, err := decodeKey(c.Commitment)
	return err
}

type keyContent struct {
	address
	Key string `json:"key"`
}

func (c *keyContent) check() error {
	_, err := decodeKey(c.Key)
	return err
}

type macContent struct {
	address
	Keys string            `json:"keys"`
	MAC  map[string]string `json:"mac"`
}

func (c *macContent) check() error {
	if len(c.MAC) == 0 || len(c.MAC) > maxKeys {
		return errContent
	}
	if _, err := decodeKey(c.Keys); err != nil {
		return err
	}
	for name, mac := range c.MAC {
		algorithm, rest, found := strings.Cut(name, ":")
		if !found || algorithm == "" || rest == "" || len(name) > maxID || strings.Contains(name, ",") {
			return errContent
		}
		if _, err := decodeKey(mac); err != nil {
			return err
		}
	}
	return nil
}

type doneContent struct{ address }

type cancelContent struct {
	address
	Code   event.VerificationCancelCode `json:"code"`
	Reason string                       `json:"reason"`
}

func (c *cancelContent) check() error {
	if len(c.Code) > maxID {
		return errContent
	}
	return nil
}

// encode gives the content as it is sent, with the verification it belongs to.
func encode(c content, r Ref) (json.RawMessage, error) {
	c.setAddress(r)
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", c, err)
	}
	return raw, nil
}

// canonical is the form of a content that the commitment is made of.
func canonical(raw json.RawMessage) (json.RawMessage, error) {
	out := append(json.RawMessage(nil), raw...)
	if err := canonicaljson.Canonicalize(&out); err != nil {
		return nil, errContent
	}
	return out, nil
}

// digest tells an event that comes twice from another of the same kind.
func digest(raw json.RawMessage) [sha256.Size]byte { return sha256.Sum256(raw) }

func encodeBase64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// decodeBase64 takes padding too, which some implementations send.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil, errContent
	}
	return b, nil
}

// decodeKey reads the 32 bytes of a key or a SHA-256 sum.
func decodeKey(s string) ([]byte, error) {
	if len(s) > 2*keySize {
		return nil, errContent
	}
	b, err := decodeBase64(s)
	if err != nil || len(b) != keySize {
		return nil, errContent
	}
	return b, nil
}

// plain shortens what the other side wrote for a log or a person, to one line without control characters.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s[:min(len(s), utf8.UTFMax*maxReason)])
	if runes := []rune(s); len(runes) > maxReason {
		return string(runes[:maxReason])
	}
	return s
}
