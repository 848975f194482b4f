package fakehs

import (
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// InjectTimeline puts raw into the room's timeline without any check but that it is JSON, and gives it out verbatim:
// events without type or sender, contents of the wrong type, ids that no server makes. The room's state and members
// do not change, even if raw looks like a state event. It returns the event id under which /event finds it, which is
// raw's own where it has one.
func (s *Server) InjectTimeline(roomID id.RoomID, raw json.RawMessage) (id.EventID, error) {
	if !json.Valid(raw) {
		return "", fmt.Errorf("inject into %s: not JSON", roomID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil {
		return "", fmt.Errorf("inject: no room %s", roomID)
	}
	raw = compact(raw)
	e := &pdu{
		id:      id.EventID(stringField(raw, "event_id")),
		typ:     stringField(raw, "type"),
		sender:  id.UserID(stringField(raw, "sender")),
		content: json.RawMessage("{}"),
		ts:      s.nowMilli(),
		raw:     raw,
	}
	s.append(r, e)
	return e.id, nil
}

// InjectSync lays patch, a JSON object, over the user's next sync response, which is sent at once: objects are merged,
// arrays appended, all else replaced. It reaches every place of a response, for example
//
//	{"to_device": {"events": [{"type": 7}]}, "rooms": {"join": {"!no": {"timeline": {"events": [null]}}}}}
//
// For bytes that are no JSON at all, see [Fault.Response].
func (s *Server) InjectSync(userID id.UserID, patch json.RawMessage) error {
	value, err := decodeAny(patch)
	if err != nil {
		return fmt.Errorf("inject into sync: %w", err)
	}
	if _, ok := value.(map[string]any); !ok {
		return fmt.Errorf("inject into sync: not an object")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(userID)
	if err != nil {
		return fmt.Errorf("inject into sync: %w", err)
	}
	u.patches = append(u.patches, value)
	u.bell.ring()
	return nil
}

// SendToDevice queues a to-device message for all devices of a user, or for one.
func (s *Server) SendToDevice(
	sender, userID id.UserID, deviceID id.DeviceID, typ event.Type, content any,
) error {
	data, err := encode(content)
	if err != nil {
		return fmt.Errorf("send to device: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(userID)
	if err != nil {
		return fmt.Errorf("send to device: %w", err)
	}
	for _, d := range u.devices {
		if deviceID == "" || deviceID == "*" || deviceID == d.id {
			s.enqueue(d, sender, typ.Type, data)
		}
	}
	return nil
}

// Redact takes an event's content in the sender's name, by the same rules as over HTTP but without it.
func (s *Server) Redact(sender id.UserID, roomID id.RoomID, target id.EventID, reason string) (id.EventID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil {
		return "", fmt.Errorf("redact: no room %s", roomID)
	}
	content := map[string]string{}
	if reason != "" {
		content["reason"] = reason
	}
	e, err := s.redact(r, sender, target, mustEncode(content), nil, "")
	if err != nil {
		return "", fmt.Errorf("redact: %w", err)
	}
	return e.id, nil
}

// SetTyping starts or ends a user's typing notification in a room; it ends by itself after 30 seconds.
func (s *Server) SetTyping(userID id.UserID, roomID id.RoomID, typing bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil || r.membership(userID) != "join" {
		return fmt.Errorf("set typing: %s is not in %s", userID, roomID)
	}
	if typing {
		s.startTyping(r, userID, defaultTyping)
	} else {
		s.stopTyping(r, userID)
	}
	return nil
}
