//go:build e2e && interop

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
)

// TestInterop has a client of another make, matrix-js-sdk with its cryptography in Rust, talk to a bot and verify it. It
// needs Node.js, and what `npm ci` in the folder interop has installed.
func TestInterop(t *testing.T) {
	if _, err := os.Stat(filepath.Join("interop", "node_modules")); err != nil {
		t.Fatalf("run npm ci in e2e/interop first: %v", err)
	}
	runEverywhere(t, []scenario{{name: "matrix-js-sdk reads, is read and verifies", run: interopClient}})
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
}

func startForeigner(t *testing.T, hs Homeserver, bot *secretBot) *foreigner {
	t.Helper()
	account := hs.Register(t, "js")
	ctx, cancel := untilDeadline(t)
	cmd := exec.CommandContext(ctx, "node", "client.js")
	cmd.Dir = "interop"
	cmd.Env = append(os.Environ(),
		"HOMESERVER="+hs.URL(), "USER="+account.UserID.String(), "DEVICE="+account.DeviceID.String(),
		"TOKEN="+account.Token, "BOT="+bot.account.UserID.String(), "BOT_DEVICE="+bot.account.DeviceID.String())
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

// compares looks at the emoji of both sides, and confirms both.
func (f *foreigner) compares(comparing <-chan *verify.Session) {
	f.t.Helper()
	theirs := f.tells("emoji").Emoji
	var s *verify.Session
	select {
	case s = <-comparing:
	case <-time.After(scenarioLimit):
		f.t.Fatal("the bot has no emoji to show")
	}
	var ours []string
	for _, e := range s.Emoji() {
		ours = append(ours, e.Symbol)
	}
	if len(ours) != 7 || !slices.Equal(ours, theirs) {
		f.t.Fatalf("the bot shows %q, the client %q", ours, theirs)
	}
	check(f.t, "confirm the bot's side", s.Confirm(f.t.Context()))
	f.say("match")
	f.tells("verified")
	select {
	case <-s.Ended():
		check(f.t, "verify", s.Err())
	case <-time.After(scenarioLimit):
		f.t.Fatalf("the bot's side stays %v", s.State())
	}
}

func interopClient(t *testing.T, hs Homeserver) {
	comparing := make(chan *verify.Session, 2)
	hook := verify.HookFunc(func(_ context.Context, s *verify.Session, state verify.State) {
		if state == verify.StateComparing {
			comparing <- s
		}
	})
	admit := verify.Policy{Admit: func(verify.Peer) verify.Decision { return verify.Accept }}
	bot := newSecretBot(t, hs, "bot", e2ee.Verification(admit, hook))
	f := startForeigner(t, hs, bot)
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
	f.compares(comparing)
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
	f.compares(comparing)
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
