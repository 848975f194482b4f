//go:build goolm

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
	"github.com/niobot/niobot/internal/cli"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/store/sqlite"
)

// program is niobot run, with somebody at its terminal.
type program struct {
	t    *testing.T
	keys *io.PipeWriter
	out  <-chan string // Lines, read from the program whether somebody looks or not; closed at its end
	errs *buffer
	stop func() int // Ends the program, and returns its exit code
}

// buffer may be read while it is written to.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// launch runs niobot with the arguments until the test ends, at a terminal or not.
func launch(t *testing.T, attended bool, args []string, vars ...string) *program {
	t.Helper()
	in, keys := io.Pipe()
	read, out := io.Pipe()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &program{t: t, keys: keys, out: readLines(read), errs: new(buffer)}
	ended := make(chan int, 1)
	p.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	env := cli.Env{Args: args, Stdin: in, Stdout: out, Stderr: p.errs, Getenv: variables(vars)}
	if attended {
		env.ReadSecret = func(string) (string, error) { return "", errors.New("not asked for here") }
	}
	go func() {
		ended <- cli.Main(ctx, env)
		out.Close()
	}()
	t.Cleanup(func() {
		keys.Close()
		p.stop()
	})
	return p
}

// readLines reads to the end without ever keeping the writer waiting.
func readLines(r io.Reader) <-chan string {
	lines := make(chan string, 10_000)
	go func() {
		defer close(lines)
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadString('\n')
			if line != "" {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

// sees reads the output up to a line that holds the text, and returns that line.
func (p *program) sees(text string) string {
	p.t.Helper()
	var all strings.Builder
	late := time.After(time.Minute)
	for {
		var line string
		select {
		case line = <-p.out:
		case <-late:
		}
		all.WriteString(line)
		switch {
		case line == "":
			p.t.Fatalf("the program did not print %q but %q; standard error %q", text, all.String(), p.errs)
		case strings.Contains(line, text):
			return line
		}
	}
}

func (p *program) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.keys, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// someone is a user with an encrypted device.
type someone struct {
	user  id.UserID
	enc   *e2ee.Encryption
	emoji chan []verify.Emoji
}

// newUser logs a user in, with a device that confirms whatever emoji it shows.
func newUser(t *testing.T, hs *fakehs.Server, name string) *someone {
	t.Helper()
	user := register(t, hs, name)
	session, err := hs.LogIn(user, "")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	store, err := sqlite.Open(filepath.Join(folder, "user.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := &someone{user: user, emoji: make(chan []verify.Emoji, 10)}
	s.enc = e2ee.New(store, e2ee.RecoveryKeyFile(filepath.Join(folder, "recovery.key")),
		e2ee.Verification(verify.Policy{}, verify.HookFunc(
			func(ctx context.Context, session *verify.Session, state verify.State) {
				switch state {
				case verify.StateReady:
					_ = session.StartSAS(ctx)
				case verify.StateComparing:
					s.emoji <- session.Emoji()
					_ = session.Confirm(ctx)
				}
			})))
	bot, err := niobot.New(niobot.Config{Homeserver: hs.URL(), Token: session.Token, Prefixes: []string{"?"}},
		niobot.WithStore(store), niobot.WithEncryption(s.enc), niobot.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, store.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-bot.Ready():
	case err := <-ended:
		ended <- err
		t.Fatal(err)
	}
	return s
}

// request asks the bot to verify.
func (s *someone) request(t *testing.T, bot id.UserID) *verify.Session {
	t.Helper()
	session, err := s.enc.Verifier().Request(t.Context(), bot)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func wantEnd(t *testing.T, s *verify.Session, want verify.State) {
	t.Helper()
	select {
	case <-s.Ended():
	case <-time.After(30 * time.Second):
		t.Fatalf("the verification stays %v", s.State())
	}
	if s.State() != want {
		t.Errorf("the verification is %v (%v), want %v", s.State(), s.Err(), want)
	}
}

// encrypted is the command line of an encrypted bot with its store in a folder.
func encrypted(hs *fakehs.Server, folder string, more ...string) []string {
	return append([]string{
		"run", "--homeserver", hs.URL(), "--store", filepath.Join(folder, "bot.db"), "--encrypt",
	}, more...)
}

func TestOwnerVerifiesTheBotAtTheTerminal(t *testing.T) {
	hs, bot := homeserver(t)
	alice := newUser(t, hs, "alice")
	folder := t.TempDir()
	p := launch(t, true, encrypted(hs, folder, "--owner", string(alice.user)), "NIOBOT_TOKEN", bot.Token)
	keyFile := filepath.Join(folder, "bot.db-recovery-key")
	if line := p.sees("recovery key"); line != "the recovery key of the account is in "+keyFile+"; keep a copy of it elsewhere\n" {
		t.Errorf("got %q", line)
	}
	if info, err := os.Stat(keyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the recovery key's file is %v, %v", info, err)
	}
	p.sees("running as")

	s := alice.request(t, bot.UserID)
	p.sees("@alice:localhost with the device")
	shown := p.sees("   ")
	for _, emoji := range <-alice.emoji {
		if !strings.Contains(shown, emoji.String()) {
			t.Errorf("%q lacks %v", shown, emoji)
		}
	}
	p.sees("Type yes if it shows the same")
	p.types("y")
	p.sees("Type yes or no.")
	p.types("YES")
	p.sees("Verified: @alice:localhost")
	wantEnd(t, s, verify.StateDone)

	s = alice.request(t, bot.UserID)
	p.sees("Type yes if it shows the same")
	p.types("no")
	p.sees("Not verified: @alice:localhost")
	wantEnd(t, s, verify.StateCancelled)
	if code := p.stop(); code != 0 || p.errs.String() != "" {
		t.Errorf("exit code %d, standard error %q", code, p.errs)
	}
}

// A yes that comes when its verification has just ended confirms no other one.
func TestLateAnswerConfirmsNothing(t *testing.T) {
	hs, bot := homeserver(t)
	alice := newUser(t, hs, "alice")
	p := launch(t, true, encrypted(hs, t.TempDir(), "--owner", string(alice.user)), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	first := alice.request(t, bot.UserID)
	p.sees("Type yes if it shows the same")
	<-alice.emoji
	if err := first.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.sees("Press Enter to go on.")
	second := alice.request(t, bot.UserID)
	<-alice.emoji
	p.types("yes")
	p.sees("Type yes if it shows the same")
	p.types("no")
	wantEnd(t, second, verify.StateCancelled)
}

func TestStrangersCanNotVerifyTheBot(t *testing.T) {
	hs, bot := homeserver(t)
	mallory := newUser(t, hs, "mallory")
	p := launch(t, true, encrypted(hs, t.TempDir(), "--owner", "@alice:localhost"), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	wantEnd(t, mallory.request(t, bot.UserID), verify.StateCancelled)
}

// Without a terminal, the emoji are logged, nothing is confirmed, and the command verify takes the answer.
func TestVerificationWithoutATerminal(t *testing.T) {
	hs, bot := homeserver(t)
	alice := newUser(t, hs, "alice")
	room, err := hs.NewRoom(alice.user, "private_chat", bot.UserID)
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, false, encrypted(hs, t.TempDir(), "--owner", string(alice.user)), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	s := alice.request(t, bot.UserID)
	emoji := <-alice.emoji
	text := answer(t, hs, room, alice.user, "!verify")
	for strings.HasPrefix(text, "No verification") { // The bot may have its emoji after alice.
		text = answer(t, hs, room, alice.user, "!verify")
	}
	_, code, _ := strings.Cut(text, "!verify yes ")
	code, _, _ = strings.Cut(code, ",")
	code = strings.Trim(code, "`")
	if s.State() == verify.StateDone {
		t.Error("nobody has compared, and the verification is done")
	}
	if _, err := hs.SendText(alice.user, room, "!verify yes "+code); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, s, verify.StateDone)
	p.stop()
	if got := p.errs.String(); !strings.Contains(got, "a verification waits") || !strings.Contains(got, emoji[0].String()) {
		t.Errorf("standard error %q, want a line with %v", got, emoji)
	}
}

func TestEncryptedBotAnswersEncrypted(t *testing.T) {
	hs, bot := homeserver(t)
	alice := newUser(t, hs, "alice")
	room, err := hs.NewRoom(alice.user, "private_chat", bot.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hs.SendState(alice.user, room, event.StateEncryption, "",
		&event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}); err != nil {
		t.Fatal(err)
	}
	p := launch(t, false, encrypted(hs, t.TempDir()), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	// In the clear, as some clients' commands are: the answer is encrypted all the same.
	if _, err := hs.SendText(alice.user, room, "!ping"); err != nil {
		t.Fatal(err)
	}
	await(t, hs, room, func(e *event.Event) bool { return e.Sender == bot.UserID && e.Type == event.EventEncrypted })
	if plain := hs.Messages(room, bot.UserID); len(plain) != 0 {
		t.Errorf("%d answers are in the clear", len(plain))
	}
}
