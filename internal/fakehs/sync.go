package fakehs

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"maunium.net/go/mautrix/id"
)

var syncRoutes = []route{
	{method: "GET", path: "/sync", own: true, handle: (*call).sync},
}

// maxPoll bounds the timeout of a sync.
const maxPoll = 10 * time.Minute

// syncReply is the body of a sync response. An absent since makes it an initial one.
//
// https://spec.matrix.org/v1.15/client-server-api/#get_matrixclientv3sync
type syncReply struct {
	NextBatch    string         `json:"next_batch"`
	AccountData  *eventList     `json:"account_data,omitempty"`
	Presence     *eventList     `json:"presence,omitempty"`
	ToDevice     *eventList     `json:"to_device,omitempty"`
	DeviceLists  *deviceLists   `json:"device_lists,omitempty"`
	OneTimeCount map[string]int `json:"device_one_time_keys_count"`
	Fallbacks    []string       `json:"device_unused_fallback_key_types"`
	Rooms        *syncRooms     `json:"rooms,omitempty"`
}

type eventList struct {
	Events []json.RawMessage `json:"events"`
}

type syncRooms struct {
	Join   map[id.RoomID]*joinedSync `json:"join,omitempty"`
	Invite map[id.RoomID]*inviteSync `json:"invite,omitempty"`
	Knock  map[id.RoomID]*knockSync  `json:"knock,omitempty"`
	Leave  map[id.RoomID]*joinedSync `json:"leave,omitempty"`
}

type inviteSync struct {
	State eventList `json:"invite_state"`
}

type knockSync struct {
	State eventList `json:"knock_state"`
}

// syncQuery is one sync request.
type syncQuery struct {
	c     *call
	since int64 // 0 for an initial sync
	full  bool
	f     *filter
}

// initial reports whether nothing is known to the client.
func (q *syncQuery) initial() bool { return q.since == 0 }

func (c *call) sync() (any, error) {
	wait, err := c.queryInt("timeout", 0)
	if err != nil {
		return nil, err
	}
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &syncQuery{c: c, full: c.query("full_state") == "true"}
	if q.f, err = c.inlineFilter(); err != nil {
		return nil, err
	}
	if raw := c.query("since"); raw != "" {
		if q.since, err = s.parseToken(raw); err != nil {
			return nil, err
		}
	}
	if state := c.query("set_presence"); state != "" {
		if err := s.setPresence(c.user, state, nil); err != nil {
			return nil, err
		}
	}
	c.device.acknowledge(q.since)
	deadline := time.NewTimer(min(time.Duration(wait)*time.Millisecond, maxPoll))
	defer deadline.Stop()
	late := wait == 0
	for {
		if s.tokens[c.token] == nil {
			return nil, s.unknownToken(c.token)
		}
		if reply := q.build(); !reply.quiet() || q.initial() || q.full || late || len(c.user.patches) > 0 {
			return c.finishSync(reply)
		}
		if late, err = c.await(c.user.bell.wait(), deadline.C); err != nil {
			return nil, err
		}
	}
}

// await gives up s.mu until the bell rings or the deadline passes, and reports the latter.
func (c *call) await(bell <-chan struct{}, deadline <-chan time.Time) (late bool, err error) {
	c.s.mu.Unlock()
	defer c.s.mu.Lock()
	select {
	case <-bell:
		return false, nil
	case <-deadline:
		return true, nil
	case <-c.r.Context().Done():
	case <-c.s.ctx.Done():
	}
	return false, fail(http.StatusServiceUnavailable, "M_UNKNOWN", "the server is going away")
}

// finishSync encodes a response, with what tests have put in line for it.
func (c *call) finishSync(reply *syncReply) (any, error) {
	body, err := encode(reply)
	if err != nil || len(c.user.patches) == 0 {
		return rawReply{body: body}, err
	}
	merged, err := decodeAny(body)
	if err != nil {
		return nil, err
	}
	for _, patch := range c.user.patches {
		merged = mergeJSON(merged, patch)
	}
	c.user.patches = nil
	return merged, nil
}

// quiet reports whether the response holds no news.
func (r *syncReply) quiet() bool {
	return r.AccountData == nil && r.Presence == nil && r.ToDevice == nil && r.DeviceLists == nil && r.Rooms == nil
}

// build makes the response of this moment. The caller holds s.mu, so that the response and its next_batch agree.
func (q *syncQuery) build() *syncReply {
	s, u := q.c.s, q.c.user
	reply := &syncReply{
		NextBatch:    token(s.pos),
		AccountData:  q.globalData(),
		Presence:     q.presence(),
		ToDevice:     q.c.device.queue(),
		DeviceLists:  q.deviceLists(),
		OneTimeCount: q.c.device.oneTimeCounts(),
		Fallbacks:    q.c.device.unusedFallbacks(),
	}
	rooms := &syncRooms{
		Join: make(map[id.RoomID]*joinedSync), Invite: make(map[id.RoomID]*inviteSync),
		Knock: make(map[id.RoomID]*knockSync), Leave: make(map[id.RoomID]*joinedSync),
	}
	for roomID, m := range u.rooms {
		if q.f.wantsRoom(roomID) {
			q.addRoom(rooms, s.rooms[roomID], m)
		}
	}
	if len(rooms.Join)+len(rooms.Invite)+len(rooms.Knock)+len(rooms.Leave) > 0 {
		reply.Rooms = rooms
	}
	return reply
}

func (q *syncQuery) addRoom(rooms *syncRooms, r *room, m *roomMember) {
	isNew := q.initial() || q.full || m.pos > q.since
	switch m.membership {
	case "join":
		if part := q.joined(r, m); part != nil {
			rooms.Join[r.id] = part
		}
	case "invite":
		if isNew {
			rooms.Invite[r.id] = &inviteSync{eventList{r.previewState(q.c.user.id)}}
		}
	case "knock":
		if isNew {
			rooms.Knock[r.id] = &knockSync{eventList{r.previewState(q.c.user.id)}}
		}
	default:
		if m.pos > q.since && !q.initial() || q.initial() && q.f.Room.IncludeLeave {
			rooms.Leave[r.id] = q.left(r, m)
		}
	}
}

// previewTypes is the state that tells an invited user what the room is.
var previewTypes = []string{
	"m.room.create", "m.room.name", "m.room.avatar", "m.room.topic", "m.room.join_rules", "m.room.canonical_alias",
	"m.room.encryption",
}

func (r *room) previewState(userID id.UserID) []json.RawMessage {
	list := []json.RawMessage{}
	for _, typ := range previewTypes {
		if e := r.current(typ, ""); e != nil {
			list = append(list, e.stripped())
		}
	}
	own := r.current("m.room.member", userID.String())
	if own.sender != userID {
		if inviter := r.current("m.room.member", own.sender.String()); inviter != nil {
			list = append(list, inviter.stripped())
		}
	}
	return append(list, own.stripped())
}

// globalData returns the account data that the client has not seen.
func (q *syncQuery) globalData() *eventList {
	return dataList(q.c.user.accountData, q.f.AccountData, q.since)
}

// dataList renders account data newer than since, in the order in which it was set.
func dataList(data map[string]*accountDatum, part filterPart, since int64) *eventList {
	var list *eventList
	sorted := slices.SortedFunc(maps.Keys(data), func(a, b string) int { return int(data[a].pos - data[b].pos) })
	for _, typ := range sorted {
		if d := data[typ]; d.pos > since && part.wantsType(typ) {
			if list == nil {
				list = &eventList{}
			}
			list.Events = append(list.Events, mustEncode(map[string]any{"type": typ, "content": d.content}))
		}
	}
	return list
}
