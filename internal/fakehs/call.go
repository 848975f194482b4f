package fakehs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"
)

const (
	// maxBody bounds the body of any request but a media upload, in bytes.
	maxBody = 4 << 20
	// maxDepth bounds how deep the JSON of a request may nest.
	maxDepth = 100
)

// call is one request on its way through a handler.
type call struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	route   *route
	user    *user
	device  *device
	token   string
	life    int // How often the server had restarted when the request came
	body    []byte
	effects effects
}

// rawReply is a response that is not made by encoding a value.
type rawReply struct {
	status int
	header http.Header
	body   []byte
}

// decode reads the request's JSON object into v. No body counts as an empty object, as it does on other servers.
func (c *call) decode(v any) error {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return badJSON("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// object returns the request's body in compact form; no body counts as {}.
func (c *call) object() json.RawMessage {
	if len(c.body) == 0 {
		return json.RawMessage("{}")
	}
	return compact(c.body)
}

func (c *call) path(name string) string { return c.r.PathValue(name) }

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

func (c *call) queryInt(name string, otherwise int) (int, error) {
	raw := c.query(name)
	if raw == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 0 {
		return 0, invalidParam("%s is not a natural number", name)
	}
	return n, nil
}

// room returns the room of the path's {room}, whether or not the caller is in it.
func (c *call) room() (*room, error) {
	r := c.s.rooms[id.RoomID(c.path("room"))]
	if r == nil {
		// Synapse answers so, too: whether a room exists is not for those outside it.
		return nil, forbidden("%s not in room %s", c.user.id, c.path("room"))
	}
	return r, nil
}

// joinedRoom returns the room of the path's {room} if the caller is in it now.
func (c *call) joinedRoom() (*room, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	if r.membership(c.user.id) != "join" {
		return nil, forbidden("%s not in room %s", c.user.id, r.id)
	}
	return r, nil
}

// readableRoom returns the room of the path's {room} if the caller may read some of its history.
func (c *call) readableRoom() (*room, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	if !r.everJoined(c.user.id) && r.historyVisibility() != "world_readable" {
		return nil, forbidden("%s not in room %s", c.user.id, r.id)
	}
	return r, nil
}

// self returns an error unless the path's {user} is the caller.
func (c *call) self() error {
	if id.UserID(c.path("user")) != c.user.id {
		return forbidden("that is not your account")
	}
	return nil
}

// readBody takes in and checks the JSON body of the request.
func (c *call) readBody() error {
	if c.r.Body == nil || c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return tooLarge("request body is larger than %d bytes", tooBig.Limit)
	case err != nil:
		return notJSON("request body ended early")
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil
	}
	if err := checkObject(body); err != nil {
		return err
	}
	c.body = body
	return nil
}

// encode writes v as JSON without the escapes for HTML that would change what a sender wrote.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
