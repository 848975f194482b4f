//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee/verify"
)

const (
	maxToDevice = 1 << 20 // Bytes of the content of a to-device message
	maxReason   = 1024    // Bytes of what a device gives as its reason
	maxUnknown  = 100     // Users in one sync whose devices are asked for because they write from an unknown one
	olmBatch    = 50      // Messages that are decrypted in one transaction
)

// receive takes in what a sync response says of devices and keys. What it returns nil for is in the database; on an
// error the response may come again, and what was done of it already is known again.
func (g *engine) receive(ctx context.Context, u niobot.DeviceUpdate) error {
	if u.First {
		if err := g.devices.changedAll(ctx); err != nil {
			return err
		}
	}
	if changed := slices.Concat(u.Changed, u.Left); len(changed) > 0 {
		if err := g.devices.changed(ctx, changed); err != nil {
			return err
		}
	}
	var sealed []*event.Event
	for _, evt := range u.ToDevice {
		if open := g.sort(evt); open != nil {
			sealed = append(sealed, open)
		}
	}
	if len(sealed) > 0 {
		g.learnSenders(ctx, sealed)
		for batch := range slices.Chunk(sealed, olmBatch) {
			if err := g.openSealed(ctx, batch); err != nil {
				return err
			}
		}
		g.mach.MarkOlmHashSavePoint(ctx)
	}
	g.mail.keyCounts(u)
	return nil
}

// sort hands a to-device message to who deals with it. One that is encrypted is returned, with its content parsed.
func (g *engine) sort(evt *event.Event) *event.Event {
	raw, err := rawContent(&evt.Content)
	if err != nil || len(raw) > maxToDevice {
		g.log.Warn("a to-device message is too large or not valid", "sender", evt.Sender, "type", evt.Type.Type)
		return nil
	}
	switch typ := evt.Type.Type; {
	case typ == event.ToDeviceEncrypted.Type:
		content, err := parseOlm(raw)
		if err != nil {
			g.log.Debug("an encrypted to-device message is not valid", "sender", evt.Sender, "err", err)
			return nil
		}
		return &event.Event{
			Sender: evt.Sender, Type: event.ToDeviceEncrypted, Content: event.Content{VeryRaw: raw, Parsed: content},
		}
	case typ == event.ToDeviceRoomKeyRequest.Type:
		var content event.RoomKeyRequestEventContent
		if json.Unmarshal(raw, &content) == nil {
			g.mail.keyRequest(evt.Sender, content)
		}
	case typ == event.ToDeviceSecretRequest.Type:
		var content event.SecretRequestEventContent
		if json.Unmarshal(raw, &content) == nil {
			g.mail.secretRequest(evt.Sender, content)
		}
	case strings.HasPrefix(typ, verifyTypePrefix):
		g.verify.take(verify.Event{
			Type: event.Type{Type: typ, Class: event.ToDeviceEventType}, Sender: evt.Sender, Content: raw,
		})
	case isWithheldType(typ):
		var content event.RoomKeyWithheldEventContent
		if json.Unmarshal(raw, &content) == nil {
			g.missing.withhold(evt.Sender, &content)
		}
	}
	return nil
}

// parseOlm reads the content of a message that is encrypted to devices.
func parseOlm(raw json.RawMessage) (*event.EncryptedEventContent, error) {
	var content event.EncryptedEventContent
	err := guarded(func() error { return json.Unmarshal(raw, &content) })
	return &content, err
}

// learnSenders asks for the devices of users who write from one that is not known. Where that fails, their messages are
// read all the same, and their device is unknown.
func (g *engine) learnSenders(ctx context.Context, sealed []*event.Event) {
	var unknown []id.UserID
	for _, evt := range sealed {
		key := evt.Content.Parsed.(*event.EncryptedEventContent).SenderKey
		device, err := g.devices.byKey(ctx, evt.Sender, key)
		if err == nil && device == nil && !slices.Contains(unknown, evt.Sender) && len(unknown) < maxUnknown &&
			g.mail.firstMeeting(evt.Sender, key) {
			unknown = append(unknown, evt.Sender)
		}
	}
	if len(unknown) == 0 {
		return
	}
	for batch := range slices.Chunk(unknown, queryChunk) {
		if _, err := g.devices.query(ctx, batch); err != nil {
			g.log.Debug("the devices of senders can't be asked for", "users", len(batch), "err", err)
		}
	}
}

// openSealed decrypts messages in one transaction: the olm sessions move on, and the keys that came are stored, or
// neither. Otherwise a crash in between would lose a key for good, as its message is taken for a repetition then.
func (g *engine) openSealed(ctx context.Context, batch []*event.Event) error {
	var arrivals []arrival
	var others []verify.Event // What is not of the machine: verifications may be encrypted as well
	ctx = g.machineContext(ctx)
	err := g.withOlm(ctx, func(ctx context.Context) error {
		ctx = collecting(ctx, &arrivals)
		for _, evt := range batch {
			if g.mail.tooMany(evt.Sender) {
				continue
			}
			err := guarded(func() error {
				g.mail.reading(evt.Sender, evt.Content.Parsed.(*event.EncryptedEventContent).SenderKey)
				if open := g.mach.HandleEncryptedEvent(ctx, evt); open != nil {
					others = append(others, verify.Event{Type: open.Type, Sender: open.Sender, Content: open.Content.VeryRaw})
				}
				return nil
			})
			if err != nil {
				g.log.Warn("a to-device message is not valid", "sender", evt.Sender, "err", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.arrived(arrivals...)
	for _, evt := range others {
		g.verify.take(evt)
	}
	return nil
}
