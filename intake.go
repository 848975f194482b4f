package niobot

import (
	"errors"
	"fmt"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// intake takes one sync response in: state goes into the rooms at once, which does no harm if the response turns out
// to be broken and is asked for again. What is to be worked on waits in the intake until the response is complete.
type intake struct {
	bot   *Bot
	since string // The token that was asked with; empty for the first sync, whose history is not handled
	late  bool   // Whether it is the first sync after a restart, which brings what came meanwhile

	// anew is set for a first sync that is not the bot's first: what it does not bring is gone.
	anew    bool
	present map[*Room]struct{} // The rooms that it has brought

	// careful is set after a crash: what has caused it may come again, and is to be found in the inbox by the next start
	// even where the bot crashes at once.
	careful bool

	rooms    []roomBatch
	becomes  []membershipChange
	outside  []*Event // Account data, presence, to-device
	invites  []*Room
	upgrades []*Room // Rooms that may have been replaced
	echoes   []echo
	met      []uint64 // What counts as new again if the response is broken
	secrets  secrets  // What encryption is to be told of
	heads    []*Room  // Rooms that may have changed, where there is a store
	pinned   []*Room  // Those whose state is kept in memory since it is not stored yet
	changes  []Change // What is to be stored of that
	size     int      // Of changes, in bytes, about
	stored   slot     // Where they are stored

	unsettled int // How many responses before this one may not be stored yet
}

// roomBatch is what is to be worked on in one room.
type roomBatch struct {
	room   *Room
	gap    *gap
	events []*Event
	read   id.EventID // The last message of others
}

// membershipChange is a change of the bot's own membership.
type membershipChange struct {
	room *Room
	to   event.Membership
}

var _ syncjson.Handler = (*intake)(nil)

// Skipped implements [syncjson.Handler].
func (in *intake) Skipped(s syncjson.Skip) {
	in.bot.log.Warn("part of a sync response skipped", "reason", s.Reason.String(), "kind", s.Kind.String(),
		"room_id", s.RoomID, "event_id", s.EventID, "field", s.Field, "count", s.Count)
}

// Event implements [syncjson.Handler].
func (in *intake) Event(kind syncjson.Kind, e *syncjson.View) error {
	class := event.UnknownEventType
	switch kind {
	case syncjson.KindAccountData:
		class = event.AccountDataEventType
		if string(e.Type) == event.AccountDataDirectChats.Type {
			in.bot.direct.learn(string(e.Content))
			in.keep(Put(tableAccount, event.AccountDataDirectChats.Type, slices.Clone(e.Content)))
		}
	case syncjson.KindPresence:
		class = event.EphemeralEventType
	case syncjson.KindToDevice:
		class = event.ToDeviceEventType
		if in.bot.settings.encryption != nil {
			in.secrets.toDevice(e)
		}
	}
	if in.since != "" && in.wanted(e) {
		in.outside = append(in.outside, newEvent(nil, class, e.Keep()))
	}
	return nil
}

func (in *intake) wanted(e *syncjson.View) bool {
	return len(in.bot.listeners.of(e.Type)) > 0 || in.bot.waiters.any()
}

// Room implements [syncjson.Handler].
func (in *intake) Room(r *syncjson.Room) error {
	room := in.bot.rooms.room(r.ID)
	if err := in.pin(room); err != nil {
		return err
	}
	was := room.Membership()
	if in.anew {
		if in.present == nil {
			in.present = make(map[*Room]struct{})
		}
		in.present[room] = struct{}{}
	}
	switch r.Section {
	case syncjson.Invite:
		in.stripped(room, r, event.MembershipInvite)
		in.invites = append(in.invites, room)
		return nil
	case syncjson.Knock:
		in.stripped(room, r, event.MembershipKnock)
		return nil
	}
	if r.Section == syncjson.Join && (was != event.MembershipJoin || in.anew) {
		in.begin(room)
	}
	for i := range r.State {
		in.state(room, &r.State[i])
	}
	batch := roomBatch{room: room}
	var read []byte
	first := in.firstEvent(room, r, was)
	before := len(in.met)
	for i := range r.Timeline {
		if in.timeline(&batch, &r.Timeline[i], i >= first) {
			read = r.Timeline[i].ID
		}
	}
	batch.read = id.EventID(read)
	room.count(r.Summary)
	if r.Section == syncjson.Leave {
		in.become(room, was, leftBy(room, in.bot.UserID()))
	} else {
		in.become(room, was, event.MembershipJoin)
		in.upgrades = append(in.upgrades, room)
		if r.Limited {
			room.unsure()
		}
		if r.Limited && r.PrevBatch != "" && in.since != "" && was == event.MembershipJoin {
			batch.gap = &gap{
				room: room, from: r.PrevBatch, since: in.since, after: slices.Clone(in.met[before:]), late: in.late,
			}
		}
	}
	if in.since != "" {
		in.passing(&batch, r.Ephemeral, event.EphemeralEventType)
		in.passing(&batch, r.AccountData, event.AccountDataEventType)
	}
	if batch.gap != nil || len(batch.events) > 0 || batch.read != "" {
		in.rooms = append(in.rooms, batch)
	}
	return in.relieve()
}

// relieve stores the state that a first sync has brought so far, where it is much. Should the rest not come, the next
// start begins anew, since there is no token.
func (in *intake) relieve() error {
	if in.since != "" || in.size < maxIntake {
		return nil
	}
	if err := in.bot.journal.write(in.bot.hearing, in.changes...); err != nil {
		return fmt.Errorf("store state: %w", err)
	}
	in.changes, in.size = nil, 0
	in.unpin()
	return nil
}

// maxIntake is how much state of a first sync is held in memory before it is stored, in bytes.
const maxIntake = 4 << 20

// become notes a change of the bot's membership, which takes effect when the response is complete: a response that is
// asked for again must be met with what was known before.
func (in *intake) become(room *Room, was, now event.Membership) {
	if was != now {
		in.becomes = append(in.becomes, membershipChange{room, now})
	}
}

// leftBy tells a ban from a leave.
func leftBy(room *Room, own id.UserID) event.Membership {
	if m, ok := room.Member(own); ok && m.Membership == event.MembershipBan {
		return event.MembershipBan
	}
	return event.MembershipLeave
}

// firstEvent is the place in the timeline of the first event that is to be worked on: in the first sync none is, and of
// a room that the bot has just joined what came before that is history.
func (in *intake) firstEvent(room *Room, r *syncjson.Room, was event.Membership) int {
	if in.since == "" {
		return len(r.Timeline)
	}
	if was == event.MembershipJoin {
		return 0
	}
	own := in.bot.UserID()
	for i := len(r.Timeline) - 1; i >= 0; i-- {
		if isJoinOf(&r.Timeline[i], string(own)) {
			return i
		}
	}
	if m, ok := room.Member(own); ok && m.Membership == event.MembershipJoin {
		return 0 // The join lies before the timeline.
	}
	return len(r.Timeline)
}

// isJoinOf tells whether the event is the user's way into the room, and no change of the profile there.
func isJoinOf(e *syncjson.View, user string) bool {
	const join = string(event.MembershipJoin)
	return e.HasStateKey && string(e.Type) == event.StateMember.Type && string(e.StateKey) == user &&
		string(syncjson.GetString(e.Content, "membership")) == join &&
		string(syncjson.GetString(e.PrevContent(), "membership")) != join
}

// state folds one state event into its room. A member's own content is copied field by field; of other state the whole
// content is kept.
func (in *intake) state(room *Room, e *syncjson.View) {
	if in.bot.settings.encryption != nil && room.Encrypted() {
		in.secrets.state(room, e)
	}
	if string(e.Type) == event.StateMember.Type {
		user := in.bot.rooms.intern(e.StateKey)
		if m, ok := room.setMember(user, e.Content); ok && in.bot.keeps() {
			in.keep(Put(tableMember, memberName(room.id, user), encodeMember(m)))
		}
		if user == in.bot.UserID() && string(syncjson.GetString(e.Content, "membership")) == string(event.MembershipInvite) {
			room.setInvite(id.UserID(e.Sender), string(syncjson.Get(e.Content, "is_direct")) == "true")
		}
		return
	}
	room.setState(string(e.Type), string(e.StateKey), id.UserID(e.Sender), string(e.Content))
	if in.bot.keeps() {
		value := slices.Concat(e.Sender, []byte{0}, e.Content)
		in.keep(Put(tableState, stateName(room.id, string(e.Type), string(e.StateKey)), value))
	}
}

// pin keeps the room's state in memory until what this response changes of it is stored.
func (in *intake) pin(room *Room) error {
	if !in.bot.keeps() {
		return nil
	}
	ok := room.pin()
	in.heads, in.pinned = append(in.heads, room), append(in.pinned, room)
	if !ok {
		return fmt.Errorf("state of %s: %w", room.id, errStateUnread)
	}
	return nil
}

// begin forgets a room's state of an earlier membership.
func (in *intake) begin(room *Room) {
	room.begin()
	if in.since == "" && !in.anew {
		return // There is none in the store.
	}
	in.keep(DeleteAll(tableState, ofRoom(room.id)), DeleteAll(tableMember, ofRoom(room.id)))
}

// keep notes changes that are to be stored together with the response's token.
func (in *intake) keep(changes ...Change) {
	if !in.bot.keeps() {
		return
	}
	for _, c := range changes {
		if fits(c.Key) {
			in.changes = append(in.changes, c)
			in.size += len(c.Key) + len(c.Value)
		}
	}
}

// store hands over what the response changes, with the events that are to be worked on, and returns the place of the
// last of it. The token comes with it: what a crash takes, the next sync brings again.
func (in *intake) store(next string) slot {
	b := in.bot
	for _, room := range in.heads {
		if c, changed := room.head(); changed {
			in.keep(c)
		}
	}
	in.keep(b.remember(in.met)...)
	in.keep(Put(tableMeta, metaToken, []byte(next)))
	var a arrival
	for i := range in.rooms {
		batch := &in.rooms[i]
		if batch.gap != nil {
			a.gap(&b.inbox, b.inbox.place(), batch.gap)
			if in.careful {
				batch.gap.entry.repeats()
			}
		}
		for _, e := range batch.events {
			if b.mayStart(e) {
				a.event(&b.inbox, b.inbox.place(), e)
				if in.careful {
					e.entry.repeats() // It may have been begun before the crash, and not stored.
				}
			}
		}
	}
	kept := b.keepEchoes(in.echoes)
	defer kept.check(b)
	return a.put(b.journal, append(in.changes, kept.changes...)...)
}

// errStateUnread is why a response is asked for again.
var errStateUnread = errors.New("can't be read from the store")

// timeline takes one event of a timeline, and reports whether it is a message that the bot has read by that.
func (in *intake) timeline(batch *roomBatch, e *syncjson.View, work bool) (read bool) {
	if e.HasStateKey {
		in.state(batch.room, e)
	}
	if own, ok := echoOf(batch.room.id, in.bot.UserID(), e); ok {
		in.bot.echoes.hear(own)
		in.echoes = append(in.echoes, own)
	}
	key, fresh := in.bot.meet(e.ID)
	if !fresh {
		return false
	}
	in.met = append(in.met, key)
	in.bot.echoes.besideGap(batch.room.id, key)
	if !work || in.late && isOld(in.bot, e) {
		return false
	}
	switch string(e.Type) {
	case event.EventEncrypted.Type:
		if in.bot.settings.encryption == nil {
			in.bot.warnEncrypted(batch.room)
		}
		fallthrough
	case event.EventMessage.Type:
		read = string(e.Sender) != string(in.bot.UserID())
	}
	if in.bot.wants(e) {
		batch.events = append(batch.events, newEvent(batch.room, timelineClass(e), e.Keep()))
	}
	return read
}

// passing takes events that are only for listeners.
func (in *intake) passing(batch *roomBatch, events []syncjson.View, class event.TypeClass) {
	for i := range events {
		if in.wanted(&events[i]) {
			batch.events = append(batch.events, newEvent(batch.room, class, events[i].Keep()))
		}
	}
}

// stripped takes the few pieces of state that come with an invite, or with the bot's own knock.
func (in *intake) stripped(room *Room, r *syncjson.Room, now event.Membership) {
	was := room.Membership()
	if was != now {
		in.begin(room)
	}
	for i := range r.State {
		in.state(room, &r.State[i])
	}
	in.become(room, was, now)
}

// finish hands over what the response brought, now that it is complete.
func (in *intake) finish(next string) error {
	b := in.bot
	if in.anew {
		in.leaveAbsent()
	}
	for _, change := range in.becomes {
		change.room.setMembership(change.to)
		b.direct.mark(change.room)
		b.describer.noticed(change.room)
		b.log.Info("membership changed", "room_id", change.room.id, "membership", change.to)
	}
	var replacements []id.RoomID
	for _, room := range in.upgrades {
		replacement, fresh := room.replaced()
		if !fresh {
			replacement = ""
		}
		replacements = append(replacements, replacement)
	}
	if b.keeps() {
		in.stored = in.store(next)
	}
	if in.careful {
		// Not for as long as the request may take: what is stored does not come again.
		if err := in.settle(b.hearing); err != nil {
			return err
		}
	}
	for _, batch := range in.rooms {
		if batch.gap != nil {
			b.echoes.gapOpened(batch.room.id)
		}
		b.dispatcher.push(batch.room, batch.gap, batch.events)
		if batch.read != "" {
			b.receipts.note(batch.room.id, batch.read)
		}
	}
	for i, room := range in.upgrades {
		if replacements[i] != "" {
			b.joiner.follow(room, replacements[i])
		}
	}
	b.dispatcher.push(nil, nil, in.outside)
	for _, room := range in.invites {
		b.joiner.offer(room)
	}
	return nil
}

// leaveAbsent takes the rooms that the response should have brought for left.
func (in *intake) leaveAbsent() {
	for _, room := range in.bot.rooms.list() {
		if _, ok := in.present[room]; ok {
			continue
		}
		switch was := room.Membership(); was {
		case event.MembershipJoin, event.MembershipInvite, event.MembershipKnock:
			in.become(room, was, event.MembershipLeave)
			in.heads = append(in.heads, room)
		}
	}
}

// abandon takes back what would keep a response that was broken from being worked on when it comes again.
func (in *intake) abandon() { in.bot.unmeet(in.met) }
