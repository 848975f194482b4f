package fakehs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

var membershipRoutes = []route{
	{method: "POST", path: "/join/{target}", handle: (*call).joinTarget},
	{method: "POST", path: "/knock/{target}", handle: (*call).knockTarget},
	{method: "POST", path: "/rooms/{room}/join", handle: (*call).joinRoom},
	{method: "POST", path: "/rooms/{room}/leave", handle: (*call).leave},
	{method: "POST", path: "/rooms/{room}/forget", handle: (*call).forget},
	{method: "POST", path: "/rooms/{room}/invite", handle: (*call).invite},
	{method: "POST", path: "/rooms/{room}/kick", handle: (*call).kick},
	{method: "POST", path: "/rooms/{room}/ban", handle: (*call).ban},
	{method: "POST", path: "/rooms/{room}/unban", handle: (*call).unban},
	{method: "GET", path: "/joined_rooms", handle: (*call).joinedRooms},
	{method: "GET", path: "/rooms/{room}/members", handle: (*call).listMembers},
	{method: "GET", path: "/rooms/{room}/joined_members", handle: (*call).joinedMembers},
}

// setMember posts a member event with the target's profile. The caller holds s.mu.
func (s *Server) setMember(
	r *room, sender, target id.UserID, membership string, extra map[string]any,
) (*pdu, error) {
	content := map[string]any{"membership": membership}
	if membership == "join" || membership == "invite" || membership == "knock" {
		if u := s.users[target]; u != nil {
			for _, key := range []string{"displayname", "avatar_url"} {
				if value, ok := u.profile[key]; ok {
					content[key] = value
				}
			}
		}
	}
	maps.Copy(content, extra)
	return s.post(r, s.newEvent(r, sender, "m.room.member", (*string)(&target), mustEncode(content)))
}

// SetMembership makes sender set the target's membership ("join", "invite", "leave", "ban" or "knock") by the same
// rules as over HTTP, but without it.
func (s *Server) SetMembership(sender id.UserID, roomID id.RoomID, target id.UserID, membership string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rooms[roomID]
	if r == nil {
		return fmt.Errorf("no room %s", roomID)
	}
	if _, err := s.setMember(r, sender, target, membership, nil); err != nil {
		return fmt.Errorf("set membership of %s: %w", target, err)
	}
	return nil
}

type memberRequest struct {
	UserID id.UserID `json:"user_id"`
	Reason string    `json:"reason"`
}

func (m memberRequest) extra() map[string]any {
	if m.Reason == "" {
		return nil
	}
	return map[string]any{"reason": m.Reason}
}

func (c *call) memberRequest(needsUser bool) (memberRequest, error) {
	var req memberRequest
	if err := c.decode(&req); err != nil {
		return req, err
	}
	if needsUser && req.UserID == "" {
		return req, missingParam("user_id")
	}
	return req, nil
}

// target finds the room of a path's {target}, which is a room id or an alias.
func (c *call) target() (*room, error) {
	name := c.path("target")
	if strings.HasPrefix(name, "#") {
		a := c.s.aliases[id.RoomAlias(name)]
		if a == nil {
			return nil, notFound("no room has the alias %s", name)
		}
		name = a.room.String()
	} else if !strings.HasPrefix(name, "!") {
		return nil, invalidParam("%q is neither a room id nor an alias", name)
	}
	r := c.s.rooms[id.RoomID(name)]
	if r == nil {
		return nil, notFound("no known servers")
	}
	return r, nil
}

func (c *call) joinTarget() (any, error) {
	r, err := c.target()
	if err != nil {
		return nil, err
	}
	return c.join(r)
}

func (c *call) joinRoom() (any, error) {
	r := c.s.rooms[id.RoomID(c.path("room"))]
	if r == nil {
		return nil, notFound("no known servers")
	}
	return c.join(r)
}

func (c *call) join(r *room) (any, error) {
	req, err := c.memberRequest(false)
	if err != nil {
		return nil, err
	}
	reply := map[string]id.RoomID{"room_id": r.id}
	if r.membership(c.user.id) == "join" {
		return reply, nil
	}
	extra := req.extra()
	if by := r.authorisingMember(); r.membership(c.user.id) != "invite" && by != "" && c.s.allowedByRoom(r, c.user.id) {
		extra = maps.Clone(extra)
		if extra == nil {
			extra = make(map[string]any)
		}
		extra["join_authorised_via_users_server"] = by
	}
	_, err = c.s.setMember(r, c.user.id, c.user.id, "join", extra)
	return reply, err
}

// authorisingMember returns the member in whose name the server lets someone into a restricted room, or "".
//
// https://spec.matrix.org/v1.15/client-server-api/#restricted-rooms
func (r *room) authorisingMember() id.UserID {
	if rule := r.joinRule(); rule != "restricted" && rule != "knock_restricted" {
		return ""
	}
	for _, userID := range r.joinedMembers() {
		if r.power(userID) >= r.inviteLevel() {
			return userID
		}
	}
	return ""
}

func (c *call) knockTarget() (any, error) {
	r, err := c.target()
	if err != nil {
		return nil, err
	}
	req, err := c.memberRequest(false)
	if err != nil {
		return nil, err
	}
	_, err = c.s.setMember(r, c.user.id, c.user.id, "knock", req.extra())
	return map[string]id.RoomID{"room_id": r.id}, err
}

func (c *call) leave() (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	req, err := c.memberRequest(false)
	if err != nil {
		return nil, err
	}
	if m := c.user.rooms[r.id]; m != nil && m.membership == "leave" {
		return empty{}, nil // as Synapse: leaving twice is no error
	}
	_, err = c.s.setMember(r, c.user.id, c.user.id, "leave", req.extra())
	return empty{}, err
}

func (c *call) forget() (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	if m := r.membership(c.user.id); m != "leave" && m != "ban" {
		return nil, fail(400, "M_UNKNOWN", "you are in the room %s", r.id)
	}
	delete(c.user.rooms, r.id)
	delete(c.user.roomData, r.id)
	return empty{}, nil
}

// changeOther sets another user's membership, if it is one of those that the change makes sense from.
func (c *call) changeOther(membership string, from ...string) (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	req, err := c.memberRequest(true)
	if err != nil {
		return nil, err
	}
	if was := r.membership(req.UserID); len(from) > 0 && !slices.Contains(from, was) {
		return nil, forbidden("the membership of %s is %s", req.UserID, was)
	}
	_, err = c.s.setMember(r, c.user.id, req.UserID, membership, req.extra())
	return empty{}, err
}

func (c *call) invite() (any, error) { return c.changeOther("invite") }
func (c *call) kick() (any, error)   { return c.changeOther("leave", "join", "invite", "knock") }
func (c *call) ban() (any, error)    { return c.changeOther("ban") }
func (c *call) unban() (any, error)  { return c.changeOther("leave", "ban") }

func (c *call) joinedRooms() (any, error) {
	list := []id.RoomID{}
	for roomID, m := range c.user.rooms {
		if m.membership == "join" {
			list = append(list, roomID)
		}
	}
	slices.Sort(list)
	return map[string]any{"joined_rooms": list}, nil
}

func (c *call) listMembers() (any, error) {
	r, index, err := c.readState()
	if err != nil {
		return nil, err
	}
	if at := c.query("at"); at != "" {
		pos, err := c.s.parseToken(at)
		if err != nil {
			return nil, err
		}
		index = min(index, r.after(pos))
	}
	only, not := c.query("membership"), c.query("not_membership")
	chunk := []json.RawMessage{}
	for _, e := range r.stateBefore(index) {
		if e.typ != "m.room.member" {
			continue
		}
		membership := stringField(e.content, "membership")
		if (only == "" || membership == only) && (not == "" || membership != not) {
			chunk = append(chunk, c.s.wire(r, e, c.viewer(), false))
		}
	}
	return map[string]any{"chunk": chunk}, nil
}

func (c *call) joinedMembers() (any, error) {
	r, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	joined := make(map[id.UserID]map[string]json.RawMessage)
	for userID, membership := range r.members {
		if membership != "join" {
			continue
		}
		content := fields(r.current("m.room.member", userID.String()).content)
		profile := make(map[string]json.RawMessage)
		if name, ok := content["displayname"]; ok {
			profile["display_name"] = name
		}
		if avatar, ok := content["avatar_url"]; ok {
			profile["avatar_url"] = avatar
		}
		joined[userID] = profile
	}
	return map[string]any{"joined": joined}, nil
}
