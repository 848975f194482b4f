package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// directs is which rooms are direct ones with whom: the bot's m.direct account data (spec: Client-Server API,
// "Direct Messaging").
type directs struct {
	bot *Bot

	// writing is held while m.direct is read, changed and written back, and while a direct room is made, so that two
	// calls lose no mark and make no second room.
	writing gate

	mu       sync.RWMutex
	rooms    map[id.UserID][]id.RoomID
	expected map[id.RoomID]id.UserID // Accepted invites into direct rooms that m.direct does not have yet
}

// learn takes over m.direct as a sync brought it.
func (d *directs) learn(content string) {
	rooms := parseDirect(content)
	d.mu.Lock()
	d.rooms = rooms
	d.mu.Unlock()
	for _, room := range d.bot.rooms.list() {
		d.mark(room)
	}
}

// mark brings a room's own mark up to date.
func (d *directs) mark(room *Room) { room.setDirect(len(d.usersOf(room.id)) > 0) }

// usersOf are the users with whom the room is a direct one.
func (d *directs) usersOf(room id.RoomID) []id.UserID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var users []id.UserID
	for user, rooms := range d.rooms {
		if slices.Contains(rooms, room) {
			users = append(users, user)
		}
	}
	if user, ok := d.expected[room]; ok && !slices.Contains(users, user) {
		users = append(users, user)
	}
	return users
}

// expect makes a room count as a direct one with the user before m.direct says so, so that what is written there right
// after the bot has joined is met as in a direct room.
func (d *directs) expect(user id.UserID, room *Room) {
	d.mu.Lock()
	if d.expected == nil {
		d.expected = make(map[id.RoomID]id.UserID)
	}
	d.expected[room.id] = user
	d.mu.Unlock()
	d.mark(room)
}

// decided ends what expect began: from now on, m.direct counts alone.
func (d *directs) decided(room *Room) {
	d.mu.Lock()
	delete(d.expected, room.id)
	d.mu.Unlock()
	d.mark(room)
}

// roomsOf are the direct rooms with the user, those of accepted invites that m.direct does not have yet last.
func (d *directs) roomsOf(user id.UserID) []id.RoomID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	rooms := slices.Clone(d.rooms[user])
	for room, with := range d.expected {
		if with == user && !slices.Contains(rooms, room) {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// add marks a room as a direct one with the user; all other marks stay.
func (d *directs) add(ctx context.Context, user id.UserID, room id.RoomID) error {
	if err := d.writing.enter(ctx); err != nil {
		return err
	}
	defer d.writing.leave()
	return d.addLocked(ctx, user, room)
}

// confirm is add for the room of an accepted invite. It marks nothing where the bot has left the room meanwhile.
func (d *directs) confirm(ctx context.Context, user id.UserID, room id.RoomID) error {
	if err := d.writing.enter(ctx); err != nil {
		return err
	}
	defer d.writing.leave()
	d.mu.RLock()
	_, expected := d.expected[room]
	d.mu.RUnlock()
	if !expected {
		return nil
	}
	return d.addLocked(ctx, user, room)
}

func (d *directs) addLocked(ctx context.Context, user id.UserID, room id.RoomID) error {
	// What the server has counts, not what was synced: another device may have written since. Entries that are not
	// understood are kept as they are.
	content, err := d.fetch(ctx)
	if err != nil {
		return err
	}
	var rooms []id.RoomID
	_ = json.Unmarshal(content[user], &rooms)
	if slices.Contains(rooms, room) {
		return d.accept(content)
	}
	if content[user], err = json.Marshal(append(rooms, room)); err != nil {
		return err
	}
	return d.save(ctx, content)
}

// follow marks the room that took another's place as a direct one with the same users.
func (d *directs) follow(ctx context.Context, old, next id.RoomID) error {
	if err := d.load(ctx); err != nil {
		return err
	}
	for _, user := range d.usersOf(old) {
		if err := d.add(ctx, user, next); err != nil {
			return err
		}
	}
	return nil
}

// remove takes all marks from a room, whoever they name; the other ones stay.
func (d *directs) remove(ctx context.Context, room id.RoomID) error {
	if err := d.writing.enter(ctx); err != nil {
		return err
	}
	defer d.writing.leave()
	d.mu.Lock()
	delete(d.expected, room)
	d.mu.Unlock()
	content, err := d.fetch(ctx)
	if err != nil {
		return err
	}
	changed := false
	for user, raw := range content {
		rooms := listOf(raw)
		kept := slices.DeleteFunc(slices.Clone(rooms), isString(string(room)))
		switch {
		case len(kept) == len(rooms):
			continue
		case len(kept) == 0:
			delete(content, user)
		default:
			if content[user], err = json.Marshal(kept); err != nil {
				return err
			}
		}
		changed = true
	}
	if !changed {
		return d.accept(content)
	}
	return d.save(ctx, content)
}

// replace puts other content in the place of all marks.
func (d *directs) replace(ctx context.Context, body json.RawMessage) error {
	if err := d.writing.enter(ctx); err != nil {
		return err
	}
	defer d.writing.leave()
	return d.put(ctx, body)
}

// save writes changed marks. The gate is held.
func (d *directs) save(ctx context.Context, content map[id.UserID]json.RawMessage) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return d.put(ctx, body)
}

func (d *directs) put(ctx context.Context, body json.RawMessage) error {
	err := retry(ctx, func(ctx context.Context) error {
		return d.bot.client.SetAccountData(ctx, event.AccountDataDirectChats.Type, body)
	})
	if err != nil {
		return fmt.Errorf("save m.direct: %w", err)
	}
	d.learn(string(body))
	return nil
}

// accept takes over marks that the server has.
func (d *directs) accept(content map[id.UserID]json.RawMessage) error {
	body, err := json.Marshal(content)
	if err != nil {
		return err
	}
	d.learn(string(body))
	return nil
}

// load takes over m.direct as the server has it.
func (d *directs) load(ctx context.Context) error {
	content, err := d.fetch(ctx)
	if err != nil {
		return err
	}
	return d.accept(content)
}

// fetch asks the server for m.direct; an account without it has an empty one.
func (d *directs) fetch(ctx context.Context) (map[id.UserID]json.RawMessage, error) {
	var content map[id.UserID]json.RawMessage
	err := retry(ctx, func(ctx context.Context) error {
		content = nil
		return d.bot.client.GetAccountData(ctx, event.AccountDataDirectChats.Type, &content)
	})
	if err != nil && !errors.Is(err, mautrix.MNotFound) {
		return nil, fmt.Errorf("load m.direct: %w", err)
	}
	if content == nil {
		content = make(map[id.UserID]json.RawMessage)
	}
	return content, nil
}

// parseDirect reads m.direct; entries of a wrong type are passed over.
func parseDirect(content string) map[id.UserID][]id.RoomID {
	var raw map[id.UserID]json.RawMessage
	if json.Unmarshal([]byte(content), &raw) != nil {
		return nil
	}
	rooms := make(map[id.UserID][]id.RoomID, len(raw))
	for user, value := range raw {
		var list []id.RoomID
		if json.Unmarshal(value, &list) == nil {
			rooms[user] = list
		}
	}
	return rooms
}

// DirectRoom is the room for direct messages with a user: the one that is there, if both are in it or the user is
// still invited, or a new one, to which the user is invited. Calls at once make one room.
func (b *Bot) DirectRoom(ctx context.Context, user id.UserID) (id.RoomID, error) {
	if err := checkUserID(user); err != nil {
		return "", fmt.Errorf("direct room: %w", err)
	}
	if err := b.connect(ctx); err != nil {
		return "", err
	}
	if user == b.UserID() {
		return "", errors.New("direct room: a bot has none with itself")
	}
	if err := b.direct.writing.enter(ctx); err != nil {
		return "", err
	}
	defer b.direct.writing.leave()
	known := b.direct.roomsOf(user)
	room, err := b.usableDirectRoom(ctx, user, known)
	if err == nil && room == "" {
		// What was synced may be old, and before the first sync it is nothing.
		if err = b.direct.load(ctx); err == nil {
			news := slices.DeleteFunc(b.direct.roomsOf(user), func(r id.RoomID) bool { return slices.Contains(known, r) })
			room, err = b.usableDirectRoom(ctx, user, news)
		}
	}
	if err != nil {
		return "", fmt.Errorf("direct room with %s: %w", user, err)
	}
	if room != "" {
		return room, nil
	}
	if room, err = b.createDirectRoom(ctx, user); err != nil {
		return "", fmt.Errorf("make direct room with %s: %w", user, err)
	}
	if err := b.direct.addLocked(ctx, user, room); err != nil {
		return "", fmt.Errorf("direct room with %s is %s: %w", user, room, err)
	}
	return room, nil
}

// usableDirectRoom is the first of the rooms that bot and user are in, and empty where there is none.
func (b *Bot) usableDirectRoom(ctx context.Context, user id.UserID, rooms []id.RoomID) (id.RoomID, error) {
	for _, room := range rooms {
		if usable, err := b.isDirectWith(ctx, room, user); err != nil || usable {
			return room, err
		}
	}
	return "", nil
}

// isDirectWith tells whether bot and user are both in the room. A room that the bot can't look into is none.
func (b *Bot) isDirectWith(ctx context.Context, room id.RoomID, user id.UserID) (bool, error) {
	for _, who := range []id.UserID{b.UserID(), user} {
		m, err := b.Member(ctx, room, who)
		switch {
		case errors.Is(err, mautrix.MForbidden), errors.Is(err, mautrix.MNotFound):
			return false, nil
		case err != nil:
			return false, err
		case m.Membership == event.MembershipJoin:
		case m.Membership == event.MembershipInvite && who == user:
		default:
			return false, nil
		}
	}
	return true, nil
}

func (b *Bot) createDirectRoom(ctx context.Context, user id.UserID) (id.RoomID, error) {
	return b.requestRoom(ctx, NewRoom{Direct: true, Invite: []id.UserID{user}}.request())
}

// Member is a user's membership of a room: as it was synced, or else as the server says. The error of a user who
// never had one is mautrix.MNotFound.
func (b *Bot) Member(ctx context.Context, room id.RoomID, user id.UserID) (Member, error) {
	if r, ok := b.rooms.find(room); ok {
		if m, ok := r.Member(user); ok {
			return m, nil
		}
	}
	if err := b.connect(ctx); err != nil {
		return Member{}, err
	}
	var content event.MemberEventContent
	err := retry(ctx, func(ctx context.Context) error {
		return b.client.StateEvent(ctx, room, event.StateMember, string(user), &content)
	})
	if err != nil {
		return Member{}, fmt.Errorf("member %s of %s: %w", user, room, err)
	}
	return Member{UserID: user, Membership: content.Membership, DisplayName: content.Displayname, AvatarURL: content.AvatarURL}, nil
}
