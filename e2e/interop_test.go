//go:build e2e && interop

package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
)

// TestInterop has a client of another make, matrix-js-sdk with its cryptography in Rust, talk to a bot and verify it. It
// needs Node.js, and what `npm ci` in the folder interop has installed.
func TestInterop(t *testing.T) {
	if _, err := os.Stat(filepath.Join("interop", "node_modules")); err != nil {
		t.Fatalf("run npm ci in e2e/interop first: %v", err)
	}
	runEverywhere(t, []scenario{
		{name: "matrix-js-sdk reads, is read, verifies and votes", run: interopClient},
		{name: "matrix-js-sdk verifies by codes", run: interopCodes},
	})
}

// foreigner is the client, in a process of its own.
type foreigner struct {
	t     *testing.T
	words io.Writer
	facts *bufio.Scanner
}

// fact is a line that the client tells.
type fact struct {
	Step                 string
	Room                 id.RoomID
	Body                 string
	Encrypted            bool
	Shield               *int // matrix-js-sdk's EventShieldColour: 0 is none
	Reason               *int
	SignedByOwner        bool
	CrossSigningVerified bool
	UserVerified         bool
	Emoji                []string
	Code                 []byte // Of a QR code
}

// startForeigner starts the client, which does its part: emoji, or codes.
func startForeigner(t *testing.T, hs Homeserver, bot *secretBot, part string) *foreigner {
	t.Helper()
	account := hs.Register(t, "js")
	ctx, cancel := untilDeadline(t)
	cmd := exec.CommandContext(ctx, "node", "client.js")
	cmd.Dir = "interop"
	cmd.Env = append(os.Environ(),
		"HOMESERVER="+hs.URL(), "USER="+account.UserID.String(), "DEVICE="+account.DeviceID.String(),
		"TOKEN="+account.Token, "PART="+part, "BOT="+bot.account.UserID.String(), "BOT_DEVICE="+bot.account.DeviceID.String())
	cmd.Stderr = t.Output()
	cmd.WaitDelay = 5 * time.Second
	inOwnGroup(cmd)
	words, err := cmd.StdinPipe()
	check(t, "make a pipe", err)
	facts, err := cmd.StdoutPipe()
	check(t, "make a pipe", err)
	check(t, "start node", cmd.Start())
	t.Cleanup(func() {
		if t.Failed() {
			cancel()
		}
		if err := cmd.Wait(); err != nil && !t.Failed() {
			t.Errorf("the client ended: %v", err)
		}
		cancel()
	})
	return &foreigner{t: t, words: words, facts: bufio.NewScanner(facts)}
}

// tells waits for the client to get to a step.
func (f *foreigner) tells(step string) fact {
	f.t.Helper()
	if !f.facts.Scan() {
		f.t.Fatalf("the client ended before it told %q: %v", step, f.facts.Err())
	}
	var got fact
	check(f.t, "read "+f.facts.Text(), json.Unmarshal(f.facts.Bytes(), &got))
	if got.Step != step {
		f.t.Fatalf("the client tells %s, want %q", f.facts.Text(), step)
	}
	f.t.Logf("the client tells %s", f.facts.Text())
	return got
}

func (f *foreigner) say(word string) {
	f.t.Helper()
	_, err := io.WriteString(f.words, word+"\n")
	check(f.t, "tell the client "+word, err)
}

// compares looks at the emoji of both sides, and confirms both, the bot's first or last.
func (f *foreigner) compares(comparing <-chan *verify.Session, late bool) {
	f.t.Helper()
	theirs := f.tells("emoji").Emoji
	s := await(f.t, comparing)
	var ours []string
	for _, e := range s.Emoji() {
		ours = append(ours, e.Symbol)
	}
	if len(ours) != 7 || !slices.Equal(ours, theirs) {
		f.t.Fatalf("the bot shows %q, the client %q", ours, theirs)
	}
	if !late {
		check(f.t, "confirm the bot's side", s.Confirm(f.t.Context()))
	}
	f.say("match")
	f.tells("confirmed")
	if late {
		check(f.t, "confirm the bot's side", s.Confirm(f.t.Context()))
	}
	f.verifies(s)
}

// verifies waits until both sides are done.
func (f *foreigner) verifies(s *verify.Session) {
	f.t.Helper()
	f.tells("verified")
	f.ends(s)
	check(f.t, "verify", s.Err())
}

func (f *foreigner) ends(s *verify.Session) {
	f.t.Helper()
	select {
	case <-s.Ended():
	case <-time.After(scenarioLimit):
		f.t.Fatalf("the bot's side stays %v", s.State())
	}
}

// await is the next session that has come to a step.
func await(t *testing.T, sessions <-chan *verify.Session) *verify.Session {
	t.Helper()
	select {
	case s := <-sessions:
		return s
	case <-time.After(scenarioLimit):
		t.Fatal("the bot's side does not get there")
		return nil
	}
}

// stepsOf is an option that admits everybody, with codes or without, and the sessions that come to each state.
func stepsOf(codes bool) (e2ee.Option, map[verify.State]chan *verify.Session) {
	steps := make(map[verify.State]chan *verify.Session)
	for _, state := range []verify.State{verify.StateReady, verify.StateComparing, verify.StateScanned} {
		steps[state] = make(chan *verify.Session, 10)
	}
	admit := func(verify.Peer) verify.Decision { return verify.Accept }
	return e2ee.Verification(verify.Policy{Admit: admit, ShowQR: codes, ScanQR: codes},
		verify.HookFunc(func(_ context.Context, s *verify.Session, state verify.State) {
			if step, ok := steps[state]; ok {
				step <- s
			}
		})), steps
}

// interopCodes has each side scan the other's code.
func interopCodes(t *testing.T, hs Homeserver) {
	option, steps := stepsOf(true)
	bot := newSecretBot(t, hs, "bot", option)
	f := startForeigner(t, hs, bot, "codes")
	f.tells("room")
	f.tells("answer")
	f.tells("trust")

	f.say("show")
	code := f.tells("code").Code
	s := await(t, steps[verify.StateReady])
	check(t, "scan the client's code", s.Scan(t.Context(), code))
	f.verifies(s)
	if trust := f.tells("trust"); !trust.CrossSigningVerified || !trust.UserVerified {
		t.Errorf("after the verification the client's trust is %+v", trust)
	}

	f.say("scan")
	f.tells("ready")
	s = await(t, steps[verify.StateReady])
	payload, err := s.QR().Payload()
	check(t, "show a code", err)
	f.say(base64.StdEncoding.EncodeToString(payload))
	if scanned := await(t, steps[verify.StateScanned]); scanned != s {
		t.Fatal("another session was scanned")
	}
	check(t, "confirm that the client has scanned", s.Confirm(t.Context()))
	f.verifies(s)
	f.say("leave")
}

func interopClient(t *testing.T, hs Homeserver) {
	option, steps := stepsOf(false)
	comparing := steps[verify.StateComparing]
	bot := newSecretBot(t, hs, "bot", option)
	f := startForeigner(t, hs, bot, "emoji")
	room := f.tells("room").Room

	answer := f.tells("answer")
	if answer.Body != "pong" || !answer.Encrypted {
		t.Errorf("the client reads %+v, want an encrypted pong", answer)
	}
	if answer.Shield == nil || *answer.Shield != 0 {
		t.Errorf("the client shows a shield beside the bot's message: %+v", answer)
	}
	if trust := f.tells("trust"); !trust.SignedByOwner || trust.UserVerified {
		t.Errorf("before the verification the client's trust is %+v", trust)
	}

	f.say("verify")
	f.compares(comparing, false)
	if trust := f.tells("trust"); !trust.SignedByOwner || !trust.CrossSigningVerified || !trust.UserVerified {
		t.Errorf("after the verification the client's trust is %+v", trust)
	}
	answer = f.tells("answer")
	if answer.Body != "pong" || answer.Shield == nil || *answer.Shield != 0 {
		t.Errorf("after the verification the client reads %+v", answer)
	}

	f.tells("listening")
	_, err := bot.enc.Verifier().RequestInRoom(t.Context(), room, userOf(t, bot, room))
	check(t, "ask the client to verify", err)
	f.compares(comparing, true)

	f.say("to-device")
	f.compares(comparing, true)

	for len(steps[verify.StateReady]) > 0 {
		<-steps[verify.StateReady]
	}
	f.say("cancel")
	f.tells("cancelled")
	s := await(t, steps[verify.StateReady])
	f.ends(s)
	var cancel *verify.CancelError
	if err := s.Err(); !errors.As(err, &cancel) || cancel.Code != event.VerificationCancelCodeUser {
		t.Errorf("cancelled by the client, the bot's side ends with %v", err)
	}

	poll, heard := bot.asksFor(room, niobot.Poll{Question: "Lunch?", Answers: []string{"pizza", "salad"}})
	heard.hears("pizza 0, salad 0")
	f.say("vote")
	f.say(poll.String())
	heard.hears("pizza 0, salad 1")
	f.say("leave")
}

// userOf is who is in the room with the bot.
func userOf(t *testing.T, bot *secretBot, room id.RoomID) id.UserID {
	t.Helper()
	r, ok := bot.Room(room)
	if !ok {
		t.Fatalf("the bot does not know %s", room)
	}
	for _, m := range r.Members() {
		if m.UserID != bot.account.UserID {
			return m.UserID
		}
	}
	t.Fatalf("the bot is alone in %s", room)
	return ""
}
