package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
)

// typist is a terminal in memory, with somebody who types.
type typist struct {
	t     *testing.T
	input *io.PipeReader
	keys  *io.PipeWriter

	mu     sync.Mutex
	shown  bytes.Buffer
	change chan struct{} // Closed at the next write
}

func newTypist(t *testing.T) *typist {
	in, keys := io.Pipe()
	t.Cleanup(func() { keys.Close() })
	return &typist{t: t, input: in, keys: keys, change: make(chan struct{})}
}

func (y *typist) Read(p []byte) (int, error) { return y.input.Read(p) }

func (y *typist) Write(p []byte) (int, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	close(y.change)
	y.change = make(chan struct{})
	return y.shown.Write(p)
}

// press types keys as they are.
func (y *typist) press(keys string) {
	y.t.Helper()
	if _, err := io.WriteString(y.keys, keys); err != nil {
		y.t.Fatal(err)
	}
}

// sees waits until the terminal has shown the text, and returns all that was shown up to its end. What is seen later
// comes after it.
func (y *typist) sees(text string) string {
	y.t.Helper()
	ctx, cancel := context.WithTimeout(y.t.Context(), 30*time.Second)
	defer cancel()
	for {
		y.mu.Lock()
		all, change := y.shown.String(), y.change
		before, _, found := strings.Cut(all, text)
		if found {
			y.shown.Next(len(before) + len(text))
		}
		y.mu.Unlock()
		if found {
			return before + text
		}
		select {
		case <-change:
		case <-ctx.Done():
			y.t.Fatalf("the terminal did not show %q but %q", text, all)
		}
	}
}

// atTerminal lets somebody chat at a terminal. ended gives what the chat ended with.
func atTerminal(t *testing.T, ctx context.Context, ownBot bool, vars map[string]string) (y *typist, d *demo, ended chan error) {
	t.Helper()
	y = newTypist(t)
	s := newScreen(y, Env{Getenv: func(key string) string { return vars[key] }})
	d, err := newDemo()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	if !ownBot {
		if err := d.startBot(ctx, slog.New(slog.NewTextHandler(s.logs, nil))); err != nil {
			t.Fatal(err)
		}
	}
	ended = make(chan error, 1)
	go func() { ended <- d.onTerminal(ctx, s) }()
	return y, d, ended
}

var noColour = map[string]string{"NO_COLOR": "1"}

func TestChatAtTerminal(t *testing.T) {
	y, _, ended := atTerminal(t, t.Context(), false, noColour)
	y.sees("Say !help")
	y.sees("alice> ")
	y.press("!ping\r")
	y.sees("bot: pong\r\nalice> ")
	y.press("/edit !echo two\r")
	y.sees("bot changes \"pong\" to: two\r\nalice> ")
	y.press("/thread\r")
	y.sees("you are in a thread now; /thread leaves it\r\nalice (thread)> ")
	y.press("!ping\r")
	y.sees("bot in the thread of \"two\": pong\r\nalice (thread)> ")
	y.press("/as bob\r")
	y.sees("bob> ")
	y.press("/nothing\r")
	y.sees("there is no /nothing")
	y.press("/help\r")
	y.sees("/quit         end\r\n")
	y.press("/quit\r")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What the bot says comes above the line that is being typed, which stays as it is.
func TestOutputKeepsTheLineBeingTyped(t *testing.T) {
	y, d, ended := atTerminal(t, t.Context(), true, noColour)
	y.sees("alice> ")
	y.press("half a li")
	y.sees("half a li")
	if _, err := d.chat.hs.SendText(d.chat.bot, d.chat.room, "news"); err != nil {
		t.Fatal(err)
	}
	y.sees("bot: news\r\nalice> half a li")
	y.press("ne\r")
	said, err := d.chat.hs.WaitFor(t.Context(), d.chat.room, func(e *event.Event) bool {
		return e.Type == event.EventMessage && e.Sender == d.chat.user
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := said.Content.AsMessage().Body; got != "half a line" {
		t.Errorf("said %q, want what was typed before and after", got)
	}
	y.press("\x04")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUpBringsTheLastLineBack(t *testing.T) {
	y, _, ended := atTerminal(t, t.Context(), false, noColour)
	y.press("!echo again\r")
	y.sees("bot: again\r\n")
	y.press("\x1b[A\r")
	y.sees("bot: again\r\n")
	y.press("\x04")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTerminalEnds(t *testing.T) {
	for name, keys := range map[string]string{"Ctrl-D": "\x04", "Ctrl-C": "\x03", "Ctrl-C in a line": "half\x03"} {
		t.Run(name, func(t *testing.T) {
			y, _, ended := atTerminal(t, t.Context(), false, noColour)
			y.sees("alice> ")
			y.press(keys)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			y.sees("\r\n")
		})
	}
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		y, _, ended := atTerminal(t, ctx, false, noColour)
		y.sees("alice> ")
		cancel(os.ErrClosed) // Signals end contexts with a cause of their own.
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Run("terminal gone", func(t *testing.T) {
		y, _, ended := atTerminal(t, t.Context(), false, noColour)
		y.sees("alice> ")
		y.input.CloseWithError(os.ErrClosed)
		if err := <-ended; err == nil {
			t.Error("no error")
		}
	})
	t.Run("bot gone", func(t *testing.T) {
		y, d, ended := atTerminal(t, t.Context(), false, noColour)
		y.sees("alice> ")
		d.chat.hs.Revoke(d.token, false)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "token") {
			t.Errorf("error %v, want the one that the bot ended with", err)
		}
	})
}

func TestColours(t *testing.T) {
	escape := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, tt := range []struct {
		vars map[string]string
		want bool
	}{{nil, true}, {map[string]string{"NO_COLOR": ""}, true}, {noColour, false}} {
		y, _, ended := atTerminal(t, t.Context(), false, tt.vars)
		y.press("!ping\r")
		shown := y.sees("pong\r\n")
		if got := escape.MatchString(shown); got != tt.want {
			t.Errorf("%v: colours %t, want %t: %q", tt.vars, got, tt.want, shown)
		}
		y.press("\x04")
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestOwnBotAtTerminal(t *testing.T) {
	y, d, ended := atTerminal(t, t.Context(), true, noColour)
	y.sees("export NIOBOT_HOMESERVER=" + d.url + " NIOBOT_TOKEN=" + d.token + "\r\n")
	if !strings.HasPrefix(d.url, "http://127.0.0.1:") {
		t.Errorf("the homeserver is at %s", d.url)
	}
	if got := d.chat.hs.Members(d.chat.room)[d.chat.bot]; got != event.MembershipJoin {
		t.Errorf("the bot's account is %q in the room", got)
	}
	y.press("!hello\r")
	if _, err := d.chat.hs.WaitFor(t.Context(), d.chat.room, func(e *event.Event) bool {
		return e.Type == event.EventMessage && e.Content.AsMessage().Body == "!hello"
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.chat.hs.SendText(d.chat.bot, d.chat.room, "hello"); err != nil {
		t.Fatal(err)
	}
	y.sees("bot: hello\r\n")
	y.press("\x04")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLogsKeepTheLineBeingTyped(t *testing.T) {
	y := newTypist(t)
	s := newScreen(y, Env{Getenv: func(string) string { return "" }})
	go func() { _, _ = s.readLine("> ") }()
	y.press("half")
	y.sees("half")
	newLogger(s.logs, slog.LevelWarn).Warn("trouble")
	y.sees("msg=trouble\r\n> half")
}

func TestNoScreenWithoutTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, env := range map[string]Env{
		"files": {Stdin: file, Stdout: file}, "no files": {Stdin: strings.NewReader(""), Stdout: io.Discard},
	} {
		env.Getenv = func(string) string { return "" }
		if _, ok := openScreen(env); ok {
			t.Errorf("%s are taken for a terminal", name)
		}
	}
}
