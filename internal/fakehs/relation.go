package fakehs

import (
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix/id"
)

// relations pages through the events that relate to another.
//
// https://spec.matrix.org/v1.15/client-server-api/#relationships-api
func (c *call) relations() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	root, err := c.visibleEvent(r, id.EventID(c.path("event")))
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", 5)
	if err != nil {
		return nil, err
	}
	related := r.descendants(root.id, c.query("recurse") == "true")
	rel, typ := c.path("rel"), c.path("type")
	p := page{r: r, from: c.s.pos, limit: min(limit, maxPage), backwards: c.query("dir") != "f"}
	if !p.backwards {
		p.from = 0
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
	events, end, more := p.read(func(e *pdu) bool {
		return related[e] && (rel == "" || e.rel.Type == rel) && (typ == "" || e.typ == typ) && sees(e)
	})
	body := map[string]any{"chunk": c.s.wireList(r, events, c.viewer())}
	if more {
		body["next_batch"] = token(end)
	}
	if c.query("from") != "" {
		body["prev_batch"] = token(p.from)
	}
	if c.query("recurse") == "true" {
		body["recursion_depth"] = maxRecursion
	}
	return body, nil
}

// maxRecursion is how far relations of relations are followed; the spec asks for at least 3.
const maxRecursion = 3

func (r *room) descendants(root id.EventID, recurse bool) map[*pdu]bool {
	found := make(map[*pdu]bool)
	layer := []id.EventID{root}
	for depth := 0; len(layer) > 0 && (depth == 0 || recurse && depth < maxRecursion); depth++ {
		var next []id.EventID
		for _, parent := range layer {
			for _, e := range r.related[parent] {
				if !found[e] {
					found[e] = true
					next = append(next, e.id)
				}
			}
		}
		layer = next
	}
	return found
}

// threads lists thread roots, the one with the latest reply first.
//
// https://spec.matrix.org/v1.15/client-server-api/#get_matrixclientv1roomsroomidthreads
func (c *call) threads() (any, error) {
	r, err := c.readableRoom()
	if err != nil {
		return nil, err
	}
	limit, err := c.queryInt("limit", 20)
	if err != nil {
		return nil, err
	}
	before := c.s.pos
	if raw := c.query("from"); raw != "" {
		if before, err = c.s.parseToken(raw); err != nil {
			return nil, err
		}
	}
	type thread struct{ root, latest *pdu }
	var list []thread
	for rootID := range r.related {
		root, replies := r.byID[rootID], r.replies(rootID)
		if root == nil || len(replies) == 0 || !r.visible(c.user.id, root) {
			continue
		}
		own := slices.ContainsFunc(replies, func(e *pdu) bool { return e.sender == c.user.id })
		if c.query("include") == "participated" && !own && root.sender != c.user.id {
			continue
		}
		if latest := replies[len(replies)-1]; latest.pos <= before {
			list = append(list, thread{root, latest})
		}
	}
	slices.SortFunc(list, func(a, b thread) int { return int(b.latest.pos - a.latest.pos) })
	body := make(map[string]any)
	if limit > 0 && len(list) > limit {
		list = list[:limit]
		body["next_batch"] = token(list[limit-1].latest.pos - 1)
	}
	chunk := []json.RawMessage{}
	for _, t := range list {
		chunk = append(chunk, c.s.wire(r, t.root, c.viewer(), false))
	}
	body["chunk"] = chunk
	return body, nil
}
