package niobot

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// CreatorPower is the power level of a room's creators where they stand above all levels (room version 12 and later,
// MSC4289).
const CreatorPower = math.MaxInt

// PowerLevels are the power levels of a room, with the specification's defaults where the room says nothing
// (spec: Client-Server API, m.room.power_levels). They are a snapshot: a change in the room makes a new value.
type PowerLevels struct {
	Ban, Kick, Redact, Invite int
	EventsDefault             int // What sending a message takes where Events does not say
	StateDefault              int // What setting state takes where Events does not say
	UsersDefault              int // The level of users that Users does not name
	NotifyRoom                int // What mentioning the whole room takes

	events   map[string]int
	users    map[id.UserID]int
	creators []id.UserID // With power above all levels; empty before room version 12
}

// User is the user's power level.
func (p *PowerLevels) User(user id.UserID) int {
	for _, c := range p.creators {
		if c == user {
			return CreatorPower
		}
	}
	if level, ok := p.users[user]; ok {
		return level
	}
	return p.UsersDefault
}

// Event is the power level that sending an event of the type takes. The class of the type tells state from messages.
func (p *PowerLevels) Event(t event.Type) int {
	if level, ok := p.events[t.Type]; ok {
		return level
	}
	if t.IsState() {
		return p.StateDefault
	}
	return p.EventsDefault
}

// Users are the users with a power level of their own, creators included.
func (p *PowerLevels) Users() map[id.UserID]int {
	all := make(map[id.UserID]int, len(p.users)+len(p.creators))
	for user, level := range p.users {
		all[user] = level
	}
	for _, c := range p.creators {
		all[c] = CreatorPower
	}
	return all
}

// creation is what m.room.create says of a room.
type creation struct {
	version  string
	roomType event.RoomType
	creators []id.UserID
}

// parseCreation reads the content of m.room.create as leniently as servers do. Before room version 11 the creator
// stood in the content; since, the sender is meant.
func parseCreation(content string, sender id.UserID) creation {
	var c struct {
		Creator    any   `json:"creator"`
		Version    any   `json:"room_version"`
		Type       any   `json:"type"`
		Additional []any `json:"additional_creators"`
	}
	// A field of a wrong type leaves its zero value, which is what the specification's defaults start from.
	_ = json.Unmarshal([]byte(content), &c)
	out := creation{version: "1", creators: []id.UserID{sender}}
	if v, ok := c.Version.(string); ok && v != "" {
		out.version = v
	}
	if t, ok := c.Type.(string); ok {
		out.roomType = event.RoomType(t)
	}
	if old, ok := c.Creator.(string); ok && sender == "" {
		out.creators[0] = id.UserID(old)
	}
	if out.hasPower() {
		for _, a := range c.Additional {
			if user, ok := a.(string); ok {
				out.creators = append(out.creators, id.UserID(user))
			}
		}
	}
	return out
}

// hasPower tells whether creators stand above all levels: in room versions after 11. Versions that are no numbers are
// unstable ones, of which only those derived from the change have it.
func (c creation) hasPower() bool {
	if n, err := strconv.Atoi(c.version); err == nil {
		return n >= 12
	}
	return c.version == "org.matrix.hydra.11"
}

// parsePowerLevels reads the content of m.room.power_levels; present says whether the room has that event. Levels as
// strings are accepted as room versions before 10 do, and a level that is no number counts as absent.
func parsePowerLevels(content string, present bool, created creation) *PowerLevels {
	p := &PowerLevels{Ban: 50, Kick: 50, Redact: 50, StateDefault: 50, NotifyRoom: 50}
	if created.hasPower() {
		p.creators = created.creators
	}
	if !present {
		p.StateDefault = 0
		if !created.hasPower() && len(created.creators) > 0 {
			p.users = map[id.UserID]int{created.creators[0]: 100}
		}
		return p
	}
	var raw map[string]json.RawMessage
	_ = json.Unmarshal([]byte(content), &raw)
	for key, field := range map[string]*int{
		"ban": &p.Ban, "kick": &p.Kick, "redact": &p.Redact, "invite": &p.Invite,
		"events_default": &p.EventsDefault, "state_default": &p.StateDefault, "users_default": &p.UsersDefault,
	} {
		if level, ok := parseLevel(raw[key]); ok {
			*field = level
		}
	}
	p.events = parseLevels[string](raw["events"])
	p.users = parseLevels[id.UserID](raw["users"])
	if level, ok := parseLevels[string](raw["notifications"])["room"]; ok {
		p.NotifyRoom = level
	}
	return p
}

func parseLevels[K ~string](data json.RawMessage) map[K]int {
	var raw map[K]json.RawMessage
	if json.Unmarshal(data, &raw) != nil {
		return nil
	}
	levels := make(map[K]int, len(raw))
	for key, value := range raw {
		if level, ok := parseLevel(value); ok {
			levels[key] = level
		}
	}
	return levels
}

func parseLevel(data json.RawMessage) (int, bool) {
	if text, ok := syncjson.String(string(data)); ok {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		return clampLevel(float64(n)), err == nil
	}
	var f float64
	err := json.Unmarshal(data, &f)
	return clampLevel(f), err == nil && !syncjson.IsNull(data)
}

// clampLevel keeps a level within what canonical JSON can hold, and so below [CreatorPower].
func clampLevel(f float64) int {
	const most = 1<<53 - 1
	return int(max(-most, min(most, f)))
}
