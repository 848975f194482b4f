package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func ExampleBot_OnDone() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "secret", Prefixes: []string{"!"},
	}))
	defer bot.Close()
	bot.OnDone(func(ctx context.Context, c *niobot.Context, o niobot.Outcome) {
		c.Logger().Info("command done", "took", o.Took, "err", o.Err)
	})
	bot.OnReady(func(ctx context.Context) { fmt.Println("in", len(bot.Rooms()), "rooms") })
}

// hooked is a bot whose hooks say that they were called.
func hooked(t *testing.T, opts ...niobot.Option) (*niobot.Bot, heard) {
	bot := newBot(t, opts...)
	got := make(heard, 50)
	bot.OnStart(func(context.Context) { got.add("start as %s, %d rooms", bot.UserID(), len(bot.Rooms())) })
	bot.OnReady(func(context.Context) { got.add("ready") })
	bot.OnStop(func(context.Context) { got.add("stop") })
	bot.OnCommand(func(_ context.Context, c *niobot.Context) { got.add("command %s", c.Command) })
	bot.OnDone(func(_ context.Context, c *niobot.Context, o niobot.Outcome) { got.add("done %s: %v", c.Command, o.Err) })
	bot.OnCancelled(func(_ context.Context, c *niobot.Context, cause error) { got.add("cancelled %s", c.Command) })
	bot.OnError(func(_ context.Context, c *niobot.Context, err error) { got.add("error %s: %v", c.Command, err) })
	return bot, got
}

func (h heard) want(t testing.TB, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if got := within(t, want, h); got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

// nio-bot's event_loop_ready and ready: nio-bot 24.
func TestHooksAreToldOfStartReadyAndStop(t *testing.T) {
	bot, got := hooked(t)
	hs := niobottest.Start(t, bot)
	got.want(t, "start as "+string(hs.BotID())+", 0 rooms", "ready")
	bot.OnReady(func(context.Context) { got.add("ready late") })
	got.want(t, "ready late")
	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	got.want(t, "stop")
}

func TestStopIsToldWhenNoHandlerRunsAndMessagesCanStillBeSent(t *testing.T) {
	bot := botWith(t, func(c *niobot.Config) { c.Drain = 100 * time.Millisecond })
	got := make(heard, 10)
	begun := make(chan struct{})
	bot.Add(command("long", func(ctx context.Context, c *niobot.Context) error {
		close(begun)
		<-ctx.Done()
		got.add("handler returns")
		return ctx.Err()
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	bot.OnCancelled(func(ctx context.Context, c *niobot.Context, cause error) {
		got.add("cancelled, bot closed: %t, can answer: %t", errors.Is(cause, niobot.ErrClosed), ctx.Err() == nil)
	})
	bot.OnStop(func(ctx context.Context) {
		_, err := bot.Send(ctx, room, niobot.Plain("bye"))
		got.add("stop, sent: %v", err)
	})
	alice.Say(room, "!long")
	within(t, "handler", begun)
	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	got.want(t, "handler returns", "cancelled, bot closed: true, can answer: true", "stop, sent: <nil>")
	hs.ExpectMessage(room, "bye")
}

func TestBotThatNeverRanTellsOfNoStop(t *testing.T) {
	bot, got := hooked(t)
	if err := bot.Close(); err != nil {
		t.Fatal(err)
	}
	if len(got) > 0 {
		t.Errorf("heard %q", <-got)
	}
}

func TestHooksAreToldOfCommands(t *testing.T) {
	bot, got := hooked(t, niobot.WithErrorHandler(func(ctx context.Context, c *niobot.Context, err error) {
		_ = c.Reply(ctx, "failed")
	}))
	bot.Add(echo(), command("fail", func(context.Context, *niobot.Context) error { return errors.New("broken") }),
		command("panic", func(context.Context, *niobot.Context) error { panic("ouch") }),
		command("mine", func(context.Context, *niobot.Context) error { return nil }, niobot.Require(niobot.OwnerOnly())))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	got.want(t, "start as "+string(hs.BotID())+", 0 rooms", "ready")
	for _, c := range []struct {
		say  string
		want []string
	}{
		{"!echo hi", []string{"command echo", "done echo: <nil>"}},
		{"!fail", []string{"command fail", "error fail: broken", "done fail: broken"}},
		{"!panic", []string{"command panic", "error panic: panic: ouch", "done panic: panic: ouch"}},
		{"!mine", []string{"error mine: owner: Only the bot's owner may do that.",
			"done mine: owner: Only the bot's owner may do that."}},
		{"!fail --wrong", []string{`error fail: unknown flag "--wrong"; write -- before text that begins with a dash`,
			`done fail: unknown flag "--wrong"; write -- before text that begins with a dash`}},
		{"!unknown", nil},
		{"!echo bye", []string{"command echo", "done echo: <nil>"}},
	} {
		alice.Say(room, c.say)
		hs.Settle()
		got.want(t, c.want...)
	}
	if len(got) > 0 {
		t.Errorf("heard %q too", <-got)
	}
}

// A command that is redacted is told of as cancelled: nio-bot's command_cancelled.
func TestHooksAreToldOfACancelledCommand(t *testing.T) {
	bot, got := hooked(t)
	begun := make(chan struct{})
	bot.Add(command("long", func(ctx context.Context, c *niobot.Context) error {
		close(begun)
		<-ctx.Done()
		return errors.New("gave up")
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	m := alice.Say(alice.NewRoom(), "!long")
	within(t, "handler", begun)
	alice.Redact(m)
	got.want(t, "start as "+string(hs.BotID())+", 0 rooms", "ready", "command long", "cancelled long", "done long: gave up")
}

func TestOutcomeTellsTheTime(t *testing.T) {
	bot := newBot(t)
	took := make(chan time.Duration, 1)
	bot.OnDone(func(_ context.Context, _ *niobot.Context, o niobot.Outcome) { took <- o.Took })
	bot.Add(command("wait", func(ctx context.Context, c *niobot.Context) error {
		timer := time.NewTimer(20 * time.Millisecond)
		defer timer.Stop()
		<-timer.C
		return nil
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	begin := time.Now()
	alice.Say(room, "!wait")
	if d := within(t, "done", took); d < 20*time.Millisecond || d > time.Since(begin) {
		t.Errorf("took %s", d)
	}
}

func TestHookThatPanicsBreaksNothing(t *testing.T) {
	logs := newRecords()
	bot := newBot(t, logs.option())
	bot.Add(niobot.NewCommand("ping", ping))
	bot.OnStart(func(context.Context) { panic("start") })
	bot.OnReady(func(context.Context) { panic("ready") })
	bot.OnCommand(func(context.Context, *niobot.Context) { panic("command") })
	got := make(heard, 1)
	bot.OnDone(func(context.Context, *niobot.Context, niobot.Outcome) { panic("done") })
	bot.OnDone(func(context.Context, *niobot.Context, niobot.Outcome) { got.add("next hook") })
	bot.OnStop(func(context.Context) { panic("stop") })
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	pinged(alice, alice.NewRoom())
	got.want(t, "next hook")
	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"OnStart", "OnCommand", "OnDone", "OnStop"} {
		if len(logs.with("hook panicked", "hook="+name)) == 0 {
			t.Errorf("the panic in %s is not in the log", name)
		}
	}
}

func TestHookIsRemovedForGood(t *testing.T) {
	bot := newBot(t)
	bot.Add(niobot.NewCommand("ping", ping))
	got := make(heard, 10)
	var removeSecond func()
	remove := bot.OnDone(func(context.Context, *niobot.Context, niobot.Outcome) { got.add("first"); removeSecond() })
	removeSecond = bot.OnDone(func(context.Context, *niobot.Context, niobot.Outcome) { got.add("second") })
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	pinged(alice, room)
	hs.Settle()
	remove()
	remove()
	pinged(alice, room)
	hs.Settle()
	got.want(t, "first")
	if len(got) > 0 {
		t.Errorf("heard %q too", <-got)
	}
}

func TestHookCanAnswer(t *testing.T) {
	bot := newBot(t)
	bot.Add(niobot.NewCommand("ping", ping))
	bot.OnDone(func(ctx context.Context, c *niobot.Context, _ niobot.Outcome) {
		if same, ok := niobot.FromContext(ctx); !ok || same != c {
			t.Error("the context is not the command's")
		}
		if err := c.Reply(ctx, "done"); err != nil {
			t.Error(err)
		}
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	pinged(alice, alice.NewRoom())
	alice.ExpectReply("done")
}

// Who is told of errors gets the call's context, also where the command is switched off: nio-bot 37.
func TestErrorOfADisabledCommandComesWithItsContext(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 10)
	bot.OnError(func(_ context.Context, c *niobot.Context, err error) {
		var refused *niobot.CheckError
		got.add("%s by %s: %t", c.Command, c.Sender(), errors.As(err, &refused))
	})
	bot.Add(command("off", func(context.Context, *niobot.Context) error { return nil }, niobot.Disable()))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Say(alice.NewRoom(), "!off")
	got.want(t, "off by "+string(alice.ID())+": true")
}
