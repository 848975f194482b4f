package niobottest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/niobottest"
)

type addArgs struct {
	A int `arg:"a"`
	B int `arg:"b"`
}

func add(ctx context.Context, c *niobot.Context, a addArgs) error {
	if _, err := c.React(ctx, "🧮"); err != nil {
		return err
	}
	if err := c.Reply(ctx, "calculating"); err != nil {
		return err
	}
	return c.EditReply(ctx, "**%d**", a.A+a.B)
}

func TestCallRunsOneCommand(t *testing.T) {
	got := niobottest.Call(t, niobot.NewCommand("add", add), "3 4")
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	if len(got.Replies) != 1 || got.Reply() != "7" || got.HTML[0] != "<strong>7</strong>" {
		t.Errorf("got replies %q with HTML %q, want one 7 in bold", got.Replies, got.HTML)
	}
	if len(got.Reactions) != 1 || got.Reactions[0] != "🧮" {
		t.Errorf("got reactions %q", got.Reactions)
	}
}

func TestCallGivesTheErrorAndItsAnswer(t *testing.T) {
	got := niobottest.Call(t, niobot.NewCommand("add", add), "3 four")
	var wrong *arg.Error
	if !errors.As(got.Err, &wrong) || wrong.Param != "b" {
		t.Errorf("got error %v, want one of argument b", got.Err)
	}
	if got.Reply() == "" {
		t.Error("the wrong argument was not answered")
	}
}

func TestCallSetsTheCallersRights(t *testing.T) {
	tests := []struct {
		name  string
		check niobot.Check
		opts  []niobottest.CallOption
		want  bool
	}{
		{"no owner", niobot.OwnerOnly(), nil, false},
		{"owner", niobot.OwnerOnly(), []niobottest.CallOption{niobottest.AsOwner()}, true},
		{"no power", niobot.SenderPower(50), nil, false},
		{"power", niobot.SenderPower(50), []niobottest.CallOption{niobottest.WithPower(50)}, true},
		{"bot without power", niobot.BotPower(50), []niobottest.CallOption{niobottest.WithPower(50)}, false},
		{"bot with power", niobot.BotPower(50), []niobottest.CallOption{niobottest.WithBotPower(50)}, true},
		{"no direct room", niobot.DirectOnly(), nil, false},
		{"direct room", niobot.DirectOnly(), []niobottest.CallOption{niobottest.InDirectRoom()}, true},
		{"another server", niobot.FromServer("example.org"), nil, false},
		{"own server", niobot.FromServer("localhost"), nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ran := false
			cmd := niobot.NewCommand("try", func(context.Context, *niobot.Context, niobot.NoArgs) error {
				ran = true
				return nil
			}, niobot.Require(tt.check))
			got := niobottest.Call(t, cmd, "", tt.opts...)
			if ran != tt.want || (got.Err == nil) != tt.want {
				t.Errorf("ran: %v, error %v; want it to run: %v", ran, got.Err, tt.want)
			}
		})
	}
}

func ExampleCall() {
	var t testing.TB // The test's own
	greet := niobot.NewCommand("greet", func(ctx context.Context, c *niobot.Context, a struct {
		Name string `arg:"name"`
	}) error {
		return c.Reply(ctx, "Hello, %s!", a.Name)
	})
	if got := niobottest.Call(t, greet, "Ada").Reply(); got != "Hello, Ada!" {
		t.Errorf("got %q", got)
	}
}
