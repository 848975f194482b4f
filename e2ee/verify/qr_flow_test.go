package verify_test

import (
	"errors"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// newCodes makes two devices of which the bot shows codes and the other one scans them.
func newCodes(t *testing.T, seed uint64, self bool) pair {
	w := newWorld(t, seed)
	p := pair{world: w, bot: w.device(robot, "ROBOT", verify.Policy{Admit: open, ShowQR: true})}
	name, user := id.DeviceID("PHONE"), alice
	if self {
		name, user = "LAPTOP", robot
	}
	p.other = w.device(user, name, verify.Policy{Admit: open, ScanQR: true})
	return p
}

// modes are the three kinds of code, and what each side learns.
var modes = []struct {
	name                   string
	self                   bool
	botTrusts, otherTrusts bool
	mode                   verify.QRMode
	bot, other             func(p pair) verify.Proof
}{
	{
		"another user", false, true, true, verify.QRUser,
		func(p pair) verify.Proof {
			return verify.Proof{User: alice, Device: "PHONE", MasterKey: p.masters[alice]}
		},
		func(p pair) verify.Proof {
			return verify.Proof{User: robot, Device: "ROBOT", MasterKey: p.masters[robot]}
		},
	},
	{
		"own device, shown by one that trusts", true, true, false, verify.QRTrusting,
		func(p pair) verify.Proof {
			return verify.Proof{User: robot, Device: "LAPTOP", DeviceKey: p.other.key}
		},
		func(p pair) verify.Proof {
			return verify.Proof{User: robot, Device: "ROBOT", MasterKey: p.masters[robot]}
		},
	},
	{
		"own device, shown by one that does not trust yet", true, false, true, verify.QRUntrusting,
		func(p pair) verify.Proof {
			return verify.Proof{User: robot, Device: "LAPTOP", MasterKey: p.masters[robot]}
		},
		func(p pair) verify.Proof {
			return verify.Proof{User: robot, Device: "ROBOT", DeviceKey: p.bot.key}
		},
	},
}

func TestCodesVerifyBothSides(t *testing.T) {
	for _, mode := range modes {
		for _, botAsks := range []bool{true, false} {
			for _, inRoom := range []bool{false, true} {
				if mode.self && inRoom {
					continue
				}
				name := mode.name + ", other asks"
				if botAsks {
					name = mode.name + ", bot asks"
				}
				if inRoom {
					name += " in room"
				}
				t.Run(name, func(t *testing.T) {
					for seed := range uint64(100) {
						p := newCodes(t, seed, mode.self)
						p.bot.trusting, p.other.trusting = mode.botTrusts, mode.otherTrusts
						if botAsks {
							request(t, p.bot, p.other, inRoom)
						} else {
							request(t, p.other, p.bot, inRoom)
						}
						p.settle()
						shown, reader := p.bot.session(t), p.other.session(t)
						if shown.QR() == nil || shown.QR().Mode != mode.mode {
							t.Fatalf("the code is %+v", shown.QR())
						}
						payload, err := shown.QR().Payload()
						if err != nil {
							t.Fatal(err)
						}
						if err := reader.Scan(t.Context(), payload); err != nil {
							t.Fatal(err)
						}
						p.settle()
						if shown.State() != verify.StateScanned || reader.State() != verify.StateWaiting {
							t.Fatalf("the states are %v and %v", shown.State(), reader.State())
						}
						if len(p.bot.proofs)+len(p.other.proofs) > 0 {
							t.Fatal("trusted before it was confirmed")
						}
						if err := shown.Confirm(t.Context()); err != nil {
							t.Fatal(err)
						}
						p.settle()
						wantProof(t, p.bot, mode.bot(p))
						wantProof(t, p.other, mode.other(p))
					}
				})
			}
		}
	}
}

// TestACodeWithOtherKeysCancels changes each part of a code in turn.
func TestACodeWithOtherKeysCancels(t *testing.T) {
	for _, mode := range modes {
		for name, change := range map[string]func(*verify.QR){
			"first key":  func(q *verify.QR) { q.Key1 = ed("someone else") },
			"second key": func(q *verify.QR) { q.Key2 = ed("someone else") },
			"swapped":    func(q *verify.QR) { q.Key1, q.Key2 = q.Key2, q.Key1 },
		} {
			t.Run(mode.name+", "+name, func(t *testing.T) {
				p := newCodes(t, 1, mode.self)
				p.bot.trusting, p.other.trusting = mode.botTrusts, mode.otherTrusts
				request(t, p.bot, p.other, false)
				p.settle()
				code := *p.bot.session(t).QR()
				change(&code)
				payload, err := code.Payload()
				if err != nil {
					t.Fatal(err)
				}
				var cancel *verify.CancelError
				if err := p.other.session(t).Scan(t.Context(), payload); !errors.As(err, &cancel) {
					t.Fatalf("scan gives %v", err)
				}
				p.settle()
				wantCancelled(t, p.other, event.VerificationCancelCodeKeyMismatch)
				wantCancelled(t, p.bot, event.VerificationCancelCodeKeyMismatch)
			})
		}
	}
}

// TestTheSecretMustBeThatOfTheCode plays a scanner that has not seen the code.
func TestTheSecretMustBeThatOfTheCode(t *testing.T) {
	p := newCodes(t, 1, false)
	request(t, p.bot, p.other, false)
	p.settle()
	code := *p.bot.session(t).QR()
	code.Secret = []byte("0123456789abcdef")
	payload, err := code.Payload()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.other.session(t).Scan(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	p.settle()
	wantCancelled(t, p.bot, event.VerificationCancelCodeKeyMismatch)
	wantCancelled(t, p.other, event.VerificationCancelCodeKeyMismatch)
}

// TestAnUntrustingDeviceVouchesForNothing has two own devices of which neither trusts the master key.
func TestAnUntrustingDeviceVouchesForNothing(t *testing.T) {
	p := newCodes(t, 1, true)
	p.bot.trusting, p.other.trusting = false, false
	request(t, p.bot, p.other, false)
	p.settle()
	payload, err := p.bot.session(t).QR().Payload()
	if err != nil {
		t.Fatal(err)
	}
	var cancel *verify.CancelError
	if err := p.other.session(t).Scan(t.Context(), payload); !errors.As(err, &cancel) {
		t.Fatalf("scan gives %v", err)
	}
	p.settle()
	wantCancelled(t, p.bot, event.VerificationCancelCodeKeyMismatch)
}

// TestACodeForOneUserDoesNotServeForAnother scans a code of an own device from another user.
func TestACodeForOneUserDoesNotServeForAnother(t *testing.T) {
	for _, mode := range []verify.QRMode{verify.QRTrusting, verify.QRUntrusting} {
		p := newCodes(t, 1, false)
		request(t, p.bot, p.other, false)
		p.settle()
		code := *p.bot.session(t).QR()
		code.Mode = mode
		payload, err := code.Payload()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.other.session(t).Scan(t.Context(), payload); err == nil {
			t.Fatal("scanned")
		}
		p.settle()
		wantCancelled(t, p.bot, event.VerificationCancelCodeUserMismatch)
	}
}

func TestScanOfSomethingElseLeavesTheSession(t *testing.T) {
	p := newCodes(t, 1, false)
	request(t, p.bot, p.other, false)
	p.settle()
	s := p.other.session(t)
	code := *p.bot.session(t).QR()
	code.Transaction = "another"
	payload, err := code.Payload()
	if err != nil {
		t.Fatal(err)
	}
	for _, bytes := range [][]byte{nil, []byte("https://example.org"), payload} {
		if err := s.Scan(t.Context(), bytes); !errors.Is(err, verify.ErrPayload) {
			t.Errorf("scan of %q gives %v", bytes, err)
		}
	}
	if s.State() != verify.StateReady {
		t.Errorf("the session is %v", s.State())
	}
}

// TestNoCodeWithoutTrustedKeys shows no code where it could prove nothing.
func TestNoCodeWithoutTrustedKeys(t *testing.T) {
	for name, change := range map[string]func(p pair){
		"no own keys":      func(p pair) { delete(p.masters, robot) },
		"own not trusted":  func(p pair) { p.bot.trusting = false },
		"no keys of other": func(p pair) { delete(p.masters, alice) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newCodes(t, 1, false)
			change(p)
			request(t, p.other, p.bot, true)
			p.settle()
			if code := p.bot.session(t).QR(); code != nil {
				t.Errorf("code %+v", code)
			}
		})
	}
}

// TestBothScanAtOnce has each side read the other's code before it hears of it.
func TestBothScanAtOnce(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(t, seed)
		policy := verify.Policy{Admit: open, ShowQR: true, ScanQR: true}
		p := pair{world: w, bot: w.device(robot, "ROBOT", policy), other: w.device(alice, "PHONE", policy)}
		request(t, p.bot, p.other, true)
		p.settle()
		a, b := p.bot.session(t), p.other.session(t)
		one, errOne := a.QR().Payload()
		two, errTwo := b.QR().Payload()
		if err := errors.Join(errOne, errTwo, a.Scan(t.Context(), two), b.Scan(t.Context(), one)); err != nil {
			t.Fatal(err)
		}
		p.settle()
		// Alice's id is the smaller, so it is the bot that is asked.
		if a.State() != verify.StateScanned || b.State() != verify.StateWaiting {
			t.Fatalf("seed %d: the states are %v and %v", seed, a.State(), b.State())
		}
		if err := a.Confirm(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.settle()
		wantProof(t, p.bot, modes[0].bot(p))
		wantProof(t, p.other, modes[0].other(p))
	}
}

// TestDifferentMethodsAtOnceCancel has one side scan while the other chooses emoji.
func TestDifferentMethodsAtOnceCancel(t *testing.T) {
	p := newCodes(t, 1, false)
	request(t, p.bot, p.other, false)
	p.settle()
	payload, err := p.bot.session(t).QR().Payload()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.other.session(t).Scan(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	if err := p.bot.session(t).StartSAS(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.settle()
	wantCancelled(t, p.bot, event.VerificationCancelCodeUnexpectedMessage)
	wantCancelled(t, p.other, event.VerificationCancelCodeUnexpectedMessage)
}
