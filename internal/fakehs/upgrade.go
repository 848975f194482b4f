package fakehs

import (
	"encoding/json"

	"maunium.net/go/mautrix/id"
)

// upgradeRoom makes a room that follows another, and marks the old one with a tombstone.
//
// https://spec.matrix.org/v1.15/client-server-api/#room-upgrades
func (c *call) upgradeRoom() (any, error) {
	var req struct {
		Version id.RoomVersion `json:"new_version"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	old, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	if old.power(c.user.id) < old.needed("m.room.tombstone", true) {
		return nil, forbidden("you may not upgrade this room")
	}
	next, err := c.s.createRoom(c.user, successor(old, req.Version, c.user.id))
	if err != nil {
		return nil, err
	}
	tombstone := mustEncode(map[string]any{"body": "This room has been replaced", "replacement_room": next.id})
	if _, err := c.s.post(old, c.s.newEvent(old, c.user.id, "m.room.tombstone", new(string), tombstone)); err != nil {
		return nil, err
	}
	for _, a := range c.s.aliases {
		if a.room == old.id {
			a.room = next.id
		}
	}
	c.s.silence(old, c.user.id)
	return map[string]id.RoomID{"replacement_room": next.id}, nil
}

// successor describes the room that replaces old.
func successor(old *room, version id.RoomVersion, by id.UserID) createRequest {
	req := createRequest{RoomVersion: version, CreationContent: make(map[string]json.RawMessage)}
	for key, value := range fields(old.current("m.room.create", "").content) {
		if key == "type" || key == "m.federate" {
			req.CreationContent[key] = value
		}
	}
	req.CreationContent["predecessor"] = mustEncode(map[string]id.RoomID{"room_id": old.id})
	carried := []string{
		"m.room.join_rules", "m.room.name", "m.room.topic", "m.room.history_visibility", "m.room.guest_access",
		"m.room.avatar", "m.room.encryption", "m.room.server_acl", "m.room.power_levels",
	}
	for _, typ := range carried {
		e := old.current(typ, "")
		if e == nil {
			continue
		}
		content := e.content
		if typ == "m.room.power_levels" {
			if version == id.RoomV12 {
				content = withoutUser(content, by)
			}
			req.PowerOverride = fields(content)
			continue
		}
		req.InitialState = append(req.InitialState, initialState{Type: typ, Content: content})
	}
	return req
}

func withoutUser(powers json.RawMessage, userID id.UserID) json.RawMessage {
	body := fields(powers)
	users := fields(body["users"])
	delete(users, userID.String())
	body["users"] = mustEncode(users)
	return mustEncode(body)
}

// silence raises the levels of an upgraded room so that ordinary members can't speak in it.
func (s *Server) silence(r *room, by id.UserID) {
	e := r.current("m.room.power_levels", "")
	if e == nil {
		return
	}
	body := fields(e.content)
	quiet := max(50, level(r.powers.UsersDefault, 0)+1)
	for _, key := range []string{"events_default", "invite"} {
		var n int64
		if json.Unmarshal(body[key], &n) != nil || n < quiet {
			body[key] = mustEncode(quiet)
		}
	}
	// Whoever may upgrade may, on some rooms, not change power levels; the upgrade stands all the same.
	_, _ = s.post(r, s.newEvent(r, by, "m.room.power_levels", new(string), mustEncode(body)))
}
