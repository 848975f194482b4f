package fakehs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// fallbackKey is a one-time key that is given out again and again once the others are used up.
type fallbackKey struct {
	id   string // "algorithm:id"
	key  json.RawMessage
	used bool
}

var keyRoutes = []route{
	{method: "POST", path: "/keys/upload", handle: (*call).uploadKeys},
	{method: "POST", path: "/keys/query", handle: (*call).queryKeys},
	{method: "POST", path: "/keys/claim", handle: (*call).claimKeys},
	{method: "GET", path: "/keys/changes", handle: (*call).keyChanges},
	{method: "POST", path: "/keys/device_signing/upload", handle: (*call).uploadCrossSigning},
	{method: "POST", path: "/keys/signatures/upload", handle: (*call).uploadSignatures},
}

// keysChanged tells those who share a room with the user that device lists or cross-signing keys are out of date.
func (s *Server) keysChanged(u *user) {
	u.keysPos = s.nextPos()
	for _, other := range s.contacts(u) {
		other.bell.ring()
	}
}

func algorithmOf(keyID string) string {
	algorithm, _, _ := strings.Cut(keyID, ":")
	return algorithm
}

// uploadKeys stores a device's keys.
//
// https://spec.matrix.org/v1.15/client-server-api/#post_matrixclientv3keysupload
func (c *call) uploadKeys() (any, error) {
	var req struct {
		DeviceKeys json.RawMessage            `json:"device_keys"`
		OneTime    map[string]json.RawMessage `json:"one_time_keys"`
		Fallback   map[string]json.RawMessage `json:"fallback_keys"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	d := c.device
	for keyID, key := range req.OneTime {
		if old, taken := d.oneTime[keyID]; taken && !sameJSON(old, key) {
			return nil, fail(400, "M_UNKNOWN", "one-time key %s exists already, with another value", keyID)
		}
	}
	if len(req.DeviceKeys) > 0 && string(req.DeviceKeys) != "null" {
		var ids struct {
			UserID   id.UserID   `json:"user_id"`
			DeviceID id.DeviceID `json:"device_id"`
		}
		if json.Unmarshal(req.DeviceKeys, &ids) != nil || ids.UserID != c.user.id || ids.DeviceID != d.id {
			return nil, invalidParam("device_keys are not those of this device")
		}
		if !sameJSON(d.keys, req.DeviceKeys) {
			d.keys = compact(req.DeviceKeys)
			c.s.keysChanged(c.user)
		}
	}
	for keyID, key := range req.OneTime {
		d.oneTime[keyID] = compact(key)
	}
	for keyID, key := range req.Fallback {
		d.fallback[algorithmOf(keyID)] = fallbackKey{id: keyID, key: compact(key)}
	}
	return map[string]any{"one_time_key_counts": d.oneTimeCounts()}, nil
}

func (d *device) oneTimeCounts() map[string]int {
	counts := map[string]int{"signed_curve25519": 0}
	for keyID := range d.oneTime {
		counts[algorithmOf(keyID)]++
	}
	return counts
}

func (d *device) unusedFallbacks() []string {
	list := []string{}
	for algorithm, key := range d.fallback {
		if !key.used {
			list = append(list, algorithm)
		}
	}
	slices.Sort(list)
	return list
}

func (c *call) queryKeys() (any, error) {
	var req struct {
		DeviceKeys map[id.UserID][]id.DeviceID `json:"device_keys"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	devices := make(map[id.UserID]map[id.DeviceID]json.RawMessage)
	for userID, only := range req.DeviceKeys {
		u := c.s.users[userID]
		if u == nil {
			continue
		}
		devices[userID] = make(map[id.DeviceID]json.RawMessage)
		for deviceID, d := range u.devices {
			if d.keys != nil && (len(only) == 0 || slices.Contains(only, deviceID)) {
				devices[userID][deviceID] = d.publicKeys()
			}
		}
	}
	reply := map[string]any{"failures": empty{}, "device_keys": devices}
	c.s.addCrossSigning(reply, c.user, slices.Collect(maps.Keys(req.DeviceKeys)))
	return reply, nil
}

// publicKeys returns the device's keys with its display name, which others may see.
func (d *device) publicKeys() json.RawMessage {
	body := fields(d.keys)
	unsigned := empty{}
	body["unsigned"] = mustEncode(unsigned)
	if d.name != "" {
		body["unsigned"] = mustEncode(map[string]string{"device_display_name": d.name})
	}
	return mustEncode(body)
}

func (c *call) claimKeys() (any, error) {
	var req struct {
		OneTime map[id.UserID]map[id.DeviceID]string `json:"one_time_keys"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	claimed := make(map[id.UserID]map[id.DeviceID]map[string]json.RawMessage)
	for userID, wanted := range req.OneTime {
		u := c.s.users[userID]
		if u == nil {
			continue
		}
		for deviceID, algorithm := range wanted {
			d := u.devices[deviceID]
			if d == nil {
				continue
			}
			keyID, key, ok := d.claim(algorithm)
			if !ok {
				continue
			}
			if claimed[userID] == nil {
				claimed[userID] = make(map[id.DeviceID]map[string]json.RawMessage)
			}
			claimed[userID][deviceID] = map[string]json.RawMessage{keyID: key}
		}
	}
	return map[string]any{"failures": empty{}, "one_time_keys": claimed}, nil
}

// claim takes a one-time key out, or gives the fallback key.
func (d *device) claim(algorithm string) (string, json.RawMessage, bool) {
	for _, keyID := range slices.Sorted(maps.Keys(d.oneTime)) {
		if algorithmOf(keyID) == algorithm {
			key := d.oneTime[keyID]
			delete(d.oneTime, keyID)
			return keyID, key, true
		}
	}
	fallback, ok := d.fallback[algorithm]
	if !ok {
		return "", nil, false
	}
	fallback.used = true
	d.fallback[algorithm] = fallback
	return fallback.id, fallback.key, true
}

// deviceLists is the part of a sync that says whose devices have changed.
type deviceLists struct {
	Changed []id.UserID `json:"changed,omitempty"`
	Left    []id.UserID `json:"left,omitempty"`
}

// deviceLists returns whose keys have changed since the last sync, or nil. An initial sync says nothing: the client
// asks for all that it needs anyway.
func (q *syncQuery) deviceLists() *deviceLists {
	if q.initial() {
		return nil
	}
	return q.c.s.listsBetween(q.c.user, q.since, q.c.s.pos)
}

// listsBetween returns the changes of (from, to], or nil: of keys, and of who shares a room with the user.
func (s *Server) listsBetween(u *user, from, to int64) *deviceLists {
	changed, left := make(map[id.UserID]bool), make(map[id.UserID]bool)
	for _, other := range s.users {
		if other.keysPos > from && other.keysPos <= to && s.sharesRoom(u.id, other.id) {
			changed[other.id] = true
		}
	}
	for roomID, m := range u.rooms {
		r := s.rooms[roomID]
		if r.lastPos <= from && m.pos <= from {
			continue
		}
		members := slices.Values(r.memberEventsSince(from))
		if m.membership == "join" && m.joinedPos > from || m.membership != "join" && m.pos > from {
			members = slices.Values(r.joinedMembers())
		}
		for userID := range members {
			switch {
			case userID == u.id:
			case s.sharesRoom(u.id, userID):
				changed[userID] = changed[userID] || s.users[userID] != nil
			default:
				left[userID] = true
			}
		}
	}
	lists := &deviceLists{
		Changed: slices.Sorted(maps.Keys(changed)),
		Left:    slices.Sorted(maps.Keys(left)),
	}
	if len(lists.Changed)+len(lists.Left) == 0 {
		return nil
	}
	return lists
}

// joinedMembers returns who is in the room, sorted.
func (r *room) joinedMembers() []id.UserID {
	list := make([]id.UserID, 0, r.joined)
	for userID, membership := range r.members {
		if membership == "join" {
			list = append(list, userID)
		}
	}
	slices.Sort(list)
	return list
}

// memberEventsSince returns whose membership began or ended beyond pos; a new name or avatar does not count.
func (r *room) memberEventsSince(pos int64) []id.UserID {
	var list []id.UserID
	for _, e := range r.stateSince(pos) {
		if e.typ != "m.room.member" {
			continue
		}
		joined := stringField(e.content, "membership") == "join"
		was := e.prev != nil && stringField(e.prev.content, "membership") == "join"
		if joined != was {
			list = append(list, id.UserID(*e.key))
		}
	}
	return list
}

func (c *call) keyChanges() (any, error) {
	from, err := c.s.parseToken(c.query("from"))
	if err != nil {
		return nil, err
	}
	to, err := c.s.parseToken(c.query("to"))
	if err != nil {
		return nil, err
	}
	lists := c.s.listsBetween(c.user, from, to)
	if lists == nil {
		lists = &deviceLists{}
	}
	return map[string]any{
		"changed": append([]id.UserID{}, lists.Changed...), "left": append([]id.UserID{}, lists.Left...),
	}, nil
}
