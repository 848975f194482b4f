package fakehs

import (
	"encoding/json"
	"net/http"
	"strconv"

	"maunium.net/go/mautrix/id"
)

// keyBackup is a user's server-side backup of room keys: what clients store, given back as it came.
//
// https://spec.matrix.org/v1.15/client-server-api/#server-side-key-backups
type keyBackup struct {
	versions []*backupVersion
}

type backupVersion struct {
	number    string
	algorithm json.RawMessage
	authData  json.RawMessage
	deleted   bool
	changes   int
	rooms     map[id.RoomID]map[id.SessionID]json.RawMessage
}

var backupRoutes = []route{
	{method: "POST", path: "/room_keys/version", handle: (*call).createBackup},
	{method: "GET", path: "/room_keys/version", handle: (*call).getBackup},
	{method: "GET", path: "/room_keys/version/{version}", handle: (*call).getBackup},
	{method: "PUT", path: "/room_keys/version/{version}", handle: (*call).putBackup},
	{method: "DELETE", path: "/room_keys/version/{version}", handle: (*call).deleteBackup},
	{method: "GET", path: "/room_keys/keys", handle: (*call).getKeys},
	{method: "PUT", path: "/room_keys/keys", handle: (*call).putKeys},
	{method: "DELETE", path: "/room_keys/keys", handle: (*call).deleteKeys},
	{method: "GET", path: "/room_keys/keys/{room}", handle: (*call).getKeys},
	{method: "PUT", path: "/room_keys/keys/{room}", handle: (*call).putKeys},
	{method: "DELETE", path: "/room_keys/keys/{room}", handle: (*call).deleteKeys},
	{method: "GET", path: "/room_keys/keys/{room}/{session}", handle: (*call).getKeys},
	{method: "PUT", path: "/room_keys/keys/{room}/{session}", handle: (*call).putKeys},
	{method: "DELETE", path: "/room_keys/keys/{room}/{session}", handle: (*call).deleteKeys},
}

func (c *call) createBackup() (any, error) {
	body := fields(c.object())
	if body["algorithm"] == nil || body["auth_data"] == nil {
		return nil, missingParam("algorithm or auth_data")
	}
	backup := &c.user.backup
	v := &backupVersion{
		number:    strconv.Itoa(len(backup.versions) + 1),
		algorithm: compact(body["algorithm"]),
		authData:  compact(body["auth_data"]),
		rooms:     make(map[id.RoomID]map[id.SessionID]json.RawMessage),
	}
	backup.versions = append(backup.versions, v)
	return map[string]string{"version": v.number}, nil
}

// find returns the version with the number, or the latest for "".
func (b *keyBackup) find(number string) (*backupVersion, error) {
	for i := len(b.versions) - 1; i >= 0; i-- {
		if v := b.versions[i]; !v.deleted && (number == "" || v.number == number) {
			return v, nil
		}
	}
	return nil, notFound("no such backup")
}

func (v *backupVersion) count() int {
	n := 0
	for _, sessions := range v.rooms {
		n += len(sessions)
	}
	return n
}

func (v *backupVersion) tally() map[string]any {
	return map[string]any{"count": v.count(), "etag": strconv.Itoa(v.changes)}
}

func (c *call) getBackup() (any, error) {
	v, err := c.user.backup.find(c.path("version"))
	if err != nil {
		return nil, err
	}
	body := v.tally()
	body["algorithm"], body["auth_data"], body["version"] = v.algorithm, v.authData, v.number
	return body, nil
}

func (c *call) putBackup() (any, error) {
	v, err := c.user.backup.find(c.path("version"))
	if err != nil {
		return nil, err
	}
	body := fields(c.object())
	switch {
	case body["auth_data"] == nil:
		return nil, missingParam("auth_data")
	case body["algorithm"] != nil && !sameJSON(body["algorithm"], v.algorithm):
		return nil, invalidParam("the algorithm of a backup can't change")
	}
	v.authData = compact(body["auth_data"])
	return empty{}, nil
}

func (c *call) deleteBackup() (any, error) {
	v, err := c.user.backup.find(c.path("version"))
	if err != nil {
		return nil, err
	}
	v.deleted = true
	return empty{}, nil
}

// keysVersion returns the version that the query names; writing is allowed to the latest only.
func (c *call) keysVersion(write bool) (*backupVersion, error) {
	number := c.query("version")
	if number == "" {
		return nil, missingParam("version")
	}
	v, err := c.user.backup.find(number)
	if err != nil {
		return nil, err
	}
	if latest, _ := c.user.backup.find(""); write && latest != v {
		wrong := fail(http.StatusForbidden, "M_WRONG_ROOM_KEYS_VERSION", "that is not the latest backup")
		wrong.extra = map[string]any{"current_version": latest.number}
		return nil, wrong
	}
	return v, nil
}

type sessionMap struct {
	Sessions map[id.SessionID]json.RawMessage `json:"sessions"`
}

func (c *call) getKeys() (any, error) {
	v, err := c.keysVersion(false)
	if err != nil {
		return nil, err
	}
	roomID, sessionID := id.RoomID(c.path("room")), id.SessionID(c.path("session"))
	switch {
	case sessionID != "":
		if key, ok := v.rooms[roomID][sessionID]; ok {
			return key, nil
		}
		return nil, notFound("no such key in the backup")
	case roomID != "":
		return orEmpty(v.rooms[roomID]), nil
	}
	rooms := make(map[id.RoomID]sessionMap)
	for roomID, sessions := range v.rooms {
		rooms[roomID] = orEmpty(sessions)
	}
	return map[string]any{"rooms": rooms}, nil
}

func orEmpty(sessions map[id.SessionID]json.RawMessage) sessionMap {
	if sessions == nil {
		sessions = make(map[id.SessionID]json.RawMessage)
	}
	return sessionMap{sessions}
}

func (c *call) putKeys() (any, error) {
	v, err := c.keysVersion(true)
	if err != nil {
		return nil, err
	}
	roomID, sessionID := id.RoomID(c.path("room")), id.SessionID(c.path("session"))
	rooms := make(map[id.RoomID]sessionMap)
	switch {
	case sessionID != "":
		rooms[roomID] = sessionMap{map[id.SessionID]json.RawMessage{sessionID: c.object()}}
	case roomID != "":
		var sessions sessionMap
		if err := c.decode(&sessions); err != nil {
			return nil, err
		}
		rooms[roomID] = sessions
	default:
		var req struct {
			Rooms map[id.RoomID]sessionMap `json:"rooms"`
		}
		if err := c.decode(&req); err != nil {
			return nil, err
		}
		rooms = req.Rooms
	}
	for roomID, sessions := range rooms {
		for sessionID, key := range sessions.Sessions {
			v.store(roomID, sessionID, compact(key))
		}
	}
	return v.tally(), nil
}

// store keeps the better of two backups of one session.
//
// https://spec.matrix.org/v1.15/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid
func (v *backupVersion) store(roomID id.RoomID, sessionID id.SessionID, key json.RawMessage) {
	if v.rooms[roomID] == nil {
		v.rooms[roomID] = make(map[id.SessionID]json.RawMessage)
	}
	old, has := v.rooms[roomID][sessionID]
	if has && !betterKey(key, old) {
		return
	}
	v.rooms[roomID][sessionID] = key
	v.changes++
}

func betterKey(next, old json.RawMessage) bool {
	type rank struct {
		Verified  bool `json:"is_verified"`
		First     int  `json:"first_message_index"`
		Forwarded int  `json:"forwarded_count"`
	}
	var a, b rank
	if json.Unmarshal(next, &a) != nil || json.Unmarshal(old, &b) != nil {
		return false
	}
	if a.Verified != b.Verified {
		return a.Verified
	}
	if a.First != b.First {
		return a.First < b.First
	}
	return a.Forwarded < b.Forwarded
}

func (c *call) deleteKeys() (any, error) {
	v, err := c.keysVersion(true)
	if err != nil {
		return nil, err
	}
	roomID, sessionID := id.RoomID(c.path("room")), id.SessionID(c.path("session"))
	switch {
	case sessionID != "":
		delete(v.rooms[roomID], sessionID)
	case roomID != "":
		delete(v.rooms, roomID)
	default:
		clear(v.rooms)
	}
	v.changes++
	return v.tally(), nil
}
