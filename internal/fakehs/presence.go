package fakehs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// presence is what others are told of a user's being there. Unlike on a real server it changes only when a client says
// so; a sync without set_presence leaves it alone, so that tests see no events that they did not cause.
type presence struct {
	state  string
	status *string
	active int64
	pos    int64
}

func (c *call) getPresence() (any, error) {
	userID := id.UserID(c.path("user"))
	u := c.s.users[userID]
	if u == nil {
		return nil, notFound("no such user")
	}
	if !c.s.sharesRoom(c.user.id, userID) {
		return nil, forbidden("you share no room with %s", userID)
	}
	return u.presence.content(c.s.nowMilli()), nil
}

func (p presence) content(now int64) map[string]any {
	body := map[string]any{"presence": "offline"}
	if p.state != "" {
		body["presence"] = p.state
		body["last_active_ago"] = max(0, now-p.active)
		body["currently_active"] = p.state == "online"
	}
	if p.status != nil {
		body["status_msg"] = *p.status
	}
	return body
}

func (c *call) putPresence() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	var req struct {
		Presence string  `json:"presence"`
		Status   *string `json:"status_msg"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	status := req.Status
	if status == nil {
		status = new(string)
	}
	return empty{}, c.s.setPresence(c.user, req.Presence, status)
}

// setPresence changes the state, and the status unless it is nil. The caller holds s.mu.
func (s *Server) setPresence(u *user, state string, status *string) error {
	if !slices.Contains([]string{"online", "unavailable", "offline"}, state) {
		return badJSON("unknown presence %q", state)
	}
	if cmp.Or(u.presence.state, "offline") == state && status == nil {
		return nil
	}
	if status != nil {
		u.presence.status = status
		if *status == "" {
			u.presence.status = nil
		}
	}
	u.presence.state, u.presence.active, u.presence.pos = state, s.nowMilli(), s.nextPos()
	for _, other := range s.contacts(u) {
		other.bell.ring()
	}
	return nil
}

// presence returns the presence events that the client has not seen, or nil.
func (q *syncQuery) presence() *eventList {
	s := q.c.s
	var news []*user
	for _, u := range s.users {
		if u.presence.pos > q.since && s.sharesRoom(q.c.user.id, u.id) {
			news = append(news, u)
		}
	}
	slices.SortFunc(news, func(a, b *user) int { return strings.Compare(a.id.String(), b.id.String()) })
	var events []json.RawMessage
	for _, u := range news {
		if q.f.Presence.wantsType("m.presence") && q.f.Presence.wantsSender(u.id) {
			events = append(events, mustEncode(map[string]any{
				"type": "m.presence", "sender": u.id, "content": u.presence.content(s.nowMilli()),
			}))
		}
	}
	if events == nil {
		return nil
	}
	return &eventList{events}
}
