package fakehs

import (
	"net/http"
	"strings"

	"maunium.net/go/mautrix/id"
)

var eventRoutes = []route{
	{method: "PUT", path: "/rooms/{room}/send/{type}/{txn}", handle: (*call).sendEvent},
	{method: "POST", path: "/rooms/{room}/send/{type}", handle: (*call).sendEvent},
	{method: "PUT", path: "/rooms/{room}/redact/{event}/{txn}", handle: (*call).redactEvent},
	{method: "POST", path: "/rooms/{room}/redact/{event}", handle: (*call).redactEvent},
	{method: "PUT", path: "/rooms/{room}/state/{type}", handle: (*call).putState},
	{method: "PUT", path: "/rooms/{room}/state/{type}/{key}", handle: (*call).putState},
	{method: "PUT", path: "/rooms/{room}/state/{type}/{$}", handle: (*call).putState},
	{method: "GET", path: "/rooms/{room}/state", handle: (*call).allState},
	{method: "GET", path: "/rooms/{room}/state/{type}", handle: (*call).getState},
	{method: "GET", path: "/rooms/{room}/state/{type}/{key}", handle: (*call).getState},
	{method: "GET", path: "/rooms/{room}/state/{type}/{$}", handle: (*call).getState},
	{method: "GET", path: "/rooms/{room}/event/{event}", handle: (*call).getEvent},
}

type eventReply struct {
	EventID id.EventID `json:"event_id"`
}

// once runs post unless the device has made the same request before, and returns the event of either.
//
// https://spec.matrix.org/v1.15/client-server-api/#transaction-identifiers
func (c *call) once(post func() (*pdu, error)) (any, error) {
	txn := c.path("txn")
	key := c.r.Method + " " + strings.Replace(c.r.URL.EscapedPath(), "/r0/", "/v3/", 1)
	if txn != "" {
		if eventID, done := c.device.txns[key]; done {
			return eventReply{eventID}, nil
		}
	}
	e, err := post()
	if err != nil {
		return nil, err
	}
	if txn != "" {
		c.device.txns[key] = e.id
	}
	return eventReply{e.id}, nil
}

func (c *call) sendEvent() (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	if c.path("type") == "m.room.redaction" {
		return c.redactBySend(r)
	}
	return c.once(func() (*pdu, error) {
		e := c.s.newEvent(r, c.user.id, c.path("type"), nil, c.object())
		e.device, e.txn = c.device, c.path("txn")
		if rel := relationOf(e.content); rel.Type == "m.annotation" && r.hasAnnotation(e.sender, e.typ, rel) {
			return nil, fail(http.StatusBadRequest, "M_DUPLICATE_ANNOTATION", "you have reacted with this key already")
		}
		return c.s.post(r, e)
	})
}

func (r *room) hasAnnotation(sender id.UserID, typ string, rel relation) bool {
	for _, e := range r.related[rel.EventID] {
		if e.sender == sender && e.typ == typ && e.rel == rel && e.redaction == nil {
			return true
		}
	}
	return false
}

func (c *call) putState() (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	typ, key := c.path("type"), c.path("key")
	content := c.object()
	if typ == "m.room.canonical_alias" && key == "" {
		if err := c.s.checkCanonicalAlias(r, content); err != nil {
			return nil, err
		}
	}
	e, err := c.s.post(r, c.s.newEvent(r, c.user.id, typ, &key, content))
	if err != nil {
		return nil, err
	}
	return eventReply{e.id}, nil
}

// readState returns the room and a look at its state as the caller may see it: the present for members, the state at
// the time of leaving for those who were.
func (c *call) readState() (*room, int, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, 0, err
	}
	index := len(r.timeline)
	if member := r.current("m.room.member", c.user.id.String()); r.membership(c.user.id) != "join" && member != nil &&
		r.historyVisibility() != "world_readable" {
		index = member.index + 1
	}
	return r, index, nil
}

func (c *call) allState() (any, error) {
	r, index, err := c.readState()
	if err != nil {
		return nil, err
	}
	return c.s.wireList(r, r.stateBefore(index), c.viewer()), nil
}

func (c *call) getState() (any, error) {
	r, index, err := c.readState()
	if err != nil {
		return nil, err
	}
	e := r.stateAt(stateKey{c.path("type"), c.path("key")}, index)
	if e == nil {
		return nil, notFound("no such state")
	}
	if c.query("format") == "event" {
		return c.s.wire(r, e, c.viewer(), false), nil
	}
	return e.content, nil
}

func (c *call) getEvent() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	e, err := c.visibleEvent(r, id.EventID(c.path("event")))
	if err != nil {
		return nil, err
	}
	return c.s.wire(r, e, c.viewer(), false), nil
}

// visibleEvent finds an event that the caller may see.
func (c *call) visibleEvent(r *room, eventID id.EventID) (*pdu, error) {
	e := r.byID[eventID]
	if e == nil || !r.visible(c.user.id, e) {
		return nil, notFound("event not found")
	}
	return e, nil
}

func (c *call) viewer() viewer { return viewer{c.user, c.device} }
