package fakehs

import (
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix/id"
)

var profileRoutes = []route{
	{method: "GET", path: "/profile/{user}", access: acceptToken, handle: (*call).getProfile},
	{method: "GET", path: "/profile/{user}/{key}", access: acceptToken, handle: (*call).getProfileKey},
	{method: "PUT", path: "/profile/{user}/{key}", handle: (*call).putProfileKey},
	{method: "DELETE", path: "/profile/{user}/{key}", handle: (*call).deleteProfileKey},
}

func (c *call) profileUser() (*user, error) {
	u := c.s.users[id.UserID(c.path("user"))]
	if u == nil {
		return nil, notFound("no such user")
	}
	return u, nil
}

func (c *call) getProfile() (any, error) {
	u, err := c.profileUser()
	if err != nil {
		return nil, err
	}
	return u.profile, nil
}

func (c *call) getProfileKey() (any, error) {
	u, err := c.profileUser()
	if err != nil {
		return nil, err
	}
	key := c.path("key")
	value, ok := u.profile[key]
	if !ok {
		return nil, notFound("the profile has no %s", key)
	}
	return map[string]json.RawMessage{key: value}, nil
}

func (c *call) putProfileKey() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	key := c.path("key")
	value, ok := fields(c.object())[key]
	if !ok {
		return nil, missingParam(key)
	}
	if key == "displayname" || key == "avatar_url" {
		var text *string
		if json.Unmarshal(value, &text) != nil {
			return nil, badJSON("%s is not a string", key)
		}
		if text == nil || *text == "" {
			return c.deleteProfileKey()
		}
	}
	c.user.profile[key] = compact(value)
	return empty{}, c.profileChanged(key)
}

func (c *call) deleteProfileKey() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	key := c.path("key")
	delete(c.user.profile, key)
	return empty{}, c.profileChanged(key)
}

// profileChanged carries a new name or avatar into the member events of the caller's rooms.
func (c *call) profileChanged(key string) error {
	if key != "displayname" && key != "avatar_url" {
		return nil
	}
	var rooms []id.RoomID
	for roomID, m := range c.user.rooms {
		if m.membership == "join" {
			rooms = append(rooms, roomID)
		}
	}
	slices.Sort(rooms)
	for _, roomID := range rooms {
		if _, err := c.s.setMember(c.s.rooms[roomID], c.user.id, c.user.id, "join", nil); err != nil {
			return err
		}
	}
	return nil
}

// SetDisplayName changes a user's name as the user's own client would; "" removes it.
func (s *Server) SetDisplayName(userID id.UserID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(userID)
	if err != nil {
		return err
	}
	delete(u.profile, "displayname")
	if name != "" {
		u.profile["displayname"] = mustEncode(name)
	}
	return (&call{s: s, user: u}).profileChanged("displayname")
}
