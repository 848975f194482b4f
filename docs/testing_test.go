package docs_test

import (
	"context"
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/store/memory"
)

// What follows is shown in testing.md, piece by piece.

func TestWelcome(t *testing.T) {
	got := niobottest.Call(t, niobot.NewCommand("welcome", welcome), "@bob:example.org", niobottest.From("alice"))
	if got.Err != nil || !strings.HasPrefix(got.Reply(), "Welcome, @bob:example.org!") {
		t.Errorf("got %q, %v", got.Reply(), got.Err)
	}
}

func TestKnockKnock(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	bot.Add(niobot.NewCommand("knock", knock))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)

	alice.Say(room, "!knock")
	alice.ExpectReply("Who's there?")
	bob.Say(room, "Me!")
	hs.ExpectNothing(room)
	alice.Say(room, "Alice")
	hs.ExpectMessage(room, "Alice who?")
}

func TestNothingIsSaidTwice(t *testing.T) {
	bot := niobot.Must(niobot.New(testConfig()))
	bot.Add(niobot.NewCommand("prices", prices))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()

	hs.Fail(niobottest.Fault{Path: "/send/", Count: 1, Cut: niobottest.CutAfter})
	alice.Say(room, "!prices")
	alice.ExpectReplyMatch("Coffee")
	hs.ExpectNothing(room)
}

func TestNobodyIsForgotten(t *testing.T) {
	db := memory.New()
	newBot := func() *niobot.Bot {
		bot := niobot.Must(niobot.New(testConfig(), niobot.WithStore(db)))
		bot.Add(niobot.NewCommand("knock", knock))
		return bot
	}
	hs := niobottest.Start(t, newBot())
	alice := hs.User("alice")
	room := alice.NewRoom()

	alice.Say(room, "!knock")
	alice.ExpectReply("Who's there?")
	hs.Settle()
	hs.Crash()
	alice.Say(room, "Alice")
	hs.Resume(newBot())
	hs.ExpectMessage(room, "Alice who?")
}

func TestBotsLeaveEachOtherAlone(t *testing.T) {
	hs := niobottest.Start(t, parrot())
	other := hs.StartBot("other", parrot())
	alice := hs.User("alice")
	room := alice.NewRoom()

	alice.Say(room, "!say !say again")
	alice.ExpectReply("!say again")
	other.User("alice").ExpectReply("!say again")
	hs.ExpectNothing(room)
	other.ExpectNothing(room)
}

func parrot() *niobot.Bot {
	type args struct {
		Text string `arg:"text,rest"`
	}
	bot := niobot.Must(niobot.New(testConfig()))
	bot.Add(niobot.NewCommand("say", func(ctx context.Context, c *niobot.Context, a args) error {
		return c.Reply(ctx, "%s", a.Text)
	}))
	return bot
}
