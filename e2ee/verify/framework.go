package verify

import (
	"context"
	"errors"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// receive takes in an event of the other side.
func (s *Session) receive(ctx context.Context, k kind, evt Event) error {
	return s.do(ctx, func() error {
		if err := s.step(ctx, k, evt); err != nil {
			return err
		}
		return s.replay(ctx)
	})
}

// replay takes in what came before its turn, as far as its turn has come.
func (s *Session) replay(ctx context.Context) error {
	for range len(s.early) {
		if s.state.over() {
			return nil
		}
		evt := s.early[0]
		s.early = s.early[1:]
		k, _ := kindOf(evt)
		delete(s.seen, k)
		if err := s.step(ctx, k, evt); err != nil {
			return err
		}
	}
	return nil
}

// step takes in one event, and finds whether its turn has come.
func (s *Session) step(ctx context.Context, k kind, evt Event) error {
	if s.state.over() {
		return nil
	}
	sum := digest(evt.Content)
	if before, ok := s.seen[k]; ok && before == sum {
		return nil
	}
	_, again := s.seen[k]
	if !again {
		s.seen[k] = sum
	}
	switch k {
	case kindReady:
		return s.onReady(ctx, evt)
	case kindStart:
		return s.onStart(ctx, evt)
	case kindAccept:
		if s.state != StateExchanging || !s.startedBy || s.sas.commitment != nil {
			return unexpected()
		}
		return s.onAccept(ctx, evt)
	case kindKey:
		if s.state != StateExchanging || again || s.startedBy && s.sas.commitment == nil {
			return unexpected()
		}
		return s.onKey(ctx, evt)
	case kindMAC:
		if again {
			return unexpected()
		}
		return s.onMAC(ctx, evt)
	case kindDone:
		return s.onDone(ctx)
	case kindCancel:
		return s.onCancel(ctx, evt)
	default:
		return unexpected()
	}
}

func unexpected() error {
	return refuse(event.VerificationCancelCodeUnexpectedMessage, "a message came out of turn")
}

func invalid() error {
	return refuse(event.VerificationCancelCodeInvalidMessage, "a message has the wrong form")
}

// accept agrees to a request, and looks up the keys of the one who made it.
func (s *Session) accept(ctx context.Context) error {
	if err := s.meet(ctx); err != nil {
		return err
	}
	if s.legacy {
		s.begin()
		return s.replay(ctx)
	}
	ready := &readyContent{FromDevice: s.engine.cfg.Device, Methods: s.engine.answer(s.methods)}
	if _, err := s.send(ctx, kindReady, ready); err != nil {
		return err
	}
	s.begin()
	return nil
}

// meet pins the keys of both sides: those that are there now are proven in the end, or none.
func (s *Session) meet(ctx context.Context) error {
	own, err := s.engine.cfg.Keys.Own(ctx)
	if err != nil {
		return err
	}
	peer, err := s.engine.cfg.Keys.Peer(ctx, s.ref.User, s.ref.Device)
	if errors.Is(err, ErrNoDevice) {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the device is not known")
	}
	if err != nil {
		return err
	}
	// A device that is named like a master key could have its key taken for that one (CVE-2022-39250).
	if peer.Device == "" || string(s.ref.Device) == peer.Master.String() || string(s.ref.Device) == own.Master.String() {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the device has no key of its own")
	}
	s.own, s.peer = own, peer
	return nil
}

// begin enters StateReady, with the code to show where the other side can scan it.
func (s *Session) begin() {
	s.until(s.engine.now().Add(Timeout))
	if s.engine.cfg.Policy.ShowQR && slices.Contains(s.methods, event.VerificationMethodQRCodeScan) &&
		slices.Contains(s.methods, event.VerificationMethodReciprocate) {
		s.qr = s.makeQR()
	}
	s.enter(StateReady)
}

func (s *Session) onReady(ctx context.Context, evt Event) error {
	c, err := parse[readyContent](evt.Content)
	if err != nil {
		return invalid()
	}
	if s.ours && s.ref.Device != "" && s.state != StateRequested && c.FromDevice != s.ref.Device {
		return nil // Another device of theirs was slower
	}
	if !s.ours || s.state != StateRequested {
		return unexpected()
	}
	if s.ref.Room == "" && !slices.Contains(s.asked, c.FromDevice) {
		return unexpected()
	}
	s.ref.Device, s.methods = c.FromDevice, c.Methods
	s.engine.update(s.ref)
	if err := s.accepted(ctx); err != nil {
		return err
	}
	if err := s.meet(ctx); err != nil {
		return err
	}
	s.begin()
	// With nothing to choose from, the one who asked need not be asked again.
	if s.qr == nil && !s.mayScan() && slices.Contains(s.methods, event.VerificationMethodSAS) && len(s.early) == 0 {
		return s.startSAS(ctx)
	}
	return nil
}

// accepted tells the other devices that got the request that one has answered.
func (s *Session) accepted(ctx context.Context) error {
	others := slices.DeleteFunc(slices.Clone(s.asked), func(d id.DeviceID) bool { return d == s.ref.Device })
	s.asked = nil
	if s.ref.Room != "" {
		return nil // They see the answer in the room
	}
	c := &cancelContent{Code: event.VerificationCancelCodeAccepted, Reason: "another device has answered"}
	return s.sendAll(ctx, kindCancel, c, others)
}

// mayScan says whether the other side can show a code, and this one read it.
func (s *Session) mayScan() bool {
	return s.engine.cfg.Policy.ScanQR && slices.Contains(s.methods, event.VerificationMethodQRCodeShow) &&
		slices.Contains(s.methods, event.VerificationMethodReciprocate)
}

func (s *Session) onStart(ctx context.Context, evt Event) error {
	c, err := parse[startContent](evt.Content)
	if err != nil {
		return invalid()
	}
	switch {
	case s.state == StateRequested && (s.ours || s.legacy) && len(s.early) == 0:
		s.early = append(s.early, evt) // It has overtaken m.key.verification.ready
		return nil
	case c.FromDevice != s.ref.Device:
		return invalid()
	case s.state == StateReady:
	case s.startedBy && (s.state == StateExchanging || s.state == StateWaiting && s.method != event.VerificationMethodSAS):
		if c.Method != s.method {
			return unexpected()
		}
		if s.smaller() {
			return nil // Ours counts
		}
		if s.sas.commitment != nil {
			return unexpected()
		}
	default:
		return unexpected()
	}
	switch c.Method {
	case event.VerificationMethodSAS:
		return s.onStartSAS(ctx, evt, c)
	case event.VerificationMethodReciprocate:
		return s.onReciprocate(ctx, c)
	default:
		return refuse(event.VerificationCancelCodeUnknownMethod, "the method is not known")
	}
}

// smaller decides whose start counts when both have sent one.
func (s *Session) smaller() bool {
	c := strings.Compare(s.engine.cfg.User.String(), s.ref.User.String())
	if c == 0 {
		c = strings.Compare(s.engine.cfg.Device.String(), s.ref.Device.String())
	}
	return c < 0
}

// onDone matters to the one who scanned a code, and waits to hear that the other side has confirmed it. For all else,
// a session is done when its keys are proven and confirmed.
func (s *Session) onDone(ctx context.Context) error {
	if s.state != StateWaiting || s.method != event.VerificationMethodReciprocate {
		return nil
	}
	return s.finish(ctx)
}

func (s *Session) onCancel(ctx context.Context, evt Event) error {
	c, err := parse[cancelContent](evt.Content)
	if err != nil {
		c.Code, c.Reason = event.VerificationCancelCodeInvalidMessage, ""
	}
	asked := s.asked
	code := event.VerificationCancelCode(plain(string(c.Code)))
	s.end(StateCancelled, &CancelError{Code: code, Reason: plain(c.Reason), ByPeer: true})
	if s.ref.Device != "" || s.ref.Room != "" || len(asked) < 2 {
		return nil
	}
	// One of several devices has declined for all.
	return s.sendAll(ctx, kindCancel, &cancelContent{Code: c.Code, Reason: "declined on another device"}, asked)
}

// confirm goes on from a person's word.
func (s *Session) confirm(ctx context.Context) error {
	switch s.state {
	case StateComparing:
		return s.confirmSAS(ctx)
	case StateScanned:
		return s.finish(ctx)
	default:
		return ErrState
	}
}

// auto confirms without a person, where the policy asks for it.
func (s *Session) auto(ctx context.Context) error {
	auto := s.engine.cfg.Policy.AutoConfirm
	if auto == nil || !auto(Peer{User: s.ref.User, Device: s.ref.Device, Room: s.ref.Room}) {
		return nil
	}
	return s.confirm(ctx)
}

// finish trusts what was proven, if the keys are still those that it was proven of.
func (s *Session) finish(ctx context.Context) error {
	own, peer := s.own, s.peer
	if err := s.meet(ctx); err != nil {
		return err
	}
	if own.Device != s.own.Device || own.Master != s.own.Master || peer != s.peer {
		return refuse(event.VerificationCancelCodeKeyMismatch, "keys have changed during the verification")
	}
	if err := s.engine.cfg.Keys.Trust(ctx, s.proof); err != nil {
		return err
	}
	// The keys are proven whether or not the other side hears of it.
	_, err := s.send(ctx, kindDone, &doneContent{})
	s.end(StateDone, nil)
	s.engine.logger.Info("verified", "user_id", s.ref.User, "device_id", s.ref.Device,
		"transaction", s.ref.Transaction, "method", string(s.method))
	return err
}
