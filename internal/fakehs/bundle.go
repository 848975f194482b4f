package fakehs

import (
	"slices"

	"maunium.net/go/mautrix/id"
)

// bundle returns the aggregated children of an event, or nil.
//
// https://spec.matrix.org/v1.15/client-server-api/#aggregations-of-child-events
func (s *Server) bundle(r *room, e *pdu, v viewer) map[string]any {
	if len(r.related[e.id]) == 0 || e.redaction != nil {
		return nil
	}
	relations := make(map[string]any)
	if edit := r.latestEdit(e); edit != nil {
		relations["m.replace"] = s.bare(r, edit, v, false)
	}
	if replies := r.replies(e.id); len(replies) > 0 {
		latest := replies[len(replies)-1]
		wired := s.bare(r, latest, v, false)
		if edit := r.latestEdit(latest); edit != nil {
			wired.Unsigned.Relations = map[string]any{"m.replace": s.bare(r, edit, v, false)}
		}
		own := v.user != nil && (e.sender == v.user.id ||
			slices.ContainsFunc(replies, func(reply *pdu) bool { return reply.sender == v.user.id }))
		relations["m.thread"] = map[string]any{
			"latest_event": wired, "count": len(replies), "current_user_participated": own,
		}
	}
	var references []map[string]id.EventID
	for _, child := range r.related[e.id] {
		if child.rel.Type == "m.reference" {
			references = append(references, map[string]id.EventID{"event_id": child.id})
		}
	}
	if len(references) > 0 {
		relations["m.reference"] = map[string]any{"chunk": references}
	}
	if len(relations) == 0 {
		return nil
	}
	return relations
}

// latestEdit returns the newest valid replacement of an event, or nil.
//
// https://spec.matrix.org/v1.15/client-server-api/#validity-of-replacement-events
func (r *room) latestEdit(e *pdu) *pdu {
	if e.key != nil || e.rel.Type == "m.replace" {
		return nil
	}
	for _, child := range slices.Backward(r.related[e.id]) {
		if child.rel.Type != "m.replace" || child.sender != e.sender || child.typ != e.typ {
			continue
		}
		if _, has := fields(child.content)["m.new_content"]; has || e.typ == "m.room.encrypted" {
			return child
		}
	}
	return nil
}

// replies returns the events of the thread under root, the oldest first.
func (r *room) replies(root id.EventID) []*pdu {
	var list []*pdu
	for _, child := range r.related[root] {
		if child.rel.Type == "m.thread" {
			list = append(list, child)
		}
	}
	return list
}
