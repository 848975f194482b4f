package fakehs

import (
	"slices"
	"strconv"

	"maunium.net/go/mautrix/id"
)

var historyRoutes = []route{
	{method: "GET", path: "/rooms/{room}/messages", handle: (*call).messages},
	{method: "GET", path: "/rooms/{room}/context/{event}", handle: (*call).context},
	{method: "GET", path: "/rooms/{room}/timestamp_to_event", version: "v1", handle: (*call).eventAt},
	{method: "GET", path: "/rooms/{room}/relations/{event}", version: "v1", handle: (*call).relations},
	{method: "GET", path: "/rooms/{room}/relations/{event}/{rel}", version: "v1", handle: (*call).relations},
	{method: "GET", path: "/rooms/{room}/relations/{event}/{rel}/{type}", version: "v1", handle: (*call).relations},
	{method: "GET", path: "/rooms/{room}/threads", version: "v1", handle: (*call).threads},
}

// maxPage bounds how many events one page of history holds.
const maxPage = 1000

// messages pages through a room's history. A token stands between two events: backwards from it come the events at or
// before its position, forwards those beyond.
//
// https://spec.matrix.org/v1.15/client-server-api/#get_matrixclientv3roomsroomidmessages
func (c *call) messages() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	part, err := c.inlinePart()
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", part.limit(defaultTimeline, maxPage))
	if err != nil {
		return nil, err
	}
	backwards := c.query("dir") == "b"
	if !backwards && c.query("dir") != "f" {
		return nil, invalidParam("dir is neither b nor f")
	}
	p := page{r: r, from: 0, limit: min(limit, maxPage), backwards: backwards}
	if backwards {
		p.from = c.s.pos
	}
	if raw := c.query("from"); raw != "" {
		if p.from, err = c.s.parseToken(raw); err != nil {
			return nil, err
		}
	}
	if raw := c.query("to"); raw != "" {
		if p.to, err = c.s.parseToken(raw); err != nil {
			return nil, err
		}
		p.bounded = true
	}
	sees := r.sees(c.user.id)
	events, end, more := p.read(func(e *pdu) bool { return sees(e) && part.wants(r, e) })
	body := map[string]any{"start": token(p.from), "chunk": c.s.wireList(r, events, c.viewer())}
	if more {
		body["end"] = token(end)
	}
	if part.Lazy {
		body["state"] = c.s.wireList(r, r.sendersOf(events), c.viewer())
	}
	return body, nil
}

// sendersOf returns the member events of those who sent the events.
func (r *room) sendersOf(events []*pdu) []*pdu {
	var list []*pdu
	for _, e := range events {
		if m := r.stateAt(stateKey{"m.room.member", e.sender.String()}, e.index); m != nil && !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	sortByPos(list)
	return list
}

// page is a walk over a room's timeline.
type page struct {
	r         *room
	from, to  int64
	bounded   bool // by to
	backwards bool
	limit     int
}

// read returns the events that pass, the token's position after the last of them, and whether any are left.
func (p page) read(pass func(*pdu) bool) (events []*pdu, end int64, more bool) {
	end = p.from
	for e := range p.walk {
		if !pass(e) {
			continue
		}
		if len(events) == p.limit {
			return events, end, true
		}
		events = append(events, e)
		end = e.pos
		if p.backwards {
			end = e.pos - 1
		}
	}
	return events, end, false
}

// walk yields the events from the token on, in the page's direction.
func (p page) walk(yield func(*pdu) bool) {
	start := p.r.after(p.from)
	if p.backwards {
		for _, e := range slices.Backward(p.r.timeline[:start]) {
			if p.bounded && e.pos <= p.to || !yield(e) {
				return
			}
		}
		return
	}
	for _, e := range p.r.timeline[start:] {
		if p.bounded && e.pos > p.to || !yield(e) {
			return
		}
	}
}

func (c *call) context() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	e, err := c.visibleEvent(r, id.EventID(c.path("event")))
	if err != nil {
		return nil, err
	}
	part, err := c.inlinePart()
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", 10)
	if err != nil {
		return nil, err
	}
	limit = min(limit, maxPage)
	sees := r.sees(c.user.id)
	pass := func(e *pdu) bool { return sees(e) && part.wants(r, e) }
	before, start, _ := page{r: r, from: e.pos - 1, limit: limit / 2, backwards: true}.read(pass)
	after, end, _ := page{r: r, from: e.pos, limit: limit - limit/2}.read(pass)
	last := e
	if len(after) > 0 {
		last = after[len(after)-1]
	}
	state := r.stateBefore(last.index + 1)
	if part.Lazy {
		shown := r.sendersOf(slices.Concat(before, []*pdu{e}, after))
		state = slices.DeleteFunc(state, func(m *pdu) bool {
			return m.typ == "m.room.member" && !slices.ContainsFunc(shown, func(s *pdu) bool { return *s.key == *m.key })
		})
	}
	v := c.viewer()
	return map[string]any{
		"event":         c.s.wire(r, e, v, false),
		"events_before": c.s.wireList(r, before, v),
		"events_after":  c.s.wireList(r, after, v),
		"state":         c.s.wireList(r, state, v),
		"start":         token(start),
		"end":           token(end),
	}, nil
}

func (c *call) eventAt() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	ts, err := strconv.ParseInt(c.query("ts"), 10, 64)
	if err != nil {
		return nil, invalidParam("ts is not a number")
	}
	var best *pdu
	for _, e := range r.timeline {
		if !r.visible(c.user.id, e) {
			continue
		}
		if c.query("dir") == "b" && e.ts <= ts {
			best = e
		} else if c.query("dir") != "b" && e.ts >= ts && best == nil {
			best = e
		}
	}
	if best == nil {
		return nil, notFound("no event at that time")
	}
	return map[string]any{"event_id": best.id, "origin_server_ts": best.ts}, nil
}
