package fakehs

import (
	"bytes"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// maxEvent bounds an event in the federation format, in bytes; a client-side event must leave room for the rest.
//
// https://spec.matrix.org/v1.15/client-server-api/#size-limits
const maxEvent = 65536

// eventOverhead stands for the signatures, hashes and references that federation adds to what clients see.
const eventOverhead = 512

// post checks, authorises and appends an event, and returns it. State that changes nothing gives back the event that
// is there, as Synapse does. The caller holds s.mu.
func (s *Server) post(r *room, e *pdu) (*pdu, error) {
	if err := checkCanonical(e.content); err != nil {
		return nil, err
	}
	size := len(e.content) + len(e.typ) + len(e.sender) + len(r.id) + eventOverhead
	if e.key != nil {
		size += len(*e.key)
	}
	if size > maxEvent || len(e.typ) > 255 || e.key != nil && len(*e.key) > 255 {
		return nil, tooLarge("event is too large")
	}
	if err := s.authorise(r, e); err != nil {
		return nil, err
	}
	if e.key != nil {
		if old := r.current(e.typ, *e.key); old != nil && old.sender == e.sender && sameJSON(old.content, e.content) {
			return old, nil
		}
	}
	s.append(r, e)
	return e, nil
}

// sameJSON reports whether both are the same value, whatever the order of keys.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := decodeAny(a)
	y, errY := decodeAny(b)
	return errX == nil && errY == nil && bytes.Equal(mustEncode(x), mustEncode(y))
}

// Send posts a message event into a room in the sender's name, by the same rules as over HTTP but without it.
// content is encoded as JSON; a [json.RawMessage] is taken as it is.
func (s *Server) Send(sender id.UserID, roomID id.RoomID, typ event.Type, content any) (id.EventID, error) {
	return s.sendAs(sender, roomID, typ, nil, content)
}

// SendText posts an m.text message, as [Server.Send] does.
func (s *Server) SendText(sender id.UserID, roomID id.RoomID, text string) (id.EventID, error) {
	return s.sendAs(sender, roomID, event.EventMessage, nil, map[string]string{"msgtype": "m.text", "body": text})
}

// SendState sets a piece of state in the sender's name, as [Server.Send] does.
func (s *Server) SendState(
	sender id.UserID, roomID id.RoomID, typ event.Type, key string, content any,
) (id.EventID, error) {
	return s.sendAs(sender, roomID, typ, &key, content)
}

func (s *Server) sendAs(
	sender id.UserID, roomID id.RoomID, typ event.Type, key *string, content any,
) (id.EventID, error) {
	data, err := encode(content)
	if err == nil {
		err = checkObject(data)
	}
	if err != nil {
		return "", fmt.Errorf("send %s: %w", typ.Type, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil {
		return "", fmt.Errorf("send %s: no room %s", typ.Type, roomID)
	}
	e, err := s.post(r, s.newEvent(r, sender, typ.Type, key, compact(data)))
	if err != nil {
		return "", fmt.Errorf("send %s: %w", typ.Type, err)
	}
	return e.id, nil
}
