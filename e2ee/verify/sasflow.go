package verify

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func (s *Session) startSAS(ctx context.Context) error {
	if !slices.Contains(s.methods, event.VerificationMethodSAS) {
		return ErrNoMethod
	}
	raw, err := s.send(ctx, kindStart, &startContent{
		FromDevice: s.engine.cfg.Device,
		Method:     event.VerificationMethodSAS,
		Hashes:     []event.VerificationHashMethod{sasHash},
		Agreements: []event.KeyAgreementProtocol{sasAgreement},
		MACs:       []event.MACMethod{sasMAC},
		SAS:        sasStrings,
	})
	if err != nil {
		return err
	}
	if s.start, err = canonical(raw); err != nil {
		return err
	}
	s.method, s.startedBy = event.VerificationMethodSAS, true
	s.enter(StateExchanging)
	return nil
}

// onStartSAS binds this side to a key, which it shows only once it has seen the other's.
func (s *Session) onStartSAS(ctx context.Context, evt Event, c startContent) error {
	methods := slices.DeleteFunc(slices.Clone(sasStrings), func(m event.SASMethod) bool {
		return !slices.Contains(c.SAS, m)
	})
	if len(methods) == 0 || !slices.Contains(c.Hashes, sasHash) || !slices.Contains(c.Agreements, sasAgreement) ||
		!slices.Contains(c.MACs, sasMAC) {
		return refuse(event.VerificationCancelCodeUnknownMethod, "no algorithm in common")
	}
	start, err := canonical(evt.Content)
	if err != nil {
		return invalid()
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	_, err = s.send(ctx, kindAccept, &acceptContent{
		Commitment: encodeBase64(commitment(private.PublicKey().Bytes(), start)),
		Hash:       sasHash,
		Agreement:  sasAgreement,
		MAC:        sasMAC,
		SAS:        methods,
	})
	if err != nil {
		return err
	}
	s.method, s.startedBy, s.start = event.VerificationMethodSAS, false, start
	s.sas = exchange{private: private, methods: methods}
	if s.state != StateExchanging { // Where both have started, it is there already
		s.enter(StateExchanging)
	}
	return nil
}

func (s *Session) onAccept(ctx context.Context, evt Event) error {
	c, err := parse[acceptContent](evt.Content)
	if err != nil {
		return invalid()
	}
	methods := slices.DeleteFunc(slices.Clone(sasStrings), func(m event.SASMethod) bool {
		return !slices.Contains(c.SAS, m)
	})
	if c.Hash != sasHash || c.Agreement != sasAgreement || c.MAC != sasMAC || len(methods) == 0 {
		return refuse(event.VerificationCancelCodeUnknownMethod, "an algorithm that was not offered")
	}
	bound, err := decodeKey(c.Commitment)
	if err != nil {
		return invalid()
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	s.sas = exchange{private: private, methods: methods, commitment: bound}
	_, err = s.send(ctx, kindKey, &keyContent{Key: encodeBase64(private.PublicKey().Bytes())})
	return err
}

func (s *Session) onKey(ctx context.Context, evt Event) error {
	c, err := parse[keyContent](evt.Content)
	if err != nil {
		return invalid()
	}
	theirs, err := decodeKey(c.Key)
	if err != nil {
		return invalid()
	}
	ours := s.sas.private.PublicKey().Bytes()
	if s.startedBy && !hmac.Equal(commitment(theirs, s.start), s.sas.commitment) {
		return refuse(event.VerificationCancelCodeCommitmentMismatch, "the key is not the one committed to")
	}
	secret, err := agree(s.sas.private, theirs)
	if err != nil || bytes.Equal(ours, theirs) {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the ephemeral key is of no use")
	}
	here, there := s.parties()
	if s.startedBy {
		s.sas.short, err = shortString(secret, here, there, ours, theirs, s.ref.Transaction)
	} else {
		if _, err := s.send(ctx, kindKey, &keyContent{Key: encodeBase64(ours)}); err != nil {
			return err
		}
		s.sas.short, err = shortString(secret, there, here, theirs, ours, s.ref.Transaction)
	}
	if err != nil {
		return err
	}
	s.sas.secret = secret
	s.enter(StateComparing)
	return s.auto(ctx)
}

func (s *Session) parties() (here, there party) {
	return party{s.engine.cfg.User, s.engine.cfg.Device}, party{s.ref.User, s.ref.Device}
}

func (s *Session) confirmSAS(ctx context.Context) error {
	here, there := s.parties()
	keys := map[string]id.Ed25519{keyID(string(here.device)): s.own.Device}
	if s.own.Master != "" && s.own.MasterTrusted {
		keys[keyID(s.own.Master.String())] = s.own.Master
	}
	c, err := macer{secret: s.sas.secret, from: here, to: there, txn: s.ref.Transaction}.seal(keys)
	if err != nil {
		return err
	}
	if _, err := s.send(ctx, kindMAC, c); err != nil {
		return err
	}
	if s.sas.proven {
		return s.finish(ctx)
	}
	s.enter(StateWaiting)
	return nil
}

// onMAC checks what the other side has proven. It counts once this side has confirmed too.
func (s *Session) onMAC(ctx context.Context, evt Event) error {
	switch {
	case s.state == StateExchanging && (!s.startedBy || s.sas.commitment != nil):
		s.early = append(s.early, evt) // It has overtaken m.key.verification.key
		return nil
	case s.state == StateComparing && !s.sas.proven:
	case s.state == StateWaiting && s.method == event.VerificationMethodSAS:
	default:
		return unexpected()
	}
	c, err := parse[macContent](evt.Content)
	if err != nil {
		return invalid()
	}
	here, there := s.parties()
	deviceID, masterID := keyID(string(there.device)), keyID(s.peer.Master.String())
	known := map[string]id.Ed25519{deviceID: s.peer.Device}
	if s.peer.Master != "" {
		known[masterID] = s.peer.Master
	}
	proven, err := macer{secret: s.sas.secret, from: there, to: here, txn: s.ref.Transaction}.open(c, known)
	if err != nil {
		return err
	}
	if !slices.Contains(proven, deviceID) {
		return refuse(event.VerificationCancelCodeKeyMismatch, "the key of the device was not proven")
	}
	s.proof = Proof{User: there.user, Device: there.device, DeviceKey: s.peer.Device}
	if s.peer.Master != "" && slices.Contains(proven, masterID) {
		s.proof.MasterKey = s.peer.Master
	}
	s.sas.proven = true
	if s.state == StateWaiting {
		return s.finish(ctx)
	}
	return nil
}
