package niobot_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// greeter is a module with everything that a module can have.
type greeter struct {
	name   string
	fail   error
	panics bool
	heard  atomic.Int32
	closed atomic.Int32
	worked chan struct{}
}

func (g *greeter) Name() string { return g.name }

func (g *greeter) Commands() []*niobot.Command {
	return []*niobot.Command{
		saying("greet", "hello from "+g.name, niobot.Describe("Greet.")),
		niobot.NewCommand("stumble", func(context.Context, *niobot.Context, niobot.NoArgs) error {
			return errors.New("stumbled")
		}),
	}
}

func (g *greeter) Setup(_ context.Context, s *niobot.Scope) error {
	s.OnMessage(func(context.Context, *niobot.Message) error {
		g.heard.Add(1)
		return nil
	})
	s.OnError(func(ctx context.Context, c *niobot.Context, err error) { _ = c.Reply(ctx, "oh, %v", err) })
	if g.worked != nil {
		s.Go(func(ctx context.Context) error {
			<-ctx.Done()
			close(g.worked)
			return nil
		})
	}
	if g.panics {
		panic("setup panics")
	}
	return g.fail
}

func (g *greeter) Close(context.Context) error {
	g.closed.Add(1)
	return nil
}

var _ interface {
	niobot.ModuleSetup
	niobot.ModuleCloser
} = (*greeter)(nil)

// nio-bot 65: what a module has added goes with it, and can come back.
func TestModuleIsMountedUnmountedAndMountedAgain(t *testing.T) {
	bot := newBot(t)
	g := &greeter{name: "greeter", worked: make(chan struct{})}
	if err := bot.Mount(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!greet")
	alice.ExpectReply("hello from greeter")
	alice.Say(room, "!stumble")
	alice.ExpectReply("oh, stumbled")
	alice.Say(room, "!help")
	alice.ExpectReplyMatch(`(?s)!help.*greeter.*!greet – Greet\.`)

	if err := bot.Unmount(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	<-g.worked
	heard := g.heard.Load()
	alice.Say(room, "!greet")
	hs.ExpectNothing(room)
	if g.heard.Load() != heard || g.closed.Load() != 1 {
		t.Errorf("after unmounting: heard %d more, closed %d times", g.heard.Load()-heard, g.closed.Load())
	}

	g.worked = make(chan struct{})
	if err := bot.Mount(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	alice.Say(room, "!greet")
	alice.ExpectReply("hello from greeter")
	if err := hs.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := g.closed.Load(); got != 2 {
		t.Errorf("closed %d times after the bot ended, want 2", got)
	}
}

// nio-bot 66: what can not be mounted says why, and is not there.
func TestModuleThatFailsLeavesNothingBehind(t *testing.T) {
	tests := []struct {
		name   string
		module *greeter
		want   string
	}{
		{"error", &greeter{name: "g", fail: errors.New("no database")}, "mount g: no database"},
		{"panic", &greeter{name: "g", panics: true}, "mount g: panic: setup panics"},
		{"name taken", &greeter{name: "first"}, "mount first: a module of that name is mounted"},
		{"command taken", &greeter{name: "second"}, `mount second: command "greet": the name "greet" is taken by command "greet"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bot := newBot(t)
			first := &greeter{name: "first"}
			if strings.Contains(tt.name, "taken") {
				if err := bot.Mount(t.Context(), first); err != nil {
					t.Fatal(err)
				}
			}
			err := bot.Mount(t.Context(), tt.module)
			if err == nil || err.Error() != tt.want {
				t.Fatalf("got error %v, want %s", err, tt.want)
			}
			hs := niobottest.Start(t, bot)
			alice := hs.User("alice")
			alice.Say(alice.NewRoom(), "hello")
			hs.Settle()
			if tt.module.heard.Load() != 0 {
				t.Error("the listener of the failed module is still there")
			}
			if cmd, ok := bot.Command("greet"); ok != (first.heard.Load() > 0) {
				t.Errorf("command %v found: %v", cmd, ok)
			}
		})
	}
}

// nio-bot 49: what one bot does with a command or module is not seen by another.
func TestModuleIsMountedOnTwoBotsInOneProcess(t *testing.T) {
	g := &greeter{name: "greeter"}
	for range 2 {
		bot := newBot(t)
		if err := bot.Mount(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		hs := niobottest.Start(t, bot)
		alice := hs.User("alice")
		alice.Say(alice.NewRoom(), "!greet")
		alice.ExpectReply("hello from greeter")
	}
	if got := g.closed.Load(); got != 0 {
		t.Errorf("closed %d times while both bots run", got)
	}
}
