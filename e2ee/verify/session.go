package verify

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Session is one verification. Its methods may be called from any goroutine, and from the [Hook].
type Session struct {
	engine *Engine
	ours   bool // Whether this side asked
	legacy bool // Whether it came as a bare m.key.verification.start, without a request
	ended  chan struct{}

	mu       sync.Mutex
	ref      Ref
	state    State
	deadline time.Time
	err      error
	untold   []State // What the hook has not been told
	telling  bool

	own     OwnKeys
	peer    PeerKeys
	first   bool                       // Whether this device's answer stands in the room before any of another own device
	methods []event.VerificationMethod // What the other side can do
	asked   []id.DeviceID              // Those that got our request, while none has answered
	seen    map[kind][sha256.Size]byte // What was taken in, to tell what comes twice
	early   []Event                    // What came before its turn

	method    event.VerificationMethod
	startedBy bool            // Whether this side's m.key.verification.start counts
	start     json.RawMessage // Canonical; that which counts
	sas       exchange
	qr        *QR
	proof     Proof // What the other side has proven, to be trusted once it is confirmed
}

// exchange is the state of SAS.
type exchange struct {
	private    *ecdh.PrivateKey
	commitment []byte // What the other side, having accepted, has bound itself to
	methods    []event.SASMethod
	secret     []byte
	short      [6]byte
	proven     bool // Whether the other side's MAC has come, and is right
}

// Ref names the verification.
func (s *Session) Ref() Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ref
}

// Peer is the other side. Its device is empty while none has answered.
func (s *Session) Peer() Peer {
	r := s.Ref()
	return Peer{User: r.User, Device: r.Device, Room: r.Room}
}

// Ours says whether this side asked for the verification.
func (s *Session) Ours() bool { return s.ours }

// State is what the verification is at.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Err is why the verification was cancelled, a [*CancelError]; nil in any other state.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Ended is closed when the verification is done or cancelled.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Emoji gives the seven emoji to compare, from [StateComparing] on; nil before, and where the other side has none.
func (s *Session) Emoji() []Emoji {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sas.secret == nil || !slices.Contains(s.sas.methods, event.SASMethodEmoji) {
		return nil
	}
	return emojiOf(s.sas.short)
}

// Decimals gives the three numbers to compare in place of emoji, each of 1000 to 9191, and whether they are there.
func (s *Session) Decimals() ([3]int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sas.secret == nil || !slices.Contains(s.sas.methods, event.SASMethodDecimal) {
		return [3]int{}, false
	}
	return decimalsOf(s.sas.short), true
}

// QR is the code for the other side to scan, from [StateReady] on; nil where it can't, or [Policy.ShowQR] is off.
func (s *Session) QR() *QR {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.qr
}

// Accept answers a request of the other side. It is an [ErrState] in any state but [StateRequested].
func (s *Session) Accept(ctx context.Context) error {
	return s.do(ctx, func() error {
		if s.ours || s.state != StateRequested {
			return ErrState
		}
		return s.accept(ctx)
	})
}

// StartSAS begins the comparing of emoji. It is an [ErrState] in any state but [StateReady], and an [ErrNoMethod] where
// the other side knows none.
func (s *Session) StartSAS(ctx context.Context) error {
	return s.do(ctx, func() error {
		if s.state != StateReady {
			return ErrState
		}
		return s.startSAS(ctx)
	})
}

// Scan takes the bytes of the QR code that the other side shows, and begins to verify by it. It is an [ErrState] in any
// state but [StateReady], an [ErrPayload] for bytes of something else or of another verification; a code with keys that
// are not those expected cancels the verification.
func (s *Session) Scan(ctx context.Context, payload []byte) error {
	code, err := ParseQR(payload)
	if err != nil {
		return err
	}
	return s.do(ctx, func() error {
		if s.state != StateReady {
			return ErrState
		}
		return s.scan(ctx, code)
	})
}

// Confirm says that a person has compared: the emoji are the same on both sides, or the other device says that it has
// scanned the code. It may come before or after the other side's. It is an [ErrState] in any state but
// [StateComparing] and [StateScanned].
func (s *Session) Confirm(ctx context.Context) error {
	return s.do(ctx, func() error { return s.confirm(ctx) })
}

// Mismatch says that the emoji differ, and cancels the verification. It is an [ErrState] in any state but
// [StateComparing].
func (s *Session) Mismatch(ctx context.Context) error {
	return s.do(ctx, func() error {
		if s.state != StateComparing {
			return ErrState
		}
		s.abort(ctx, refuse(event.VerificationCancelCodeSASMismatch, "the short strings differ"))
		return nil
	})
}

// Cancel ends the verification, or declines the request. It is an [ErrState] once it has ended.
func (s *Session) Cancel(ctx context.Context) error {
	return s.do(ctx, func() error {
		if s.state.over() {
			return ErrState
		}
		s.abort(ctx, refuse(event.VerificationCancelCodeUser, "cancelled by the user"))
		return nil
	})
}

// do runs f alone, ends the session by the errors that are not of the caller's making, and then tells the hook.
func (s *Session) do(ctx context.Context, f func() error) error {
	s.mu.Lock()
	err := s.settle(ctx, f())
	s.mu.Unlock()
	s.tell(ctx)
	s.engine.flush(ctx)
	return err
}

// settle cancels the session for an error, where it is not over by then.
func (s *Session) settle(ctx context.Context, err error) error {
	switch {
	case err == nil || s.state.over() || errors.Is(err, ErrState) || errors.Is(err, ErrNoMethod) ||
		errors.Is(err, ErrPayload):
		return err
	default:
		var cancel *CancelError
		if !errors.As(err, &cancel) {
			cancel = refuse(event.VerificationCancelCodeUser, "the verification could not go on")
			cancel.Err = err
		}
		s.abort(ctx, cancel)
		return cancel
	}
}

// enter sets the state, and notes it for the hook.
func (s *Session) enter(state State) {
	s.state = state
	s.untold = append(s.untold, state)
	s.engine.logger.Debug("verification goes on", "user_id", s.ref.User, "device_id", s.ref.Device,
		"transaction", s.ref.Transaction, "state", state.String())
}

// tell calls the hook with what it has not been told. Where another goroutine, or an outer call of this one, is at it
// already, that one tells it: so the hook sees the states in order.
func (s *Session) tell(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.telling {
		return
	}
	s.telling = true
	defer func() { s.telling = false }()
	for len(s.untold) > 0 {
		state := s.untold[0]
		s.untold = s.untold[1:]
		s.call(ctx, state)
	}
}

func (s *Session) call(ctx context.Context, state State) {
	s.mu.Unlock()
	defer s.mu.Lock()
	if hook := s.engine.cfg.Hook; hook != nil {
		hook.Changed(ctx, s, state)
	}
}

// send says something to the other side.
func (s *Session) send(ctx context.Context, k kind, c content) (json.RawMessage, error) {
	raw, err := encode(c, s.ref)
	if err != nil {
		return nil, err
	}
	if s.ref.Room != "" {
		_, err = s.engine.cfg.Transport.InRoom(ctx, s.ref.Room, k.eventType(true), raw)
		return raw, err
	}
	return raw, s.engine.cfg.Transport.ToDevice(ctx, s.ref.User, s.ref.Device, k.eventType(false), raw)
}

// abort cancels the session and tells the other side. It is over even if they can't be told.
func (s *Session) abort(ctx context.Context, cancel *CancelError) {
	if s.state.over() {
		return
	}
	s.end(StateCancelled, cancel)
	c := &cancelContent{Code: cancel.Code, Reason: cancel.Reason}
	var err error
	if s.ref.Room != "" || s.ref.Device != "" {
		_, err = s.send(ctx, kindCancel, c)
	} else {
		err = s.sendAll(ctx, kindCancel, c, s.asked)
	}
	if err != nil {
		s.engine.logger.Warn("could not tell of a cancelled verification", "user_id", s.ref.User, "err", err)
	}
}

// sendAll sends to several devices of the other side.
func (s *Session) sendAll(ctx context.Context, k kind, c content, devices []id.DeviceID) error {
	raw, err := encode(c, s.ref)
	if err != nil {
		return err
	}
	var errs []error
	for _, device := range devices {
		errs = append(errs, s.engine.cfg.Transport.ToDevice(ctx, s.ref.User, device, k.eventType(false), raw))
	}
	return errors.Join(errs...)
}

// end closes the session, in whatever state.
func (s *Session) end(state State, err error) {
	if s.state.over() {
		return
	}
	s.err = err
	s.sas.private = nil
	s.enter(state)
	s.engine.forget(s)
	close(s.ended)
	if err != nil {
		s.engine.logger.Info("verification cancelled", "user_id", s.ref.User, "device_id", s.ref.Device,
			"transaction", s.ref.Transaction, "err", err)
	}
}

// until sets when the session ends by itself.
func (s *Session) until(t time.Time) {
	s.deadline = t
	s.engine.rouse()
}
