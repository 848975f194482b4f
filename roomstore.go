package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// What of the rooms' state is kept in memory where there is a store to read it from again.
const (
	maxLoadedRooms   = 1000 // Rooms whose state is in memory; of all, the store's id, membership and counts are
	maxCachedMembers = 1000 // Members of one room
)

// roomStore reads rooms from the store when they are asked for, and drops the state of those that were not asked for
// lately. What was changed and is not stored yet is pinned.
type roomStore struct {
	store Store
	log   *slog.Logger
	most  int

	mu     sync.Mutex
	loaded fifo[*Room]
}

// roomHead is what is kept in memory of each room, as it is stored.
type roomHead struct {
	Membership event.Membership `json:"membership,omitempty"`
	Heroes     []id.UserID      `json:"heroes,omitempty"`
	Joined     int              `json:"joined"`
	Invited    int              `json:"invited"`
	Inviter    id.UserID        `json:"inviter,omitempty"`
	ForDirect  bool             `json:"for_direct,omitempty"`
	Upgrader   id.UserID        `json:"upgrader,omitempty"`
	Followed   id.RoomID        `json:"followed,omitempty"`
	Encryption string           `json:"encryption,omitempty"` // The content as it came, which may be no JSON one day
	Whole      bool             `json:"whole,omitempty"`
}

// head is the room's head as it is to be stored, and false where that has not changed.
func (r *Room) head() (c Change, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.dirty {
		return Change{}, false
	}
	r.dirty = false
	h := roomHead{
		Membership: r.membership, Heroes: r.heroes, Joined: r.joined, Invited: r.invited, Inviter: r.inviter,
		ForDirect: r.forDirect, Upgrader: r.upgrader, Followed: r.followed,
		Encryption: r.encryption, Whole: r.whole,
	}
	value, err := json.Marshal(h)
	if err != nil {
		return Change{}, false // Strings and numbers can always be encoded.
	}
	return Put(tableRoom, string(r.id), value), true
}

func (r *Room) setHead(h roomHead) {
	r.membership, r.heroes, r.joined, r.invited = h.Membership, h.Heroes, h.Joined, h.Invited
	r.inviter, r.forDirect, r.upgrader, r.followed = h.Inviter, h.ForDirect, h.Upgrader, h.Followed
	r.encryption, r.whole = h.Encryption, h.Whole
}

// loadRooms reads the heads of all rooms.
func (rs *rooms) loadRooms(ctx context.Context, keep *roomStore) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.keep = keep
	if rs.all == nil {
		rs.all = make(map[id.RoomID]*Room)
	}
	for record, err := range keep.store.Scan(ctx, tableRoom, "") {
		if err != nil {
			return fmt.Errorf("read rooms: %w", err)
		}
		var h roomHead
		if err := json.Unmarshal(record.Value, &h); err != nil {
			return &StoreError{Store: keep.store.String(), Err: fmt.Errorf("room %s: %w: %w", record.Key, err, ErrStoreCorrupt),
				Cure: "restore the store from a backup"}
		}
		r := newRoom(id.RoomID(record.Key))
		r.keep = keep
		r.setHead(h)
		rs.all[r.id] = r
	}
	return nil
}

// stateName is the key of a piece of state. No room id or event type that a server makes holds a NUL; one that does
// could at worst be taken for another piece of state of the same server's making.
func stateName(room id.RoomID, typ, key string) string {
	return string(room) + "\x00" + typ + "\x00" + key
}

func memberName(room id.RoomID, user id.UserID) string { return string(room) + "\x00" + string(user) }

func ofRoom(room id.RoomID) string { return string(room) + "\x00" }

// fits tells whether a key can be stored; ids of such length are no server's.
func fits(key string) bool { return len(key) <= MaxStoreKey }

// rlock locks the room for reading, with its state in memory if that can be had.
func (r *Room) rlock() {
	for range 3 {
		r.mu.RLock()
		if r.keep == nil {
			return
		}
		if r.loaded {
			r.touched.Store(true)
			return
		}
		r.mu.RUnlock()
		if !r.load() {
			break
		}
	}
	r.mu.RLock()
}

// load reads the room's state, and reports whether it is in memory.
func (r *Room) load() bool {
	r.mu.Lock()
	fresh := false
	if r.keep != nil && !r.loaded {
		fresh = r.fetch()
	}
	loaded := r.keep == nil || r.loaded
	r.mu.Unlock()
	if fresh {
		r.keep.note(r)
	}
	return loaded
}

// fetch reads the room's state into memory. The room is locked.
func (r *Room) fetch() bool {
	r.clearState()
	for record, err := range r.keep.store.Scan(context.Background(), tableState, ofRoom(r.id)) {
		if err != nil {
			r.keep.log.Error("state of a room not read", "room_id", r.id, "err", err)
			r.clearState()
			return false
		}
		typ, key, _ := strings.Cut(record.Key[len(r.id)+1:], "\x00")
		sender, content, _ := strings.Cut(string(record.Value), "\x00")
		r.apply(typ, key, id.UserID(sender), content)
	}
	r.loaded = true
	return true
}

func (r *Room) clearState() {
	r.state, r.describers, r.created, r.power, r.loaded = nil, nil, creation{}, nil, false
}

// fetchMember reads a member that is not in memory.
func (r *Room) fetchMember(user id.UserID) (Member, bool) {
	name := memberName(r.id, user)
	if !fits(name) {
		return Member{}, false
	}
	value, ok, err := r.keep.store.Get(context.Background(), tableMember, name)
	if err != nil {
		r.keep.log.Error("member of a room not read", "room_id", r.id, "user_id", user, "err", err)
		return Member{}, false
	}
	m := Member{UserID: user}
	if ok {
		m = readMember(user, value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if newer, ok := r.members[user]; ok {
		m = newer
	} else if len(r.members) < maxCachedMembers {
		r.cacheMember(m)
	}
	return m, m.Membership != ""
}

// fetchMembers adds the members that are not in memory to those that are.
func (r *Room) fetchMembers(known map[id.UserID]Member) {
	for record, err := range r.keep.store.Scan(context.Background(), tableMember, ofRoom(r.id)) {
		if err != nil {
			r.keep.log.Error("members of a room not read", "room_id", r.id, "err", err)
			return
		}
		user := id.UserID(record.Key[len(r.id)+1:])
		if _, ok := known[user]; !ok {
			known[user] = readMember(user, record.Value)
		}
	}
}

// encodeMember is a member as it is stored; its fields parted by NULs.
func encodeMember(m Member) []byte {
	name := strings.ReplaceAll(m.DisplayName, "\x00", "")
	return []byte(string(m.Membership) + "\x00" + name + "\x00" + string(m.AvatarURL))
}

func readMember(user id.UserID, value []byte) Member {
	membership, rest, _ := strings.Cut(string(value), "\x00")
	name, avatar, _ := strings.Cut(rest, "\x00")
	return Member{
		UserID: user, Membership: event.Membership(membership), DisplayName: name, AvatarURL: id.ContentURIString(avatar),
	}
}

// note remembers that a room's state is in memory, and drops that of others where there is too much of it.
func (s *roomStore) note(r *Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded.push(r)
	for tries := s.loaded.len(); s.loaded.len() > s.most && tries > 0; tries-- {
		oldest, _ := s.loaded.pop()
		if !oldest.unload() {
			s.loaded.push(oldest)
		}
	}
}

// unload drops the room's state, unless it is in use, was so lately, or is not stored yet.
func (r *Room) unload() bool {
	if r.touched.Swap(false) || !r.mu.TryLock() {
		return false
	}
	defer r.mu.Unlock()
	if r.pins > 0 {
		return false
	}
	r.clearState()
	r.members = nil
	return true
}

// pin keeps the room's state in memory until it is unpinned as often. It reports false where the state can't be read.
func (r *Room) pin() bool {
	r.mu.Lock()
	r.pins++
	fresh := r.keep != nil && !r.loaded && r.fetch()
	ready := r.keep == nil || r.loaded
	r.mu.Unlock()
	if fresh {
		r.keep.note(r)
	}
	return ready
}

func (r *Room) unpin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pins--; r.pins == 0 && len(r.members) > maxCachedMembers {
		r.members = nil
	}
}
