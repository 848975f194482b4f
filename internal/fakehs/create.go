package fakehs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// createRequest is the body of createRoom.
//
// https://spec.matrix.org/v1.15/client-server-api/#post_matrixclientv3createroom
type createRequest struct {
	Visibility      string                     `json:"visibility"`
	AliasName       string                     `json:"room_alias_name"`
	Name            string                     `json:"name"`
	Topic           string                     `json:"topic"`
	Invite          []id.UserID                `json:"invite"`
	RoomVersion     id.RoomVersion             `json:"room_version"`
	CreationContent map[string]json.RawMessage `json:"creation_content"`
	InitialState    []initialState             `json:"initial_state"`
	Preset          string                     `json:"preset"`
	IsDirect        bool                       `json:"is_direct"`
	PowerOverride   map[string]json.RawMessage `json:"power_level_content_override"`
}

type initialState struct {
	Type    string          `json:"type"`
	Key     string          `json:"state_key"`
	Content json.RawMessage `json:"content"`
}

var roomRoutes = []route{
	{method: "POST", path: "/createRoom", handle: (*call).createRoom},
	{method: "POST", path: "/rooms/{room}/upgrade", handle: (*call).upgradeRoom},
}

func (c *call) createRoom() (any, error) {
	var req createRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	r, err := c.s.createRoom(c.user, req)
	if err != nil {
		return nil, err
	}
	return map[string]id.RoomID{"room_id": r.id}, nil
}

// NewRoom makes a room with the preset "public_chat", "private_chat" or "trusted_private_chat" without HTTP, and joins
// the members beside the creator.
func (s *Server) NewRoom(creator id.UserID, preset string, members ...id.UserID) (id.RoomID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(creator)
	if err != nil {
		return "", fmt.Errorf("create room: %w", err)
	}
	r, err := s.createRoom(u, createRequest{Preset: preset, Invite: members})
	if err != nil {
		return "", fmt.Errorf("create room: %w", err)
	}
	for _, member := range members {
		if _, err := s.setMember(r, member, member, "join", nil); err != nil {
			return "", fmt.Errorf("join %s: %w", member, err)
		}
	}
	return r.id, nil
}

// createRoom makes a room as the request says. The caller holds s.mu.
func (s *Server) createRoom(u *user, req createRequest) (*room, error) {
	req.RoomVersion = cmp.Or(req.RoomVersion, s.opts.DefaultRoomVersion)
	if !slices.Contains(roomVersions, req.RoomVersion) {
		return nil, fail(http.StatusBadRequest, "M_UNSUPPORTED_ROOM_VERSION", "room version %q is unknown", req.RoomVersion)
	}
	if req.Preset == "" {
		req.Preset = "private_chat"
		if req.Visibility == "public" {
			req.Preset = "public_chat"
		}
	}
	roomAlias, err := s.freeAlias(req.AliasName)
	if err != nil {
		return nil, err
	}
	for _, invitee := range req.Invite {
		if _, _, err := invitee.Parse(); err != nil {
			return nil, invalidParam("%q is not a user id", invitee)
		}
	}
	r, err := s.openRoom(u, req)
	if err != nil {
		return nil, err
	}
	if err := s.furnish(r, u, req, roomAlias); err != nil {
		// A half-made room helps nobody; the real servers leave it behind, unreachable, too.
		s.abandon(r)
		return nil, err
	}
	r.listed = req.Visibility == "public"
	return r, nil
}

// openRoom makes the room and its create event.
func (s *Server) openRoom(u *user, req createRequest) (*room, error) {
	content := req.CreationContent
	if content == nil {
		content = make(map[string]json.RawMessage)
	}
	delete(content, "creator")
	content["room_version"] = mustEncode(req.RoomVersion)
	r := newRoom("", req.RoomVersion, u.id)
	switch req.RoomVersion {
	case id.RoomV10:
		content["creator"] = mustEncode(u.id)
	case id.RoomV12:
		creators, err := additionalCreators(content, req)
		if err != nil {
			return nil, err
		}
		if len(creators) > 0 {
			content["additional_creators"] = mustEncode(creators)
		}
		r.creators = append([]id.UserID{u.id}, creators...)
	}
	e := s.newEvent(r, u.id, "m.room.create", new(string), mustEncode(content))
	if err := checkCanonical(e.content); err != nil {
		return nil, err
	}
	if req.RoomVersion == id.RoomV12 {
		// The room is named after its create event, without a domain.
		s.serial++
		hash := contentHash(s.Name(), "|", s.serial, "|", u.id, "|", e.ts)
		e.id, r.id = id.EventID("$"+hash), id.RoomID("!"+hash)
	} else {
		r.id = id.RoomID("!" + s.nextID("")[:18] + ":" + s.Name())
	}
	s.rooms[r.id] = r
	s.append(r, e)
	return r, nil
}

func additionalCreators(content map[string]json.RawMessage, req createRequest) ([]id.UserID, error) {
	var creators []id.UserID
	if raw, ok := content["additional_creators"]; ok && json.Unmarshal(raw, &creators) != nil {
		return nil, badJSON("additional_creators is not a list of user ids")
	}
	if req.Preset == "trusted_private_chat" {
		for _, invitee := range req.Invite {
			if !slices.Contains(creators, invitee) {
				creators = append(creators, invitee)
			}
		}
	}
	return creators, nil
}

// furnish sends what follows the create event, in the order that the spec gives.
func (s *Server) furnish(r *room, u *user, req createRequest, roomAlias id.RoomAlias) error {
	if _, err := s.setMember(r, u.id, u.id, "join", nil); err != nil {
		return err
	}
	powers, err := s.initialPowers(r, req)
	if err != nil {
		return err
	}
	steps := []initialState{{Type: "m.room.power_levels", Content: powers}}
	if roomAlias != "" {
		s.aliases[roomAlias] = &alias{room: r.id, creator: u.id}
		steps = append(steps, initialState{
			Type: "m.room.canonical_alias", Content: mustEncode(map[string]any{"alias": roomAlias}),
		})
	}
	steps = append(steps, presetState(req)...)
	for _, state := range req.InitialState {
		if state.Type == "" {
			return badJSON("initial_state without a type")
		}
		if len(state.Content) == 0 || state.Content[0] != '{' {
			return badJSON("initial_state %s without content", state.Type)
		}
		steps = append(steps, state)
	}
	if req.Name != "" {
		steps = append(steps, initialState{Type: "m.room.name", Content: mustEncode(map[string]string{"name": req.Name})})
	}
	if req.Topic != "" {
		steps = append(steps, initialState{Type: "m.room.topic", Content: mustEncode(map[string]string{"topic": req.Topic})})
	}
	for _, state := range steps {
		if _, err := s.post(r, s.newEvent(r, u.id, state.Type, &state.Key, compact(state.Content))); err != nil {
			return err
		}
	}
	for _, invitee := range req.Invite {
		var extra map[string]any
		if req.IsDirect {
			extra = map[string]any{"is_direct": true}
		}
		if _, err := s.setMember(r, u.id, invitee, "invite", extra); err != nil {
			return err
		}
	}
	return nil
}

// presetState lists what a preset stands for, without what initial_state says otherwise.
func presetState(req createRequest) []initialState {
	joinRule, guests := "invite", "can_join"
	if req.Preset == "public_chat" {
		joinRule, guests = "public", "forbidden"
	}
	list := []initialState{
		{Type: "m.room.join_rules", Content: mustEncode(map[string]string{"join_rule": joinRule})},
		{Type: "m.room.history_visibility", Content: mustEncode(map[string]string{"history_visibility": "shared"})},
		{Type: "m.room.guest_access", Content: mustEncode(map[string]string{"guest_access": guests})},
	}
	return slices.DeleteFunc(list, func(preset initialState) bool {
		return slices.ContainsFunc(req.InitialState, func(own initialState) bool {
			return own.Type == preset.Type && own.Key == preset.Key
		})
	})
}

// initialPowers returns the room's first power levels: Synapse's defaults, then the request's override.
func (s *Server) initialPowers(r *room, req createRequest) (json.RawMessage, error) {
	users := make(map[id.UserID]int)
	tombstone := 100
	if r.version == id.RoomV12 {
		tombstone = 150
	} else {
		users[r.creator] = 100
		if req.Preset == "trusted_private_chat" {
			for _, invitee := range req.Invite {
				users[invitee] = 100
			}
		}
	}
	content := map[string]any{
		"users":          users,
		"users_default":  0,
		"events_default": 0,
		"state_default":  50,
		"ban":            50,
		"kick":           50,
		"redact":         50,
		"invite":         0,
		"events": map[string]int{
			"m.room.name": 50, "m.room.avatar": 50, "m.room.canonical_alias": 50, "m.room.power_levels": 100,
			"m.room.history_visibility": 100, "m.room.encryption": 100, "m.room.server_acl": 100,
			"m.room.tombstone": tombstone,
		},
		"historical": 100,
	}
	for key, value := range req.PowerOverride {
		content[key] = value
	}
	return encode(content)
}

// abandon forgets a room that could not be made.
func (s *Server) abandon(r *room) {
	delete(s.rooms, r.id)
	for userID := range r.members {
		if u := s.users[userID]; u != nil {
			delete(u.rooms, r.id)
		}
	}
	for name, a := range s.aliases {
		if a.room == r.id {
			delete(s.aliases, name)
		}
	}
}

// freeAlias returns the alias with the given localpart, or "" for none.
func (s *Server) freeAlias(localpart string) (id.RoomAlias, error) {
	if localpart == "" {
		return "", nil
	}
	if strings.ContainsAny(localpart, ": \t\n\x00") {
		return "", invalidParam("room_alias_name holds a colon or white space")
	}
	name := id.NewRoomAlias(localpart, s.Name())
	if s.aliases[name] != nil {
		return "", fail(http.StatusBadRequest, "M_ROOM_IN_USE", "room alias is taken")
	}
	return name, nil
}
