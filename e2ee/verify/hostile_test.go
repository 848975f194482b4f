package verify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// change has a message of the type rewritten on its way to the device.
func (w *world) change(to *device, typ string, f func(content map[string]any)) {
	w.tamper = func(m *message) {
		if m.to != to || m.evt.Type.Type != typ || m.evt.Sender == to.user && m.evt.Room != "" {
			return
		}
		var content map[string]any
		if err := json.Unmarshal(m.evt.Content, &content); err != nil {
			w.t.Fatal(err)
		}
		f(content)
		raw, err := json.Marshal(content)
		if err != nil {
			w.t.Fatal(err)
		}
		m.evt.Content = raw
	}
}

func zeros() string { return base64.RawStdEncoding.EncodeToString(make([]byte, 32)) }

// TestTamperedMessagesCancelAndTrustNothing changes one message of a verification on its way to the bot.
func TestTamperedMessagesCancelAndTrustNothing(t *testing.T) {
	set := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { c[name] = value }
	}
	list := []any{"x"}
	many := make([]any, 1000)
	for i := range many {
		many[i] = "m.sas.v1"
	}
	macOf := func(f func(mac map[string]any)) func(map[string]any) {
		return func(c map[string]any) { f(c["mac"].(map[string]any)) }
	}
	const (
		mismatch   = event.VerificationCancelCodeKeyMismatch
		invalid    = event.VerificationCancelCodeInvalidMessage
		noMethod   = event.VerificationCancelCodeUnknownMethod
		commitment = event.VerificationCancelCodeCommitmentMismatch
	)
	for _, tt := range []struct {
		name    string
		botAsks bool // Who asks, starts
		typ     string
		change  func(map[string]any)
		want    event.VerificationCancelCode
	}{
		{"commitment to another key", true, "accept", set("commitment", zeros()), commitment},
		{"commitment of the wrong size", true, "accept", set("commitment", "aaaa"), invalid},
		{"commitment not base64", true, "accept", set("commitment", strings.Repeat("!", 43)), invalid},
		{"no commitment", true, "accept", set("commitment", nil), invalid},
		{"hash not offered", true, "accept", set("hash", "md5"), noMethod},
		{"agreement not offered", true, "accept", set("key_agreement_protocol", "curve25519"), noMethod},
		{"MAC not offered", true, "accept", set("message_authentication_code", "hkdf-hmac-sha256"), noMethod},
		{"strings not offered", true, "accept", set("short_authentication_string", list), noMethod},
		{"no strings", true, "accept", set("short_authentication_string", []any{}), invalid},
		{"many strings", true, "accept", set("short_authentication_string", many), invalid},
		{"another key than committed to", true, "key", set("key", ed("x").String()), commitment},
		{"key of small order", false, "key", set("key", zeros()), mismatch},
		{"short key", false, "key", set("key", "AAAA"), invalid},
		{"long key", false, "key", set("key", strings.Repeat("A", 50000)), invalid},
		{"number for a key", false, "key", set("key", 5), invalid},
		{"ready from nowhere", true, "ready", set("from_device", "NOWHERE"), event.VerificationCancelCodeUnexpectedMessage},
		{"ready from no device", true, "ready", set("from_device", ""), invalid},
		{"ready with many methods", true, "ready", set("methods", many), invalid},
		{"start from another device", false, "start", set("from_device", "OTHER"), invalid},
		{"start by an unknown method", false, "start", set("method", "m.magic"), noMethod},
		{"start by a code not shown", false, "start", set("method", "m.reciprocate.v1"),
			event.VerificationCancelCodeUnexpectedMessage},
		{"start with an old hash", false, "start", set("hashes", list), noMethod},
		{"start with an old agreement", false, "start", set("key_agreement_protocols", list), noMethod},
		{"start with an old MAC", false, "start",
			set("message_authentication_codes", []any{"hkdf-hmac-sha256"}), noMethod},
		{"start with no strings", false, "start", set("short_authentication_string", nil), noMethod},
		{"start with many hashes", false, "start", set("hashes", many), invalid},
		{"MAC of the list", false, "mac", set("keys", zeros()), mismatch},
		{"no MACs", false, "mac", set("mac", map[string]any{}), invalid},
		{"MACs of the wrong form", false, "mac", set("mac", list), invalid},
		{"MAC of the device", false, "mac", macOf(func(m map[string]any) { m["ed25519:PHONE"] = zeros() }), mismatch},
		{"short MAC", false, "mac", macOf(func(m map[string]any) { m["ed25519:PHONE"] = "AA" }), invalid},
		{"MAC without the device", false, "mac", macOf(func(m map[string]any) { delete(m, "ed25519:PHONE") }), mismatch},
		{"MAC with a key more", false, "mac", macOf(func(m map[string]any) { m["ed25519:X"] = zeros() }), mismatch},
		{"key id without algorithm", false, "mac", macOf(func(m map[string]any) { m["PHONE"] = zeros() }), invalid},
		{"key id with a comma", false, "mac", macOf(func(m map[string]any) { m["a:b,c:d"] = zeros() }), invalid},
		{"many MACs", false, "mac", macOf(func(m map[string]any) {
			for i := range 100 {
				m[fmt.Sprint("ed25519:", i)] = zeros()
			}
		}), invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, 1, false)
			p.change(p.bot, "m.key.verification."+tt.typ, tt.change)
			confirm := func(ctx context.Context, s *verify.Session, state verify.State) {
				if state == verify.StateComparing {
					if err := s.Confirm(ctx); err != nil {
						t.Error(err)
					}
				}
			}
			p.bot.hook, p.other.hook = confirm, confirm
			if tt.botAsks {
				request(t, p.bot, p.other, false)
			} else {
				request(t, p.other, p.bot, false)
			}
			p.settle()
			if cancel := wantCancelled(t, p.bot, tt.want); cancel.ByPeer {
				t.Errorf("the bot did not notice: %v", cancel)
			}
			if tt.typ == "mac" {
				return // The bot's own MAC was right, so the other side is done
			}
			if cancel := wantCancelled(t, p.other, tt.want); !cancel.ByPeer {
				t.Errorf("the other side was not told: %v", cancel)
			}
		})
	}
}

// TestAServerInTheMiddle swaps the keys of both sides for its own, and answers for either. It can't know the
// commitment, so the strings that the two people see differ.
func TestAServerInTheMiddle(t *testing.T) {
	w := newWorld(t, 1)
	bot := w.device(robot, "ROBOT", verify.Policy{Admit: open})
	left := w.device(alice, "PHONE", verify.Policy{Admit: open})
	far := newWorld(t, 2)
	phone := far.device(alice, "PHONE", verify.Policy{Admit: open})
	right := far.device(robot, "ROBOT", verify.Policy{Admit: open})
	left.key, right.key = ed("of the server"), ed("of the server")

	one := request(t, bot, left, true)
	w.settle()
	two := request(t, right, phone, true)
	far.settle()
	if fmt.Sprint(one.Emoji()) == fmt.Sprint(phone.session(t).Emoji()) || len(two.Emoji()) != 7 {
		t.Fatalf("the same emoji on both sides: %v", one.Emoji())
	}
	if err := one.Mismatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	wantCancelled(t, bot, event.VerificationCancelCodeSASMismatch)
	wantCancelled(t, left, event.VerificationCancelCodeSASMismatch)
}

// TestKeysThatChangeMidwayAreNotTrusted swaps a key of either side at each step of the way.
func TestKeysThatChangeMidwayAreNotTrusted(t *testing.T) {
	for name, change := range map[string]func(p pair){
		"their device":  func(p pair) { p.other.key = ed("another") },
		"their master":  func(p pair) { p.masters[alice] = ed("another") },
		"their removal": func(p pair) { p.other.id = "GONE" },
		"our master":    func(p pair) { p.masters[robot] = ed("another") },
	} {
		for _, state := range []verify.State{
			verify.StateReady, verify.StateExchanging, verify.StateComparing, verify.StateWaiting,
		} {
			t.Run(fmt.Sprint(name, " at ", state), func(t *testing.T) {
				p := newPair(t, 1, false)
				p.bot.hook = func(ctx context.Context, s *verify.Session, at verify.State) {
					if at == state {
						p.mu.Lock()
						queue := p.other.queue
						change(p)
						p.other.queue = queue
						p.mu.Unlock()
					}
					if at == verify.StateComparing {
						if err := s.Confirm(ctx); err != nil {
							t.Error(err)
						}
					}
				}
				p.other.hook = func(ctx context.Context, s *verify.Session, at verify.State) {
					if at == verify.StateComparing {
						if err := s.Confirm(ctx); err != nil && !errors.Is(err, verify.ErrState) {
							t.Log(err)
						}
					}
				}
				request(t, p.bot, p.other, true)
				p.settle()
				if len(p.bot.proofs) > 0 {
					t.Errorf("the bot trusts %v", p.bot.proofs)
				}
				wantCancelled(t, p.bot, event.VerificationCancelCodeKeyMismatch)
			})
		}
	}
}

// TestADeviceNamedLikeAMasterKey must not have its key taken for that master key (CVE-2022-39250).
func TestADeviceNamedLikeAMasterKey(t *testing.T) {
	for _, owner := range []id.UserID{alice, robot} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", verify.Policy{Admit: open})
		other := w.device(alice, id.DeviceID(w.masters[owner]), verify.Policy{Admit: open})
		request(t, other, bot, false)
		w.settle()
		wantCancelled(t, bot, event.VerificationCancelCodeKeyMismatch)
	}
}

// TestAKeyOfSomeoneElseIsNotTrusted has the other side prove a key that is not known as theirs, beside their own.
func TestAKeyOfSomeoneElseIsNotTrusted(t *testing.T) {
	p := newPair(t, 1, false)
	foreign := ed("eve master")
	hook := func(ctx context.Context, s *verify.Session, state verify.State) {
		if state == verify.StateComparing {
			if err := s.Confirm(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	p.bot.hook, p.other.hook = hook, hook
	// Alice's device believes that Eve's key is Alice's; the bot knows better.
	p.other.w = &world{t: t, rand: p.rand, devices: p.devices, now: p.now, masters: map[id.UserID]id.Ed25519{
		alice: foreign, robot: p.masters[robot],
	}}
	request(t, p.bot, p.other, false)
	p.settle()
	_, ofOther := p.proofs()
	ofOther.MasterKey = ""
	wantProof(t, p.bot, ofOther)
}

// TestOthersInTheRoomCannotInterfere has a third user answer, cancel and confirm in the room.
func TestOthersInTheRoomCannotInterfere(t *testing.T) {
	p := newPair(t, 1, false)
	const eve = id.UserID("@eve:example.org")
	s := request(t, p.bot, p.other, true)
	for range 50 {
		for _, name := range []string{"ready", "start", "accept", "key", "mac", "done", "cancel"} {
			err := p.bot.engine.Handle(t.Context(), verify.Event{
				Type: event.Type{Type: "m.key.verification." + name}, Sender: eve, Room: room, ID: "$eve",
				Content: json.RawMessage(fmt.Sprintf(
					`{"from_device":"EVE","m.relates_to":{"rel_type":"m.reference","event_id":%q}}`, s.Ref().Transaction,
				)),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !p.step() {
			break
		}
	}
	if s.State() != verify.StateComparing {
		t.Fatalf("the session is %v: %v", s.State(), s.Err())
	}
	if n := len(p.bot.sessions); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// TestMessagesOutOfTurnCancel sends each message at each step where it has nothing to say.
func TestMessagesOutOfTurnCancel(t *testing.T) {
	content := map[string]string{
		"ready":  `{"from_device":"PHONE","methods":["m.sas.v1"],"x":1,"transaction_id":%q}`,
		"accept": `{"commitment":"` + zeros() + `","short_authentication_string":["emoji"],"transaction_id":%q}`,
		"key":    `{"key":"` + zeros() + `","transaction_id":%q}`,
		"mac":    `{"keys":"` + zeros() + `","mac":{"ed25519:PHONE":"` + zeros() + `"},"transaction_id":%q}`,
	}
	for _, tt := range []struct {
		at       verify.State
		botAsks  bool
		outsider []string
	}{
		{verify.StateReady, false, []string{"ready", "accept", "key", "mac"}},
		{verify.StateComparing, false, []string{"ready", "accept", "key"}},
		{verify.StateComparing, true, []string{"ready", "accept", "key"}},
		{verify.StateWaiting, true, []string{"ready", "accept", "key"}},
	} {
		for _, name := range tt.outsider {
			t.Run(fmt.Sprint(name, " at ", tt.at, " ", tt.botAsks), func(t *testing.T) {
				w := newWorld(t, 1)
				p := pair{world: w, bot: w.device(robot, "ROBOT", verify.Policy{Admit: open})}
				p.other = w.device(alice, "PHONE", verify.Policy{Admit: open, ShowQR: true, ScanQR: true})
				if tt.at == verify.StateReady {
					p.bot = w.device(robot, "ROBOT2", verify.Policy{Admit: open, ShowQR: true, ScanQR: true})
				}
				if tt.botAsks {
					request(t, p.bot, p.other, false)
				} else if _, err := p.other.engine.Request(t.Context(), robot, p.bot.id); err != nil {
					t.Fatal(err)
				}
				p.settle()
				s := p.bot.session(t)
				if !tt.botAsks && tt.at != verify.StateReady && s.State() == verify.StateReady {
					if err := p.other.session(t).StartSAS(t.Context()); err != nil {
						t.Fatal(err)
					}
					p.settle()
				}
				if tt.at == verify.StateWaiting {
					if err := s.Confirm(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if s.State() != tt.at {
					t.Fatalf("the session is %v: %v", s.State(), s.Err())
				}
				err := p.bot.engine.Handle(t.Context(), verify.Event{
					Type: event.Type{Type: "m.key.verification." + name}, Sender: alice,
					Content: json.RawMessage(fmt.Sprintf(content[name], s.Ref().Transaction)),
				})
				if err != nil {
					t.Fatal(err)
				}
				wantCancelled(t, p.bot, event.VerificationCancelCodeUnexpectedMessage)
			})
		}
	}
}
