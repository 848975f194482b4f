package fakehs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// alias is a name in the room directory.
type alias struct {
	room    id.RoomID
	creator id.UserID
}

var aliasRoutes = []route{
	{method: "GET", path: "/directory/room/{alias}", access: acceptToken, handle: (*call).getAlias},
	{method: "PUT", path: "/directory/room/{alias}", handle: (*call).putAlias},
	{method: "DELETE", path: "/directory/room/{alias}", handle: (*call).deleteAlias},
	{method: "GET", path: "/rooms/{room}/aliases", handle: (*call).roomAliases},
}

func (c *call) getAlias() (any, error) {
	a := c.s.aliases[id.RoomAlias(c.path("alias"))]
	if a == nil {
		return nil, notFound("no room has the alias %s", c.path("alias"))
	}
	return map[string]any{"room_id": a.room, "servers": []string{c.s.Name()}}, nil
}

// validAlias reports whether the name is a room alias of this server.
func (s *Server) validAlias(name id.RoomAlias) bool {
	local, server, found := strings.Cut(strings.TrimPrefix(name.String(), "#"), ":")
	return strings.HasPrefix(name.String(), "#") && found && local != "" && server == s.Name() && len(name) <= 255
}

func (c *call) putAlias() (any, error) {
	var req struct {
		RoomID id.RoomID `json:"room_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	name := id.RoomAlias(c.path("alias"))
	r := c.s.rooms[req.RoomID]
	switch {
	case req.RoomID == "":
		return nil, missingParam("room_id")
	case !c.s.validAlias(name):
		return nil, invalidParam("%q is no room alias of this server", name)
	case c.s.aliases[name] != nil:
		return nil, fail(http.StatusConflict, "M_UNKNOWN", "room alias %s is taken", name)
	case r == nil || r.membership(c.user.id) != "join":
		return nil, forbidden("%s not in room %s", c.user.id, req.RoomID)
	}
	c.s.aliases[name] = &alias{room: r.id, creator: c.user.id}
	return empty{}, nil
}

func (c *call) deleteAlias() (any, error) {
	name := id.RoomAlias(c.path("alias"))
	a := c.s.aliases[name]
	if a == nil {
		return nil, notFound("no room has the alias %s", name)
	}
	r := c.s.rooms[a.room]
	if a.creator != c.user.id && r.power(c.user.id) < r.needed("m.room.canonical_alias", true) {
		return nil, forbidden("you may not delete the alias %s", name)
	}
	delete(c.s.aliases, name)
	return empty{}, nil
}

func (s *Server) aliasesOf(r *room) []id.RoomAlias {
	list := []id.RoomAlias{}
	for name, a := range s.aliases {
		if a.room == r.id {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func (c *call) roomAliases() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	return map[string]any{"aliases": c.s.aliasesOf(r)}, nil
}

// canonicalAlias is the content of m.room.canonical_alias.
type canonicalAlias struct {
	Alias id.RoomAlias   `json:"alias"`
	Alt   []id.RoomAlias `json:"alt_aliases"`
}

func (a canonicalAlias) all() []id.RoomAlias {
	if a.Alias == "" {
		return a.Alt
	}
	return append([]id.RoomAlias{a.Alias}, a.Alt...)
}

// checkCanonicalAlias refuses aliases that are new to the event and do not point to the room.
//
// https://spec.matrix.org/v1.15/client-server-api/#mroomcanonical_alias
func (s *Server) checkCanonicalAlias(r *room, content json.RawMessage) error {
	var next, old canonicalAlias
	if err := json.Unmarshal(content, &next); err != nil {
		return badJSON("%v", err)
	}
	if e := r.current("m.room.canonical_alias", ""); e != nil && json.Unmarshal(e.content, &old) != nil {
		old = canonicalAlias{}
	}
	for _, name := range next.all() {
		if slices.Contains(old.all(), name) {
			continue
		}
		if name == "" || !s.validAlias(name) {
			return invalidParam("%q is no room alias of this server", name)
		}
		if a := s.aliases[name]; a == nil || a.room != r.id {
			return fail(http.StatusBadRequest, "M_BAD_ALIAS", "%s does not point to this room", name)
		}
	}
	return nil
}
