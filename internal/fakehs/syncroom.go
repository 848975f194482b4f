package fakehs

import (
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix/id"
)

// defaultTimeline is how many events a timeline holds unless the filter says otherwise, as on Synapse.
const defaultTimeline = 10

// joinedSync is a room in the join or leave section of a sync response.
type joinedSync struct {
	Summary     *roomSummary `json:"summary,omitempty"`
	State       eventList    `json:"state"`
	Timeline    syncTimeline `json:"timeline"`
	Ephemeral   *eventList   `json:"ephemeral,omitempty"`
	AccountData *eventList   `json:"account_data,omitempty"`
	Unread      *unreadCount `json:"unread_notifications,omitempty"`
}

type syncTimeline struct {
	Events    []json.RawMessage `json:"events"`
	Limited   bool              `json:"limited"`
	PrevBatch string            `json:"prev_batch,omitempty"`
}

type roomSummary struct {
	Heroes  []id.UserID `json:"m.heroes,omitempty"`
	Joined  int         `json:"m.joined_member_count"`
	Invited int         `json:"m.invited_member_count"`
}

// lazyMark remembers which member event a device was given, and in the response up to which position: only a request
// that comes with that position or a later one proves that the response arrived.
type lazyMark struct {
	event id.EventID
	at    int64
}

// roomWindow is the part of a room's history that one sync covers.
type roomWindow struct {
	events  []*pdu // the timeline
	start   int    // index of the first event not before the timeline
	end     int    // index after the last event covered
	lower   int64  // position that the client knows state up to; 0 for none
	limited bool
}

// joined returns the room's part of the response, or nil if there is no news.
func (q *syncQuery) joined(r *room, m *roomMember) *joinedSync {
	fresh := q.initial() || m.joinedPos > q.since
	lower := q.since
	if fresh {
		lower = 0
	}
	data := dataList(q.c.user.roomData[r.id], q.f.Room.AccountData, lower)
	if !fresh && !q.full && r.lastPos <= q.since && data == nil {
		return nil
	}
	w := q.window(r, lower, len(r.timeline))
	part := q.render(r, w)
	part.AccountData = data
	part.Ephemeral = q.ephemeral(r, lower)
	if !fresh && !q.full && len(part.Timeline.Events) == 0 && len(part.State.Events) == 0 && data == nil &&
		part.Ephemeral == nil {
		return nil
	}
	unread := r.unread[q.c.user.id]
	part.Unread = &unread
	if fresh || q.full || w.limited || slices.ContainsFunc(r.stateSince(q.since), func(e *pdu) bool {
		return e.typ == "m.room.member"
	}) {
		part.Summary = r.summary(q.c.user.id)
	}
	return part
}

// left returns the room's part for someone who is no longer in it: what happened up to the leaving.
func (q *syncQuery) left(r *room, m *roomMember) *joinedSync {
	w := q.window(r, q.since, r.after(m.pos))
	part := q.render(r, w)
	if !r.everJoined(q.c.user.id) {
		// Whoever only turned down an invite is told no more than that.
		part.State.Events = []json.RawMessage{}
	}
	return part
}

// window picks the timeline: the latest events beyond lower that the user may see and the filter lets through.
func (q *syncQuery) window(r *room, lower int64, end int) roomWindow {
	part := &q.f.Room.Timeline
	most := part.limit(defaultTimeline, q.c.s.opts.MaxTimeline)
	if n := q.c.effects.limit; n > 0 {
		most = min(most, n)
	}
	w := roomWindow{start: end, end: end, lower: lower}
	sees := r.sees(q.c.user.id)
	for i := end - 1; i >= 0; i-- {
		e := r.timeline[i]
		if e.pos <= lower {
			break
		}
		if !sees(e) || !part.wants(r, e) {
			continue
		}
		if len(w.events) == most {
			w.limited = true
			break
		}
		w.events = append(w.events, e)
		w.start = i
	}
	slices.Reverse(w.events)
	return w
}

func (q *syncQuery) render(r *room, w roomWindow) *joinedSync {
	s, v := q.c.s, q.c.viewer()
	part := &joinedSync{State: eventList{[]json.RawMessage{}}}
	for _, e := range q.stateFor(r, w) {
		part.State.Events = append(part.State.Events, s.wire(r, e, v, true))
	}
	part.Timeline.Events = []json.RawMessage{}
	for _, e := range q.disturbed(r, w) {
		part.Timeline.Events = append(part.Timeline.Events, s.wire(r, e, v, true))
	}
	part.Timeline.Limited = w.limited
	before := s.pos
	if w.start < len(r.timeline) {
		before = r.timeline[w.start].pos - 1
	}
	part.Timeline.PrevBatch = token(before)
	return part
}

// disturbed returns the timeline as faults leave it.
func (q *syncQuery) disturbed(r *room, w roomWindow) []*pdu {
	events := slices.Clone(w.events)
	fx := q.c.effects
	if fx.replay > 0 && len(events) > 0 {
		from := max(0, w.start-fx.replay)
		events = append(slices.Clone(r.timeline[from:w.start]), events...)
	}
	if fx.duplicate {
		var twice []*pdu
		for _, e := range events {
			twice = append(twice, e, e)
		}
		events = twice
	}
	if fx.shuffle != nil {
		shuffled := slices.Clone(events)
		for range 8 {
			fx.shuffle.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if !slices.Equal(shuffled, events) {
				break
			}
		}
		events = shuffled
	}
	return events
}

// stateFor returns the state section: what is in force before the timeline and the client does not know, and what the
// filter kept out of the timeline.
func (q *syncQuery) stateFor(r *room, w roomWindow) []*pdu {
	var list []*pdu
	if w.lower == 0 || q.full {
		list = r.stateBefore(w.start)
	} else {
		list = stateDelta(r, w)
	}
	list = append(list, hiddenState(r, w, list)...)
	part := &q.f.Room.State
	if part.Lazy || q.f.Room.Timeline.Lazy {
		list = q.lazy(r, w, list, part.RedundantMembers)
	}
	list = slices.DeleteFunc(list, func(e *pdu) bool { return !part.wants(r, e) })
	sortByPos(list)
	return list
}

// stateDelta returns the latest version before the timeline of each piece of state that changed beyond w.lower.
func stateDelta(r *room, w roomWindow) []*pdu {
	latest := make(map[stateKey]*pdu)
	for _, e := range r.stateSince(w.lower) {
		if e.index < w.start {
			latest[stateKey{e.typ, *e.key}] = e
		}
	}
	var list []*pdu
	for _, e := range latest {
		list = append(list, e)
	}
	return list
}

// hiddenState returns the state events within the timeline's reach that the filter kept out of it and that still hold
// at its end; without them a client with a filter would never learn of the change.
func hiddenState(r *room, w roomWindow, known []*pdu) []*pdu {
	var list []*pdu
	if w.start == w.end {
		return nil
	}
	for _, e := range r.stateSince(r.timeline[w.start].pos - 1) {
		if e.index >= w.end || slices.Contains(w.events, e) || slices.Contains(known, e) {
			continue
		}
		if r.stateAt(stateKey{e.typ, *e.key}, w.end) == e {
			list = append(list, e)
		}
	}
	return list
}

// lazy drops the members whom the client has no need of, and adds those whom it needs and does not have.
//
// https://spec.matrix.org/v1.15/client-server-api/#lazy-loading-room-members
func (q *syncQuery) lazy(r *room, w roomWindow, list []*pdu, redundant bool) []*pdu {
	own := q.c.user.id
	marks := q.c.device.lazyMarks(r.id)
	needed := map[id.UserID]bool{}
	if w.lower == 0 || q.full {
		needed[own] = true
		for _, hero := range r.heroes(own) {
			needed[hero] = true
		}
	}
	for _, e := range w.events {
		needed[e.sender] = true
	}
	given := make(map[id.UserID]bool)
	kept := list[:0:0]
	for _, e := range list {
		if e.typ != "m.room.member" {
			kept = append(kept, e)
			continue
		}
		userID := id.UserID(*e.key)
		// Someone whom the client knows of has changed in a gap: left out, the client would keep what is no longer so.
		_, known := marks[userID]
		if needed[userID] || userID == own || known && w.lower > 0 {
			kept = append(kept, e)
			given[userID] = true
			marks[userID] = lazyMark{e.id, q.c.s.pos}
		}
	}
	for userID := range needed {
		member := r.stateAt(stateKey{"m.room.member", userID.String()}, w.start)
		if given[userID] || member == nil {
			continue
		}
		if mark, ok := marks[userID]; ok && !redundant && w.lower > 0 && mark.event == member.id && mark.at <= q.since {
			continue
		}
		kept = append(kept, member)
		marks[userID] = lazyMark{member.id, q.c.s.pos}
	}
	for _, e := range w.events {
		if e.isState("m.room.member") {
			marks[id.UserID(*e.key)] = lazyMark{e.id, q.c.s.pos}
		}
	}
	return kept
}

func (d *device) lazyMarks(roomID id.RoomID) map[id.UserID]lazyMark {
	marks := d.lazy[roomID]
	if marks == nil {
		marks = make(map[id.UserID]lazyMark)
		d.lazy[roomID] = marks
	}
	return marks
}

// heroes returns up to five members other than the user for naming a room that has no name, the earliest first.
func (r *room) heroes(own id.UserID) []id.UserID {
	var present, gone []*pdu
	for userID, membership := range r.members {
		if userID == own {
			continue
		}
		e := r.current("m.room.member", userID.String())
		if membership == "join" || membership == "invite" {
			present = append(present, e)
		} else {
			gone = append(gone, e)
		}
	}
	if len(present) == 0 {
		present = gone
	}
	sortByPos(present)
	var list []id.UserID
	for _, e := range present[:min(5, len(present))] {
		list = append(list, id.UserID(*e.key))
	}
	return list
}

func (r *room) summary(own id.UserID) *roomSummary {
	sum := &roomSummary{Joined: r.joined, Invited: r.invited}
	name, canonical := r.current("m.room.name", ""), r.current("m.room.canonical_alias", "")
	if (name == nil || stringField(name.content, "name") == "") &&
		(canonical == nil || stringField(canonical.content, "alias") == "") {
		sum.Heroes = r.heroes(own)
	}
	return sum
}
