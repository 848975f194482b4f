package fakehs

import (
	"encoding/json"
	"net/http"
	"slices"

	"maunium.net/go/mautrix/id"
)

// accountDatum is one piece of account data.
type accountDatum struct {
	content json.RawMessage
	pos     int64
}

var accountDataRoutes = []route{
	{method: "GET", path: "/user/{user}/account_data/{type}", handle: (*call).getData},
	{method: "PUT", path: "/user/{user}/account_data/{type}", handle: (*call).putData},
	{method: "GET", path: "/user/{user}/rooms/{room}/account_data/{type}", handle: (*call).getRoomData},
	{method: "PUT", path: "/user/{user}/rooms/{room}/account_data/{type}", handle: (*call).putRoomData},
	{method: "GET", path: "/user/{user}/rooms/{room}/tags", handle: (*call).getTags},
	{method: "PUT", path: "/user/{user}/rooms/{room}/tags/{tag}", handle: (*call).putTag},
	{method: "DELETE", path: "/user/{user}/rooms/{room}/tags/{tag}", handle: (*call).deleteTag},
}

// serverData lists the types that a client may not set for itself.
var serverData = []string{"m.fully_read", "m.push_rules"}

func (c *call) getData() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	return found(c.user.accountData[c.path("type")])
}

func found(d *accountDatum) (any, error) {
	if d == nil {
		return nil, notFound("no such account data")
	}
	return d.content, nil
}

func (c *call) putData() (any, error) {
	if err := c.settable(); err != nil {
		return nil, err
	}
	c.s.setData(c.user, c.path("type"), c.object())
	return empty{}, nil
}

// settable returns an error unless the caller may set the account data that the path names.
func (c *call) settable() error {
	if err := c.self(); err != nil {
		return err
	}
	if typ := c.path("type"); slices.Contains(serverData, typ) {
		return fail(http.StatusMethodNotAllowed, "M_BAD_JSON", "%s can't be set this way", typ)
	}
	return nil
}

func (s *Server) setData(u *user, typ string, content json.RawMessage) {
	u.accountData[typ] = &accountDatum{content, s.nextPos()}
	u.bell.ring()
}

func (s *Server) setRoomData(u *user, roomID id.RoomID, typ string, content json.RawMessage) {
	if u.roomData[roomID] == nil {
		u.roomData[roomID] = make(map[string]*accountDatum)
	}
	u.roomData[roomID][typ] = &accountDatum{content, s.nextPos()}
	u.bell.ring()
}

func (c *call) getRoomData() (any, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	return found(c.user.roomData[id.RoomID(c.path("room"))][c.path("type")])
}

func (c *call) putRoomData() (any, error) {
	if err := c.settable(); err != nil {
		return nil, err
	}
	c.s.setRoomData(c.user, id.RoomID(c.path("room")), c.path("type"), c.object())
	return empty{}, nil
}

// tags returns the caller's tags of the path's room.
func (c *call) tags() (map[string]json.RawMessage, error) {
	if err := c.self(); err != nil {
		return nil, err
	}
	tags := make(map[string]json.RawMessage)
	if d := c.user.roomData[id.RoomID(c.path("room"))]["m.tag"]; d != nil {
		for tag, value := range fields(fields(d.content)["tags"]) {
			tags[tag] = value
		}
	}
	return tags, nil
}

func (c *call) setTags(tags map[string]json.RawMessage) (any, error) {
	content := mustEncode(map[string]any{"tags": tags})
	c.s.setRoomData(c.user, id.RoomID(c.path("room")), "m.tag", content)
	return empty{}, nil
}

func (c *call) getTags() (any, error) {
	tags, err := c.tags()
	return map[string]any{"tags": tags}, err
}

func (c *call) putTag() (any, error) {
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	tags[c.path("tag")] = c.object()
	return c.setTags(tags)
}

func (c *call) deleteTag() (any, error) {
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	delete(tags, c.path("tag"))
	return c.setTags(tags)
}
