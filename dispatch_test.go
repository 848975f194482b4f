package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/niobottest"
)

func botWith(t testing.TB, change func(*niobot.Config), opts ...niobot.Option) *niobot.Bot {
	t.Helper()
	config := niobot.Config{Homeserver: "https://matrix.example.org", Token: "token", Prefixes: []string{"!"}}
	change(&config)
	bot, err := niobot.New(config, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

func workers(n int) func(*niobot.Config) { return func(c *niobot.Config) { c.Workers = n } }

func TestCommandsStartInTheOrderOfTheirRoom(t *testing.T) {
	var mu sync.Mutex
	var got []string
	bot := botWith(t, workers(1))
	bot.Add(command("say", func(_ context.Context, c *niobot.Context) error {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, c.Called)
		return nil
	}, niobot.Alias(aliases(20)...)))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	for _, name := range aliases(20) {
		alice.Say(room, "!"+name)
	}
	hs.Settle()
	if !slices.Equal(got, aliases(20)) {
		t.Errorf("commands started in the order %v", got)
	}
}

func aliases(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("say%d", i))
	}
	return names
}

func TestAtMostWorkersHandlersRunAtOnce(t *testing.T) {
	for _, test := range []struct {
		name    string
		workers int
		opts    []niobot.CommandOption
		want    int32
	}{
		{"Workers", 3, nil, 3},
		{"MaxConcurrency", 8, []niobot.CommandOption{niobot.MaxConcurrency(2)}, 2},
		{"Serial", 8, []niobot.CommandOption{niobot.Serial()}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			const calls = 12
			var now, most atomic.Int32
			began, gate := make(chan bool, calls), make(chan bool)
			bot := botWith(t, workers(test.workers))
			bot.Add(command("work", func(context.Context, *niobot.Context) error {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				began <- true
				<-gate
				return nil
			}, test.opts...))
			hs := niobottest.Start(t, bot)
			alice := hs.User("alice")
			room := alice.NewRoom()
			for range calls {
				alice.Say(room, "!work")
			}
			for range test.want {
				within(t, "handlers start", began)
			}
			close(gate)
			hs.Settle()
			if most.Load() != test.want {
				t.Errorf("%d handlers ran at once, want %d", most.Load(), test.want)
			}
			if got := len(began) + int(test.want); got != calls {
				t.Errorf("%d of %d calls were handled", got, calls)
			}
		})
	}
}

// ask waits for the sender's next message and repeats it.
func ask(ctx context.Context, c *niobot.Context) error {
	if err := c.Reply(ctx, "which?"); err != nil {
		return err
	}
	m, err := c.WaitForMessage(ctx, nil)
	if err != nil {
		return err
	}
	_, err = c.Send(ctx, niobot.Plain("you said "+m.Body))
	return err
}

// nio-bot 21: checks and converters that wait must not stop the sync; here none of them does.
func TestHandlerThatWaitsGivesItsPlaceAway(t *testing.T) {
	wait := func(ctx context.Context, c *niobot.Context) error {
		_, err := c.WaitForMessage(ctx, func(m *niobot.Message) bool { return m.Body == "go on" })
		return err
	}
	for name, cmd := range map[string]*niobot.Command{
		"handler": command("ask", wait),
		"check": command("ask", func(context.Context, *niobot.Context) error { return nil },
			niobot.Require(wait)),
		"converter": niobot.NewCommand("ask", func(context.Context, *niobot.Context, struct {
			Word word `arg:"word"`
		}) error {
			return nil
		}, niobot.Convert(arg.ConverterFunc[word](func(ctx context.Context, text string) (word, error) {
			c, _ := niobot.FromContext(ctx)
			return word(text), wait(ctx, c)
		}))),
	} {
		t.Run(name, func(t *testing.T) {
			bot := botWith(t, workers(1))
			bot.Add(cmd, niobot.NewCommand("ping", ping))
			hs := niobottest.Start(t, bot)
			alice, bob := hs.User("alice"), hs.User("bob")
			room := alice.NewRoom(bob)
			alice.Say(room, "!ask x")
			pinged(bob, room)
			alice.Say(room, "go on")
			hs.Settle()
			pinged(bob, room)
		})
	}
}

type word string

func TestWaitingHandlerGetsTheAnswer(t *testing.T) {
	bot := botWith(t, workers(1))
	bot.Add(command("ask", ask), niobot.NewCommand("ping", ping))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!ask")
	alice.ExpectReply("which?")
	bob.Say(room, "not bob's")
	pinged(bob, room)
	alice.Say(room, "blue")
	hs.ExpectMessage(room, "you said blue")
	hs.ExpectNothing(room)
}

func TestHandlerMayWaitForTwoEventsAtOnce(t *testing.T) {
	bot := botWith(t, workers(1))
	bot.Add(niobot.NewCommand("ping", ping), command("either", func(ctx context.Context, c *niobot.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		found := make(chan string, 2)
		for _, text := range []string{"left", "right"} {
			go func() {
				if _, err := c.WaitForMessage(ctx, func(m *niobot.Message) bool { return m.Body == text }); err == nil {
					found <- text
				}
			}()
		}
		return c.Reply(ctx, "%s", <-found)
	}))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	asked := alice.Say(room, "!either")
	pinged(bob, room)
	alice.Say(room, "right")
	m := hs.ExpectMessage(room, "right")
	if got := m.Event.Content.AsMessage().RelatesTo.GetReplyTo(); got != asked.ID {
		t.Errorf("the reply is to %s, want %s", got, asked.ID)
	}
	pinged(bob, room)
}

func TestListenerThatWaitsHoldsUpNeitherItsRoomNorItsCommand(t *testing.T) {
	bot := newBot(t)
	bot.Add(niobot.NewCommand("ping", ping))
	ended := make(chan string, 1)
	var waiting atomic.Bool
	bot.OnMessage(func(ctx context.Context, m *niobot.Message) error {
		if !waiting.CompareAndSwap(false, true) {
			return nil
		}
		answer, err := bot.WaitForMessage(ctx, m.RoomID, m.Sender, func(m *niobot.Message) bool { return m.Body == "end" })
		if err != nil {
			return err
		}
		ended <- answer.Body
		return nil
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	pinged(alice, room) // Its own listener waits.
	pinged(alice, room)
	alice.Say(room, "end")
	if got := within(t, "the listener ends", ended); got != "end" {
		t.Errorf("the listener was given %q", got)
	}
}

// shake panics in its own converter.
type shake struct{}

// nio-bot 21, 22: what goes wrong in a user's function is caught at the edge.
func TestPanicEndsNothingElse(t *testing.T) {
	boom := func() { panic("boom") }
	nothing := func(context.Context, *niobot.Context) error { return nil }
	for _, test := range []struct {
		name string
		opts []niobot.Option
		add  func(bot *niobot.Bot)
	}{
		{"handler", nil, func(bot *niobot.Bot) {
			bot.Add(command("boom", func(context.Context, *niobot.Context) error { boom(); return nil }))
		}},
		{"listener", nil, func(bot *niobot.Bot) {
			bot.OnMessage(func(_ context.Context, m *niobot.Message) error {
				if m.Body == "!boom" {
					boom()
				}
				return nil
			})
		}},
		{"check", nil, func(bot *niobot.Bot) {
			bot.Add(command("boom", nothing,
				niobot.Require(func(context.Context, *niobot.Context) error { boom(); return nil })))
		}},
		{"check of all commands", nil, func(bot *niobot.Bot) {
			bot.Add(command("boom", nothing))
			bot.Require(func(_ context.Context, c *niobot.Context) error {
				if c.Called == "boom" {
					boom()
				}
				return nil
			})
		}},
		{"converter", nil, func(bot *niobot.Bot) {
			bot.Add(niobot.NewCommand("boom", func(context.Context, *niobot.Context, struct {
				Shake shake `arg:"shake,optional" default:"x"`
			}) error {
				return nil
			}, niobot.Convert(arg.ConverterFunc[shake](func(context.Context, string) (shake, error) {
				boom()
				return shake{}, nil
			}))))
		}},
		{"middleware", nil, func(bot *niobot.Bot) {
			bot.Add(command("boom", nothing,
				niobot.Use(func(niobot.Handler) niobot.Handler { boom(); return nil })))
		}},
		{"middleware that gives no handler", nil, func(bot *niobot.Bot) {
			bot.Add(command("boom", nothing, niobot.Use(func(niobot.Handler) niobot.Handler { return nil })))
		}},
		{"error handler", []niobot.Option{
			niobot.WithErrorHandler(func(context.Context, *niobot.Context, error) { boom() }),
		}, func(bot *niobot.Bot) {
			bot.Add(command("boom", func(context.Context, *niobot.Context) error { return errors.New("wrong") }))
		}},
		{"filter", nil, func(bot *niobot.Bot) {
			bot.Go(func(ctx context.Context) error {
				_, err := bot.WaitForMessage(ctx, "", "", func(m *niobot.Message) bool {
					if m.Body == "!boom" {
						boom()
					}
					return false
				})
				return err
			})
		}},
		{"prefix function", []niobot.Option{
			niobot.WithPrefixFunc(func(_ *niobot.Room, sender id.UserID) []string {
				if strings.HasPrefix(string(sender), "@bob:") {
					boom()
				}
				return nil
			}),
		}, func(*niobot.Bot) {}},
		{"work of the bot", nil, func(bot *niobot.Bot) {
			bot.OnMessage(func(_ context.Context, m *niobot.Message) error {
				if m.Body == "!boom" {
					bot.Go(func(context.Context) error { boom(); return nil })
				}
				return nil
			})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			logs := newRecords()
			bot := botWith(t, workers(1), append(test.opts, logs.option())...)
			bot.Add(niobot.NewCommand("ping", ping))
			test.add(bot)
			hs := niobottest.Start(t, bot)
			alice, bob := hs.User("alice"), hs.User("bob")
			room := alice.NewRoom(bob)
			bob.Say(room, "!boom")
			pinged(alice, room)
			line := logs.wait(t, "ERROR", "panic")
			if !strings.Contains(line, "stack=goroutine") {
				t.Errorf("the panic was logged without a stack: %s", line)
			}
			pinged(alice, room)
		})
	}
}

func TestPanicInAJoinPolicyRefusesTheInvite(t *testing.T) {
	logs := newRecords()
	bot := newBot(t, logs.option(), niobot.WithAutoJoin(niobot.JoinIf(func(i niobot.Invite) bool {
		if strings.HasPrefix(string(i.Sender), "@bob:") {
			panic("boom")
		}
		return true
	})))
	bot.Add(niobot.NewCommand("ping", ping))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := roomOf(t, bob)
	bob.Invite(room)
	logs.wait(t, "ERROR", "join policy panicked", "stack=goroutine")
	if r, ok := bot.Room(room); ok && r.Membership() == event.MembershipJoin {
		t.Error("the invite was accepted")
	}
	pinged(alice, alice.NewRoom())
}

func TestPanicErrorTellsItsValue(t *testing.T) {
	cause := errors.New("the cause")
	told := make(chan error, 1)
	bot := newBot(t, niobot.WithErrorHandler(func(_ context.Context, _ *niobot.Context, err error) { told <- err }))
	bot.Add(command("boom", func(context.Context, *niobot.Context) error { panic(cause) }))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Say(alice.NewRoom(), "!boom")
	err := within(t, "the error handler is called", told)
	var panicked *niobot.PanicError
	if !errors.As(err, &panicked) || !errors.Is(err, cause) || len(panicked.Stack) == 0 {
		t.Errorf("told of %v (%T)", err, err)
	}
}
