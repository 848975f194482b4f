package verify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// pair is two devices that are about to verify each other.
type pair struct {
	*world
	bot, other *device
}

// newPair makes the bot's device, and one of alice or, for a self-verification, another one of the bot.
func newPair(t *testing.T, seed uint64, self bool) pair {
	w := newWorld(t, seed)
	p := pair{world: w, bot: w.device(robot, "ROBOT", verify.Policy{Admit: open})}
	if self {
		p.other = w.device(robot, "LAPTOP", verify.Policy{Admit: open})
	} else {
		p.other = w.device(alice, "PHONE", verify.Policy{Admit: open})
	}
	return p
}

func (p pair) proofs() (ofBot, ofOther verify.Proof) {
	ofBot = verify.Proof{
		User: p.bot.user, Device: p.bot.id, DeviceKey: p.bot.key, MasterKey: p.masters[p.bot.user],
	}
	ofOther = verify.Proof{
		User: p.other.user, Device: p.other.id, DeviceKey: p.other.key, MasterKey: p.masters[p.other.user],
	}
	return ofBot, ofOther
}

// ways are how a verification can go: its transport, and who asks.
var ways = []struct {
	name   string
	inRoom bool
	self   bool
	begin  func(t *testing.T, p pair)
}{
	{"to-device, bot asks", false, false, func(t *testing.T, p pair) { request(t, p.bot, p.other, false) }},
	{"to-device, other asks", false, false, func(t *testing.T, p pair) { request(t, p.other, p.bot, false) }},
	{"in room, bot asks", true, false, func(t *testing.T, p pair) { request(t, p.bot, p.other, true) }},
	{"in room, other asks", true, false, func(t *testing.T, p pair) { request(t, p.other, p.bot, true) }},
	{"own devices, bot asks", false, true, func(t *testing.T, p pair) { request(t, p.bot, p.other, false) }},
	{"own devices, other asks", false, true, func(t *testing.T, p pair) { request(t, p.other, p.bot, false) }},
}

func request(t *testing.T, from, to *device, inRoom bool) *verify.Session {
	t.Helper()
	var s *verify.Session
	var err error
	if inRoom {
		s, err = from.engine.RequestInRoom(t.Context(), room, to.user)
	} else {
		s, err = from.engine.Request(t.Context(), to.user)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEmojiVerifyBothSidesEveryTime runs each way 100 times, with messages and the two confirmations in any order.
func TestEmojiVerifyBothSidesEveryTime(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			for seed := range uint64(100) {
				p := newPair(t, seed, way.self)
				run(t, p, func() { way.begin(t, p) })
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

// run brings a verification to its end, delivering and confirming by chance.
func run(t *testing.T, p pair, begin func()) {
	t.Helper()
	comparing := map[*device]*verify.Session{}
	for _, d := range []*device{p.bot, p.other} {
		early := p.rand.IntN(3) == 0 // Confirms within the hook
		d.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
			if state != verify.StateComparing {
				return
			}
			if early {
				if err := s.Confirm(ctx); err != nil {
					t.Errorf("%s confirms: %v", d.id, err)
				}
				return
			}
			comparing[d] = s
		}
	}
	begin()
	for {
		if len(comparing) > 0 && p.rand.IntN(4) == 0 {
			for d, s := range comparing {
				delete(comparing, d)
				if err := s.Confirm(t.Context()); err != nil {
					t.Errorf("%s confirms: %v", d.id, err)
				}
				break
			}
			continue
		}
		if !p.step() && len(comparing) == 0 {
			break
		}
	}
	ofBot, ofOther := p.proofs()
	wantProof(t, p.bot, ofOther)
	wantProof(t, p.other, ofBot)
	a, b := p.bot.session(t), p.other.session(t)
	if !slices.Equal(a.Emoji(), b.Emoji()) || len(a.Emoji()) != 7 {
		t.Errorf("emoji %v and %v", a.Emoji(), b.Emoji())
	}
	if one, ok := a.Decimals(); !ok {
		t.Error("no numbers")
	} else if two, _ := b.Decimals(); one != two {
		t.Errorf("numbers %v and %v", one, two)
	}
	for _, d := range []*device{p.bot, p.other} {
		if !slices.IsSorted(d.states) {
			t.Errorf("the hook of %s saw %v", d.id, d.states)
		}
		if len(d.engine.Sessions()) != 0 || len(d.journal) != 0 {
			t.Errorf("%s has something open: %v", d.id, d.journal)
		}
	}
}

// TestLateConfirmationAfterTheOtherSideHasConfirmed is the order that other implementations stumble over.
func TestLateConfirmationAfterTheOtherSideHasConfirmed(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			p := newPair(t, 1, way.self)
			way.begin(t, p)
			p.settle()
			if err := p.other.session(t).Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.settle()
			if state := p.bot.session(t).State(); state != verify.StateComparing || len(p.bot.proofs) > 0 {
				t.Fatalf("the bot is %v and trusts %v before it has confirmed", state, p.bot.proofs)
			}
			if state := p.other.session(t).State(); state != verify.StateWaiting || len(p.other.proofs) > 0 {
				t.Fatalf("the other is %v and trusts %v before the bot has confirmed", state, p.other.proofs)
			}
			p.advance(9 * time.Minute)
			if err := p.bot.session(t).Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.settle()
			ofBot, ofOther := p.proofs()
			wantProof(t, p.bot, ofOther)
			wantProof(t, p.other, ofBot)
			if err := p.bot.session(t).Confirm(t.Context()); !errors.Is(err, verify.ErrState) {
				t.Errorf("a second confirmation gives %v", err)
			}
		})
	}
}

// TestConfirmBeforeThereIsSomethingToCompare is refused and does no harm.
func TestConfirmBeforeThereIsSomethingToCompare(t *testing.T) {
	p := newPair(t, 1, false)
	s := request(t, p.bot, p.other, true)
	for s.State() < verify.StateComparing {
		if err := s.Confirm(t.Context()); !errors.Is(err, verify.ErrState) {
			t.Fatalf("at %v: %v, want ErrState", s.State(), err)
		}
		if s.Emoji() != nil {
			t.Fatalf("emoji at %v", s.State())
		}
		if !p.step() {
			t.Fatal("it hangs")
		}
	}
	if err := s.Confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestBothStartAtOnce has both sides choose emoji at the same moment: one start counts, and by the ids it is the same
// one for both.
func TestBothStartAtOnce(t *testing.T) {
	for _, self := range []bool{false, true} {
		for seed := range uint64(100) {
			t.Run(fmt.Sprintf("self=%t seed=%d", self, seed), func(t *testing.T) {
				w := newWorld(t, seed)
				// Codes to show keep the one who asks from starting by itself.
				policy := verify.Policy{Admit: open, ShowQR: true, ScanQR: true}
				p := pair{world: w, bot: w.device(robot, "ROBOT", policy)}
				name, user := id.DeviceID("PHONE"), alice
				if self {
					name, user = "LAPTOP", robot
				}
				p.other = w.device(user, name, policy)
				run(t, p, func() {
					request(t, p.bot, p.other, !self && seed%2 == 0)
					p.settle()
					for _, d := range []*device{p.bot, p.other} {
						if err := d.session(t).StartSAS(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
				})
			})
		}
	}
}

// TestMessagesOutOfOrder delivers each two that the same side sends without an answer between the other way round.
func TestMessagesOutOfOrder(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			for seed := range uint64(50) {
				p := newPair(t, seed, way.self)
				stall := p.rand.IntN(2) == 0
				for _, d := range []*device{p.bot, p.other} {
					d.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
						if state == verify.StateComparing {
							if err := s.Confirm(ctx); err != nil {
								t.Error(err)
							}
						}
					}
				}
				way.begin(t, p)
				for {
					p.mu.Lock()
					for _, d := range p.devices {
						if stall && len(d.queue) > 1 {
							d.queue[0], d.queue[1] = d.queue[1], d.queue[0]
						}
					}
					p.mu.Unlock()
					if !p.step() {
						break
					}
				}
				ofBot, ofOther := p.proofs()
				wantProof(t, p.bot, ofOther)
				wantProof(t, p.other, ofBot)
				if t.Failed() {
					t.Fatalf("with seed %d", seed)
				}
			}
		})
	}
}

// TestEverythingTwice delivers each message twice, at once and later.
func TestEverythingTwice(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			p := newPair(t, 1, way.self)
			hook := func(ctx context.Context, s *verify.Session, state verify.State) {
				if state == verify.StateComparing {
					if err := s.Confirm(ctx); err != nil {
						t.Error(err)
					}
				}
			}
			p.bot.hook, p.other.hook = hook, hook
			way.begin(t, p)
			done := 0
			for {
				p.mu.Lock()
				for ; done < len(p.sent); done++ {
					m := p.sent[done]
					m.to.queue = append(m.to.queue, m)
				}
				p.mu.Unlock()
				if !p.step() {
					break
				}
			}
			ofBot, ofOther := p.proofs()
			wantProof(t, p.bot, ofOther)
			wantProof(t, p.other, ofBot)
			for _, m := range slices.Clone(p.sent) {
				if err := m.to.engine.Handle(t.Context(), m.evt); err != nil {
					t.Error(err)
				}
			}
			if len(p.bot.sessions) != 1 || len(p.other.sessions) != 1 {
				t.Error("a message that came again has opened another verification")
			}
		})
	}
}
