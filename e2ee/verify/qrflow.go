package verify

import (
	"context"
	"crypto/rand"
	"crypto/subtle"

	"maunium.net/go/mautrix/event"
)

// makeQR makes the code to show, or nil where the keys for it are not there.
func (s *Session) makeQR() *QR {
	if s.own.Master == "" {
		return nil
	}
	code := &QR{Transaction: s.ref.Transaction, Secret: make([]byte, qrSecretSize)}
	switch self := s.ref.User == s.engine.cfg.User; {
	case self && s.own.MasterTrusted:
		code.Mode, code.Key1, code.Key2 = QRTrusting, s.own.Master, s.peer.Device
	case self:
		code.Mode, code.Key1, code.Key2 = QRUntrusting, s.own.Device, s.own.Master
	case s.own.MasterTrusted && s.peer.Master != "":
		code.Mode, code.Key1, code.Key2 = QRUser, s.own.Master, s.peer.Master
	default:
		return nil
	}
	rand.Read(code.Secret) // It never fails
	if _, err := code.Payload(); err != nil {
		return nil
	}
	return code
}

// scan checks the code that the other side shows against the keys that the server gave, and tells them the secret.
func (s *Session) scan(ctx context.Context, code *QR) error {
	if code.Transaction != s.ref.Transaction {
		return ErrPayload
	}
	if self := s.ref.User == s.engine.cfg.User; self != (code.Mode != QRUser) {
		return refuse(event.VerificationCancelCodeUserMismatch, "the code is for another kind of verification")
	}
	proof := Proof{User: s.ref.User, Device: s.ref.Device}
	var fits bool
	switch code.Mode {
	case QRUser:
		fits = code.Key1 == s.peer.Master && code.Key2 == s.own.Master
		proof.MasterKey = s.peer.Master
	case QRTrusting:
		fits = code.Key1 == s.own.Master && code.Key2 == s.own.Device
		proof.MasterKey = s.own.Master
	case QRUntrusting:
		fits = code.Key1 == s.peer.Device && code.Key2 == s.own.Master && s.own.MasterTrusted
		proof.DeviceKey = s.peer.Device
	}
	if !fits || s.own.Master == "" {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the code has other keys than those expected")
	}
	_, err := s.send(ctx, kindStart, &startContent{
		FromDevice: s.engine.cfg.Device,
		Method:     event.VerificationMethodReciprocate,
		Secret:     encodeBase64(code.Secret),
	})
	if err != nil {
		return err
	}
	s.method, s.startedBy, s.proof = event.VerificationMethodReciprocate, true, proof
	s.enter(StateWaiting)
	return nil
}

// onReciprocate learns that the shown code was scanned by someone who found its keys to be right.
func (s *Session) onReciprocate(ctx context.Context, c startContent) error {
	if s.qr == nil {
		return unexpected()
	}
	secret, err := decodeBase64(c.Secret)
	if err != nil {
		return invalid()
	}
	if subtle.ConstantTimeCompare(secret, s.qr.Secret) != 1 {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the secret is not that of the code")
	}
	proof := Proof{User: s.ref.User, Device: s.ref.Device}
	switch s.qr.Mode {
	case QRUser:
		proof.MasterKey = s.peer.Master
	case QRTrusting:
		proof.DeviceKey = s.peer.Device
	case QRUntrusting:
		proof.MasterKey = s.own.Master
	}
	s.method, s.startedBy, s.proof = event.VerificationMethodReciprocate, false, proof
	s.enter(StateScanned)
	return s.auto(ctx)
}
