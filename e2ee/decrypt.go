//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// maxCiphertext is what fits into an event, of 64 KiB at most.
const maxCiphertext = 64 << 10

// envelope is the content of an encrypted event, as far as it matters here.
type envelope struct {
	Algorithm  id.Algorithm    `json:"algorithm"`
	SenderKey  id.SenderKey    `json:"sender_key"` // Says nothing that can be relied on, like DeviceID
	DeviceID   id.DeviceID     `json:"device_id"`
	SessionID  id.SessionID    `json:"session_id"`
	Ciphertext json.RawMessage `json:"ciphertext"`
	RelatesTo  json.RawMessage `json:"m.relates_to"`
}

// payload is what is inside of it.
type payload struct {
	RoomID  id.RoomID       `json:"room_id"`
	Type    string          `json:"type"`
	Content json.RawMessage `json:"content"`
}

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", niobot.ErrUnreadable, fmt.Errorf(format, args...))
}

func rawContent(content *event.Content) (json.RawMessage, error) {
	if len(content.VeryRaw) > 0 {
		return content.VeryRaw, nil
	}
	return json.Marshal(content)
}

// openEnvelope reads the content of an event that claims to be encrypted.
func openEnvelope(raw json.RawMessage) (envelope, []byte, error) {
	var sealed envelope
	if err := json.Unmarshal(raw, &sealed); err != nil {
		return sealed, nil, unreadable("its content is not valid: %w", err)
	}
	if sealed.Algorithm != id.AlgorithmMegolmV1 {
		return sealed, nil, unreadable("the algorithm %q is not known", sealed.Algorithm)
	}
	var ciphertext string
	if json.Unmarshal(sealed.Ciphertext, &ciphertext) != nil || ciphertext == "" || len(ciphertext) > maxCiphertext {
		return sealed, nil, unreadable("it has no ciphertext")
	}
	if !validKey(sealed.SessionID) {
		return sealed, nil, unreadable("its session id is not valid")
	}
	return sealed, []byte(ciphertext), nil
}

func (g *engine) decrypt(ctx context.Context, evt *event.Event) (niobot.Decrypted, error) {
	raw, err := rawContent(&evt.Content)
	if err != nil {
		return niobot.Decrypted{}, unreadable("its content is not valid: %w", err)
	}
	sealed, ciphertext, err := openEnvelope(raw)
	if err != nil {
		return niobot.Decrypted{}, err
	}
	session, err := g.store.inbound(ctx, evt.RoomID, sealed.SessionID)
	if err != nil {
		return niobot.Decrypted{}, err
	}
	if session == nil {
		// Noted first and looked up again: a key that came in between would be told to nobody.
		missing := g.missing.note(evt, sealed, nil)
		if session, err = g.store.inbound(ctx, evt.RoomID, sealed.SessionID); err != nil {
			return niobot.Decrypted{}, err
		}
		if session == nil {
			return niobot.Decrypted{}, missing
		}
	}
	var text []byte
	var index uint
	err = guarded(func() (err error) {
		session.mu.Lock()
		defer session.mu.Unlock()
		text, index, err = session.Internal.Decrypt(ciphertext)
		return err
	})
	if errors.Is(err, olm.ErrUnknownMessageIndex) {
		return niobot.Decrypted{}, g.missing.note(evt, sealed, session)
	} else if err != nil {
		return niobot.Decrypted{}, unreadable("%w", err)
	}
	if session.SourceUser != "" && session.KeySource == id.KeySourceDirect && session.SourceUser != evt.Sender {
		return niobot.Decrypted{}, unreadable("its session is another user's")
	}
	first, err := g.store.firstHearing(ctx, sealed.SessionID, index, heard{evt.ID, evt.Timestamp})
	if err != nil {
		return niobot.Decrypted{}, err
	}
	if !first {
		return niobot.Decrypted{}, unreadable("another event had the same message, index %d of its session", index)
	}
	var inside payload
	switch err := json.Unmarshal(text, &inside); {
	case err != nil:
		return niobot.Decrypted{}, unreadable("what is inside is not valid: %w", err)
	case inside.RoomID != evt.RoomID:
		return niobot.Decrypted{}, unreadable("it was written for another room")
	case inside.Type == "" || inside.Type == event.EventEncrypted.Type:
		return niobot.Decrypted{}, unreadable("what is inside has the type %q", inside.Type)
	}
	content, err := withRelation(inside.Content, sealed.RelatesTo)
	if err != nil {
		return niobot.Decrypted{}, err
	}
	origin, err := g.origin(ctx, evt.Sender, session)
	if err != nil {
		return niobot.Decrypted{}, err
	}
	return niobot.Decrypted{
		Type: event.Type{Type: inside.Type, Class: event.MessageEventType}, Content: content, Origin: origin,
	}, nil
}

// withRelation puts the relation of the encrypted event into the content, where that has none of its own. The content is
// valid JSON, being a part of what was decoded. Servers act on the relation outside, so clients leave it there (spec:
// Client-Server API, "Relationships and encrypted events").
func withRelation(content, relation json.RawMessage) (json.RawMessage, error) {
	if len(content) == 0 || content[0] != '{' {
		return nil, unreadable("what is inside has no content")
	}
	if _, ok := decodeObject(relation); !ok {
		return content, nil
	}
	object, ok := decodeObject(content)
	if !ok {
		return nil, unreadable("what is inside has no content")
	}
	if _, ok := decodeObject(object["m.relates_to"]); ok {
		return content, nil
	}
	merged := maps.Clone(object)
	merged["m.relates_to"] = relation
	return json.Marshal(merged)
}

// decodeObject reads a JSON object; ok is false for anything else.
func decodeObject(raw json.RawMessage) (object map[string]json.RawMessage, ok bool) {
	if len(raw) == 0 || json.Unmarshal(raw, &object) != nil {
		return nil, false
	}
	return object, object != nil
}

// origin is what is known of the device that the session came from.
func (g *engine) origin(ctx context.Context, sender id.UserID, session *inbound) (niobot.Origin, error) {
	origin := niobot.Origin{SenderKey: session.SenderKey, SessionID: session.ID()}
	switch session.KeySource {
	case id.KeySourceBackup, id.KeySourceImport:
		origin.Forwarded, origin.Trust = true, id.TrustStateBackup
		return origin, nil
	case id.KeySourceForward:
		origin.Forwarded = true
	}
	if sender == g.account.UserID && session.SenderKey == g.identityKey && session.SigningKey == g.signingKey {
		if !origin.Forwarded {
			origin.DeviceID, origin.Trust = g.account.DeviceID, id.TrustStateVerified
			return origin, nil
		}
	}
	g.devices.renew(ctx, sender)
	device, err := g.devices.byKey(ctx, sender, session.SenderKey)
	switch {
	case err != nil:
		return origin, err
	case device == nil:
		origin.Trust = id.TrustStateUnknownDevice
		return origin, nil
	case device.SigningKey != session.SigningKey:
		origin.Trust = id.TrustStateDeviceKeyMismatch
		return origin, nil
	}
	origin.DeviceID = device.DeviceID
	if origin.Trust, err = g.devices.trustOf(ctx, device); err != nil {
		return origin, err
	}
	if origin.Forwarded {
		origin.Trust = min(origin.Trust, id.TrustStateForwarded)
	}
	return origin, nil
}
