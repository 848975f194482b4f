package niobot_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// records is a slog handler that keeps what is logged at Info and above, a line each with its attributes.
type records struct {
	shared *recorded
	attrs  []slog.Attr
}

type recorded struct {
	mu    sync.Mutex
	lines []string
	news  chan struct{} // Replaced and closed at each line
}

func newRecords() records { return records{shared: &recorded{news: make(chan struct{})}} }

func (r records) option() niobot.Option { return niobot.WithLogger(slog.New(r)) }

func (r records) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (r records) WithAttrs(attrs []slog.Attr) slog.Handler {
	return records{r.shared, append(slices.Clone(r.attrs), attrs...)}
}

func (r records) WithGroup(string) slog.Handler { return r }

func (r records) Handle(_ context.Context, record slog.Record) error {
	var line strings.Builder
	fmt.Fprintf(&line, "%s %s", record.Level, record.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&line, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range r.attrs {
		add(a)
	}
	record.Attrs(add)
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	r.shared.lines = append(r.shared.lines, line.String())
	close(r.shared.news)
	r.shared.news = make(chan struct{})
	return nil
}

// with is the lines that hold all the texts.
func (r records) with(texts ...string) []string {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.shared.lines), func(line string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
}

// wait returns the first line that holds all the texts.
func (r records) wait(t testing.TB, texts ...string) string {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		r.shared.mu.Lock()
		news := r.shared.news
		r.shared.mu.Unlock()
		if lines := r.with(texts...); len(lines) > 0 {
			return lines[0]
		}
		select {
		case <-news:
		case <-deadline:
			t.Fatalf("no line in the log holds %q; it has:\n%s", texts, strings.Join(r.with(), "\n"))
		}
	}
}

// command is a command without arguments.
func command(name string, handler niobot.Handler, opts ...niobot.CommandOption) *niobot.Command {
	return niobot.NewCommand(name, func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return handler(ctx, c)
	}, opts...)
}

// echo replies with the rest of the message.
func echo() *niobot.Command {
	type args struct {
		Text string `arg:"text,rest,optional"`
	}
	return niobot.NewCommand("echo", func(ctx context.Context, c *niobot.Context, a args) error {
		return c.Reply(ctx, "%s", "echo "+a.Text)
	})
}

// start runs a bot that answers !ping and !echo.
func start(t testing.TB, opts ...niobot.Option) (*niobottest.Server, *niobottest.User, id.RoomID) {
	t.Helper()
	bot := newBot(t, opts...)
	bot.Add(niobot.NewCommand("ping", ping), echo())
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	return hs, alice, alice.NewRoom()
}

// within fails the test if c is not closed, or gives nothing, in time.
func within[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: not within 30 s", what)
		panic("unreachable")
	}
}

// pinged says !ping in the room and wants the answer: the bot is well.
func pinged(u *niobottest.User, room id.RoomID) {
	u.Say(room, "!ping")
	u.ExpectReply("pong")
}

// stateType is a type of state that has no meaning to the bot.
var stateType = event.Type{Type: "org.niobot.test.state", Class: event.StateEventType}

// roomOf makes a room without the bot.
func roomOf(t testing.TB, u *niobottest.User) id.RoomID {
	t.Helper()
	resp, err := u.Client().CreateRoom(t.Context(), &mautrix.ReqCreateRoom{Preset: "private_chat"})
	if err != nil {
		t.Fatal(err)
	}
	return resp.RoomID
}
