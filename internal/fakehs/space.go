package fakehs

import (
	"encoding/json"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

var spaceRoutes = []route{
	{method: "GET", path: "/publicRooms", access: acceptToken, handle: (*call).publicRooms},
	{method: "POST", path: "/publicRooms", handle: (*call).publicRooms},
	{method: "GET", path: "/directory/list/room/{room}", access: acceptToken, handle: (*call).getListed},
	{method: "PUT", path: "/directory/list/room/{room}", handle: (*call).putListed},
	{method: "GET", path: "/rooms/{room}/hierarchy", version: "v1", handle: (*call).hierarchy},
}

// roomCard is how a room shows to those who look for one.
type roomCard struct {
	RoomID         id.RoomID         `json:"room_id"`
	Name           string            `json:"name,omitempty"`
	Topic          string            `json:"topic,omitempty"`
	CanonicalAlias string            `json:"canonical_alias,omitempty"`
	AvatarURL      string            `json:"avatar_url,omitempty"`
	Joined         int               `json:"num_joined_members"`
	JoinRule       string            `json:"join_rule"`
	WorldReadable  bool              `json:"world_readable"`
	GuestCanJoin   bool              `json:"guest_can_join"`
	RoomType       string            `json:"room_type,omitempty"`
	RoomVersion    id.RoomVersion    `json:"room_version"`
	Encryption     string            `json:"encryption,omitempty"`
	Children       []json.RawMessage `json:"children_state,omitempty"`
}

func (r *room) stateString(typ, field string) string {
	if e := r.current(typ, ""); e != nil {
		return stringField(e.content, field)
	}
	return ""
}

func (r *room) card() roomCard {
	return roomCard{
		RoomID:         r.id,
		Name:           r.stateString("m.room.name", "name"),
		Topic:          r.stateString("m.room.topic", "topic"),
		CanonicalAlias: r.stateString("m.room.canonical_alias", "alias"),
		AvatarURL:      r.stateString("m.room.avatar", "url"),
		Joined:         r.joined,
		JoinRule:       r.joinRule(),
		WorldReadable:  r.historyVisibility() == "world_readable",
		GuestCanJoin:   r.stateString("m.room.guest_access", "guest_access") == "can_join",
		RoomType:       r.stateString("m.room.create", "type"),
		RoomVersion:    r.version,
		Encryption:     r.stateString("m.room.encryption", "algorithm"),
	}
}

// publicRooms gives the directory in one page, the largest room first.
func (c *call) publicRooms() (any, error) {
	var req struct {
		Filter struct {
			Term string `json:"generic_search_term"`
		} `json:"filter"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	term := strings.ToLower(req.Filter.Term)
	chunk := []roomCard{}
	for _, r := range c.s.rooms {
		card := r.card()
		text := strings.ToLower(card.Name + "\n" + card.Topic + "\n" + card.CanonicalAlias)
		if r.listed && strings.Contains(text, term) {
			chunk = append(chunk, card)
		}
	}
	slices.SortFunc(chunk, func(a, b roomCard) int {
		if a.Joined != b.Joined {
			return b.Joined - a.Joined
		}
		return strings.Compare(a.RoomID.String(), b.RoomID.String())
	})
	return map[string]any{"chunk": chunk, "total_room_count_estimate": len(chunk)}, nil
}

func (c *call) getListed() (any, error) {
	r := c.s.rooms[id.RoomID(c.path("room"))]
	if r == nil {
		return nil, notFound("no such room")
	}
	visibility := "private"
	if r.listed {
		visibility = "public"
	}
	return map[string]string{"visibility": visibility}, nil
}

func (c *call) putListed() (any, error) {
	r, err := c.joinedRoom()
	if err != nil {
		return nil, err
	}
	req := struct {
		Visibility string `json:"visibility"`
	}{Visibility: "public"}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if r.power(c.user.id) < r.needed("m.room.canonical_alias", true) {
		return nil, forbidden("you may not publish this room")
	}
	r.listed = req.Visibility == "public"
	return empty{}, nil
}

// hierarchy walks a space in one page, breadth first.
//
// https://spec.matrix.org/v1.15/client-server-api/#get_matrixclientv1roomsroomidhierarchy
func (c *call) hierarchy() (any, error) {
	root, err := c.room()
	if err != nil {
		return nil, err
	}
	if !c.mayPeek(root) {
		return nil, forbidden("%s not in room %s", c.user.id, root.id)
	}
	depth, err := c.queryInt("max_depth", 10)
	if err != nil {
		return nil, err
	}
	cards := []roomCard{}
	seen := map[id.RoomID]bool{root.id: true}
	layer := []*room{root}
	for ; len(layer) > 0; depth-- {
		var next []*room
		for _, r := range layer {
			card := r.card()
			for _, e := range r.children(c.query("suggested_only") == "true") {
				card.Children = append(card.Children, mustEncode(map[string]any{
					"type": e.typ, "state_key": e.key, "content": e.content, "sender": e.sender, "origin_server_ts": e.ts,
				}))
				child := c.s.rooms[id.RoomID(*e.key)]
				if child != nil && !seen[child.id] && depth > 0 && c.mayPeek(child) {
					seen[child.id] = true
					next = append(next, child)
				}
			}
			cards = append(cards, card)
		}
		layer = next
	}
	return map[string]any{"rooms": cards}, nil
}

// mayPeek reports whether the caller may know the room's name and such.
func (c *call) mayPeek(r *room) bool {
	membership, rule := r.membership(c.user.id), r.joinRule()
	return membership == "join" || membership == "invite" || rule == "public" || rule == "knock" ||
		rule == "knock_restricted" || r.historyVisibility() == "world_readable" || c.s.allowedByRoom(r, c.user.id)
}

// children returns the m.space.child events in force, the oldest first.
func (r *room) children(suggested bool) []*pdu {
	if r.stateString("m.room.create", "type") != "m.space" {
		return nil
	}
	var list []*pdu
	for _, e := range r.stateBefore(len(r.timeline)) {
		var child struct {
			Via       []string `json:"via"`
			Suggested bool     `json:"suggested"`
		}
		if e.typ == "m.space.child" && json.Unmarshal(e.content, &child) == nil && len(child.Via) > 0 &&
			(!suggested || child.Suggested) {
			list = append(list, e)
		}
	}
	return list
}
