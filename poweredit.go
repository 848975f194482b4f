package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// PowerEdit is what [Bot.EditPower] changes: a room's power levels as they are, in plain fields and maps. Where a map's
// key is removed, the default counts again. The creators of a room of version 12 or later stand above all levels and
// are not listed.
type PowerEdit struct {
	Ban, Kick, Redact, Invite int
	EventsDefault             int // What sending a message takes where Events does not say
	StateDefault              int // What setting state takes where Events does not say
	UsersDefault              int // The level of users that Users does not name
	NotifyRoom                int // What mentioning the whole room takes

	Users  map[id.UserID]int
	Events map[string]int // By the event's type, such as "m.room.topic"
}

// The bounds of a power level, which are those of an integer in canonical JSON (spec: Appendices, "Canonical JSON").
const (
	MaxPower = 1<<53 - 1
	MinPower = -MaxPower
)

// SetPower sets a user's power level in a room; see [Bot.EditPower].
func (b *Bot) SetPower(ctx context.Context, room id.RoomID, user id.UserID, level int) error {
	return b.EditPower(ctx, room, func(p *PowerEdit) { p.Users[user] = level })
}

// EditPower changes a room's power levels (spec: Client-Server API, m.room.power_levels). edit gets them as the server
// has them and changes what it wants to; what it does not touch is kept, fields that are unknown to the bot included,
// and where it changes nothing, nothing is sent. It must not send to the room.
//
// Nobody may give a level above their own, nor take it from a user who is not below them. For that, EditPower returns a
// [*PowerError] without asking the server. The other errors: [*UnknownRoomError], a level out of [MinPower] and
// [MaxPower], a creator who would be listed, or the server's.
func (b *Bot) EditPower(ctx context.Context, room id.RoomID, edit func(p *PowerEdit)) error {
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("change power levels: %w", err)
	}
	view, err := b.viewRoom(ctx, room)
	if err != nil {
		return fmt.Errorf("change power levels of %s: %w", room, err)
	}
	return b.editState(ctx, room, event.StatePowerLevels, "", func(content fields) (bool, error) {
		return view.editPower(content, b.UserID(), edit)
	})
}

// editPower lets edit change the content of m.room.power_levels, and checks what it has changed.
func (r *Room) editPower(content fields, own id.UserID, edit func(p *PowerEdit)) (changed bool, err error) {
	raw, err := encodeContent(content)
	if err != nil {
		return false, err
	}
	r.rlock()
	created := r.created
	r.mu.RUnlock()
	present := len(content) > 0
	was := parsePowerLevels(string(raw), present, created)
	before, after := newPowerEdit(was), newPowerEdit(was)
	edit(after)
	if after.equal(before) {
		return false, nil
	}
	bounds := powerBounds{room: r.id, own: own, level: was.User(own), creators: was.creators}
	bounds.atLeast("change power levels", was.Event(event.StatePowerLevels))
	bounds.check(before, after)
	if len(bounds.errs) > 0 {
		return false, errors.Join(bounds.errs...)
	}
	if !present {
		// Without the event, its creator has power and state is free. That must not change by the way.
		before = newPowerEdit(parsePowerLevels("{}", true, created))
	}
	return true, after.write(content, before)
}

func newPowerEdit(p *PowerLevels) *PowerEdit {
	e := &PowerEdit{
		Ban: p.Ban, Kick: p.Kick, Redact: p.Redact, Invite: p.Invite,
		EventsDefault: p.EventsDefault, StateDefault: p.StateDefault, UsersDefault: p.UsersDefault,
		NotifyRoom: p.NotifyRoom, Users: maps.Clone(p.users), Events: maps.Clone(p.events),
	}
	if e.Users == nil {
		e.Users = make(map[id.UserID]int)
	}
	if e.Events == nil {
		e.Events = make(map[string]int)
	}
	return e
}

// levels are the levels that stand in the content by themselves.
func (p *PowerEdit) levels() map[string]*int {
	return map[string]*int{
		"ban": &p.Ban, "kick": &p.Kick, "redact": &p.Redact, "invite": &p.Invite,
		"events_default": &p.EventsDefault, "state_default": &p.StateDefault, "users_default": &p.UsersDefault,
	}
}

func (p *PowerEdit) equal(q *PowerEdit) bool {
	theirs := q.levels()
	for name, level := range p.levels() {
		if *level != *theirs[name] {
			return false
		}
	}
	return p.NotifyRoom == q.NotifyRoom && maps.Equal(p.Users, q.Users) && maps.Equal(p.Events, q.Events)
}

// write writes what differs from before into the content.
func (p *PowerEdit) write(content fields, before *PowerEdit) error {
	var errs []error
	old := before.levels()
	for name, level := range p.levels() {
		if *level != *old[name] {
			errs = append(errs, content.set(name, *level))
		}
	}
	if p.NotifyRoom != before.NotifyRoom {
		errs = append(errs, writeLevels(content, "notifications", map[string]int{"room": p.NotifyRoom}, nil))
	}
	if !maps.Equal(p.Users, before.Users) {
		errs = append(errs, writeLevels(content, "users", p.Users, before.Users))
	}
	if !maps.Equal(p.Events, before.Events) {
		errs = append(errs, writeLevels(content, "events", p.Events, before.Events))
	}
	return errors.Join(errs...)
}

// writeLevels writes what differs between two maps of levels into a field of the content.
func writeLevels[K ~string](content fields, field string, after, before map[K]int) error {
	object := content.object(field)
	for key := range before {
		if _, kept := after[key]; !kept {
			delete(object, string(key))
		}
	}
	for key, level := range after {
		if old, ok := before[key]; !ok || old != level {
			if err := object.set(string(key), level); err != nil {
				return err
			}
		}
	}
	return content.set(field, map[string]json.RawMessage(object))
}

// powerBounds are what a user may change about power levels (spec: Room Versions, "Authorization rules").
type powerBounds struct {
	room     id.RoomID
	own      id.UserID
	level    int // Of own
	creators []id.UserID
	errs     []error
}

func (b *powerBounds) check(before, after *PowerEdit) {
	old, levels := before.levels(), after.levels()
	for _, name := range slices.Sorted(maps.Keys(levels)) {
		b.change(name, *old[name], *levels[name])
	}
	b.change("notifications.room", before.NotifyRoom, after.NotifyRoom)
	for _, typ := range changedKeys(before.Events, after.Events) {
		was, listed := before.Events[typ]
		level, kept := after.Events[typ]
		b.entry("the level for "+typ, was, listed, level, kept)
	}
	for _, user := range changedKeys(before.Users, after.Users) {
		b.user(user, before, after)
	}
}

func (b *powerBounds) user(user id.UserID, before, after *PowerEdit) {
	was, listed := before.Users[user]
	level, kept := after.Users[user]
	name := "the level of " + string(user)
	switch {
	case kept && slices.Contains(b.creators, user):
		b.errs = append(b.errs, fmt.Errorf("%s is a creator of %s, who stand above all levels and can't have one", user, b.room))
		return
	case kept && checkUserID(user) != nil:
		b.errs = append(b.errs, checkUserID(user))
		return
	case listed && user != b.own && was >= b.level:
		b.atLeast(fmt.Sprintf("change %s from %d", name, was), was+1)
		return
	}
	b.entry(name, was, listed, level, kept)
}

// change checks a level that has a default.
func (b *powerBounds) change(name string, was, level int) {
	if was != level {
		b.entry("the level "+name, was, true, level, true)
	}
}

// entry checks one change: both the level that was there and the one that comes must not be above the user's own.
func (b *powerBounds) entry(name string, was int, listed bool, level int, kept bool) {
	if listed {
		b.atLeast(fmt.Sprintf("change %s from %d", name, was), was)
	}
	if !kept {
		return
	}
	if level < MinPower || level > MaxPower {
		b.errs = append(b.errs, fmt.Errorf("%s can't be %d: it is out of %d to %d", name, level, MinPower, MaxPower))
		return
	}
	b.atLeast(fmt.Sprintf("set %s to %d", name, level), level)
}

func (b *powerBounds) atLeast(doing string, need int) {
	if b.level < need {
		b.errs = append(b.errs, &PowerError{RoomID: b.room, Action: doing, Need: need, Have: b.level})
	}
}

// changedKeys are the keys whose value is not the same in both maps, in their order.
func changedKeys[K ~string](before, after map[K]int) []K {
	keys := make(map[K]struct{})
	for key, level := range after {
		if was, ok := before[key]; !ok || was != level {
			keys[key] = struct{}{}
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			keys[key] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
