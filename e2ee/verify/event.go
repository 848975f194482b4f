package verify

import (
	"encoding/json"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Event is what came from the other side, decrypted where it was encrypted.
type Event struct {
	Type    event.Type
	Sender  id.UserID
	Room    id.RoomID       // Empty for a to-device message
	ID      id.EventID      // Of an event in a room
	Time    time.Time       // The event's origin_server_ts; not used for to-device messages
	Content json.RawMessage // With the m.relates_to of the encrypted event
}

// Ref names a verification.
type Ref struct {
	Room        id.RoomID   `json:"room,omitempty"` // Empty where it goes by to-device messages
	Transaction string      `json:"transaction"`    // In a room, the id of the request's event
	User        id.UserID   `json:"user"`           // The other side
	Device      id.DeviceID `json:"device"`         // Empty while none has answered
}

// key tells verifications apart. To-device transaction ids are only unique together with the user who made them.
type key struct {
	room id.RoomID
	user id.UserID
	txn  string
}

func (r Ref) key() key {
	if r.Room != "" {
		return key{room: r.Room, txn: r.Transaction}
	}
	return key{user: r.User, txn: r.Transaction}
}

// kind is an event type without its prefix.
type kind string

const (
	kindRequest kind = "request"
	kindReady   kind = "ready"
	kindStart   kind = "start"
	kindAccept  kind = "accept"
	kindKey     kind = "key"
	kindMAC     kind = "mac"
	kindDone    kind = "done"
	kindCancel  kind = "cancel"

	typePrefix = "m.key.verification."
)

// eventType is the kind's type for a room, or else for to-device messages.
func (k kind) eventType(inRoom bool) event.Type {
	if !inRoom {
		return event.Type{Type: typePrefix + string(k), Class: event.ToDeviceEventType}
	}
	if k == kindRequest {
		return event.EventMessage
	}
	return event.Type{Type: typePrefix + string(k), Class: event.MessageEventType}
}

// Concerns says whether an event belongs to a verification, and is to be given to [Engine.Handle]. In a room that is
// an m.room.message with the msgtype m.key.verification.request too.
func Concerns(typ event.Type, content json.RawMessage) bool {
	return isRoomRequest(typ, content) || nameOf(typ) != ""
}

// kindOf finds what an event is, if it is of a verification.
func kindOf(evt Event) (kind, bool) {
	if evt.Room != "" && isRoomRequest(evt.Type, evt.Content) {
		return kindRequest, true
	}
	k := nameOf(evt.Type)
	return k, k != "" && (evt.Room == "" || k != kindRequest)
}

func isRoomRequest(typ event.Type, content json.RawMessage) bool {
	var message struct {
		MsgType event.MessageType `json:"msgtype"`
	}
	return typ.Type == event.EventMessage.Type && len(content) <= maxContent &&
		json.Unmarshal(content, &message) == nil && message.MsgType == event.MsgVerificationRequest
}

func nameOf(typ event.Type) kind {
	name, _ := strings.CutPrefix(typ.Type, typePrefix)
	switch k := kind(name); k {
	case kindRequest, kindReady, kindStart, kindAccept, kindKey, kindMAC, kindDone, kindCancel:
		if len(name) < len(typ.Type) {
			return k
		}
	}
	return ""
}
