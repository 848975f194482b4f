package niobot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func saying(name, text string, opts ...niobot.CommandOption) *niobot.Command {
	return niobot.NewCommand(name, func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "%s", text)
	}, opts...)
}

func configGroup(opts ...niobot.CommandOption) *niobot.Command {
	type setArgs struct {
		Key   string `arg:"key"`
		Value string `arg:"value,rest"`
	}
	set := niobot.NewCommand("set", func(ctx context.Context, c *niobot.Context, a setArgs) error {
		return c.Reply(ctx, "%s is now %s", a.Key, a.Value)
	}, niobot.Alias("put"), niobot.Describe("Change a setting."))
	return niobot.NewGroup("config", append(opts, niobot.Alias("cfg"), niobot.Describe("Look at settings and change them."),
		niobot.Sub(set, saying("list", "all settings"),
			niobot.NewGroup("user", niobot.Sub(saying("get", "deep down")))))...)
}

// nio-bot 43: the rest of a line keeps its spaces, and 61: the first line of a description is shown.
func TestSubcommandsAreFoundAtAnyDepth(t *testing.T) {
	bot := newBot(t)
	bot.Add(configGroup())
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	for said, want := range map[string]string{
		"!config set colour dark  red": "colour is now dark  red",
		"!CFG Put a b":                 "a is now b",
		"!config\n list":               "all settings",
		"!config user get":             "deep down",
	} {
		alice.Say(room, said)
		alice.ExpectReply(want)
	}
	alice.Say(room, "!config sett a b")
	alice.ExpectReply("There is no !config sett. Did you mean !config set?")
	alice.Say(room, "!config xyz")
	alice.ExpectReply("!config has no xyz. Call it alone to see what it has.")
	alice.Say(room, "!config")
	alice.ExpectReplyMatch(`(?s)Look at settings.*!config set <key> <value…> – Change a setting.*!config user …`)
	alice.Say(room, "!help config set")
	alice.ExpectReplyMatch(`(?s)^!config set <key> <value…> \(also: put\).*Change a setting`)
}

func TestUnknownCommandIsAnsweredOnlyWithWhatTheCallerMayRun(t *testing.T) {
	bot := newBot(t)
	bot.Add(saying("restart", "restarting", niobot.Require(niobot.OwnerOnly())), saying("weather", "sunny"))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!wether")
	alice.ExpectReply("There is no !wether. Did you mean !weather?")
	alice.Say(room, "!restrat")
	alice.Say(room, "!something else")
	hs.ExpectNothing(room)
}

func TestUnknownCommandHandlerIsToldTheName(t *testing.T) {
	bot := newBot(t, niobot.WithUnknownCommand(func(ctx context.Context, c *niobot.Context) error {
		return c.Reply(ctx, "what is %s?", c.Called)
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Say(alice.NewRoom(), "!frobnicate now")
	alice.ExpectReply("what is frobnicate?")
}

func TestGroupsChecksMiddlewareAndErrorHandlersHoldForItsCommands(t *testing.T) {
	var order []string
	step := func(name string) niobot.Middleware {
		return func(next niobot.Handler) niobot.Handler {
			return func(ctx context.Context, c *niobot.Context) error {
				order = append(order, name)
				return next(ctx, c)
			}
		}
	}
	failing := niobot.NewCommand("fail", func(context.Context, *niobot.Context, niobot.NoArgs) error {
		return fmt.Errorf("no luck")
	}, niobot.Use(step("own")))
	group := niobot.NewGroup("g", niobot.Sub(failing, saying("say", "said")), niobot.Use(step("group")),
		niobot.OnError(func(ctx context.Context, c *niobot.Context, err error) {
			_ = c.Reply(ctx, "group: %v", err)
		}))
	bot := newBot(t)
	bot.Use(step("bot"))
	bot.Add(group)
	bot.Add(niobot.With(niobot.Require(niobot.OwnerOnly()), saying("secret", "hush"))...)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!g fail")
	alice.ExpectReply("group: no luck")
	if got := fmt.Sprint(order); got != "[bot group own]" {
		t.Errorf("middleware ran in the order %s", got)
	}
	alice.Say(room, "!secret")
	alice.ExpectReply("Only the bot's owner may do that.")
}

func TestCooldownIsToldOnceAndEnds(t *testing.T) {
	bot := newBot(t)
	bot.Add(saying("once", "yes", niobot.Cooldown(1, time.Hour, niobot.PerUser)))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!once")
	alice.ExpectReply("yes")
	alice.Say(room, "!once")
	alice.ExpectReplyMatch(`^once needs a rest. Try again in (1h0m0s|1h0m1s|59m\d+s)\.$`)
	alice.Say(room, "!once")
	hs.ExpectNothing(room)
	bob.Say(room, "!once")
	bob.ExpectReply("yes")
}

func TestBusyCommandIsRefused(t *testing.T) {
	bot := newBot(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	bot.Add(niobot.NewCommand("work", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		close(entered)
		<-leave
		return c.Reply(ctx, "done")
	}, niobot.RejectAbove(1)))
	hs := niobottest.Start(t, bot)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!work")
	<-entered
	bob.Say(room, "!work")
	bob.ExpectReply("work is already running. Try again in a moment.")
	close(leave)
	alice.ExpectReply("done")
}

func TestTextsAreTranslated(t *testing.T) {
	bot := newBot(t, niobot.WithTexts(func(c *niobot.Context) map[niobot.Text]string {
		return map[niobot.Text]string{
			niobot.TextOwnerOnly:  "Das darf nur der Besitzer des Bots.",
			niobot.TextDidYouMean: "Kein %s, vielleicht?", // One verb too few: passed over
		}
	}))
	bot.Add(saying("stop", "stopped", niobot.Require(niobot.OwnerOnly())), saying("weather", "sunny"))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!stop")
	alice.ExpectReply("Das darf nur der Besitzer des Bots.")
	alice.Say(room, "!wether")
	alice.ExpectReply("There is no !wether. Did you mean !weather?")
}
