package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/cli"
)

func TestDemoThroughPipe(t *testing.T) {
	tests := []struct {
		name  string
		input string
		want  string
	}{
		{"answer", "!ping", "bot: pong\n"},
		{"nothing", "", ""},
		{"empty lines", "\n  \n!ping\n\n", "bot: pong\n"},
		{"order", "!add 1 2\n!ping\n!add 3 4", "bot: 1 + 2 = 3\nbot: pong\nbot: 3 + 4 = 7\n"},
		{"no command", "hello\n!ping", "bot: pong\n"},
		{"wrong argument", "!add 1 x",
			"bot: b: \"x\" is not a number like 1.5\n\n   1 x\n     ^\n\n  Usage: !add <a> <b>\n"},
		{"reaction and mention", "!hug @bob:localhost",
			"bot reacts with 🤗 to \"!hug @bob:localhost\"\nbot: @alice:localhost hugs @bob:localhost\n"},
		{"edits", "!countdown 2", "bot: 2…\nbot changes \"2…\" to: 1…\nbot changes \"1…\" to: 🚀\n"},
		{"question", "!ask\nblue", "bot: What is your favourite colour?\nbot: I like blue, too.\n"},
		{"question without an answer", "!ask", "bot: What is your favourite colour?\n"},
		{"reply to what is not the latest", "!ask\n/as bob\nblue\n/as alice\ngreen",
			"bot: What is your favourite colour?\nyou are @bob:localhost now\nyou are @alice:localhost now\n" +
				"bot: I like green, too.\n"},
		{"edit", "!echo one\n/edit !echo two", "bot: one\nbot changes \"one\" to: two\n"},
		{"edit to what is no command", "!echo one\n/edit one", "bot: one\nbot removes \"one\"\n"},
		{"redact", "!ping\n!echo one\n/redact\n/redact", "bot: pong\nbot: one\nbot removes \"one\"\nbot removes \"pong\"\n"},
		{"thread", "!ping\n/thread\n!ping\n/thread\n!ping",
			"bot: pong\nyou are in a thread now; /thread leaves it\nbot in the thread of \"pong\": pong\n" +
				"you are out of the thread\nbot: pong\n"},
		{"thread again", "!ping\n/thread\n!ping\n/thread\n/thread\n!echo x",
			"bot: pong\nyou are in a thread now; /thread leaves it\nbot in the thread of \"pong\": pong\n" +
				"you are out of the thread\nyou are in a thread now; /thread leaves it\nbot in the thread of \"pong\": x\n"},
		{"react", "!ping\n/react 👍\n!ping", "bot: pong\nbot: pong\n"},
		{"slash", "//ping\n!ping", "bot: pong\n"},
		{"quit", "!ping\n/quit\n!ping", "bot: pong\n"},
		{"nothing to edit", "/edit x\n/redact\n/react x\n/thread",
			"you have said nothing that could be edited\nyou have said nothing that could be removed\n" +
				"the bot has said nothing yet\nnothing was said that a thread could begin with\n"},
		{"nothing given", "/edit\n/react", "/edit needs the new text\n/react needs what to react with, such as 👍\n"},
		{"unknown slash", "/dance", "there is no /dance; /help shows what there is\n"},
		{"as the bot", "/as bot", "the bot speaks for itself\n"},
		{"as nobody", "/as X", "register \"X\": M_INVALID_USERNAME: user names hold only a-z, 0-9 and ._=-/+\n"},
		{"long quote", "!echo " + strings.Repeat("x", 100) + "\n/redact",
			"bot: " + strings.Repeat("x", 100) + "\nbot removes \"" + strings.Repeat("x", 30) + "…\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, tt.input, []string{"demo"})
			if got.code != 0 || got.stderr != "" {
				t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
			}
			if got.stdout != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got.stdout, tt.want)
			}
		})
	}
}

// A program at the other end of the pipe gets each answer before it sends the next line.
func TestDemoAnswersBeforeTheEndOfInput(t *testing.T) {
	in, say := io.Pipe()
	read, out := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(t.Context(), cli.Env{
			Args: []string{"demo"}, Stdin: in, Stdout: out, Stderr: &errs, Getenv: variables(nil),
		})
		out.Close()
	}()
	answers := bufio.NewScanner(read)
	for _, line := range []string{"!ping", "!echo pong", "!ping"} {
		if _, err := io.WriteString(say, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || answers.Text() != "bot: pong" {
			t.Fatalf("%s: got %q, standard error %q", line, answers.Text(), errs.String())
		}
	}
	say.Close()
	if code := <-ended; code != 0 || answers.Scan() {
		t.Errorf("exit code %d, and further %q", code, answers.Text())
	}
}

func TestDemoEndsWithItsContextInTheMidstOfInput(t *testing.T) {
	in, say := io.Pipe()
	defer say.Close()
	ctx, cancel := context.WithCancel(t.Context())
	read, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, cli.Env{
			Args: []string{"demo"}, Stdin: in, Stdout: out, Stderr: io.Discard, Getenv: variables(nil),
		})
	}()
	if _, err := io.WriteString(say, "!ping\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(read).ReadString('\n'); err != nil || line != "bot: pong\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestDemoTellsOfBrokenPipes(t *testing.T) {
	tests := []struct {
		name   string
		stdin  io.Reader
		stdout io.Writer
		want   string
	}{
		{"input", io.MultiReader(strings.NewReader("!ping\n"), brokenReader{}), io.Discard, "niobot: read standard input: torn\n"},
		{"output", strings.NewReader("!ping\n"), brokenWriter{}, "niobot: full\n"},
		{"line too long", strings.NewReader(strings.Repeat("x", 1<<20)), io.Discard,
			"niobot: read standard input: a line is longer than 65536 bytes\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var errs bytes.Buffer
			code := cli.Main(t.Context(), cli.Env{
				Args: []string{"demo"}, Stdin: tt.stdin, Stdout: tt.stdout, Stderr: &errs, Getenv: variables(nil),
			})
			if code != 1 || errs.String() != tt.want {
				t.Errorf("exit code %d, standard error %q, want %q", code, errs.String(), tt.want)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("torn") }

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestDemoLogsToStandardErrorWhenAsked(t *testing.T) {
	got := run(t, "!ping", []string{"demo", "--log-level", "info"})
	if !strings.Contains(got.stderr, "msg=connected") || got.stdout != "bot: pong\n" {
		t.Errorf("standard error %q, standard output %q", got.stderr, got.stdout)
	}
}

func TestOwnBotNeedsATerminal(t *testing.T) {
	got := run(t, "!ping", []string{"demo", "--own-bot"})
	if got.code != 1 || !strings.HasPrefix(got.stderr, "niobot: --own-bot needs a terminal") {
		t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
	}
}
