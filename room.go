package niobot

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Room is a room that the bot knows: one that it is in, was in, or is invited to. A Room lives as long as the bot and
// shows the state as of the latest sync. Its methods may be called from any goroutine and never ask the server.
type Room struct {
	id id.RoomID

	mu         sync.RWMutex
	membership event.Membership
	state      map[stateKey]string // Contents of all state but members, as JSON
	created    creation
	power      *PowerLevels // Made from state when asked for
	members    map[id.UserID]Member
	heroes     []id.UserID
	joined     int // Counts of the summary, -1 before the server has told
	invited    int
	direct     bool
	inviter    id.UserID            // Who invited the bot, while it is invited
	forDirect  bool                 // Whether that was into a direct room
	upgrader   id.UserID            // Who sent the tombstone
	followed   id.RoomID            // The replacement that the bot has been told of
	describers map[string]id.UserID // Who sent the descriptions of commands, by their state keys
	encryption string               // The content of m.room.encryption, which stays
	whole      bool                 // Whether all members are known

	// Where the room is kept in a store:
	keep    *roomStore  // nil elsewhere
	loaded  bool        // Whether state, created and describers are in memory; members may be there or not
	pins    int         // While not zero, they stay there
	dirty   bool        // Whether the head has changed since it was stored
	touched atomic.Bool // Whether they were asked for lately
}

type stateKey struct{ typ, key string }

// Member is a user's membership of a room.
type Member struct {
	UserID      id.UserID
	Membership  event.Membership
	DisplayName string // Empty where the user has none
	AvatarURL   id.ContentURIString
}

func newRoom(roomID id.RoomID) *Room {
	return &Room{id: roomID, joined: -1, invited: -1}
}

// ID is the room's id.
func (r *Room) ID() id.RoomID { return r.id }

// Membership is the bot's own membership: join, invite, leave, ban or knock; empty where it never was in the room.
func (r *Room) Membership() event.Membership {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.membership
}

// Direct tells whether the room is a direct one by the bot's m.direct account data, or by the invite that it accepted
// (spec: Client-Server API, "Direct Messaging").
func (r *Room) Direct() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.direct
}

// State is the content of a piece of state as JSON, and nil where the room has none of that type and key. Members
// stand in [Room.Member] instead.
func (r *Room) State(t event.Type, key string) json.RawMessage {
	content, ok := r.content(t.Type, key)
	if !ok {
		return nil
	}
	return json.RawMessage(content)
}

func (r *Room) content(typ, key string) (string, bool) {
	r.rlock()
	defer r.mu.RUnlock()
	content, ok := r.state[stateKey{typ, key}]
	return content, ok
}

// text is one text field of a piece of state with an empty state key.
func (r *Room) text(t event.Type, field string) string {
	content, ok := r.content(t.Type, "")
	if !ok {
		return ""
	}
	var fields map[string]any
	_ = json.Unmarshal([]byte(content), &fields)
	s, _ := fields[field].(string)
	return s
}

// Topic is the room's topic, empty where it has none.
func (r *Room) Topic() string { return r.text(event.StateTopic, "topic") }

// CanonicalAlias is the room's main alias, empty where it has none.
func (r *Room) CanonicalAlias() id.RoomAlias {
	return id.RoomAlias(r.text(event.StateCanonicalAlias, "alias"))
}

// JoinRule tells who may join. A room that does not say is open to the invited.
func (r *Room) JoinRule() event.JoinRule {
	if rule := r.text(event.StateJoinRules, "join_rule"); rule != "" {
		return event.JoinRule(rule)
	}
	return event.JoinRuleInvite
}

// Encrypted tells whether the room is encrypted. Encryption that was once switched on stays on.
func (r *Room) Encrypted() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.encryption != ""
}

// Replacement is the room that took this one's place, empty where none did (spec: "Room Upgrades").
func (r *Room) Replacement() id.RoomID {
	return id.RoomID(r.text(event.StateTombstone, "replacement_room"))
}

// Version is the room's version, such as "11".
func (r *Room) Version() string {
	r.rlock()
	defer r.mu.RUnlock()
	return r.created.version
}

// Type is the room's type, empty for a room to talk in, m.space for a space.
func (r *Room) Type() event.RoomType {
	r.rlock()
	defer r.mu.RUnlock()
	return r.created.roomType
}

// Creators are the users who made the room: one before room version 12, one or more since.
func (r *Room) Creators() []id.UserID {
	r.rlock()
	defer r.mu.RUnlock()
	return slices.Clone(r.created.creators)
}

// PowerLevels are the power levels of the room as they stand.
func (r *Room) PowerLevels() *PowerLevels {
	r.rlock()
	p, created := r.power, r.created
	content, ok := r.state[stateKey{event.StatePowerLevels.Type, ""}]
	r.mu.RUnlock()
	if p != nil {
		return p
	}
	p = parsePowerLevels(content, ok, created)
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, same := r.state[stateKey{event.StatePowerLevels.Type, ""}]; same == ok && now == content {
		r.power = p
	}
	return p
}

// Member is what is known of a user's membership. Members are loaded lazily, so an unknown user may still be one;
// [Bot.Member] asks the server.
func (r *Room) Member(user id.UserID) (Member, bool) {
	r.mu.RLock()
	m, ok := r.members[user]
	r.mu.RUnlock()
	if !ok && r.keep != nil {
		return r.fetchMember(user)
	}
	return m, ok && m.Membership != ""
}

// Members are the members known so far, in the order of their ids; [Room.Member] says why there may be more.
func (r *Room) Members() []Member {
	known := r.memberMap()
	all := make([]Member, 0, len(known))
	for _, m := range known {
		if m.Membership != "" {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b Member) int { return strings.Compare(string(a.UserID), string(b.UserID)) })
	return all
}

// memberMap is a copy of the members known so far.
func (r *Room) memberMap() map[id.UserID]Member {
	r.mu.RLock()
	known := maps.Clone(r.members)
	r.mu.RUnlock()
	if known == nil {
		known = make(map[id.UserID]Member)
	}
	if r.keep != nil {
		r.fetchMembers(known)
	}
	return known
}

// MemberCount is the number of joined members as the server counts them, or as far as they are known where it has
// not told.
func (r *Room) MemberCount() int {
	r.mu.RLock()
	joined := r.joined
	r.mu.RUnlock()
	if joined >= 0 {
		return joined
	}
	count := 0
	for _, m := range r.memberMap() {
		if m.Membership == event.MembershipJoin {
			count++
		}
	}
	return count
}

// Name is the name that a client would show: the room's own, its alias, or one made of its members
// (spec: Client-Server API, "Calculating the display name for a room"). own is left out of the latter.
func (r *Room) Name(own id.UserID) string {
	if name := r.text(event.StateRoomName, "name"); name != "" {
		return name
	}
	if alias := r.CanonicalAlias(); alias != "" {
		return string(alias)
	}
	r.mu.RLock()
	heroes := slices.Clone(r.heroes)
	r.mu.RUnlock()
	if len(heroes) == 0 {
		for user, m := range r.memberMap() {
			if m.Membership == event.MembershipJoin || m.Membership == event.MembershipInvite {
				heroes = append(heroes, user)
			}
		}
		slices.Sort(heroes)
	}
	var names []string
	for _, user := range heroes {
		if user == own || len(names) == maxNameHeroes {
			continue
		}
		if m, _ := r.Member(user); m.DisplayName != "" {
			names = append(names, m.DisplayName)
		} else {
			names = append(names, string(user))
		}
	}
	if len(names) == 0 {
		return "Empty room"
	}
	return strings.Join(names, ", ")
}

// maxNameHeroes is how many members a room's name is made of.
const maxNameHeroes = 5

// String implements [fmt.Stringer] by the room's id.
func (r *Room) String() string { return string(r.id) }

// setState folds one state event that is no member's into the room.
func (r *Room) setState(typ, key string, sender id.UserID, content string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case typ == event.StateTombstone.Type && key == "":
		r.upgrader, r.dirty = sender, true
	case typ == event.StateEncryption.Type && key == "":
		r.encryption, r.dirty = content, true
	}
	r.apply(typ, key, sender, content)
}

// apply is setState for what is not kept beside the state. The room is locked.
func (r *Room) apply(typ, key string, sender id.UserID, content string) {
	switch typ {
	case event.StateCreate.Type:
		if key == "" {
			r.created = parseCreation(content, sender)
			r.power = nil
		}
	case event.StatePowerLevels.Type:
		r.power = nil
	case event.StateMSC4391BotCommand.Type:
		r.noteDescriber(key, sender)
	}
	if r.state == nil {
		r.state = make(map[stateKey]string)
	}
	r.state[stateKey{typ, key}] = content
}

// setMember folds one member event into the room, and returns the member as it is now; ok is false where the event says
// nothing. content is not kept.
func (r *Room) setMember(user id.UserID, content []byte) (m Member, ok bool) {
	m, ok = memberOf(user, content)
	if ok {
		r.addMember(m)
	}
	return m, ok
}

func (r *Room) addMember(m Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cacheMember(m)
}

// memberOf reads a member event's content.
func memberOf(user id.UserID, content []byte) (m Member, ok bool) {
	m = Member{UserID: user}
	for key, value := range syncjson.Fields(content) {
		switch string(key) {
		case "membership":
			m.Membership = membershipOf(value)
		case "displayname":
			m.DisplayName = validText(stringOf(value))
		case "avatar_url":
			m.AvatarURL = id.ContentURIString(stringOf(value))
		}
	}
	return m, m.Membership != ""
}

func (r *Room) isWhole() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.whole
}

// setWhole notes that all members are known.
func (r *Room) setWhole() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole, r.dirty = true, true
}

// unsure notes that the server may have left out members.
func (r *Room) unsure() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.whole {
		r.whole, r.dirty = false, true
	}
}

func (r *Room) cacheMember(m Member) {
	if r.members == nil {
		r.members = make(map[id.UserID]Member)
	}
	r.members[m.UserID] = m
}

func stringOf(value []byte) string {
	text, _ := syncjson.String(value)
	return string(text)
}

// membershipOf is one of the specification's memberships, and empty for anything else.
func membershipOf(value []byte) event.Membership {
	text, _ := syncjson.String(value)
	for _, known := range []event.Membership{
		event.MembershipJoin, event.MembershipLeave, event.MembershipInvite, event.MembershipBan, event.MembershipKnock,
	} {
		if string(text) == string(known) {
			return known
		}
	}
	return ""
}

func (r *Room) setInvite(sender id.UserID, direct bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inviter, r.forDirect, r.dirty = sender, direct, true
}

// invite is the bot's invitation into the room; without a sender where there is none.
func (r *Room) invite() Invite {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return Invite{Room: r, Sender: r.inviter, Direct: r.forDirect}
}

func (r *Room) upgradedBy() id.UserID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.upgrader
}

// replaced is the room's replacement, the first time that it is asked for since that was set.
func (r *Room) replaced() (by id.RoomID, fresh bool) {
	by = r.Replacement()
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh = by != r.followed
	r.followed, r.dirty = by, r.dirty || fresh
	return by, fresh
}

// successor is the replacement that the bot has been told of; empty where there is none.
func (r *Room) successor() id.RoomID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.followed
}

// begin forgets the state of an earlier membership.
func (r *Room) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clearState()
	r.members, r.heroes, r.whole = nil, nil, false
	r.loaded, r.dirty = r.keep != nil, true
	r.inviter, r.forDirect, r.upgrader, r.followed = "", false, "", ""
	r.joined, r.invited = -1, -1
}

func (r *Room) setMembership(m event.Membership) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.membership, r.dirty = m, true
}

func (r *Room) setDirect(direct bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.direct = direct
}

// count takes over what a summary says; what is absent from it has not changed.
func (r *Room) count(s syncjson.Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Heroes != nil {
		r.heroes, r.dirty = slices.Clone(s.Heroes), true
	}
	if s.Joined >= 0 {
		r.joined, r.dirty = int(s.Joined), true
	}
	if s.Invited >= 0 {
		r.invited, r.dirty = int(s.Invited), true
	}
}

// rooms are all the rooms of a bot.
type rooms struct {
	mu    sync.RWMutex
	keep  *roomStore // nil where nothing is stored
	all   map[id.RoomID]*Room
	users map[string]id.UserID // One string for each user, whatever number of rooms they are in
}

// intern is the user id, of which only one copy is kept.
func (rs *rooms) intern(user []byte) id.UserID {
	rs.mu.RLock()
	known, ok := rs.users[string(user)]
	rs.mu.RUnlock()
	if ok {
		return known
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.users == nil {
		rs.users = make(map[string]id.UserID)
	}
	known = id.UserID(user)
	rs.users[string(known)] = known
	return known
}

func (rs *rooms) find(roomID id.RoomID) (*Room, bool) {
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	r, ok := rs.all[roomID]
	return r, ok
}

// room is the room of that id, made where it was not known.
func (rs *rooms) room(roomID id.RoomID) *Room {
	if r, ok := rs.find(roomID); ok {
		return r
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r, ok := rs.all[roomID]
	if !ok {
		if rs.all == nil {
			rs.all = make(map[id.RoomID]*Room)
		}
		r = newRoom(roomID)
		r.keep = rs.keep
		rs.all[roomID] = r
	}
	return r
}

func (rs *rooms) list() []*Room {
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	all := make([]*Room, 0, len(rs.all))
	for _, r := range rs.all {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Room) int { return strings.Compare(string(a.id), string(b.id)) })
	return all
}
