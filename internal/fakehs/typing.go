package fakehs

import (
	"encoding/json"
	"slices"
	"time"

	"maunium.net/go/mautrix/id"
)

// defaultTyping is how long a typing notification lasts unless the client says so.
const defaultTyping = 30 * time.Second

var ephemeralRoutes = []route{
	{method: "PUT", path: "/rooms/{room}/typing/{user}", handle: (*call).putTyping},
	{method: "POST", path: "/rooms/{room}/receipt/{kind}/{event}", handle: (*call).postReceipt},
	{method: "POST", path: "/rooms/{room}/read_markers", handle: (*call).postMarkers},
	{method: "GET", path: "/presence/{user}/status", handle: (*call).getPresence},
	{method: "PUT", path: "/presence/{user}/status", handle: (*call).putPresence},
}

func (c *call) putTyping() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	r, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	var req struct {
		Typing  *bool `json:"typing"`
		Timeout int64 `json:"timeout"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	switch {
	case req.Typing == nil:
		return nil, missingParam("typing")
	case !*req.Typing:
		c.s.stopTyping(r, c.user.id)
	default:
		timeout := defaultTyping
		if req.Timeout > 0 {
			timeout = min(time.Duration(req.Timeout)*time.Millisecond, 2*time.Minute)
		}
		c.s.startTyping(r, c.user.id, timeout)
	}
	return empty{}, nil
}

func (s *Server) startTyping(r *room, userID id.UserID, timeout time.Duration) {
	old := r.typing[userID]
	if old != nil {
		old.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(timeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.typing[userID] == timer {
			s.stopTyping(r, userID)
		}
	})
	r.typing[userID] = timer
	if old == nil {
		s.typingChanged(r)
	}
}

func (s *Server) stopTyping(r *room, userID id.UserID) {
	timer := r.typing[userID]
	if timer == nil {
		return
	}
	timer.Stop()
	delete(r.typing, userID)
	s.typingChanged(r)
}

func (s *Server) typingChanged(r *room) {
	r.typedPos = s.nextPos()
	r.lastPos = r.typedPos
	r.bell.ring()
	s.ringRoom(r)
}

// stopTyping ends all timers of the room without telling anyone.
func (r *room) stopTyping() {
	for userID, timer := range r.typing {
		timer.Stop()
		delete(r.typing, userID)
	}
}

func (r *room) typists() []id.UserID {
	list := make([]id.UserID, 0, len(r.typing))
	for userID := range r.typing {
		list = append(list, userID)
	}
	slices.Sort(list)
	return list
}

// ephemeral returns the typing and receipt events that the client has not seen, or nil.
func (q *syncQuery) ephemeral(r *room, lower int64) *eventList {
	var events []json.RawMessage
	part := &q.f.Room.Ephemeral
	if part.wantsType("m.typing") && part.wantsRoom(r.id) && r.typedPos > lower && (lower > 0 || len(r.typing) > 0) {
		events = append(events, mustEncode(map[string]any{
			"type": "m.typing", "content": map[string]any{"user_ids": r.typists()},
		}))
	}
	if part.wantsType("m.receipt") && part.wantsRoom(r.id) {
		if e := r.receiptEvent(q.c.user.id, lower); e != nil {
			events = append(events, e)
		}
	}
	if events == nil {
		return nil
	}
	return &eventList{events}
}
