package fakehs

import (
	"encoding/json"
	"maps"
	"math"
	"slices"

	"maunium.net/go/mautrix/id"
)

// infinitePower is what creators hold from room version 12 on.
const infinitePower = math.MaxInt64

// powerLevels is the content of m.room.power_levels; nil stands for a room without the event.
//
// https://spec.matrix.org/v1.15/client-server-api/#mroompower_levels
type powerLevels struct {
	Users         map[id.UserID]int64 `json:"users"`
	UsersDefault  *int64              `json:"users_default"`
	Events        map[string]int64    `json:"events"`
	EventsDefault *int64              `json:"events_default"`
	StateDefault  *int64              `json:"state_default"`
	Ban           *int64              `json:"ban"`
	Kick          *int64              `json:"kick"`
	Redact        *int64              `json:"redact"`
	Invite        *int64              `json:"invite"`
	Notifications map[string]int64    `json:"notifications"`
}

func parsePowerLevels(content json.RawMessage) (*powerLevels, error) {
	var pl powerLevels
	if err := json.Unmarshal(content, &pl); err != nil {
		return nil, badJSON("power levels must be integers: %v", err)
	}
	for userID := range pl.Users {
		if _, _, err := userID.Parse(); err != nil {
			return nil, badJSON("power levels name %q, which is not a user id", userID)
		}
	}
	return &pl, nil
}

func level(p *int64, otherwise int64) int64 {
	if p == nil {
		return otherwise
	}
	return *p
}

// power returns the user's level in the room.
func (r *room) power(userID id.UserID) int64 {
	if slices.Contains(r.creators, userID) {
		return infinitePower
	}
	pl := r.powers
	if pl == nil {
		if userID == r.creator {
			return 100
		}
		return 0
	}
	if n, ok := pl.Users[userID]; ok {
		return n
	}
	return level(pl.UsersDefault, 0)
}

// needed returns the level that sending an event takes.
func (r *room) needed(typ string, isState bool) int64 {
	pl := r.powers
	if pl == nil {
		return 0
	}
	if n, ok := pl.Events[typ]; ok {
		return n
	}
	if isState {
		return level(pl.StateDefault, 50)
	}
	return level(pl.EventsDefault, 0)
}

func (r *room) levelOf(pick func(*powerLevels) *int64, otherwise int64) int64 {
	if r.powers == nil {
		return otherwise
	}
	return level(pick(r.powers), otherwise)
}

func (r *room) banLevel() int64  { return r.levelOf(func(p *powerLevels) *int64 { return p.Ban }, 50) }
func (r *room) kickLevel() int64 { return r.levelOf(func(p *powerLevels) *int64 { return p.Kick }, 50) }
func (r *room) redactLevel() int64 {
	return r.levelOf(func(p *powerLevels) *int64 { return p.Redact }, 50)
}
func (r *room) inviteLevel() int64 {
	return r.levelOf(func(p *powerLevels) *int64 { return p.Invite }, 0)
}

// authorisePowerLevels bounds a change of power levels by the sender's own: nobody gives or takes more than they have.
//
// https://spec.matrix.org/v1.15/rooms/v11/#authorization-rules
func (r *room) authorisePowerLevels(e *pdu) error {
	next, err := parsePowerLevels(e.content)
	if err != nil {
		return err
	}
	for _, creator := range r.creators {
		if _, ok := next.Users[creator]; ok {
			return badJSON("creators may not be listed in power levels")
		}
	}
	old := r.powers
	if old == nil {
		return nil
	}
	own := r.power(e.sender)
	scalars := []struct {
		name      string
		old, next *int64
	}{
		{"users_default", old.UsersDefault, next.UsersDefault},
		{"events_default", old.EventsDefault, next.EventsDefault},
		{"state_default", old.StateDefault, next.StateDefault},
		{"ban", old.Ban, next.Ban},
		{"kick", old.Kick, next.Kick},
		{"redact", old.Redact, next.Redact},
		{"invite", old.Invite, next.Invite},
	}
	for _, f := range scalars {
		if err := boundedChange(f.name, own, f.old, f.next); err != nil {
			return err
		}
	}
	if err := boundedChanges("events", own, old.Events, next.Events); err != nil {
		return err
	}
	if err := boundedChanges("notifications", own, old.Notifications, next.Notifications); err != nil {
		return err
	}
	for userID, was := range old.Users {
		if now, kept := next.Users[userID]; userID != e.sender && was >= own && (!kept || now != was) {
			return forbidden("you can't change the level of %s, which is not below yours", userID)
		}
	}
	return boundedChanges("users", own, old.Users, next.Users)
}

func boundedChange(name string, own int64, was, now *int64) error {
	if was == nil && now == nil || was != nil && now != nil && *was == *now {
		return nil
	}
	if level(was, math.MinInt64) > own || level(now, math.MinInt64) > own {
		return forbidden("you can't change %s from or to a level above yours", name)
	}
	return nil
}

func boundedChanges[K ~string](name string, own int64, was, now map[K]int64) error {
	keys := maps.Clone(was)
	if keys == nil {
		keys = make(map[K]int64)
	}
	maps.Copy(keys, now)
	for key := range keys {
		var a, b *int64
		if n, ok := was[key]; ok {
			a = &n
		}
		if n, ok := now[key]; ok {
			b = &n
		}
		if err := boundedChange(name+"."+string(key), own, a, b); err != nil {
			return err
		}
	}
	return nil
}
