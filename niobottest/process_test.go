package niobottest_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/store/memory"
)

// talker asks for a name, and counts in its store how often it has greeted.
func talker(t *testing.T, store niobot.Store, middleware ...niobot.Middleware) *niobot.Bot {
	t.Helper()
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"},
	}, niobot.WithStore(store)))
	bot.Use(middleware...)
	bot.Add(niobot.NewCommand("hello", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		m, err := c.Ask(ctx, niobot.Plain("Who are you?"))
		if err != nil {
			return err
		}
		n, err := niobot.KVOf[int](c.KV("greeted")).Update(ctx, "all", func(n int, _ bool) (int, error) { return n + 1, nil })
		if err != nil {
			return err
		}
		return c.Reply(ctx, "Hello %s! You are number %d.", m.Body, n)
	}))
	return bot
}

func TestBotRestartsAmidAConversation(t *testing.T) {
	for name, end := range map[string]func(*niobottest.Server){
		"crash": (*niobottest.Server).Crash,
		"stop": func(hs *niobottest.Server) {
			if err := hs.Stop(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := memory.New()
			hs := niobottest.Start(t, talker(t, db))
			alice := hs.User("alice")
			room := alice.NewRoom()
			device := hs.Bot().DeviceID()
			alice.Say(room, "!hello")
			alice.ExpectReply("Who are you?")
			end(hs)
			alice.Say(room, "Alice")
			next := talker(t, db)
			hs.Resume(next)
			if hs.Bot() != next || next.DeviceID() != device {
				t.Errorf("the bot that runs has the device %s, want %s", hs.Bot().DeviceID(), device)
			}
			hs.ExpectMessage(room, "Hello Alice! You are number 1.")
			hs.ExpectNothing(room) // The question was not asked again.
		})
	}
}

// What a handler does after the crash is not there, and the next bot does it anew.
func TestCrashEndsAllAtOnce(t *testing.T) {
	inside, crashed := make(chan struct{}), make(chan struct{})
	var runs atomic.Int32
	lag := func(next niobot.Handler) niobot.Handler {
		return func(ctx context.Context, c *niobot.Context) error {
			if runs.Add(1) > 1 {
				return c.Reply(ctx, "second")
			}
			close(inside)
			<-ctx.Done()
			close(crashed)
			_ = c.Bot().KV("fate").Put(context.Background(), "late", []byte("yes"))
			return c.Reply(ctx, "first")
		}
	}
	db := memory.New()
	hs := niobottest.Start(t, talker(t, db, lag))
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!hello")
	<-inside
	hs.Crash()
	<-crashed
	hs.Resume(talker(t, db, lag))
	alice.ExpectReply("second")
	hs.ExpectNothing(room)
	if _, late, err := hs.Bot().KV("fate").Get(t.Context(), "late"); late || err != nil {
		t.Errorf("what was stored after the crash is there: %v", err)
	}
}

func TestSecondBotOnOneServer(t *testing.T) {
	parrot := func(from, to string) *niobot.Bot {
		bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"}}))
		bot.Add(niobot.NewCommand(from, func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			return c.Reply(ctx, "%s", to)
		}))
		return bot
	}
	hs := niobottest.Start(t, parrot("a", "!b"))
	other := hs.StartBot("other", parrot("b", "!a"))
	if hs.BotID() == other.BotID() || other.BotID().Localpart() != "other" {
		t.Fatalf("the bots are %s and %s", hs.BotID(), other.BotID())
	}
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!a")
	alice.ExpectReply("!b")
	other.ExpectNothing(room) // A bot's notice is no command to another.
	alice.Say(room, "!b")
	other.User("alice").ExpectReply("!a")
	hs.ExpectNothing(room)
	if alice.ID() != other.User("alice").ID() {
		t.Error("alice is two people")
	}
	if err := other.Stop(); err != nil {
		t.Fatal(err)
	}
	alice.Say(room, "!b")
	hs.ExpectNothing(room)
	direct := alice.NewDirectRoom()
	alice.Say(direct, "!a")
	alice.ExpectReply("!b")
}
