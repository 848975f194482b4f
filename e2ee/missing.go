//go:build goolm

package e2ee

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

const (
	maxMissing     = 10_000           // Sessions that are searched for
	maxWithheld    = 10_000           // Sessions of which it is known that their key is withheld
	requestGrace   = time.Second      // Before devices are asked, since a key often comes right behind its message
	searchTimeout  = 30 * time.Second // Of one search
	searchesAtOnce = 4
)

// searchAfter is how long after a search the next one is made; there is none after the last.
var searchAfter = []time.Duration{requestGrace, time.Minute, 5 * time.Minute, 30 * time.Minute}

// missingKeys are the sessions whose keys have not come. They are looked up in the backup at once, asked of devices a
// moment later, and looked up a few times more.
type missingKeys struct {
	g     *engine
	woken chan struct{}
	slots chan struct{}

	mu         sync.Mutex
	waiting    map[sessionName]*search
	withheld   map[id.SessionID]refusal
	overflowed bool // Whether some that are waited for were forgotten
}

// search is what was done to find a session's key.
type search struct {
	sender  id.UserID
	device  id.DeviceID
	due     time.Time // Zero while one is under way, and after the last
	tries   int
	request string // The id of the key request; empty where none was sent
	looked  bool   // Whether the backup was asked, and does not have it
	known   bool   // Whether there is a key that reads from message first on only
	first   uint32
}

// refusal is what a device said of a key that it does not give.
type refusal struct {
	sender id.UserID
	WithheldError
}

func newMissingKeys(g *engine) *missingKeys {
	return &missingKeys{
		g:        g,
		woken:    make(chan struct{}, 1),
		slots:    make(chan struct{}, searchesAtOnce),
		waiting:  make(map[sessionName]*search),
		withheld: make(map[id.SessionID]refusal),
	}
}

// note has the key of the event's session searched for, and returns the error that the event can't be read with. The
// session is the one that is known already and reads later messages only, or nil.
func (m *missingKeys) note(evt *event.Event, sealed envelope, session *inbound) error {
	at := sessionName{evt.RoomID, sealed.SessionID}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.waiting[at]
	if s == nil {
		m.makeRoom()
		s = &search{sender: evt.Sender, device: sealed.DeviceID, due: time.Now()}
		m.waiting[at] = s
		m.wake()
	}
	if session != nil {
		s.known, s.first = true, session.Internal.FirstKnownIndex()
	}
	said, ok := m.withheld[sealed.SessionID]
	if !ok || said.sender != evt.Sender {
		return fmt.Errorf("%w (session %s)", niobot.ErrKeyMissing, sealed.SessionID)
	}
	// The sender's word is final once the backup has been asked, where the code says that there is nothing to wait for.
	if final(said.Code) && s != nil && s.looked {
		return fmt.Errorf("%w: %w", niobot.ErrUnreadable, &said.WithheldError)
	}
	return fmt.Errorf("%w: %w", niobot.ErrKeyMissing, &said.WithheldError)
}

// makeRoom forgets the searches that are over where there are too many, or else any one.
func (m *missingKeys) makeRoom() {
	if len(m.waiting) < maxMissing {
		return
	}
	m.overflowed = true
	maps.DeleteFunc(m.waiting, func(_ sessionName, s *search) bool { return s.tries > len(searchAfter) })
	for at := range m.waiting {
		if len(m.waiting) < maxMissing {
			return
		}
		delete(m.waiting, at)
	}
}

func final(code event.RoomKeyWithheldCode) bool {
	switch code {
	case event.RoomKeyWithheldBlacklisted, event.RoomKeyWithheldUnverified, event.RoomKeyWithheldUnauthorized:
		return true
	}
	return false
}

func (m *missingKeys) wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// withhold notes what a device says of a key that it does not give. Anybody can say so: it counts for events of the
// same sender only, and never keeps a key from being taken when it comes.
func (m *missingKeys) withhold(sender id.UserID, content *event.RoomKeyWithheldEventContent) {
	if content.SessionID == "" || len(content.SessionID) > keyLength || len(content.Reason) > maxReason {
		return
	}
	m.mu.Lock()
	if len(m.withheld) >= maxWithheld {
		clear(m.withheld)
	}
	m.withheld[content.SessionID] = refusal{sender, WithheldError{
		SessionID: content.SessionID, Code: content.Code, Reason: content.Reason,
	}}
	at := sessionName{content.RoomID, content.SessionID}
	s := m.waiting[at]
	known := s != nil && s.looked && s.sender == sender && final(content.Code)
	m.mu.Unlock()
	if known {
		m.g.host.KeyArrived(at.room, at.session) // not the key, but the word that it will not come
	}
}

// arrived tells the host of a key that came, where it reads more than the one that is there.
func (m *missingKeys) arrived(a arrival) {
	at := a.sessionName
	m.mu.Lock()
	s, waited := m.waiting[at]
	if waited && s.known && a.first >= s.first {
		m.mu.Unlock()
		return
	}
	delete(m.waiting, at)
	delete(m.withheld, at.session)
	waited = waited || m.overflowed
	m.mu.Unlock()
	if s != nil && s.request != "" {
		m.g.mail.post("cancel a key request", func(ctx context.Context) error {
			return m.sendRequest(ctx, at, *s, event.KeyRequestActionCancel)
		})
	}
	if waited {
		m.g.host.KeyArrived(at.room, at.session)
	}
}

// wants reports whether a forwarded key was asked for, and comes from whom it was asked of: a device of the bot's own
// account that its identity has signed, or the session's own device.
func (m *missingKeys) wants(ctx context.Context, session *crypto.InboundGroupSession) bool {
	m.mu.Lock()
	s := m.waiting[sessionName{session.RoomID, session.ID()}]
	asked := s != nil && s.request != ""
	m.mu.Unlock()
	if !asked || len(session.ForwardingChains) == 0 {
		return false
	}
	from := id.IdentityKey(session.ForwardingChains[len(session.ForwardingChains)-1])
	if session.SourceUser != m.g.account.UserID {
		return session.SourceUser == s.sender && from == session.SenderKey
	}
	device, err := m.g.devices.byKey(ctx, session.SourceUser, from)
	if err != nil || device == nil {
		return false
	}
	trust, err := m.g.devices.trustOf(ctx, device)
	return err == nil && trust >= id.TrustStateCrossSignedVerified
}

// run makes the searches that are due.
func (m *missingKeys) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.woken:
		case <-timer.C:
		}
		due, next := m.takeDue(time.Now())
		for _, at := range due {
			select {
			case m.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			m.g.wg.Go(func() {
				defer func() { <-m.slots }()
				m.search(ctx, at)
			})
		}
		timer.Reset(next)
	}
}

// takeDue returns what is to be searched for now, and when to ask again.
func (m *missingKeys) takeDue(now time.Time) (due []sessionName, next time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next = time.Hour
	for at, s := range m.waiting {
		switch {
		case s.due.IsZero():
		case !s.due.After(now):
			s.due = time.Time{}
			due = append(due, at)
		default:
			next = min(next, s.due.Sub(now))
		}
	}
	return due, next
}

// search looks for one key: in the backup, and the second time by asking devices.
func (m *missingKeys) search(ctx context.Context, at sessionName) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	err := m.g.backup.lookUp(ctx, at.room, at.session)
	if err != nil && ctx.Err() == nil {
		m.g.log.Debug("a key can't be looked up in the backup", "room_id", at.room, "session_id", at.session, "err", err)
	}
	m.mu.Lock()
	s := m.waiting[at]
	if s == nil {
		m.mu.Unlock()
		return // it has arrived
	}
	first := !s.looked && err == nil
	s.looked = s.looked || err == nil
	said, refused := m.withheld[at.session]
	ask := s.tries == 1 && s.request == ""
	if ask {
		s.request = m.g.client.TxnID()
	}
	request := *s
	if s.tries < len(searchAfter) {
		s.due = time.Now().Add(searchAfter[s.tries])
	}
	s.tries++
	m.mu.Unlock()
	m.wake()
	if first && refused && said.sender == request.sender && final(said.Code) {
		m.g.host.KeyArrived(at.room, at.session)
	}
	if !ask {
		return
	}
	if err := m.sendRequest(ctx, at, request, event.KeyRequestActionRequest); err != nil && ctx.Err() == nil {
		m.g.log.Debug("a key can't be asked for", "room_id", at.room, "session_id", at.session, "err", err)
	}
}

// sendRequest asks the other devices of the bot's account for a key, and the device that it is said to come from
// (spec: Client-Server API, "Key requests"), or takes that back.
func (m *missingKeys) sendRequest(ctx context.Context, at sessionName, s search, action event.KeyRequestAction) error {
	content := &event.RoomKeyRequestEventContent{
		Action: action, RequestID: s.request, RequestingDeviceID: m.g.account.DeviceID,
	}
	if action == event.KeyRequestActionRequest {
		content.Body = event.RequestedKeyInfo{
			Algorithm: id.AlgorithmMegolmV1, RoomID: at.room, SessionID: at.session,
		}
	}
	targets := make(map[id.UserID]map[id.DeviceID]*event.Content)
	add := func(user id.UserID, device id.DeviceID) {
		if targets[user] == nil {
			targets[user] = make(map[id.DeviceID]*event.Content)
		}
		targets[user][device] = &event.Content{Parsed: content}
	}
	own, err := m.g.devices.of(ctx, m.g.account.UserID)
	if err != nil {
		return err
	}
	for device := range own {
		if device != m.g.account.DeviceID {
			add(m.g.account.UserID, device)
		}
	}
	if s.device != "" && s.sender != m.g.account.UserID {
		add(s.sender, s.device)
	}
	if len(targets) == 0 {
		return nil
	}
	_, err = m.g.client.SendToDevice(ctx, event.ToDeviceRoomKeyRequest, &mautrix.ReqSendToDevice{Messages: targets})
	if err != nil {
		return fmt.Errorf("send a key request: %w", err)
	}
	return nil
}

// isWithheldType reports whether a to-device message says that a key is withheld; the second is the type of before.
func isWithheldType(typ string) bool {
	return slices.Contains([]string{
		event.ToDeviceRoomKeyWithheld.Type, event.ToDeviceOrgMatrixRoomKeyWithheld.Type,
	}, typ)
}
