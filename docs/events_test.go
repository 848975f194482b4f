package docs_test

import (
	"context"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// What follows is shown in events.md, piece by piece.

func welcomeMembers(bot *niobot.Bot) {
	niobot.Listen(bot, event.StateMember,
		func(ctx context.Context, e *niobot.Event, member *event.MemberEventContent) error {
			if member.Membership != event.MembershipJoin || e.Sender == bot.UserID() {
				return nil
			}
			_, err := bot.Send(ctx, e.RoomID, niobot.Markdown("Welcome, %s!", member.Displayname))
			return err
		})
}

type deployment struct {
	Version string `json:"version"`
}

func announceDeployments(bot *niobot.Bot) (remove func()) {
	return niobot.Listen(bot, event.Type{Type: "org.example.deployment"},
		func(ctx context.Context, e *niobot.Event, d *deployment) error {
			_, err := bot.Send(ctx, e.RoomID, niobot.Markdown("Version **%s** is out.", d.Version))
			return err
		})
}

func linkIssues(bot *niobot.Bot) {
	bot.Trigger(regexp.MustCompile(`\bissue #(\d+)\b`),
		func(ctx context.Context, c *niobot.Context, groups []string) error {
			return c.Reply(ctx, "https://example.org/issues/%s", groups[1])
		})
}

func waitForJoin(ctx context.Context, bot *niobot.Bot, room id.RoomID, user id.UserID) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	_, _, err := niobot.WaitForContent(ctx, bot, niobot.Filter{Type: event.StateMember, RoomID: room, Sender: user},
		func(_ *niobot.Event, member *event.MemberEventContent) bool {
			return member.Membership == event.MembershipJoin
		})
	return err
}

func knock(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	if err := c.Reply(ctx, "Who's there?"); err != nil {
		return err
	}
	answer, err := c.WaitForMessage(ctx, func(m *niobot.Message) bool { return m.MsgType == event.MsgText })
	if err != nil {
		return err
	}
	return c.Reply(ctx, "%s who?", answer.Body)
}

func countCommands(bot *niobot.Bot, ended, failed *atomic.Int64) {
	bot.OnDone(func(_ context.Context, c *niobot.Context, o niobot.Outcome) {
		ended.Add(1)
		if o.Err != nil {
			failed.Add(1)
		}
		c.Logger().Info("command counted", "duration", o.Took)
	})
}

func greetOwners(bot *niobot.Bot, owner id.UserID) {
	bot.OnReady(func(ctx context.Context) {
		if _, err := bot.SendDirect(ctx, owner, niobot.Plain("I am back.")); err != nil {
			bot.Logger().Warn("owner not greeted", "err", err)
		}
	})
}

// That was shown.

func TestEvents(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	var ended, failed atomic.Int64
	welcomeMembers(bot)
	remove := announceDeployments(bot)
	linkIssues(bot)
	countCommands(bot, &ended, &failed)
	bot.Add(niobot.NewCommand("knock", knock))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom()

	joined := make(chan error)
	go func() { joined <- waitForJoin(t.Context(), bot, room, bob.ID()) }()
	if _, err := alice.Client().SendStateEvent(t.Context(), room, event.StateJoinRules, "",
		event.JoinRulesEventContent{JoinRule: event.JoinRulePublic}); err != nil {
		t.Fatal(err)
	}
	hs.Settle()
	if _, err := bob.Client().JoinRoomByID(t.Context(), room); err != nil {
		t.Fatal(err)
	}
	hs.ExpectMessage(room, "Welcome, bob!")
	if err := <-joined; err != nil {
		t.Error(err)
	}
	alice.Send(room, event.Type{Type: "org.example.deployment", Class: event.MessageEventType}, deployment{"1.2"})
	hs.ExpectMessage(room, "Version 1.2 is out.")
	remove()
	alice.Send(room, event.Type{Type: "org.example.deployment", Class: event.MessageEventType}, deployment{"1.3"})
	hs.ExpectNothing(room)

	alice.Say(room, "It's issue #12 again.")
	alice.ExpectReply("https://example.org/issues/12")
	alice.Say(room, "!knock")
	alice.ExpectReply("Who's there?")
	alice.Say(room, "Boo")
	hs.ExpectMessage(room, "Boo who?")
	alice.Say(room, "!knock knock")
	alice.ExpectReplyMatch("too many")
	hs.Settle()
	if ended.Load() != 3 || failed.Load() != 1 {
		t.Errorf("%d ended, %d failed", ended.Load(), failed.Load())
	}
}

func TestGreetOwners(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	greetOwners(bot, alice.ID())
	room, err := bot.DirectRoom(t.Context(), alice.ID())
	if err != nil {
		t.Fatal(err)
	}
	hs.ExpectMessage(room, "I am back.")
}
