package fakehs

import (
	"encoding/json"
	"slices"
	"sort"
	"time"

	"maunium.net/go/mautrix/id"
)

// roomVersions are the versions that rooms can have.
var roomVersions = []id.RoomVersion{id.RoomV10, id.RoomV11, id.RoomV12}

// room is one room with its whole history.
type room struct {
	id       id.RoomID
	version  id.RoomVersion
	creator  id.UserID
	creators []id.UserID // who hold infinite power, from version 12 on

	timeline []*pdu
	stateLog []*pdu // the state events of the timeline
	byID     map[id.EventID]*pdu
	state    map[stateKey][]*pdu // all versions, the current one last
	members  map[id.UserID]string
	joined   int
	invited  int
	powers   *powerLevels
	related  map[id.EventID][]*pdu // by the event that they relate to

	lastPos  int64 // of the newest event or ephemeral
	typing   map[id.UserID]*time.Timer
	typedPos int64
	receipts map[receiptKey]receipt
	unread   map[id.UserID]unreadCount
	bell     bell
	listed   bool // in the public directory
}

func newRoom(roomID id.RoomID, version id.RoomVersion, creator id.UserID) *room {
	return &room{
		id:       roomID,
		version:  version,
		creator:  creator,
		byID:     make(map[id.EventID]*pdu),
		state:    make(map[stateKey][]*pdu),
		members:  make(map[id.UserID]string),
		related:  make(map[id.EventID][]*pdu),
		typing:   make(map[id.UserID]*time.Timer),
		receipts: make(map[receiptKey]receipt),
		unread:   make(map[id.UserID]unreadCount),
	}
}

// current returns the state event in force, or nil.
func (r *room) current(typ, key string) *pdu {
	versions := r.state[stateKey{typ, key}]
	if len(versions) == 0 {
		return nil
	}
	return versions[len(versions)-1]
}

// stateAt returns the version of a piece of state in force before the event with the given index, or nil.
func (r *room) stateAt(key stateKey, index int) *pdu {
	versions := r.state[key]
	n := sort.Search(len(versions), func(i int) bool { return versions[i].index >= index })
	if n == 0 {
		return nil
	}
	return versions[n-1]
}

// stateBefore returns all state in force before the event with the given index, in the order in which it was set.
func (r *room) stateBefore(index int) []*pdu {
	var list []*pdu
	for key := range r.state {
		if e := r.stateAt(key, index); e != nil {
			list = append(list, e)
		}
	}
	sortByPos(list)
	return list
}

func sortByPos(list []*pdu) {
	slices.SortFunc(list, func(a, b *pdu) int { return int(a.pos - b.pos) })
}

// after returns the index of the first event with a position beyond pos.
func (r *room) after(pos int64) int {
	return sort.Search(len(r.timeline), func(i int) bool { return r.timeline[i].pos > pos })
}

// stateSince returns the state events with a position beyond pos.
func (r *room) stateSince(pos int64) []*pdu {
	n := sort.Search(len(r.stateLog), func(i int) bool { return r.stateLog[i].pos > pos })
	return r.stateLog[n:]
}

func (r *room) membership(userID id.UserID) string {
	if m := r.members[userID]; m != "" {
		return m
	}
	return "leave"
}

func (r *room) everJoined(userID id.UserID) bool {
	return slices.ContainsFunc(r.state[stateKey{"m.room.member", userID.String()}], func(e *pdu) bool {
		return stringField(e.content, "membership") == "join"
	})
}

func (r *room) historyVisibility() string {
	return historyVisibilityOf(r.current("m.room.history_visibility", ""))
}

func historyVisibilityOf(e *pdu) string {
	if e != nil {
		if v := stringField(e.content, "history_visibility"); v != "" {
			return v
		}
	}
	return "shared"
}

func (r *room) joinRule() string {
	if e := r.current("m.room.join_rules", ""); e != nil {
		if rule := stringField(e.content, "join_rule"); rule != "" {
			return rule
		}
	}
	return "invite"
}

// visible reports whether the user may see the event.
//
// https://spec.matrix.org/v1.15/client-server-api/#server-behaviour-5
func (r *room) visible(userID id.UserID, e *pdu) bool {
	if e.isState("m.room.member") && *e.key == userID.String() {
		return true
	}
	rule := historyVisibilityOf(r.stateAt(stateKey{"m.room.history_visibility", ""}, e.index+1))
	if rule == "world_readable" {
		return true
	}
	versions := r.state[stateKey{"m.room.member", userID.String()}]
	at := "leave"
	joinedLater := false
	for _, m := range versions {
		membership := stringField(m.content, "membership")
		if m.index <= e.index {
			at = membership
		} else if membership == "join" {
			joinedLater = true
		}
	}
	switch rule {
	case "joined":
		return at == "join"
	case "invited":
		return at == "join" || at == "invite"
	default:
		return at == "join" || joinedLater
	}
}

// sees returns a test for events that the user may see; it decides once for the usual case of a member of a room
// whose history is shared.
func (r *room) sees(userID id.UserID) func(*pdu) bool {
	if r.members[userID] == "join" && len(r.state[stateKey{"m.room.history_visibility", ""}]) <= 1 {
		if rule := r.historyVisibility(); rule == "shared" || rule == "world_readable" {
			return func(*pdu) bool { return true }
		}
	}
	return func(e *pdu) bool { return r.visible(userID, e) }
}

// newEvent makes an event that is not yet in the room.
func (s *Server) newEvent(r *room, sender id.UserID, typ string, key *string, content json.RawMessage) *pdu {
	return &pdu{typ: typ, key: key, sender: sender, ts: s.nowMilli(), content: content}
}

// append puts an authorised event into the room and tells those whom it concerns. The caller holds s.mu.
func (s *Server) append(r *room, e *pdu) {
	e.pos = s.nextPos()
	e.index = len(r.timeline)
	if e.id == "" {
		e.id = id.EventID("$" + contentHash(r.id, "|", e.pos, "|", e.sender, "|", e.typ, "|", string(e.content)))
	}
	r.timeline = append(r.timeline, e)
	r.byID[e.id] = e
	r.lastPos = e.pos
	if e.rel = relationOf(e.content); e.rel.EventID != "" && e.key == nil {
		r.related[e.rel.EventID] = append(r.related[e.rel.EventID], e)
	}
	if e.key != nil {
		s.setState(r, e)
	}
	r.countUnread(e)
	r.bell.ring()
	s.ringRoom(r)
}

// setState makes e the current version of its state.
func (s *Server) setState(r *room, e *pdu) {
	key := stateKey{e.typ, *e.key}
	e.prev = r.current(e.typ, *e.key)
	r.state[key] = append(r.state[key], e)
	r.stateLog = append(r.stateLog, e)
	switch e.typ {
	case "m.room.member":
		s.memberChanged(r, e)
	case "m.room.power_levels":
		if *e.key == "" {
			r.powers, _ = parsePowerLevels(e.content)
		}
	}
}

// memberChanged brings the books up to date with a member event.
func (s *Server) memberChanged(r *room, e *pdu) {
	userID := id.UserID(*e.key)
	before, now := r.membership(userID), stringField(e.content, "membership")
	r.members[userID] = now
	r.joined += count(now == "join") - count(before == "join")
	r.invited += count(now == "invite") - count(before == "invite")
	if now != "join" {
		s.stopTyping(r, userID)
	}
	u := s.users[userID]
	if u == nil {
		return
	}
	m := u.rooms[r.id]
	if m == nil {
		m = &roomMember{}
		u.rooms[r.id] = m
	}
	m.membership, m.pos = now, e.pos
	switch {
	case now != "join":
		m.joinedPos = 0
		delete(r.unread, userID)
	case before != "join":
		m.joinedPos = e.pos
	}
	u.bell.ring()
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// ringRoom wakes all who are joined to the room.
func (s *Server) ringRoom(r *room) {
	for userID, membership := range r.members {
		if u := s.users[userID]; membership == "join" && u != nil {
			u.bell.ring()
		}
	}
}
