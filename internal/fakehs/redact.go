package fakehs

import (
	"encoding/json"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

func (c *call) redactEvent() (any, error) {
	r, err := c.room()
	if err != nil {
		return nil, err
	}
	content := c.object()
	return c.once(func() (*pdu, error) {
		return c.s.redact(r, c.user.id, id.EventID(c.path("event")), content, c.device, c.path("txn"))
	})
}

// redactBySend is the redaction of room version 11 and later, which is an event like any other.
func (c *call) redactBySend(r *room) (any, error) {
	content := c.object()
	return c.once(func() (*pdu, error) {
		return c.s.redact(r, c.user.id, id.EventID(stringField(content, "redacts")), content, c.device, c.path("txn"))
	})
}

// redact posts a redaction and strips its target. The caller holds s.mu.
//
// https://spec.matrix.org/v1.15/client-server-api/#redactions
func (s *Server) redact(
	r *room, sender id.UserID, targetID id.EventID, content json.RawMessage, d *device, txn string,
) (*pdu, error) {
	if r.membership(sender) != "join" {
		return nil, forbidden("%s not in room %s", sender, r.id)
	}
	target := r.byID[targetID]
	if target == nil {
		return nil, notFound("event to redact not found")
	}
	if target.sender != sender && r.power(sender) < r.redactLevel() {
		return nil, forbidden("you need power level %d to redact others' events, and have %d",
			r.redactLevel(), r.power(sender))
	}
	if r.version != id.RoomV10 {
		body := fields(content)
		body["redacts"] = mustEncode(targetID)
		content = mustEncode(body)
	}
	e := s.newEvent(r, sender, "m.room.redaction", nil, content)
	e.redacts, e.device, e.txn = targetID, d, txn
	e, err := s.post(r, e)
	if err != nil {
		return nil, err
	}
	if target.redaction == nil && target.typ != "m.room.create" {
		s.strip(r, target, e)
	}
	return e, nil
}

// strip takes from target what a redaction takes.
func (s *Server) strip(r *room, target, by *pdu) {
	target.redaction = by
	target.content = redacted(r.version, target.typ, target.content)
	target.raw = nil
	if target.rel.EventID != "" && target.key == nil {
		siblings := r.related[target.rel.EventID]
		r.related[target.rel.EventID] = slices.DeleteFunc(siblings, func(e *pdu) bool { return e == target })
	}
	if target.isState("m.room.power_levels") && r.current(target.typ, *target.key) == target {
		r.powers, _ = parsePowerLevels(target.content)
	}
}

// keptKeys lists what survives a redaction in room version 11 and later; "a.b" names a key inside an object.
//
// https://spec.matrix.org/v1.15/rooms/v11/#redactions
var keptKeys = map[string][]string{
	"m.room.member":     {"membership", "join_authorised_via_users_server", "third_party_invite.signed"},
	"m.room.join_rules": {"join_rule", "allow"},
	"m.room.power_levels": {
		"ban", "events", "events_default", "invite", "kick", "redact", "state_default", "users", "users_default",
	},
	"m.room.history_visibility": {"history_visibility"},
	"m.room.redaction":          {"redacts"},
}

// keptKeysV10 lists where room version 10 differs.
var keptKeysV10 = map[string][]string{
	"m.room.member": {"membership", "join_authorised_via_users_server"},
	"m.room.power_levels": {
		"ban", "events", "events_default", "kick", "redact", "state_default", "users", "users_default",
	},
	"m.room.redaction": nil,
}

// redacted returns what a redaction leaves of an event's content.
func redacted(version id.RoomVersion, typ string, content json.RawMessage) json.RawMessage {
	keys := keptKeys[typ]
	if older, differs := keptKeysV10[typ]; differs && version == id.RoomV10 {
		keys = older
	}
	old, kept := fields(content), make(map[string]any)
	for _, key := range keys {
		outer, inner, nested := strings.Cut(key, ".")
		value, ok := old[outer]
		if !ok {
			continue
		}
		if !nested {
			kept[outer] = value
		} else if part, ok := fields(value)[inner]; ok {
			kept[outer] = map[string]any{inner: part}
		}
	}
	return mustEncode(kept)
}
