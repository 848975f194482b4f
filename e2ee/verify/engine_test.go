package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// sentTo lists the contents of a type that went to the device, from anyone but its user.
func (w *world) sentTo(to *device, typ string) []map[string]any {
	var list []map[string]any
	for _, m := range w.sent {
		if m.to == to && m.evt.Type.Type == "m.key.verification."+typ && m.evt.Sender != to.user {
			var content map[string]any
			if err := json.Unmarshal(m.evt.Content, &content); err != nil {
				w.t.Fatal(err)
			}
			list = append(list, content)
		}
	}
	return list
}

func TestNewChecksItsConfig(t *testing.T) {
	_, err := verify.New(verify.Config{})
	for _, want := range []string{"User and Device", "Transport", "Keys"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v says nothing of %s", err, want)
		}
	}
}

func TestStrangersAreDeclined(t *testing.T) {
	for _, inRoom := range []bool{false, true} {
		for name, policy := range map[string]verify.Policy{
			"by default": {},
			"by policy": {Admit: func(p verify.Peer) verify.Decision {
				if p.User == "@owner:example.org" {
					return verify.Accept
				}
				return verify.Decline
			}},
		} {
			t.Run(fmt.Sprint(name, " ", inRoom), func(t *testing.T) {
				w := newWorld(t, 1)
				bot := w.device(robot, "ROBOT", policy)
				other := w.device(alice, "PHONE", verify.Policy{})
				request(t, other, bot, inRoom)
				w.settle()
				cancel := wantCancelled(t, other, event.VerificationCancelCodeUser)
				if !cancel.ByPeer || len(bot.sessions) != 0 {
					t.Errorf("cancelled with %v; the bot has %d sessions", cancel, len(bot.sessions))
				}
			})
		}
	}
}

func TestAskLeavesItToTheHook(t *testing.T) {
	w := newWorld(t, 1)
	bot := w.device(robot, "ROBOT", verify.Policy{Admit: ask})
	other := w.device(alice, "PHONE", verify.Policy{})
	request(t, other, bot, true)
	w.settle()
	s := bot.session(t)
	if s.State() != verify.StateRequested || len(w.sentTo(other, "ready")) > 0 {
		t.Fatalf("the session is %v", s.State())
	}
	if s.Ours() || s.Peer() != (verify.Peer{User: alice, Device: "PHONE", Room: room}) {
		t.Errorf("it is with %v", s.Peer())
	}
	if err := s.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if s.State() != verify.StateComparing {
		t.Errorf("the session is %v", s.State())
	}
	if err := s.Accept(t.Context()); !errors.Is(err, verify.ErrState) {
		t.Errorf("a second Accept gives %v", err)
	}
	if bot.engine.Session(s.Ref().Transaction) != s || bot.engine.Session("other") != nil {
		t.Error("the session is not found by its transaction")
	}
}

func TestAutoConfirmOnlyWhereAsked(t *testing.T) {
	for _, auto := range []bool{false, true} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", verify.Policy{Admit: open, ShowQR: true, AutoConfirm: func(p verify.Peer) bool {
			return auto && p.User == alice
		}})
		other := w.device(alice, "PHONE", verify.Policy{ScanQR: true})
		s := request(t, other, bot, true)
		w.settle()
		if err := s.StartSAS(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if err := s.Confirm(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if done := bot.session(t).State() == verify.StateDone; done != auto || len(bot.proofs) > 0 != auto {
			t.Errorf("auto-confirm %t: the bot is %v", auto, bot.session(t).State())
		}
	}
}

func TestOneOfSeveralDevicesAnswers(t *testing.T) {
	for _, code := range []event.VerificationCancelCode{
		event.VerificationCancelCodeAccepted, event.VerificationCancelCodeUser,
	} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", verify.Policy{})
		var others []*device
		for i := range 3 {
			others = append(others, w.device(alice, id.DeviceID(fmt.Sprint("PHONE", i)), verify.Policy{Admit: ask}))
		}
		s := request(t, bot, others[0], false)
		w.settle()
		var err error
		if code == event.VerificationCancelCodeAccepted {
			err = others[1].session(t).Accept(t.Context())
		} else {
			err = others[1].session(t).Cancel(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		wantCancelled(t, others[0], code)
		wantCancelled(t, others[2], code)
		if code == event.VerificationCancelCodeUser {
			wantCancelled(t, bot, code)
		} else if s.State() != verify.StateComparing || s.Peer().Device != "PHONE1" {
			t.Errorf("the session is %v with %v", s.State(), s.Peer())
		}
	}
}

// TestTwoDevicesAnswerAtOnce has the first one go on, and the second one be told.
func TestTwoDevicesAnswerAtOnce(t *testing.T) {
	for _, inRoom := range []bool{false, true} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", verify.Policy{})
		one := w.device(alice, "ONE", verify.Policy{Admit: ask})
		two := w.device(alice, "TWO", verify.Policy{Admit: ask})
		s := request(t, bot, one, inRoom)
		w.settle()
		if err := errors.Join(one.session(t).Accept(t.Context()), two.session(t).Accept(t.Context())); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if s.State() != verify.StateComparing || s.Peer().Device != "ONE" {
			t.Errorf("in room %t: the session is %v with %v: %v", inRoom, s.State(), s.Peer(), s.Err())
		}
	}
}

// TestAnotherOwnDeviceAnswers in the room, so this one leaves the request to it.
func TestAnotherOwnDeviceAnswers(t *testing.T) {
	for _, decline := range []bool{false, true} {
		w := newWorld(t, 1)
		one := w.device(robot, "ONE", verify.Policy{Admit: ask})
		two := w.device(robot, "TWO", verify.Policy{Admit: ask})
		other := w.device(alice, "PHONE", verify.Policy{})
		s := request(t, other, one, true)
		w.settle()
		if decline {
			if err := two.session(t).Cancel(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else if err := two.session(t).Accept(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		wantCancelled(t, one, event.VerificationCancelCodeAccepted)
		if !decline && s.State() != verify.StateComparing {
			t.Errorf("the session is %v: %v", s.State(), s.Err())
		}
	}
}

// TestAnswerBeforeTheRequestHasReturned is the usual order with a fast other side: the sync brings the answer while
// the reply to the request is still on its way.
func TestAnswerBeforeTheRequestHasReturned(t *testing.T) {
	p := newPair(t, 1, false)
	once := true
	p.bot.holdReply = func() {
		if once {
			once = false
			p.settle()
		}
	}
	s := request(t, p.bot, p.other, true)
	if s.State() != verify.StateExchanging {
		t.Errorf("the session is %v: %v", s.State(), s.Err())
	}
	p.settle()
	if s.State() != verify.StateComparing {
		t.Errorf("the session is %v: %v", s.State(), s.Err())
	}
}

func TestStartWithoutRequest(t *testing.T) {
	for _, policy := range []verify.Policy{{}, {Admit: open}, {Admit: ask}} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", policy)
		other := w.device(alice, "PHONE", verify.Policy{})
		err := bot.engine.Handle(t.Context(), verify.Event{
			Type: event.ToDeviceVerificationStart, Sender: alice, Content: json.RawMessage(`{"from_device":"PHONE",
				"method":"m.sas.v1","hashes":["sha256"],"key_agreement_protocols":["curve25519-hkdf-sha256"],
				"message_authentication_codes":["hkdf-hmac-sha256.v2"],"short_authentication_string":["decimal"],
				"transaction_id":"bare"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case policy.Admit == nil:
			if cancels := w.sentTo(other, "cancel"); len(cancels) != 1 || cancels[0]["code"] != "m.user" {
				t.Errorf("answers %v", cancels)
			}
			continue
		case policy.Admit(verify.Peer{}) == verify.Ask:
			if len(w.sentTo(other, "accept")) > 0 {
				t.Error("accepted without asking")
			}
			if err := bot.session(t).Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		accepts := w.sentTo(other, "accept")
		if len(accepts) != 1 || fmt.Sprint(accepts[0]["short_authentication_string"]) != "[decimal]" {
			t.Fatalf("answers %v", accepts)
		}
		if len(w.sentTo(other, "ready")) > 0 {
			t.Error("a ready without a request")
		}
		err = bot.engine.Handle(t.Context(), verify.Event{
			Type: event.ToDeviceVerificationKey, Sender: alice,
			Content: json.RawMessage(`{"transaction_id":"bare","key":"` + ed("ephemeral").String() + `"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		s := bot.session(t)
		if _, ok := s.Decimals(); s.State() != verify.StateComparing || !ok || s.Emoji() != nil {
			t.Errorf("the session is %v: %v", s.State(), s.Err())
		}
	}
}

// handleRequest gives the bot a to-device request.
func handleRequest(t *testing.T, bot *device, user id.UserID, name, txn string, sent time.Time, methods string) {
	t.Helper()
	err := bot.engine.Handle(t.Context(), verify.Event{
		Type: event.ToDeviceVerificationRequest, Sender: user,
		Content: json.RawMessage(fmt.Sprintf(
			`{"from_device":%q,"transaction_id":%q,"timestamp":%d,"methods":[%s]}`, name, txn, sent.UnixMilli(), methods)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRequestsThatAreNotAnswered(t *testing.T) {
	const sas = `"m.sas.v1"`
	for name, give := range map[string]func(t *testing.T, w *world, bot *device){
		"too old": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", "t", w.now.Add(-10*time.Minute-time.Second), sas)
		},
		"from the future": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", "t", w.now.Add(5*time.Minute+time.Second), sas)
		},
		"by no known method": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", "t", w.now, `"m.magic","m.qr_code.scan.v1"`)
		},
		"from no device": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "", "t", w.now, sas)
		},
		"with no transaction": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", "", w.now, sas)
		},
		"with a long transaction": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", strings.Repeat("t", 256), w.now, sas)
		},
		"from the device itself": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, robot, "ROBOT", "t", w.now, sas)
		},
		"to another user": func(t *testing.T, w *world, _ *device) {
			request(t, w.devices[1], w.device("@third:example.org", "THIRD", verify.Policy{}), true)
			w.settle()
		},
		"huge": func(t *testing.T, w *world, bot *device) {
			handleRequest(t, bot, alice, "PHONE", "t", w.now, sas+strings.Repeat(`,"m.sas.v1"`, 10000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			bot := w.device(robot, "ROBOT", verify.Policy{Admit: open})
			w.device(alice, "PHONE", verify.Policy{})
			give(t, w, bot)
			if len(bot.sessions) > 0 {
				t.Error("a session was opened")
			}
			for _, m := range w.sent {
				if m.evt.Sender == robot {
					t.Errorf("answered with %s: %s", m.evt.Type.Type, m.evt.Content)
				}
			}
		})
	}
}

func TestTwoRequestsOfOneDeviceCancelBoth(t *testing.T) {
	w := newWorld(t, 1)
	bot := w.device(robot, "ROBOT", verify.Policy{Admit: ask})
	other := w.device(alice, "PHONE", verify.Policy{})
	a, b := request(t, other, bot, true), request(t, other, bot, false)
	w.settle()
	wantCancelled(t, bot, event.VerificationCancelCodeUnexpectedMessage)
	for _, s := range []*verify.Session{a, b} {
		var cancel *verify.CancelError
		if !errors.As(s.Err(), &cancel) || cancel.Code != event.VerificationCancelCodeUnexpectedMessage {
			t.Errorf("it ended with %v", s.Err())
		}
	}
	c := request(t, other, bot, true)
	w.settle()
	if c.State() != verify.StateRequested {
		t.Errorf("a third is %v: %v", c.State(), c.Err())
	}
}

func TestUnknownTransactions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer bool
	}{
		{"ready", true}, {"accept", true}, {"key", true}, {"mac", true}, {"done", false}, {"cancel", false},
	} {
		w := newWorld(t, 1)
		bot := w.device(robot, "ROBOT", verify.Policy{Admit: open})
		other := w.device(alice, "PHONE", verify.Policy{})
		for range 3 {
			err := bot.engine.Handle(t.Context(), verify.Event{
				Type: event.Type{Type: "m.key.verification." + tt.name}, Sender: alice,
				Content: json.RawMessage(`{"transaction_id":"lost"}`),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		cancels := w.sentTo(other, "cancel")
		if (len(cancels) == 1) != tt.answer || tt.answer && cancels[0]["code"] != "m.unknown_transaction" {
			t.Errorf("%s is answered with %v", tt.name, cancels)
		}
		w.sent = nil
		err := bot.engine.Handle(t.Context(), verify.Event{
			Type: event.Type{Type: "m.key.verification." + tt.name}, Sender: alice, Room: room, ID: "$1",
			Content: json.RawMessage(`{"m.relates_to":{"rel_type":"m.reference","event_id":"$0"}}`),
		})
		if err != nil || len(w.sent) > 0 {
			t.Errorf("%s of others in a room is answered: %v %v", tt.name, w.sent, err)
		}
	}
}

// TestFloods has many ask as often as they can; what is kept and what is answered stays within bounds.
func TestFloods(t *testing.T) {
	w := newWorld(t, 1)
	bot := w.device(robot, "ROBOT", verify.Policy{Admit: ask})
	for n := range 20 {
		handleRequest(t, bot, alice, fmt.Sprint("D", n), fmt.Sprint("t", n), w.now, `"m.sas.v1"`)
	}
	if n := len(bot.engine.Sessions()); n != 4 {
		t.Errorf("%d sessions are open with one user", n)
	}
	if bot.sends != 8 {
		t.Errorf("%d answers to one user", bot.sends)
	}
	if _, err := bot.engine.Request(t.Context(), alice, "PHONE"); !errors.Is(err, verify.ErrBusy) {
		t.Errorf("a request gives %v", err)
	}
	if _, err := bot.engine.RequestInRoom(t.Context(), room, alice); !errors.Is(err, verify.ErrBusy) {
		t.Errorf("a request in a room gives %v", err)
	}
	for n := range 4 {
		for u := range 300 {
			user := id.UserID(fmt.Sprintf("@user%d:example.org", u))
			handleRequest(t, bot, user, fmt.Sprint("D", n), fmt.Sprint("t", n), w.now, `"m.sas.v1"`)
		}
	}
	if n := len(bot.engine.Sessions()); n != 64 {
		t.Errorf("%d sessions are open", n)
	}
	if bot.sends != 128 {
		t.Errorf("%d answers", bot.sends)
	}
	if _, err := bot.engine.RequestInRoom(t.Context(), room, "@new:example.org"); !errors.Is(err, verify.ErrBusy) {
		t.Errorf("a request in a room gives %v", err)
	}
	w.advance(10 * time.Minute)
	bot.engine.Expire(t.Context())
	if n := len(bot.engine.Sessions()); n != 0 {
		t.Errorf("%d sessions are open after their time", n)
	}
	bot.sends = 0
	for n := range 20 {
		handleRequest(t, bot, alice, fmt.Sprint("D", n), fmt.Sprint("later", n), w.now, `"m.sas.v1"`)
	}
	if n := len(bot.engine.Sessions()); n != 4 || bot.sends != 8 {
		t.Errorf("later, %d sessions are open and %d answers given", n, bot.sends)
	}
}

// TestTheNextDeadlineIsTheEarliest has several sessions that began one after the other.
func TestTheNextDeadlineIsTheEarliest(t *testing.T) {
	w := newWorld(t, 1)
	bot := w.device(robot, "ROBOT", verify.Policy{Admit: ask})
	start := w.now
	for n := range 20 {
		handleRequest(t, bot, id.UserID(fmt.Sprintf("@user%d:example.org", n)), "D", "t", w.now, `"m.sas.v1"`)
		w.advance(time.Second)
	}
	for n := range 20 {
		want := start.Add(2*time.Minute + time.Duration(n)*time.Second)
		if next := bot.engine.Expire(t.Context()); !next.Equal(want) {
			t.Fatalf("the next deadline is %v, want %v", next, want)
		}
		w.mu.Lock()
		w.now = want
		w.mu.Unlock()
	}
}

// TestTheHookIsNotCalledWithinItself although it confirms, which brings the next step about.
func TestTheHookIsNotCalledWithinItself(t *testing.T) {
	p := newPair(t, 1, false)
	within := false
	p.bot.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
		if within {
			t.Errorf("told of %v within the hook", state)
		}
		within = true
		if state == verify.StateComparing {
			if err := s.Confirm(ctx); err != nil {
				t.Error(err)
			}
		}
		within = false
	}
	request(t, p.bot, p.other, true)
	p.settle()
	want := []verify.State{
		verify.StateRequested, verify.StateReady, verify.StateExchanging, verify.StateComparing, verify.StateWaiting,
	}
	if !slices.Equal(p.bot.states, want) {
		t.Errorf("the hook saw %v, want %v", p.bot.states, want)
	}
}

func TestWhatTakesTooLongIsCancelled(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bot   verify.Policy
		wait  time.Duration
		begin func(t *testing.T, p pair)
	}{
		{"not accepted", verify.Policy{Admit: ask}, 2 * time.Minute, func(t *testing.T, p pair) {
			request(t, p.other, p.bot, true)
			p.settle()
		}},
		{"not answered", verify.Policy{}, 10 * time.Minute, func(t *testing.T, p pair) {
			p.other.engine.Close(t.Context())
			request(t, p.bot, p.other, true)
		}},
		{"not confirmed", verify.Policy{Admit: open}, 10 * time.Minute, func(t *testing.T, p pair) {
			request(t, p.bot, p.other, true)
			p.settle()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 1)
			p := pair{world: w, bot: w.device(robot, "ROBOT", tt.bot)}
			p.other = w.device(alice, "PHONE", verify.Policy{Admit: open})
			tt.begin(t, p)
			start := w.now
			next := p.bot.engine.Expire(t.Context())
			if next.Sub(start) != tt.wait {
				t.Errorf("due after %v", next.Sub(start))
			}
			w.advance(tt.wait - time.Second)
			p.bot.engine.Expire(t.Context())
			if s := p.bot.session(t); s.State() == verify.StateCancelled {
				t.Fatal("cancelled too early")
			}
			w.advance(time.Second)
			if next := p.bot.engine.Expire(t.Context()); !next.IsZero() {
				t.Errorf("due again at %v", next)
			}
			wantCancelled(t, p.bot, event.VerificationCancelCodeTimeout)
			if cancels := w.sentTo(p.other, "cancel"); len(cancels) != 1 || cancels[0]["code"] != "m.timeout" {
				t.Errorf("the other side was told %v", cancels)
			}
		})
	}
}

func TestRunEndsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		d := &device{w: w, user: robot, id: "ROBOT", key: ed("ROBOT")}
		engine, err := verify.New(verify.Config{User: robot, Device: "ROBOT", Transport: d, Keys: d})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			engine.Run(ctx)
			close(ended)
		}()
		synctest.Wait()
		start := time.Now()
		s, err := engine.Request(ctx, alice, "PHONE")
		if err != nil {
			t.Fatal(err)
		}
		<-s.Ended()
		if took := time.Since(start); took != verify.Timeout {
			t.Errorf("it took %v", took)
		}
		var reason *verify.CancelError
		if !errors.As(s.Err(), &reason) || reason.Code != event.VerificationCancelCodeTimeout || reason.ByPeer {
			t.Errorf("it ended with %v", s.Err())
		}
		cancel()
		<-ended
	})
}

func TestCloseCancelsAndARestartIsTold(t *testing.T) {
	p := newPair(t, 1, false)
	request(t, p.bot, p.other, true)
	p.settle()
	lost := slices.Clone(p.bot.journal)
	if len(lost) != 1 || lost[0].Device != "PHONE" || lost[0].Room != room || lost[0].User != alice {
		t.Fatalf("the journal has %v", lost)
	}
	// The bot dies and starts again: the journal is all it has.
	again := newWorld(t, 1)
	bot := again.device(robot, "ROBOT", verify.Policy{})
	bot.w = p.world
	if err := bot.engine.Abandon(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	p.bot.queue = nil
	p.settle()
	wantCancelled(t, p.other, event.VerificationCancelCodeUser)

	p = newPair(t, 1, false)
	request(t, p.bot, p.other, false)
	p.settle()
	p.bot.engine.Close(t.Context())
	p.bot.engine.Close(t.Context())
	p.settle()
	wantCancelled(t, p.bot, event.VerificationCancelCodeUser)
	wantCancelled(t, p.other, event.VerificationCancelCodeUser)
	if len(p.bot.journal) != 0 {
		t.Errorf("the journal has %v", p.bot.journal)
	}
	if _, err := p.bot.engine.Request(t.Context(), alice); !errors.Is(err, verify.ErrClosed) {
		t.Errorf("a request gives %v", err)
	}
	if _, err := p.bot.engine.RequestInRoom(t.Context(), room, alice); !errors.Is(err, verify.ErrClosed) {
		t.Errorf("a request in a room gives %v", err)
	}
}

// TestErrorsOfThisSideCancel has the network, the keys or the trust fail; the error comes back, and nothing is trusted.
func TestErrorsOfThisSideCancel(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func(d *device){
		"transport": func(d *device) { d.sendErr = broken },
		"keys":      func(d *device) { d.keysErr = broken },
		"trust":     func(d *device) { d.trustErr = broken },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, 1, false)
			request(t, p.bot, p.other, true)
			p.settle()
			if err := p.other.session(t).Confirm(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.settle()
			fail(p.bot)
			if err := p.bot.session(t).Confirm(t.Context()); !errors.Is(err, broken) {
				t.Errorf("confirm gives %v", err)
			}
			if cancel := wantCancelled(t, p.bot, event.VerificationCancelCodeUser); !errors.Is(cancel, broken) {
				t.Errorf("it ended with %v", cancel)
			}
		})
	}
	p := newPair(t, 1, false)
	p.bot.sendErr = broken
	if _, err := p.bot.engine.Request(t.Context(), alice); !errors.Is(err, broken) {
		t.Errorf("a request gives %v", err)
	}
	if _, err := p.bot.engine.RequestInRoom(t.Context(), room, alice); !errors.Is(err, broken) {
		t.Errorf("a request in a room gives %v", err)
	}
	p.bot.sendErr = nil
	if _, err := p.bot.engine.RequestInRoom(t.Context(), room, alice); err != nil {
		t.Errorf("a request after that gives %v", err)
	}
	if _, err := p.bot.engine.RequestInRoom(t.Context(), room, robot); err == nil {
		t.Error("own devices are verified in a room")
	}
	if _, err := p.bot.engine.Request(t.Context(), robot); !errors.Is(err, verify.ErrNoDevice) {
		t.Errorf("a request to nobody gives %v", err)
	}
}

func TestAForeignReasonIsCutToALine(t *testing.T) {
	p := newPair(t, 1, false)
	s := request(t, p.bot, p.other, false)
	content, err := json.Marshal(map[string]string{
		"transaction_id": s.Ref().Transaction, "code": "m.user", "reason": "a\n\x1b[31m" + strings.Repeat("ä", 5000),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.bot.engine.Handle(t.Context(), verify.Event{
		Type: event.ToDeviceVerificationCancel, Sender: alice, Content: content,
	}); err != nil {
		t.Fatal(err)
	}
	reason := wantCancelled(t, p.bot, event.VerificationCancelCodeUser).Reason
	if strings.ContainsAny(reason, "\n\x1b") || len([]rune(reason)) != 200 {
		t.Errorf("the reason is %q", reason)
	}
}
