package niobottest_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// failing is a test that may fail: it keeps what it is told, and a Fatal ends only the function that it runs.
type failing struct {
	testing.TB
	told  []string
	fatal bool
}

func (f *failing) Helper() {}

func (f *failing) Errorf(format string, args ...any) {
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

func (f *failing) Fatal(args ...any) {
	f.told = append(f.told, fmt.Sprint(args...))
	f.fatal = true
	runtime.Goexit()
}

func (f *failing) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }

// fails runs what is to fail, and returns what it said.
func fails(t *testing.T, f *failing, run func()) string {
	t.Helper()
	f.told, f.fatal = nil, false
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	<-done
	if !f.fatal {
		t.Errorf("the test did not fail, it said %q", f.told)
	}
	return strings.Join(f.told, "\n")
}

func newBot(t testing.TB, commands ...*niobot.Command) *niobot.Bot {
	t.Helper()
	bot, err := niobot.New(niobot.Config{Homeserver: "https://example.org", Token: "token", Prefixes: []string{"!"}},
		niobot.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	bot.Add(commands...)
	return bot
}

func ping() *niobot.Command {
	return niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "pong")
	})
}

// impatient is how long a test waits for what will not come.
const impatient = 300 * time.Millisecond

func startFailing(t *testing.T) (*failing, *niobottest.Server, *niobottest.User, id.RoomID) {
	t.Helper()
	f := &failing{TB: t}
	hs := niobottest.Start(f, newBot(t, ping()), niobottest.Timeout(impatient*10))
	alice := hs.User("alice")
	return f, hs, alice, alice.NewRoom()
}

func TestFailureShowsWhatWasWantedWhatCameAndTheRoom(t *testing.T) {
	f, _, alice, room := startFailing(t)
	alice.Say(room, "!ping")
	got := fails(t, f, func() { alice.ExpectReply("gnop") })
	want := "after alice said \"!ping\":\n\twant a reply \"gnop\"\n\tgot  \"pong\"\nin the room:\n"
	if !strings.HasPrefix(got, want) {
		t.Errorf("the failure is\n%s\nwant it to begin with\n%s", got, want)
	}
	for _, line := range []string{"\talice: \"!ping\"", "\tbot replies: \"pong\"", "\tbot: join"} {
		if !strings.Contains(got, line) {
			t.Errorf("the failure is\n%s\nit lacks %q", got, line)
		}
	}
}

func TestExpectNothingFailsWhereSomethingWasSent(t *testing.T) {
	f, hs, alice, room := startFailing(t)
	hs.ExpectNothing(room)
	alice.Say(room, "!ping")
	if got := fails(t, f, func() { hs.ExpectNothing(room) }); !strings.Contains(got, "want nothing\n\tgot  \"pong\"") {
		t.Errorf("the failure is\n%s", got)
	}
	alice.ExpectReply("pong")
	hs.ExpectNothing(room)
}

func TestExpectationOfWhatNeverComesFails(t *testing.T) {
	f := &failing{TB: t}
	hs := niobottest.Start(f, newBot(t, ping()), niobottest.Timeout(time.Second))
	alice := hs.User("alice")
	room := alice.NewRoom()
	said := alice.Say(room, "nothing")
	for name, expect := range map[string]func(){
		"reply":         func() { alice.ExpectReply("pong") },
		"reply pattern": func() { alice.ExpectReplyMatch("p.ng") },
		"message":       func() { hs.ExpectMessage(room, "pong") },
		"edit":          func() { hs.ExpectEdit(said, "pong") },
		"reaction":      func() { alice.ExpectReaction("👍") },
		"redaction":     func() { hs.ExpectRedacted(said) },
	} {
		t.Run(name, func(t *testing.T) {
			if got := fails(t, f, expect); !strings.Contains(got, "want ") || !strings.Contains(got, "alice: \"nothing\"") {
				t.Errorf("the failure is\n%s", got)
			}
		})
	}
}

func TestExpectationWithoutAMessageFails(t *testing.T) {
	f, hs, _, _ := startFailing(t)
	bob := hs.User("bob")
	for name, expect := range map[string]func(){
		"reply":    func() { bob.ExpectReply("pong") },
		"reaction": func() { bob.ExpectReaction("👍") },
	} {
		t.Run(name, func(t *testing.T) {
			if got := fails(t, f, expect); !strings.Contains(got, "bob has said nothing") {
				t.Errorf("the failure is %q", got)
			}
		})
	}
}

// Settle waits for handlers that work, also for one whose awaited event has just come, and not for one that waits.
func TestSettleWaitsForWorkAndNotForEvents(t *testing.T) {
	type args struct{}
	bot := newBot(t, ping(), niobot.NewCommand("ask", func(ctx context.Context, c *niobot.Context, _ args) error {
		m, err := c.WaitForMessage(ctx, nil)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s", m.Body)
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	for i := range 20 {
		asked := alice.Say(room, "!ask")
		hs.Settle()
		answer := fmt.Sprint("answer ", i)
		alice.Say(room, answer)
		hs.Settle()
		found := 0
		messages, err := alice.Client().Messages(t.Context(), room, "", "", 'b', nil, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range messages.Chunk {
			if e.Sender == hs.BotID() && strings.Contains(string(e.Content.VeryRaw), answer) {
				found++
			}
		}
		if found != 1 {
			t.Fatalf("after the answer to %s, the bot had said it %d times", asked.ID, found)
		}
	}
}

func TestStartFailsWhereTheBotEnds(t *testing.T) {
	bot := newBot(t)
	if err := bot.Close(); err != nil {
		t.Fatal(err)
	}
	f := &failing{TB: t}
	got := fails(t, f, func() { niobottest.Start(f, bot) })
	if !strings.Contains(got, "ended before it was ready") {
		t.Errorf("the failure is %q", got)
	}
}
