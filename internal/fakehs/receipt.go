package fakehs

import (
	"encoding/json"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// receiptKey is what a user can have one receipt for.
type receiptKey struct {
	kind   string
	user   id.UserID
	thread string // "" unthreaded, "main", or the root's event id
}

type receipt struct {
	event id.EventID
	ts    int64
	pos   int64
}

// unreadCount is the number of messages beyond a user's last receipt.
type unreadCount struct {
	Highlight     int `json:"highlight_count"`
	Notifications int `json:"notification_count"`
}

func (c *call) postReceipt() (any, error) {
	r, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	var req struct {
		Thread string `json:"thread_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	kind, eventID := c.path("kind"), id.EventID(c.path("event"))
	switch kind {
	case "m.fully_read":
		c.setFullyRead(r, eventID)
		return empty{}, nil
	case "m.read", "m.read.private":
		return empty{}, c.s.read(r, receiptKey{kind, c.user.id, req.Thread}, eventID)
	}
	return nil, invalidParam("unknown receipt type %q", kind)
}

func (c *call) setFullyRead(r *room, eventID id.EventID) {
	c.s.setRoomData(c.user, r.id, "m.fully_read", mustEncode(map[string]id.EventID{"event_id": eventID}))
}

func (c *call) postMarkers() (any, error) {
	r, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	var req struct {
		FullyRead   id.EventID `json:"m.fully_read"`
		Read        id.EventID `json:"m.read"`
		ReadPrivate id.EventID `json:"m.read.private"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.FullyRead != "" {
		c.setFullyRead(r, req.FullyRead)
	}
	if req.Read != "" {
		err = c.s.read(r, receiptKey{"m.read", c.user.id, ""}, req.Read)
	}
	if req.ReadPrivate != "" && err == nil {
		err = c.s.read(r, receiptKey{"m.read.private", c.user.id, ""}, req.ReadPrivate)
	}
	return empty{}, err
}

// read moves a receipt forward; one that points back is passed over. The caller holds s.mu.
func (s *Server) read(r *room, key receiptKey, eventID id.EventID) error {
	e := r.byID[eventID]
	if e == nil {
		return notFound("event not found")
	}
	if old := r.byID[r.receipts[key].event]; old != nil && old.index >= e.index {
		return nil
	}
	r.receipts[key] = receipt{event: eventID, ts: s.nowMilli(), pos: s.nextPos()}
	r.lastPos = s.pos
	r.recount(key.user, e.index)
	if key.kind == "m.read.private" {
		s.users[key.user].bell.ring()
	} else {
		s.ringRoom(r)
	}
	return nil
}

// receiptEvent renders the receipts newer than since that the user may see, or nil.
//
// https://spec.matrix.org/v1.15/client-server-api/#mreceipt
func (r *room) receiptEvent(own id.UserID, since int64) json.RawMessage {
	content := make(map[id.EventID]map[string]map[id.UserID]any)
	for key, rec := range r.receipts {
		if rec.pos <= since || key.kind == "m.read.private" && key.user != own {
			continue
		}
		if content[rec.event] == nil {
			content[rec.event] = make(map[string]map[id.UserID]any)
		}
		if content[rec.event][key.kind] == nil {
			content[rec.event][key.kind] = make(map[id.UserID]any)
		}
		entry := map[string]any{"ts": rec.ts}
		if key.thread != "" {
			entry["thread_id"] = key.thread
		}
		content[rec.event][key.kind][key.user] = entry
	}
	if len(content) == 0 {
		return nil
	}
	return mustEncode(map[string]any{"type": "m.receipt", "content": content})
}

// notifies reports whether the default push rules count the event as a message to be told of.
func (e *pdu) notifies() bool {
	switch e.typ {
	case "m.room.message":
		return e.rel.Type != "m.replace" && stringField(e.content, "msgtype") != "m.notice"
	case "m.room.encrypted":
		return true
	default:
		return false
	}
}

// mentions reports whether the event names the user on purpose.
func (e *pdu) mentions(userID id.UserID) bool {
	if !strings.Contains(string(e.content), `"m.mentions"`) {
		return false
	}
	var body struct {
		Mentions struct {
			UserIDs []id.UserID `json:"user_ids"`
			Room    bool        `json:"room"`
		} `json:"m.mentions"`
	}
	if json.Unmarshal(e.content, &body) != nil {
		return false
	}
	return body.Mentions.Room || slices.Contains(body.Mentions.UserIDs, userID)
}

// countUnread adds a new event to the counts of those who have not read it; its sender has.
func (r *room) countUnread(e *pdu) {
	if !e.notifies() {
		return
	}
	for userID, membership := range r.members {
		if membership != "join" {
			continue
		}
		n := r.unread[userID]
		if userID == e.sender {
			n = unreadCount{}
		} else {
			n.Notifications++
			n.Highlight += count(e.mentions(userID))
		}
		r.unread[userID] = n
	}
}

// recount counts again what the user has not read after the event with the given index.
func (r *room) recount(userID id.UserID, read int) {
	var n unreadCount
	for _, e := range r.timeline[read+1:] {
		switch {
		case !e.notifies():
		case e.sender == userID:
			n = unreadCount{}
		default:
			n.Notifications++
			n.Highlight += count(e.mentions(userID))
		}
	}
	r.unread[userID] = n
}
