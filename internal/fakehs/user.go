package fakehs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"maunium.net/go/mautrix/id"
)

// user is an account with all that is the account's own.
type user struct {
	id       id.UserID
	password string
	devices  map[id.DeviceID]*device
	rooms    map[id.RoomID]*roomMember

	profile  map[string]json.RawMessage
	presence presence

	accountData map[string]*accountDatum               // global
	roomData    map[id.RoomID]map[string]*accountDatum // by room

	filters []*filter
	patches []any // merged into the next sync response
	bell    bell

	crossSigning crossSigning
	backup       keyBackup
	keysPos      int64 // when a device list or cross-signing key last changed
}

// roomMember is what a user's sync needs to know of the user's place in a room.
type roomMember struct {
	membership string
	pos        int64 // of the latest member event
	joinedPos  int64 // of the event that began the present stay; 0 while not joined
}

// bell wakes those who wait for news. The caller of both methods holds s.mu.
type bell struct{ ch chan struct{} }

// wait returns a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) ring() {
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}

// Register makes an account whose display name is the localpart. The localpart is checked as the spec asks; an account
// with an empty password can't log in over HTTP. Users of other servers need no account: rooms take them as they come.
func (s *Server) Register(localpart, password string) (id.UserID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.addUser(localpart, password)
	if err != nil {
		return "", fmt.Errorf("register %q: %w", localpart, err)
	}
	return u.id, nil
}

func (s *Server) addUser(localpart, password string) (*user, error) {
	if localpart == "" || strings.Trim(localpart, "abcdefghijklmnopqrstuvwxyz0123456789._=-/+") != "" {
		return nil, fail(http.StatusBadRequest, "M_INVALID_USERNAME", "user names hold only a-z, 0-9 and ._=-/+")
	}
	userID := s.UserID(localpart)
	if len(userID) > 255 {
		return nil, fail(http.StatusBadRequest, "M_INVALID_USERNAME", "user id is longer than 255 bytes")
	}
	if s.users[userID] != nil {
		return nil, fail(http.StatusBadRequest, "M_USER_IN_USE", "user id is taken")
	}
	u := &user{
		id:          userID,
		password:    password,
		devices:     make(map[id.DeviceID]*device),
		rooms:       make(map[id.RoomID]*roomMember),
		profile:     map[string]json.RawMessage{"displayname": mustEncode(localpart)},
		accountData: make(map[string]*accountDatum),
		roomData:    make(map[id.RoomID]map[string]*accountDatum),
	}
	s.users[userID] = u
	return u, nil
}

// lookup finds a user for a method of the Go API. The caller holds s.mu.
func (s *Server) lookup(userID id.UserID) (*user, error) {
	u := s.users[userID]
	if u == nil {
		return nil, fmt.Errorf("no user %s", userID)
	}
	return u, nil
}

// sharesRoom reports whether both users are joined to some room. The caller holds s.mu.
func (s *Server) sharesRoom(a, b id.UserID) bool {
	if a == b {
		return true
	}
	u := s.users[a]
	if u == nil {
		return false
	}
	for roomID, m := range u.rooms {
		if m.membership == "join" && s.rooms[roomID].membership(b) == "join" {
			return true
		}
	}
	return false
}

// contacts returns the local users who are joined to a room together with u, u among them. The caller holds s.mu.
func (s *Server) contacts(u *user) map[id.UserID]*user {
	found := map[id.UserID]*user{u.id: u}
	for roomID, m := range u.rooms {
		if m.membership != "join" {
			continue
		}
		for userID, membership := range s.rooms[roomID].members {
			if other := s.users[userID]; membership == "join" && other != nil {
				found[userID] = other
			}
		}
	}
	return found
}
