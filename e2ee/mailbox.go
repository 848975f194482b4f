//go:build goolm

package e2ee

import (
	"context"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

const (
	maxJobs        = 1000        // Answers that wait to be sent; those beyond are not
	jobTimeout     = time.Minute // Of one answer
	maxRequests    = 200         // Key and secret requests of one user that are answered in a period
	maxSealed      = 10_000      // Encrypted messages of one user that are read in a period
	maxMeetings    = 20          // Unknown devices of one user for which the server is asked in a period
	period         = 10 * time.Minute
	maxCorrespond  = 10_000          // Users whose messages are counted in a period
	unwedgePeriod  = time.Hour       // Between two new olm sessions with one device
	maxUnwedge     = 1000            // Devices that are remembered for that
	keyUploadPause = 5 * time.Second // Before an upload that failed is repeated
)

// mailbox sends what encryption has to say to devices, one after the other and in the background: answers to requests
// for keys, new olm sessions in place of broken ones, and fresh one-time keys. What anybody can ask for is bounded by
// user and period.
type mailbox struct {
	g      *engine
	jobs   chan job
	refill chan struct{}

	mu           sync.Mutex
	began        time.Time
	counts       map[id.UserID]*correspondence
	wedgedSender map[id.SenderKey]id.UserID // Whose message is being read
	unwedged     map[id.SenderKey]time.Time
	renew        map[id.SenderKey]bool // Devices whose next message begins a new olm session
	fallback     bool                  // Whether a new fallback key is wanted
	lastFallback time.Time
}

type job struct {
	name string
	do   func(context.Context) error
}

// correspondence counts what a user has sent in a period.
type correspondence struct {
	requests, sealed int
	met              map[id.SenderKey]bool
}

func newMailbox(g *engine) *mailbox {
	return &mailbox{
		g:            g,
		jobs:         make(chan job, maxJobs),
		refill:       make(chan struct{}, 1),
		counts:       make(map[id.UserID]*correspondence),
		wedgedSender: make(map[id.SenderKey]id.UserID),
		unwedged:     make(map[id.SenderKey]time.Time),
		renew:        make(map[id.SenderKey]bool),
	}
}

func (m *mailbox) post(name string, do func(context.Context) error) {
	select {
	case m.jobs <- job{name, do}:
	default:
		m.g.log.Debug("too much to send to devices; something is left out", "what", name)
	}
}

func (m *mailbox) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.refill:
			if err := m.uploadKeys(ctx); err != nil && ctx.Err() == nil {
				m.g.log.Warn("one-time keys can't be uploaded yet", "err", err)
				if !sleep(ctx, keyUploadPause) {
					return
				}
				m.keysWanted(true, false)
			}
		case j := <-m.jobs:
			m.do(ctx, j)
		}
	}
}

func (m *mailbox) do(ctx context.Context, j job) {
	ctx, cancel := context.WithTimeout(m.g.machineContext(ctx), jobTimeout)
	defer cancel()
	err := guarded(func() error { return j.do(ctx) })
	if err != nil && ctx.Err() == nil {
		m.g.log.Debug("something can't be sent to a device", "what", j.name, "err", err)
	}
}

// correspondence returns the user's counts in the current period. The caller holds mu.
func (m *mailbox) correspondence(user id.UserID) *correspondence {
	if time.Since(m.began) > period || len(m.counts) > maxCorrespond {
		clear(m.counts)
		m.began = time.Now()
	}
	c := m.counts[user]
	if c == nil {
		c = &correspondence{met: make(map[id.SenderKey]bool)}
		m.counts[user] = c
	}
	return c
}

// mayAsk counts a request, and reports whether it is answered.
func (m *mailbox) mayAsk(user id.UserID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.correspondence(user)
	c.requests++
	return c.requests <= maxRequests
}

// tooMany counts an encrypted message, and reports whether it is one too many.
func (m *mailbox) tooMany(user id.UserID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.correspondence(user)
	c.sealed++
	if c.sealed == maxSealed+1 {
		m.g.log.Warn("a user floods the bot with encrypted messages; no more are read for now", "user_id", user)
	}
	return c.sealed > maxSealed
}

// firstMeeting reports whether the server is to be asked for a device that is not known.
func (m *mailbox) firstMeeting(user id.UserID, key id.SenderKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.correspondence(user)
	if c.met[key] || len(c.met) >= maxMeetings {
		return false
	}
	c.met[key] = true
	return true
}

// reading notes whose message is read with the key next: the machine names the key alone when it can't read it.
func (m *mailbox) reading(user id.UserID, key id.SenderKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.wedgedSender) > maxUnwedge {
		clear(m.wedgedSender)
	}
	m.wedgedSender[key] = user
}

// unwedge begins a new olm session with a device whose messages can't be read (spec: Client-Server API, "Recovering
// from undecryptable messages").
func (m *mailbox) unwedge(key id.SenderKey) {
	m.mu.Lock()
	user, ok := m.wedgedSender[key]
	if !ok || time.Since(m.unwedged[key]) < unwedgePeriod {
		m.mu.Unlock()
		return
	}
	if len(m.unwedged) >= maxUnwedge {
		clear(m.unwedged)
	}
	m.unwedged[key] = time.Now()
	m.mu.Unlock()
	m.post("a new olm session", func(ctx context.Context) error {
		device, err := m.g.devices.byKey(ctx, user, key)
		if err != nil || device == nil {
			return err
		}
		m.mu.Lock()
		m.renew[key] = true
		m.mu.Unlock()
		return m.g.sendTo(ctx, device, event.ToDeviceDummy, &event.DummyEventContent{})
	})
}

// takeRenewal reports whether a new olm session is to be begun with the device, once.
func (m *mailbox) takeRenewal(key id.SenderKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	due := m.renew[key]
	delete(m.renew, key)
	return due
}

// keysWanted has one-time keys uploaded where there are few, and a fallback key where the server has none that is
// unused.
func (m *mailbox) keysWanted(few, fallback bool) {
	m.mu.Lock()
	m.fallback = m.fallback || fallback && time.Since(m.lastFallback) > fallbackRest
	due := few || m.fallback
	m.mu.Unlock()
	if !due {
		return // a server that knows no fallback keys says in each sync that there is none
	}
	select {
	case m.refill <- struct{}{}:
	default:
	}
}

func (m *mailbox) uploadKeys(ctx context.Context) error {
	m.mu.Lock()
	fallback := m.fallback
	m.fallback = false
	if fallback {
		m.lastFallback = time.Now()
	}
	m.mu.Unlock()
	return m.g.uploadKeys(ctx, false, fallback)
}
