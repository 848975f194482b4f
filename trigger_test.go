package niobot_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/render"
)

func ExampleBot_Trigger() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "secret", Prefixes: []string{"!"},
	}))
	defer bot.Close()
	bot.Trigger(regexp.MustCompile(`\bissue #(\d+)\b`),
		func(ctx context.Context, c *niobot.Context, groups []string) error {
			return c.Reply(ctx, "https://example.org/issues/%s", groups[1])
		})
}

var issue = regexp.MustCompile(`\bissue #(\d+)\b`)

func answerIssue(ctx context.Context, c *niobot.Context, groups []string) error {
	return c.Reply(ctx, "see %s", groups[1])
}

// triggered runs a bot that answers !ping and talk of issues.
func triggered(t *testing.T, bot *niobot.Bot, opts ...niobot.TriggerOption) (*niobottest.Server, *niobottest.User, id.RoomID) {
	t.Helper()
	bot.Add(niobot.NewCommand("ping", ping), echo())
	bot.Trigger(issue, answerIssue, opts...)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	return hs, alice, alice.NewRoom()
}

func TestTriggerGetsTheGroups(t *testing.T) {
	_, alice, room := triggered(t, newBot(t))
	alice.Say(room, "that is issue #12, and issue #13")
	alice.ExpectReply("see 12")
}

func TestTriggerAnswersInTheThread(t *testing.T) {
	_, alice, room := triggered(t, newBot(t))
	root := alice.Say(room, "a thread")
	alice.SayIn(root, "issue #1")
	m := alice.ExpectReply("see 1")
	if thread := m.Event.Content.AsMessage().RelatesTo.GetThreadParent(); thread != root.ID {
		t.Errorf("the answer's thread is %q, want %q", thread, root.ID)
	}
}

func TestTriggerPassesOverCommandsNoticesAndTheBotItself(t *testing.T) {
	bot := newBot(t)
	hs, alice, room := triggered(t, bot)
	alice.Say(room, "!echo issue #1")
	alice.ExpectReply("echo issue #1")
	alice.Send(room, event.EventMessage, map[string]any{"msgtype": "m.notice", "body": "issue #2"})
	if _, err := bot.Send(t.Context(), room, render.Plain("issue #3"), niobot.AsType(event.MsgText)); err != nil {
		t.Fatal(err)
	}
	hs.ExpectMessage(room, "issue #3")
	hs.ExpectNothing(room)
}

func TestTriggerOnCommands(t *testing.T) {
	hs, alice, room := triggered(t, newBot(t), niobot.TriggerOnCommands())
	alice.Say(room, "!echo issue #1")
	hs.Settle()
	got := map[string]bool{alice.ExpectReplyMatch(".").Body: true, alice.ExpectReplyMatch(".").Body: true}
	if !got["see 1"] || !got["echo issue #1"] {
		t.Errorf("the replies are %v", got)
	}
}

func TestTriggerFollowsEditsAndRedactions(t *testing.T) {
	hs, alice, room := triggered(t, newBot(t))
	m := alice.Say(room, "issue #1")
	first := alice.ExpectReply("see 1")
	alice.Edit(m, "issue #2")
	hs.ExpectEdit(first, "see 2")
	alice.Edit(m, "nothing")
	hs.ExpectRedacted(first)
	m = alice.Say(room, "issue #3")
	second := alice.ExpectReply("see 3")
	alice.Redact(m)
	hs.ExpectRedacted(second)
}

func TestEachTriggerThatMatchesAnswers(t *testing.T) {
	bot := newBot(t)
	bot.Trigger(issue, answerIssue)
	hs, alice, room := triggered(t, bot)
	alice.Say(room, "issue #1")
	alice.ExpectReply("see 1")
	alice.ExpectReply("see 1")
	hs.ExpectNothing(room)
}

func TestTriggersErrorsAreToldToTheErrorHandler(t *testing.T) {
	bot := newBot(t)
	bot.Trigger(regexp.MustCompile(`panic now`), func(context.Context, *niobot.Context, []string) error { panic("ouch") })
	bot.Trigger(regexp.MustCompile(`fail now`), func(context.Context, *niobot.Context, []string) error {
		return errors.New("secret")
	}, niobot.TriggerName("failure"))
	_, alice, room := triggered(t, bot)
	alice.Say(room, "panic now")
	alice.ExpectReply("Something went wrong with panic now. It has been logged.")
	alice.Say(room, "fail now")
	alice.ExpectReply("Something went wrong with failure. It has been logged.")
	pinged(alice, room)
}

func TestTriggersRefusalIsToldToNobody(t *testing.T) {
	bot := newBot(t)
	refused := make(chan error, 1)
	bot.OnError(func(_ context.Context, _ *niobot.Context, err error) { refused <- err })
	hs, alice, room := triggered(t, bot, niobot.TriggerRequire(niobot.OwnerOnly()))
	alice.Say(room, "issue #1")
	if err := within(t, "refusal", refused); err == nil {
		t.Error("no error")
	}
	hs.ExpectNothing(room)
}

func TestTriggerRunsInsideTheBotsMiddleware(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 10)
	bot.Trigger(issue, answerIssue, niobot.TriggerName("issues"))
	bot.Use(func(next niobot.Handler) niobot.Handler {
		return func(ctx context.Context, c *niobot.Context) error {
			got.add("before %s", c.Command)
			defer got.add("after")
			return next(ctx, c)
		}
	})
	alice := niobottest.Start(t, bot).User("alice")
	alice.Say(alice.NewRoom(), "issue #1")
	alice.ExpectReply("see 1")
	got.want(t, "before issues", "after")
}

func TestRemovedTriggerAnswersNothing(t *testing.T) {
	bot := newBot(t)
	remove := bot.Trigger(regexp.MustCompile(`tea`), func(ctx context.Context, c *niobot.Context, _ []string) error {
		return c.Reply(ctx, "coffee")
	})
	hs, alice, room := triggered(t, bot)
	alice.Say(room, "tea")
	alice.ExpectReply("coffee")
	remove()
	remove()
	alice.Say(room, "tea")
	hs.ExpectNothing(room)
}

func TestTriggerIsNoCommand(t *testing.T) {
	bot := newBot(t)
	triggered(t, bot)
	for _, cmd := range bot.Commands() {
		if cmd.Name() == issue.String() {
			t.Error("the trigger is listed as a command")
		}
	}
}
