package fakehs

import (
	"bytes"
	"encoding/json"
	"strconv"

	"maunium.net/go/mautrix/id"
)

// pdu is an event in a room's timeline.
type pdu struct {
	pos     int64
	index   int // in room.timeline
	id      id.EventID
	typ     string
	key     *string // nil unless a state event
	sender  id.UserID
	ts      int64 // milliseconds
	content json.RawMessage

	prev      *pdu // the state event that this one replaced
	redaction *pdu // the event that took this one's content
	redacts   id.EventID
	rel       relation
	raw       json.RawMessage // put in by a test; given out as it is

	device *device // that sent it, with the transaction id
	txn    string
}

// stateKey is the pair that names a piece of state.
type stateKey struct{ typ, key string }

// relation is the m.relates_to of an event, as far as the server acts on it.
type relation struct {
	Type    string     `json:"rel_type"`
	EventID id.EventID `json:"event_id"`
	Key     string     `json:"key"`
}

func relationOf(content json.RawMessage) relation {
	if !bytes.Contains(content, []byte(`"m.relates_to"`)) {
		return relation{}
	}
	var body struct {
		RelatesTo relation `json:"m.relates_to"`
	}
	if json.Unmarshal(content, &body) != nil {
		return relation{}
	}
	return body.RelatesTo
}

func (e *pdu) isState(typ string) bool { return e.key != nil && e.typ == typ }

// wireEvent is an event in the client format.
//
// https://spec.matrix.org/v1.15/client-server-api/#room-event-format
type wireEvent struct {
	Content  json.RawMessage `json:"content"`
	ID       id.EventID      `json:"event_id"`
	TS       int64           `json:"origin_server_ts"`
	Redacts  id.EventID      `json:"redacts,omitempty"`
	RoomID   id.RoomID       `json:"room_id,omitempty"`
	Sender   id.UserID       `json:"sender"`
	StateKey *string         `json:"state_key,omitempty"`
	Type     string          `json:"type"`
	Unsigned *wireUnsigned   `json:"unsigned,omitempty"`
}

type wireUnsigned struct {
	Age             int64           `json:"age"`
	TransactionID   string          `json:"transaction_id,omitempty"`
	PrevContent     json.RawMessage `json:"prev_content,omitempty"`
	ReplacesState   id.EventID      `json:"replaces_state,omitempty"`
	RedactedBecause json.RawMessage `json:"redacted_because,omitempty"`
	Relations       map[string]any  `json:"m.relations,omitempty"`
}

// viewer is who an event is rendered for; the zero value is a bystander, and gets no transaction id.
type viewer struct {
	user   *user
	device *device
}

// wire renders e in the client format, as the viewer may see it now. inSync leaves out the room id, which stands above
// the events there. The caller holds s.mu.
func (s *Server) wire(r *room, e *pdu, v viewer, inSync bool) json.RawMessage {
	out := s.bare(r, e, v, inSync)
	if e.raw != nil {
		return e.raw
	}
	out.Unsigned.Relations = s.bundle(r, e, v)
	return mustEncode(out)
}

// bare renders e without what is bundled under it.
func (s *Server) bare(r *room, e *pdu, v viewer, inSync bool) wireEvent {
	unsigned := &wireUnsigned{Age: max(0, s.nowMilli()-e.ts)}
	if e.device != nil && e.device == v.device {
		unsigned.TransactionID = e.txn
	}
	if e.prev != nil {
		unsigned.PrevContent, unsigned.ReplacesState = e.prev.content, e.prev.id
	}
	if e.redaction != nil {
		unsigned.RedactedBecause = mustEncode(s.bare(r, e.redaction, v, inSync))
	}
	out := wireEvent{
		Content: e.content, ID: e.id, TS: e.ts, Redacts: e.redacts, RoomID: r.id, Sender: e.sender,
		StateKey: e.key, Type: e.typ, Unsigned: unsigned,
	}
	if inSync {
		out.RoomID = ""
	}
	return out
}

// wireList renders events for an endpoint that names the room in each.
func (s *Server) wireList(r *room, events []*pdu, v viewer) []json.RawMessage {
	list := make([]json.RawMessage, len(events))
	for i, e := range events {
		list[i] = s.wire(r, e, v, false)
	}
	return list
}

// stripped renders a state event for those who are not in the room.
//
// https://spec.matrix.org/v1.15/client-server-api/#stripped-state
func (e *pdu) stripped() json.RawMessage {
	return mustEncode(map[string]any{
		"type": e.typ, "state_key": e.key, "content": e.content, "sender": e.sender,
	})
}

// token formats a position of the stream; parseToken reads one back. Clients may not look inside.
func token(pos int64) string { return "s" + strconv.FormatInt(pos, 36) }

func (s *Server) parseToken(raw string) (int64, error) {
	if len(raw) > 1 && raw[0] == 's' {
		if pos, err := strconv.ParseInt(raw[1:], 36, 64); err == nil && pos >= 0 && pos <= s.pos {
			return pos, nil
		}
	}
	return 0, invalidParam("unknown position %q", raw)
}
