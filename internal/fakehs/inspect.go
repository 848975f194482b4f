package fakehs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// parse decodes an event as a client would. One that a test has injected may not fit the type; what fits is kept.
func parse(raw json.RawMessage) *event.Event {
	var evt event.Event
	if json.Unmarshal(raw, &evt) != nil {
		return &event.Event{Content: event.Content{VeryRaw: raw}}
	}
	if evt.StateKey != nil {
		evt.Type.Class = event.StateEventType
	} else {
		evt.Type.Class = event.MessageEventType
	}
	// Content of an unknown type or of a wrong shape stays in Content.Raw, which is all that an assertion can ask for.
	_ = evt.Content.ParseRaw(evt.Type)
	return &evt
}

// Timeline returns all events of a room, the oldest first, as a bystander would be given them. It is nil if there is
// no such room.
func (s *Server) Timeline(roomID id.RoomID) []*event.Event {
	var raws []json.RawMessage
	s.mu.Lock()
	if r := s.rooms[roomID]; r != nil {
		raws = s.wireList(r, r.timeline, viewer{})
	}
	s.mu.Unlock()
	return parseList(raws)
}

func parseList(raws []json.RawMessage) []*event.Event {
	var list []*event.Event
	for _, raw := range raws {
		list = append(list, parse(raw))
	}
	return list
}

// Messages returns the m.room.message events of a room that sender ("" for anyone) has sent, the oldest first.
func (s *Server) Messages(roomID id.RoomID, sender id.UserID) []*event.Event {
	return slices.DeleteFunc(s.Timeline(roomID), func(evt *event.Event) bool {
		return evt.Type.Type != event.EventMessage.Type || sender != "" && evt.Sender != sender
	})
}

// State returns the state event in force, or nil.
func (s *Server) State(roomID id.RoomID, typ event.Type, key string) *event.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil {
		return nil
	}
	e := r.current(typ.Type, key)
	if e == nil {
		return nil
	}
	return parse(s.wire(r, e, viewer{}, false))
}

// Members returns the membership of all who have ever been named in the room.
func (s *Server) Members(roomID id.RoomID) map[id.UserID]event.Membership {
	s.mu.Lock()
	defer s.mu.Unlock()
	members := make(map[id.UserID]event.Membership)
	if r := s.rooms[roomID]; r != nil {
		for userID, membership := range r.members {
			members[userID] = event.Membership(membership)
		}
	}
	return members
}

// Rooms returns the ids of the rooms that the user is joined to, sorted.
func (s *Server) Rooms(userID id.UserID) []id.RoomID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []id.RoomID
	if u := s.users[userID]; u != nil {
		for roomID, m := range u.rooms {
			if m.membership == "join" {
				list = append(list, roomID)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Typing returns who is typing in the room now, sorted.
func (s *Server) Typing(roomID id.RoomID) []id.UserID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[roomID]; r != nil {
		return r.typists()
	}
	return nil
}

// ReadUpTo returns the event of the user's unthreaded receipt of the kind ("m.read" or "m.read.private"), or "".
func (s *Server) ReadUpTo(roomID id.RoomID, userID id.UserID, kind event.ReceiptType) id.EventID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rooms[roomID]; r != nil {
		return r.receipts[receiptKey{string(kind), userID, ""}].event
	}
	return ""
}

// AccountData returns the user's account data of the type, global for an empty room id, or nil.
func (s *Server) AccountData(userID id.UserID, roomID id.RoomID, typ string) json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		return nil
	}
	data := u.accountData
	if roomID != "" {
		data = u.roomData[roomID]
	}
	if d := data[typ]; d != nil {
		return d.content
	}
	return nil
}

// Devices returns the ids of the user's devices, sorted.
func (s *Server) Devices(userID id.UserID) []id.DeviceID {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[userID]
	if u == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(u.devices))
}

// WaitFor returns the first event of the room, from its beginning on, that match agrees to. It waits for events to
// come until ctx ends. match is called once for each event, outside the server's lock.
func (s *Server) WaitFor(ctx context.Context, roomID id.RoomID, match func(*event.Event) bool) (*event.Event, error) {
	for next := 0; ; {
		s.mu.Lock()
		r := s.rooms[roomID]
		if r == nil {
			s.mu.Unlock()
			return nil, fmt.Errorf("wait for event: no room %s", roomID)
		}
		raws := s.wireList(r, r.timeline[next:], viewer{})
		news := r.bell.wait()
		s.mu.Unlock()
		next += len(raws)
		for _, evt := range parseList(raws) {
			if match(evt) {
				return evt, nil
			}
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for event in %s: %w", roomID, context.Cause(ctx))
		case <-s.ctx.Done():
			return nil, fmt.Errorf("wait for event in %s: %w", roomID, ErrClosed)
		}
	}
}
