package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/cli"
	"github.com/niobot/niobot/internal/fakehs"
)

// homeserver is a homeserver with an account for the bot.
func homeserver(t *testing.T) (hs *fakehs.Server, bot fakehs.Session) {
	t.Helper()
	hs = fakehs.New(fakehs.Options{})
	t.Cleanup(func() { hs.Close() })
	if _, err := hs.Listen(); err != nil {
		t.Fatal(err)
	}
	bot, err := hs.LogIn(register(t, hs, "bot"), "")
	if err != nil {
		t.Fatal(err)
	}
	return hs, bot
}

func register(t *testing.T, hs *fakehs.Server, name string) id.UserID {
	t.Helper()
	user, err := hs.Register(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// started runs niobot run until the function that it returns is called, which gives the exit code and standard error.
func started(t *testing.T, hs *fakehs.Server, bot fakehs.Session, args ...string) (stop func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, out := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, cli.Env{
			Args: append([]string{"run", "--homeserver", hs.URL()}, args...), Stdin: strings.NewReader(""),
			Stdout: out, Stderr: &errs, Getenv: variables([]string{"NIOBOT_TOKEN", bot.Token + "\n"}),
		})
		out.Close()
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	if want := "running as @bot:localhost; interrupt to stop\n"; err != nil || line != want {
		cancel()
		<-ended
		t.Fatalf("got %q, %v, want %q; standard error %q", line, err, want, errs.String())
	}
	return func() (int, string) {
		cancel()
		code := <-ended
		return code, errs.String()
	}
}

// onlyForgets tells whether nothing was logged but that there is no store.
func onlyForgets(stderr string) bool {
	return strings.Count(stderr, "\n") == 1 && strings.Contains(stderr, "--store names a file that keeps it")
}

// answer says a text and waits for what the bot says.
func answer(t *testing.T, hs *fakehs.Server, room id.RoomID, user id.UserID, text string) string {
	t.Helper()
	said, err := hs.SendText(user, room, text)
	if err != nil {
		t.Fatal(err)
	}
	return await(t, hs, room, func(e *event.Event) bool {
		return e.Type == event.EventMessage && e.Content.AsMessage().RelatesTo.GetReplyTo() == said
	}).Content.AsMessage().Body
}

func await(t *testing.T, hs *fakehs.Server, room id.RoomID, match func(*event.Event) bool) *event.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e, err := hs.WaitFor(ctx, room, match)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRun(t *testing.T) {
	hs, bot := homeserver(t)
	alice := register(t, hs, "alice")
	room, err := hs.NewRoom(alice, "private_chat", bot.UserID)
	if err != nil {
		t.Fatal(err)
	}
	stop := started(t, hs, bot)
	if got := answer(t, hs, room, alice, "!ping"); got != "pong" {
		t.Errorf("got %q, want pong", got)
	}
	if code, stderr := stop(); code != 0 || !onlyForgets(stderr) {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

func TestRunWithPrefixesAndOwners(t *testing.T) {
	hs, bot := homeserver(t)
	alice, bob := register(t, hs, "alice"), register(t, hs, "bob")
	stop := started(t, hs, bot, "--prefix", "?", "--prefix", "bot ", "--owner", string(alice), "--owner", "@carol:localhost")
	rooms := make(map[id.UserID]id.RoomID)
	for _, user := range []id.UserID{bob, alice} {
		room, err := hs.NewRoom(user, "private_chat")
		if err != nil {
			t.Fatal(err)
		}
		if err := hs.SetMembership(user, room, bot.UserID, "invite"); err != nil {
			t.Fatal(err)
		}
		rooms[user] = room
	}
	await(t, hs, rooms[alice], func(e *event.Event) bool {
		return e.Type == event.StateMember && e.GetStateKey() == string(bot.UserID) &&
			e.Content.AsMember().Membership == event.MembershipJoin
	})
	for _, text := range []string{"?ping", "bot ping"} {
		if got := answer(t, hs, rooms[alice], alice, text); got != "pong" {
			t.Errorf("%s: got %q, want pong", text, got)
		}
	}
	if got := hs.Members(rooms[bob])[bot.UserID]; got != event.MembershipInvite {
		t.Errorf("the bot is %q in the room of one who is no owner", got)
	}
	if code, stderr := stop(); code != 0 || !onlyForgets(stderr) {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

func TestRunWithWrongToken(t *testing.T) {
	hs, _ := homeserver(t)
	got := run(t, "", []string{"run", "--homeserver", hs.URL()}, "NIOBOT_TOKEN", "wrong-token")
	if got.code != 1 || got.stdout != "" {
		t.Errorf("exit code %d, standard output %q", got.code, got.stdout)
	}
	if !strings.Contains(got.stderr, "access token is not accepted") || strings.Contains(got.stderr, "wrong-token") {
		t.Errorf("standard error %q, want the reason without the token", got.stderr)
	}
}

// A redacted question is not asked any more, and nothing to log.
func TestRunRedactedQuestion(t *testing.T) {
	hs, bot := homeserver(t)
	alice := register(t, hs, "alice")
	room, err := hs.NewRoom(alice, "private_chat", bot.UserID)
	if err != nil {
		t.Fatal(err)
	}
	stop := started(t, hs, bot)
	said, err := hs.SendText(alice, room, "!ask")
	if err != nil {
		t.Fatal(err)
	}
	question := await(t, hs, room, func(e *event.Event) bool {
		return e.Type == event.EventMessage && e.Sender == bot.UserID
	})
	if _, err := hs.Redact(alice, room, said, ""); err != nil {
		t.Fatal(err)
	}
	await(t, hs, room, func(e *event.Event) bool {
		return e.Type == event.EventRedaction && e.Sender == bot.UserID && e.Redacts == question.ID ||
			e.Type == event.EventRedaction && e.Content.AsRedaction().Redacts == question.ID
	})
	if code, stderr := stop(); code != 0 || !onlyForgets(stderr) {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}
