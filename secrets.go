package niobot

import (
	"context"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// secrets is what a sync response has for encryption, besides messages.
type secrets struct {
	update  DeviceUpdate
	changes []secretChange
}

// secretChange is a piece of state on which the encryption of its room depends.
type secretChange struct {
	room  id.RoomID
	event *event.Event
}

// toDevice takes an event for this device.
func (s *secrets) toDevice(e *syncjson.View) {
	parsed := new(event.Event)
	if json.Unmarshal(e.Raw, parsed) != nil {
		return // What is not an event is nobody's key.
	}
	parsed.Type.Class = event.ToDeviceEventType
	s.update.ToDevice = append(s.update.ToDevice, parsed)
}

// state takes a piece of an encrypted room's state, before the room does.
func (s *secrets) state(room *Room, e *syncjson.View) {
	switch string(e.Type) {
	case event.StateMember.Type, event.StateHistoryVisibility.Type:
	default:
		return
	}
	changed := new(event.Event)
	if json.Unmarshal(e.Raw, changed) != nil {
		return
	}
	changed.RoomID, changed.Type.Class = room.id, event.StateEventType
	if changed.Content.ParseRaw(changed.Type) != nil {
		return
	}
	if m, ok := room.Member(id.UserID(e.StateKey)); ok && string(e.Type) == event.StateMember.Type {
		// What the bot knew counts, not what the server says that was before.
		changed.Unsigned.PrevContent = &event.Content{Parsed: &event.MemberEventContent{Membership: m.Membership}}
	}
	s.changes = append(s.changes, secretChange{room.id, changed})
}

// startEncryption starts the encryption, and waits for a server that has trouble as [Bot.retryStart] does. It may also
// wait for a person, and so has no limit of its own.
func (b *Bot) startEncryption(ctx context.Context) error {
	var wait backoff
	for {
		err := b.settings.encryption.Start(ctx, encryptionHost{b})
		if err == nil || ctx.Err() != nil {
			return err
		}
		pause, again := retryWait(err, &wait)
		if !again {
			return err
		}
		b.log.Warn("encryption not started", "retry_in", pause, "err", err)
		if sleep(ctx, pause) != nil {
			return err
		}
	}
}

// tell hands all over to the encryption.
func (s *secrets) tell(ctx context.Context, b *Bot, result syncjson.Result, first bool) error {
	if b.settings.encryption == nil {
		return nil
	}
	u := &s.update
	u.First = first
	var lists struct {
		Changed []id.UserID `json:"changed"`
		Left    []id.UserID `json:"left"`
	}
	if len(result.DeviceLists) > 0 && json.Unmarshal(result.DeviceLists, &lists) == nil {
		u.Changed, u.Left = lists.Changed, lists.Left
	}
	if len(result.OneTimeKeyCounts) > 0 {
		u.HasKeyCounts = json.Unmarshal(result.OneTimeKeyCounts, &u.OneTimeKeys) == nil
	}
	if len(result.FallbackKeyTypes) > 0 && json.Unmarshal(result.FallbackKeyTypes, &u.FallbackKeys) == nil {
		u.HasKeyCounts = true
	}
	if err := b.settings.encryption.Receive(ctx, *u); err != nil {
		return fmt.Errorf("take in keys: %w", err)
	}
	for _, change := range s.changes {
		// Were it left out, somebody who has left could go on reading.
		if err := b.tellChange(ctx, change); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bot) tellChange(ctx context.Context, change secretChange) error {
	var wait backoff
	for {
		err := b.settings.encryption.Changed(ctx, change.room, change.event)
		if err == nil {
			return nil
		}
		pause := wait.wait()
		b.log.Error("encryption does not take a change of a room", "room_id", change.room, "retry_in", pause, "err", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}
