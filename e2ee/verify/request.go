package verify

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// How old a request may be, and how far ahead by the other side's clock (spec: m.key.verification.request).
const (
	maxRequestAge  = 10 * time.Minute
	maxRequestLead = 5 * time.Minute
)

// Request asks a user to verify, by to-device messages: all of their devices, or those named. That is meant for own
// devices; between users, clients expect [Engine.RequestInRoom]. The session goes on by itself from what is answered.
// With no device to ask, it is an [ErrNoDevice]; with too many verifications open, an [ErrBusy].
func (e *Engine) Request(ctx context.Context, user id.UserID, devices ...id.DeviceID) (*Session, error) {
	if len(devices) == 0 {
		var err error
		if devices, err = e.cfg.Keys.Devices(ctx, user); err != nil {
			return nil, err
		}
	}
	devices = slices.DeleteFunc(slices.Clone(devices), func(d id.DeviceID) bool {
		return d == "" || d == "*" || user == e.cfg.User && d == e.cfg.Device
	})
	if len(devices) == 0 {
		return nil, ErrNoDevice
	}
	ref := Ref{Transaction: rand.Text(), User: user}
	s := e.newSession(ref, true)
	s.asked = devices
	now := e.now()
	s.deadline = now.Add(Timeout)
	if err := e.add(s, ref); err != nil {
		return nil, err
	}
	e.rouse()
	err := s.do(ctx, func() error {
		if s.state.over() {
			return s.err // The engine was closed in the meantime
		}
		s.enter(StateRequested)
		return s.sendAll(ctx, kindRequest, &requestContent{
			FromDevice: e.cfg.Device,
			Methods:    e.offer(),
			Timestamp:  now.UnixMilli(),
		}, devices)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// RequestInRoom asks a user to verify in a room that both are in, best their direct one. One request to a user in a
// room can be on its way at a time: a second is an [ErrBusy].
func (e *Engine) RequestInRoom(ctx context.Context, room id.RoomID, user id.UserID) (*Session, error) {
	if user == e.cfg.User {
		return nil, fmt.Errorf("verify own devices by to-device messages: %w", ErrNoDevice)
	}
	held, err := e.hold(room, user)
	if err != nil {
		return nil, err
	}
	now := e.now()
	raw, err := encode(&roomRequest{requestContent{
		MsgType:    event.MsgVerificationRequest,
		To:         user,
		FromDevice: e.cfg.Device,
		Methods:    e.offer(),
		Body: e.cfg.User.String() + " wants to verify you, but your client does not know how to in a room. " +
			"You may have to use another way of verifying.",
	}}, Ref{Room: room})
	if err != nil {
		e.release(room, user)
		return nil, err
	}
	sent, err := e.cfg.Transport.InRoom(ctx, room, kindRequest.eventType(true), raw)
	if err != nil {
		e.release(room, user)
		return nil, err
	}
	ref := Ref{Room: room, Transaction: string(sent), User: user}
	s := e.newSession(ref, true)
	s.state, s.deadline = StateRequested, now.Add(Timeout)
	s.untold = []State{StateRequested}
	e.mu.Lock()
	delete(e.asking, key{room: room, user: user})
	closed := e.closed
	if !closed {
		e.open[ref.key()], e.refs[ref.key()], e.dirty = s, ref, true
	}
	early := held.events
	e.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	e.rouse()
	s.tell(ctx)
	e.flush(ctx)
	for _, evt := range early {
		if err := e.Handle(ctx, evt); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// roomRequest is a request that begins a verification, so relates to none.
type roomRequest struct{ requestContent }

func (*roomRequest) setAddress(Ref) {}

// hold keeps a place for a verification in a room, and what the user says in it, until its event id is known: the
// answer may come before the server's reply to the request.
func (e *Engine) hold(room id.RoomID, user id.UserID) (*holding, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := key{room: room, user: user}
	if e.closed {
		return nil, ErrClosed
	}
	if e.asking[k] != nil {
		return nil, ErrBusy
	}
	if err := e.room(user); err != nil {
		return nil, err
	}
	h := &holding{}
	e.asking[k] = h
	return h, nil
}

func (e *Engine) release(room id.RoomID, user id.UserID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.asking, key{room: room, user: user})
}

// offer lists all that this side can do.
func (e *Engine) offer() []event.VerificationMethod {
	methods := []event.VerificationMethod{event.VerificationMethodSAS}
	if e.cfg.Policy.ShowQR {
		methods = append(methods, event.VerificationMethodQRCodeShow)
	}
	if e.cfg.Policy.ScanQR {
		methods = append(methods, event.VerificationMethodQRCodeScan)
	}
	if len(methods) > 1 {
		methods = append(methods, event.VerificationMethodReciprocate)
	}
	return methods
}

// answer lists what this side can do of what the other offers.
func (e *Engine) answer(theirs []event.VerificationMethod) []event.VerificationMethod {
	var methods []event.VerificationMethod
	if slices.Contains(theirs, event.VerificationMethodSAS) {
		methods = append(methods, event.VerificationMethodSAS)
	}
	if !slices.Contains(theirs, event.VerificationMethodReciprocate) {
		return methods
	}
	without := len(methods)
	if e.cfg.Policy.ShowQR && slices.Contains(theirs, event.VerificationMethodQRCodeScan) {
		methods = append(methods, event.VerificationMethodQRCodeShow)
	}
	if e.cfg.Policy.ScanQR && slices.Contains(theirs, event.VerificationMethodQRCodeShow) {
		methods = append(methods, event.VerificationMethodQRCodeScan)
	}
	if len(methods) > without {
		methods = append(methods, event.VerificationMethodReciprocate)
	}
	return methods
}

// onRequest decides on a request of another device.
func (e *Engine) onRequest(ctx context.Context, evt Event) error {
	c, err := parse[requestContent](evt.Content)
	if err != nil {
		return nil
	}
	ref := Ref{Room: evt.Room, Transaction: string(evt.ID), User: evt.Sender, Device: c.FromDevice}
	sent := evt.Time
	if evt.Room == "" {
		ref.Transaction = c.Transaction
		sent = time.UnixMilli(c.Timestamp)
	} else if c.To != e.cfg.User {
		return nil
	}
	now := e.now()
	switch {
	case ref.Transaction == "" || len(ref.Transaction) > maxID || len(ref.Device) > maxID:
		return nil
	case ref.User == e.cfg.User && ref.Device == e.cfg.Device:
		return nil // Sent to all own devices, by this one
	case now.Sub(sent) > maxRequestAge || sent.Sub(now) > maxRequestLead:
		return nil
	case len(e.answer(c.Methods)) == 0:
		// Another own device may know one of the methods, so this is no reason to cancel.
		e.logger.Info("verification asked for by methods that are not known", "user_id", ref.User)
		return nil
	}
	s := e.newSession(ref, false)
	s.methods = c.Methods
	s.deadline = sent.Add(maxRequestAge)
	if soon := now.Add(answerTime); soon.Before(s.deadline) {
		s.deadline = soon
	}
	return e.admit(ctx, s, ref)
}

// onBareStart takes an m.key.verification.start without a request, which is deprecated, as one with a request.
func (e *Engine) onBareStart(ctx context.Context, ref Ref, evt Event) error {
	c, err := parse[startContent](evt.Content)
	if err != nil || c.Method != event.VerificationMethodSAS ||
		ref.User == e.cfg.User && c.FromDevice == e.cfg.Device {
		return nil
	}
	ref.Device = c.FromDevice
	s := e.newSession(ref, false)
	s.legacy = true
	s.methods = []event.VerificationMethod{event.VerificationMethodSAS}
	s.deadline = e.now().Add(answerTime)
	s.early = []Event{evt}
	return e.admit(ctx, s, ref)
}

// admit opens a session that the other side has asked for, or declines it.
func (e *Engine) admit(ctx context.Context, s *Session, ref Ref) error {
	e.mu.Lock()
	_, open := e.open[ref.key()]
	again := open || e.recent[ref.key()]
	e.mu.Unlock()
	if again {
		return nil
	}
	decision := Decline
	if e.cfg.Policy.Admit != nil {
		decision = e.cfg.Policy.Admit(Peer{User: ref.User, Device: ref.Device, Room: ref.Room})
	}
	if decision != Accept && decision != Ask {
		e.logger.Info("verification declined", "user_id", ref.User, "device_id", ref.Device)
		return e.refuse(ctx, ref, event.VerificationCancelCodeUser, "the bot does not verify with this user")
	}
	if e.cancelOthers(ctx, ref) {
		return e.refuse(ctx, ref, event.VerificationCancelCodeUnexpectedMessage, "two verifications at once")
	}
	if err := e.add(s, ref); err != nil {
		return e.refuse(ctx, ref, event.VerificationCancelCodeUser, err.Error())
	}
	e.rouse()
	return foreign(s.do(ctx, func() error {
		if s.state.over() {
			return nil // The engine was closed in the meantime
		}
		s.enter(StateRequested)
		if decision == Accept {
			return s.accept(ctx)
		}
		return nil
	}))
}

// cancelOthers cancels what is open with the same device, as the spec asks for when it begins another verification.
func (e *Engine) cancelOthers(ctx context.Context, ref Ref) bool {
	e.mu.Lock()
	var others []*Session
	for k, r := range e.refs {
		if r.User == ref.User && r.Device == ref.Device && !e.open[k].ours {
			others = append(others, e.open[k])
		}
	}
	e.mu.Unlock()
	for _, s := range others {
		s.mu.Lock()
		s.abort(ctx, refuse(event.VerificationCancelCodeUnexpectedMessage, "two verifications at once"))
		s.mu.Unlock()
		s.tell(ctx)
	}
	return len(others) > 0
}

// refuse cancels what never was a session. A user gets few such answers, as each costs more than the question.
func (e *Engine) refuse(ctx context.Context, ref Ref, code event.VerificationCancelCode, reason string) error {
	e.mu.Lock()
	allowed := e.replies.allow(ref.User, e.now())
	if allowed {
		e.remember(ref.key())
	}
	e.mu.Unlock()
	if !allowed {
		return nil
	}
	_, err := e.newSession(ref, false).send(ctx, kindCancel, &cancelContent{Code: code, Reason: reason})
	return err
}
