package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// How fast descriptions of commands are published: a bot in many rooms has thousands of them to write at once.
const (
	maxDescribing = 4 // Rooms at once
	describePause = 200 * time.Millisecond
)

// WithCommandState makes the bot publish its commands in the state of the rooms that it is in, for clients that offer
// them in forms (MSC4391); see [Bot.CommandSchemas] for what is in there. It does so where it has the power to, when it
// starts, when it joins, when it gets the power, and when commands come and go: what changed is written, what is there
// no longer is withdrawn, and what is right is left alone. It touches only what it has written itself, and stays out of
// spaces, and of encrypted rooms while it has no encryption.
//
// Calls that such clients send are taken with this option and without.
func WithCommandState() Option { return func(s *settings) { s.commandState = true } }

// describer publishes the bot's commands. A nil describer does nothing.
type describer struct {
	bot *Bot
	log *slog.Logger

	mu    sync.Mutex
	all   bool               // Whether all rooms are to be looked at
	rooms map[*Room]struct{} // Those that are
	news  chan struct{}      // Holds something while there is work
}

func newDescriber(b *Bot) *describer {
	d := &describer{bot: b, log: b.log, rooms: make(map[*Room]struct{}), news: make(chan struct{}, 1)}
	b.router.changed = d.changed
	b.On(event.StatePowerLevels, func(_ context.Context, e *Event) error {
		if e.isOf(event.StatePowerLevels) {
			d.noticed(e.room)
		}
		return nil
	})
	return d
}

// changed says that commands came or went.
func (d *describer) changed() {
	if d == nil {
		return
	}
	d.mu.Lock()
	d.all = true
	d.mu.Unlock()
	d.wake()
}

// noticed says that the bot may now describe its commands in a room.
func (d *describer) noticed(room *Room) {
	if d == nil {
		return
	}
	d.mu.Lock()
	d.rooms[room] = struct{}{}
	d.mu.Unlock()
	d.wake()
}

func (d *describer) wake() {
	select {
	case d.news <- struct{}{}:
	default:
	}
}

// take is the rooms to look at.
func (d *describer) take() []*Room {
	d.mu.Lock()
	defer d.mu.Unlock()
	rooms := slices.Collect(maps.Keys(d.rooms))
	if d.all {
		rooms = d.bot.Rooms()
	}
	clear(d.rooms)
	d.all = false
	return rooms
}

// run publishes from the first sync on, until ctx ends.
func (d *describer) run(ctx context.Context) {
	select {
	case <-d.bot.ready:
	case <-ctx.Done():
		return
	}
	d.changed()
	for {
		select {
		case <-d.news:
			d.describe(ctx, d.take())
		case <-ctx.Done():
			return
		}
	}
}

// describe brings the rooms up to date.
func (d *describer) describe(ctx context.Context, rooms []*Room) {
	want := d.want()
	var work sync.WaitGroup
	places := make(chan struct{}, maxDescribing)
	for _, room := range rooms {
		changes := d.changes(room, want)
		if len(changes) == 0 {
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		work.Go(func() {
			defer func() { <-places }()
			d.write(ctx, room, changes)
		})
	}
	work.Wait()
}

// want is the contents that each room is to have, by their state keys.
func (d *describer) want() map[string]json.RawMessage {
	own := d.bot.UserID()
	want := make(map[string]json.RawMessage)
	for _, schema := range d.bot.CommandSchemas() {
		content, err := encodeContent(schema)
		if err = errors.Join(err, schema.Validate()); err == nil && len(content) > maxContentBytes {
			err = ErrTooLarge
		}
		if err != nil {
			d.log.Warn("command can't be described", "command", schema.Command, "err", err)
			continue
		}
		want[schema.StateKey(own)] = content
	}
	return want
}

// changes is what has to be written to a room: nothing where the bot may not.
func (d *describer) changes(room *Room, want map[string]json.RawMessage) map[string]json.RawMessage {
	own := d.bot.UserID()
	levels := room.PowerLevels()
	if room.Membership() != event.MembershipJoin || room.Encrypted() || room.Type() == event.RoomTypeSpace ||
		levels.User(own) < levels.Event(event.StateMSC4391BotCommand) {
		return nil
	}
	changes := maps.Clone(want)
	for key, have := range room.descriptions(own) {
		switch content, wanted := want[key]; {
		case wanted && sameJSON(content, have):
			delete(changes, key)
		case !wanted && !sameJSON(emptyContent, have):
			changes[key] = emptyContent
		}
	}
	return changes
}

// write sends the changes one after the other.
func (d *describer) write(ctx context.Context, room *Room, changes map[string]json.RawMessage) {
	own := d.bot.UserID()
	written, withdrawn := 0, 0
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if written+withdrawn > 0 && sleep(ctx, describePause) != nil {
			return
		}
		content := changes[key]
		if _, err := d.bot.SetState(ctx, room.id, event.StateMSC4391BotCommand, key, content); err != nil {
			if ctx.Err() == nil {
				d.log.Warn("commands not described", "room_id", room.id, "err", err)
			}
			return
		}
		// What comes next may be faster than the sync.
		room.setState(event.StateMSC4391BotCommand.Type, key, own, string(content))
		if sameJSON(emptyContent, content) {
			withdrawn++
		} else {
			written++
		}
	}
	d.log.Info("commands described", "room_id", room.id, "written", written, "withdrawn", withdrawn)
}

// emptyContent is what takes the place of a description that is withdrawn: state can't be removed.
var emptyContent = json.RawMessage("{}")

// descriptions are the descriptions of commands by a user, by their state keys.
func (r *Room) descriptions(by id.UserID) map[string]json.RawMessage {
	r.rlock()
	defer r.mu.RUnlock()
	all := make(map[string]json.RawMessage)
	for key, sender := range r.describers {
		if content, ok := r.state[stateKey{event.StateMSC4391BotCommand.Type, key}]; ok && sender == by {
			all[key] = json.RawMessage(content)
		}
	}
	return all
}

// noteDescriber keeps who described a command, which is all that tells whose the description is. The room is locked.
func (r *Room) noteDescriber(key string, sender id.UserID) {
	if r.describers == nil {
		r.describers = make(map[string]id.UserID)
	}
	r.describers[key] = sender
}

// sameJSON tells whether two texts hold the same, however it is written.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
