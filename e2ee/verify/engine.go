package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Bounds of what is open at once, and of what is answered.
const (
	maxSessions     = 64  // Open verifications
	maxUserSessions = 4   // Open verifications with one user
	maxRecent       = 512 // Ended verifications that are remembered, so that late messages of theirs are known
	maxHeld         = 8   // Messages in a room that are held while the request they answer is on its way
)

// Engine holds the open verifications of a device. Its methods may be called from any goroutine, except that the
// events of one sender are given to Handle one after the other, in their order.
type Engine struct {
	cfg    Config
	logger *slog.Logger
	now    func() time.Time
	wake   chan struct{} // Tells Run that a deadline has changed

	mu      sync.Mutex
	closed  bool
	open    map[key]*Session
	refs    map[key]Ref // Of the open ones; their own lock may be held for long
	asking  map[key]*holding
	recent  map[key]bool
	ring    []key // The keys of recent, oldest first
	replies limiter
	dirty   bool // Whether the journal does not know of what is open

	journal sync.Mutex // Held while the journal is written, so that it gets the states in order
}

// holding is a request in a room whose event id is not known yet. Its key has the user in place of a transaction.
type holding struct{ events []Event }

// New makes an engine. All that is wrong with the config is in the error.
func New(cfg Config) (*Engine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:    cfg,
		logger: cfg.Logger,
		now:    cfg.Now,
		wake:   make(chan struct{}, 1),
		open:   make(map[key]*Session),
		refs:   make(map[key]Ref),
		asking: make(map[key]*holding),
		recent: make(map[key]bool),
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if e.now == nil {
		e.now = time.Now
	}
	return e, nil
}

// Handle takes in an event of a verification; others are left alone, see [Concerns]. What is wrong with the event
// cancels its verification and is no error. An error means that keys could not be looked up or kept, or a message not
// be sent, and that the verification was cancelled for it.
//
// The own user's events in rooms are to be given too, those of this device among them, in the order of the room: where
// two own devices answer a request, the first one in the room goes on.
func (e *Engine) Handle(ctx context.Context, evt Event) error {
	k, ok := kindOf(evt)
	if !ok || len(evt.Content) > maxContent {
		return nil
	}
	if evt.Room != "" && evt.Sender == e.cfg.User {
		e.onOwn(ctx, k, evt)
		return nil
	}
	if k == kindRequest {
		return e.onRequest(ctx, evt)
	}
	txn, err := parseAddress(evt)
	if err != nil {
		return nil
	}
	ref := Ref{Room: evt.Room, Transaction: txn, User: evt.Sender}
	s, known := e.find(ref, evt)
	switch {
	case s != nil:
		return foreign(s.receive(ctx, k, evt))
	case known || evt.Room != "":
		return nil // Rooms have the verifications of others too
	case k == kindStart:
		return e.onBareStart(ctx, ref, evt)
	case k == kindCancel || k == kindDone:
		return nil
	default:
		ref.Device = "*" // These messages don't say which device they are from
		return e.refuse(ctx, ref, event.VerificationCancelCodeUnknownTransaction, "the transaction is not known")
	}
}

// foreign keeps only the errors that are not of the other side's making.
func foreign(err error) error {
	var cancel *CancelError
	if errors.As(err, &cancel) && cancel.Err == nil {
		return nil
	}
	return err
}

// find gives the session of an event, and whether the event needs no more than that: it is of one that has ended, or
// is held until it is clear whether it is of one that begins.
func (e *Engine) find(ref Ref, evt Event) (s *Session, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.open[ref.key()]; s != nil {
		// In a room, anyone can write a message that relates to the request.
		if e.refs[ref.key()].User != evt.Sender {
			return nil, true
		}
		return s, true
	}
	if h := e.asking[key{room: evt.Room, user: evt.Sender}]; h != nil && evt.Room != "" && len(h.events) < maxHeld {
		h.events = append(h.events, evt)
		return nil, true
	}
	return nil, e.recent[ref.key()]
}

// onOwn looks at what the own user has sent into a room: another own device may have answered a request.
func (e *Engine) onOwn(ctx context.Context, k kind, evt Event) {
	txn, err := parseAddress(evt)
	if err != nil || k != kindReady && k != kindCancel {
		return
	}
	e.mu.Lock()
	s := e.open[key{room: evt.Room, txn: txn}]
	e.mu.Unlock()
	if s == nil || s.ours {
		return
	}
	own := false
	if k == kindReady {
		c, err := parse[readyContent](evt.Content)
		if err != nil {
			return
		}
		own = c.FromDevice == e.cfg.Device
	}
	s.mu.Lock()
	switch {
	case own:
		s.first = true
	case k == kindReady && !s.first, k == kindCancel && s.state == StateRequested:
		s.end(StateCancelled, &CancelError{
			Code: event.VerificationCancelCodeAccepted, Reason: "answered on another device", ByPeer: true,
		})
	}
	s.mu.Unlock()
	s.tell(ctx)
	e.flush(ctx)
}

// newSession makes a session that is not known to the engine yet.
func (e *Engine) newSession(ref Ref, ours bool) *Session {
	return &Session{
		engine: e,
		ours:   ours,
		ended:  make(chan struct{}),
		ref:    ref,
		seen:   make(map[kind][sha256.Size]byte),
	}
}

// add makes the session known, or says that it would be one too many.
func (e *Engine) add(s *Session, ref Ref) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if e.open[ref.key()] != nil {
		return ErrBusy
	}
	if err := e.room(ref.User); err != nil {
		return err
	}
	e.open[ref.key()], e.refs[ref.key()] = s, ref
	e.dirty = true
	return nil
}

// room says whether another verification with the user may be opened.
func (e *Engine) room(user id.UserID) error {
	if len(e.open)+len(e.asking) >= maxSessions {
		return ErrBusy
	}
	n := 0
	for _, ref := range e.refs {
		if ref.User == user {
			n++
		}
	}
	for k := range e.asking {
		if k.user == user {
			n++
		}
	}
	if n >= maxUserSessions {
		return ErrBusy
	}
	return nil
}

// update notes which device the other side is.
func (e *Engine) update(ref Ref) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.open[ref.key()] != nil {
		e.refs[ref.key()] = ref
		e.dirty = true
	}
}

// forget takes out a session that has ended.
func (e *Engine) forget(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := s.ref.key()
	if e.open[k] != s {
		return
	}
	delete(e.open, k)
	delete(e.refs, k)
	e.remember(k)
	e.dirty = true
}

func (e *Engine) remember(k key) {
	if e.recent[k] {
		return
	}
	if len(e.ring) == maxRecent {
		delete(e.recent, e.ring[0])
		e.ring = slices.Delete(e.ring, 0, 1)
	}
	e.recent[k] = true
	e.ring = append(e.ring, k)
}

// Sessions lists the open verifications, in no order.
func (e *Engine) Sessions() []*Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]*Session, 0, len(e.open))
	for _, s := range e.open {
		list = append(list, s)
	}
	return list
}

// Session gives an open verification by its transaction, which in a room is the id of the request's event; nil where
// there is none. Of two that are named alike, which can only be made on purpose, it gives neither.
func (e *Engine) Session(transaction string) *Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found *Session
	for k, s := range e.open {
		switch {
		case k.txn != transaction:
		case found != nil:
			return nil
		default:
			found = s
		}
	}
	return found
}

// Close cancels all open verifications. Later requests are declined, and other messages answered as unknown.
func (e *Engine) Close(ctx context.Context) {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	for _, s := range e.Sessions() {
		s.mu.Lock()
		s.abort(ctx, refuse(event.VerificationCancelCodeUser, "the other side stops"))
		s.mu.Unlock()
		s.tell(ctx)
	}
	e.flush(ctx)
	e.rouse()
}

// Abandon tells the other sides that verifications are lost: those that a [Journal] kept until the last end.
func (e *Engine) Abandon(ctx context.Context, lost []Ref) error {
	var errs []error
	for _, ref := range lost {
		if ref.Device == "" {
			ref.Device = "*"
		}
		c := &cancelContent{Code: event.VerificationCancelCodeUser, Reason: "the other side has restarted"}
		e.mu.Lock()
		e.remember(ref.key())
		e.mu.Unlock()
		_, err := e.newSession(ref, true).send(ctx, kindCancel, c)
		errs = append(errs, err)
	}
	e.mu.Lock()
	e.dirty = true
	e.mu.Unlock()
	e.flush(ctx)
	return errors.Join(errs...)
}

// flush writes the journal, where what is open has changed.
func (e *Engine) flush(ctx context.Context) {
	if e.cfg.Journal == nil {
		return
	}
	e.journal.Lock()
	defer e.journal.Unlock()
	e.mu.Lock()
	dirty := e.dirty
	e.dirty = false
	refs := make([]Ref, 0, len(e.refs))
	for _, ref := range e.refs {
		refs = append(refs, ref)
	}
	e.mu.Unlock()
	if !dirty {
		return
	}
	if err := e.cfg.Journal.Keep(ctx, refs); err != nil && ctx.Err() == nil {
		e.logger.Warn("could not keep the list of open verifications", "err", err)
	}
}
