//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// TestBot runs a bot against every homeserver, in talk with a plain client.
func TestBot(t *testing.T) {
	runEverywhere(t, []scenario{
		{name: "joins by invite and answers", run: botAnswers},
		{name: "binds typed arguments", run: botBindsArguments},
		{name: "says what is wrong with an argument", run: botExplainsArgument},
		{name: "answers in the thread", run: botAnswersInThread},
		{name: "edits its answer", run: botEditsAnswer},
		{name: "follows an edited command", run: botFollowsEdit},
		{name: "takes back the answer to a redacted command", run: botFollowsRedaction},
		{name: "reacts", run: botReacts},
		{name: "writes to a user", run: botWritesDirectly},
		{name: "waits for an answer", run: botAsks},
		{name: "catches up on a burst", run: botCatchesUp},
		{name: "needs power", run: botChecksPower},
		{name: "follows a room upgrade", run: botFollowsUpgrade},
		{name: "furnishes a room", run: botFurnishesRoom},
		{name: "moderates", run: botModerates},
		{name: "edits power levels", run: botEditsPower},
		{name: "keeps account data", run: botKeepsAccountData},
		{name: "shows itself", run: botShowsItself},
		{name: "names a room", run: botNamesRoom},
		{name: "builds a space", run: botBuildsSpace},
		{name: "upgrades a room", run: botUpgradesRoom},
		{name: "leaves a direct room", run: botLeavesDirectRoom},
		{name: "goes on after a restart", run: botSurvivesRestart, alone: true},
	})
}

// startBot runs a bot with the commands until the test ends.
func startBot(t *testing.T, hs Homeserver, commands ...*niobot.Command) *niobot.Bot {
	t.Helper()
	return startBotBehind(t, hs, hs.URL(), commands...)
}

// startBotBehind runs a bot that reaches the homeserver under another URL.
func startBotBehind(t *testing.T, hs Homeserver, url string, commands ...*niobot.Command) *niobot.Bot {
	t.Helper()
	account := hs.Register(t, "bot")
	bot, err := niobot.New(niobot.Config{Homeserver: url, Token: account.Token, Prefixes: []string{"!"}},
		niobot.WithMention())
	check(t, "make the bot", err)
	bot.Add(commands...)
	done := make(chan error, 1)
	go func() { done <- bot.Run(context.WithoutCancel(t.Context())) }()
	t.Cleanup(func() {
		check(t, "close the bot", bot.Close())
		check(t, "run the bot", <-done)
	})
	select {
	case <-bot.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("the bot ended: %v", err)
	case <-time.After(scenarioLimit):
		t.Fatal("the bot was not ready in time")
	}
	return bot
}

// with invites the bot into a new room of the user, and returns when the bot has joined.
func (u *user) with(bot *niobot.Bot) id.RoomID {
	u.t.Helper()
	created, err := u.CreateRoom(u.ctx, &mautrix.ReqCreateRoom{
		Preset: "private_chat", Invite: []id.UserID{bot.UserID()},
	})
	check(u.t, "create a room", err)
	u.awaitJoin(created.RoomID, bot.UserID())
	return created.RoomID
}

func (u *user) awaitJoin(room id.RoomID, who id.UserID) {
	u.t.Helper()
	u.await("the bot to join", func(resp *mautrix.RespSync) bool {
		for _, e := range timeline(resp, room) {
			if e.Type.Type == event.StateMember.Type && e.GetStateKey() == who.String() &&
				parse(u.t, e).Content.AsMember().Membership == event.MembershipJoin {
				return true
			}
		}
		return false
	})
}

// hear polls until the sender has sent an event that match accepts into the room.
func (u *user) hear(room id.RoomID, sender id.UserID, what string, match func(*event.Event) bool) *event.Event {
	u.t.Helper()
	var heard *event.Event
	u.await(what, func(resp *mautrix.RespSync) bool {
		for _, e := range timeline(resp, room) {
			e.RoomID = room
			e.Type.Class = event.MessageEventType
			if e.Sender == sender && e.StateKey == nil && match(parse(u.t, e)) {
				heard = e
				return true
			}
		}
		return false
	})
	return heard
}

// hearReply waits for the sender's reply to a message, and checks its text.
func (u *user) hearReply(room id.RoomID, sender id.UserID, to id.EventID, want string) *event.Event {
	u.t.Helper()
	e := u.hear(room, sender, fmt.Sprintf("the reply %q", want), func(e *event.Event) bool {
		return e.Type.Type == event.EventMessage.Type &&
			e.Content.AsMessage().OptionalGetRelatesTo().GetNonFallbackReplyTo() == to
	})
	if got := e.Content.AsMessage().Body; got != want {
		u.t.Fatalf("%s replied %q, want %q", sender, got, want)
	}
	return e
}

// hearEdit waits for the sender's edit of a message, and checks the new text.
func (u *user) hearEdit(room id.RoomID, sender id.UserID, of id.EventID, want string) {
	u.t.Helper()
	e := u.hear(room, sender, fmt.Sprintf("the edit to %q", want), func(e *event.Event) bool {
		return e.Type.Type == event.EventMessage.Type &&
			e.Content.AsMessage().OptionalGetRelatesTo().GetReplaceID() == of
	})
	if got := e.Content.AsMessage().NewContent.Body; got != want {
		u.t.Fatalf("%s edited to %q, want %q", sender, got, want)
	}
}

var ping = niobot.NewCommand("ping", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	return c.Reply(ctx, "pong")
})

type remindArgs struct {
	Who   id.UserID     `arg:"who"`
	After time.Duration `arg:"--after" default:"1h"`
	Text  string        `arg:"text,rest"`
}

var remind = niobot.NewCommand("remind", func(ctx context.Context, c *niobot.Context, a remindArgs) error {
	return c.Reply(ctx, "%s after %s: %s", a.Who, a.After, a.Text)
})

func botAnswers(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	room := alice.with(bot)
	alice.hearReply(room, bot.UserID(), alice.say(room, "!ping"), "pong")
	alice.hearReply(room, bot.UserID(), alice.say(room, bot.UserID().String()+": PING"), "pong")
}

func botBindsArguments(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, remind), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!remind @bob:example.org --after 1d12h don't  forget")
	alice.hearReply(room, bot.UserID(), said, "@bob:example.org after 36h0m0s: don't  forget")
}

func botExplainsArgument(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, remind), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!remind @bob:example.org --after soon tea")
	e := alice.hear(room, bot.UserID(), "the explanation", func(e *event.Event) bool {
		return e.Content.AsMessage().OptionalGetRelatesTo().GetNonFallbackReplyTo() == said
	})
	body := e.Content.AsMessage().Body
	for _, want := range []string{"after", "soon", "^", "!remind <who>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, body)
		}
	}
}

func botAnswersInThread(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	room := alice.with(bot)
	root := alice.say(room, "a thread")
	said := alice.send(room, &event.MessageEventContent{
		MsgType: event.MsgText, Body: "!ping",
		RelatesTo: &event.RelatesTo{Type: event.RelThread, EventID: root, IsFallingBack: true,
			InReplyTo: &event.InReplyTo{EventID: root}},
	})
	e := alice.hearReply(room, bot.UserID(), said, "pong")
	if got := e.Content.AsMessage().RelatesTo.GetThreadParent(); got != root {
		t.Errorf("the answer is in thread %q, want %q", got, root)
	}
}

func botEditsAnswer(t *testing.T, hs Homeserver) {
	work := niobot.NewCommand("work", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if err := c.Reply(ctx, "working"); err != nil {
			return err
		}
		return c.EditReply(ctx, "**done**")
	})
	bot, alice := startBot(t, hs, work), newUser(t, hs, "alice")
	room := alice.with(bot)
	e := alice.hearReply(room, bot.UserID(), alice.say(room, "!work"), "working")
	alice.since = ""
	alice.hearEdit(room, bot.UserID(), e.ID, "done")
}

func botFollowsEdit(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, remind), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!remind @bob:example.org tea")
	e := alice.hearReply(room, bot.UserID(), said, "@bob:example.org after 1h0m0s: tea")
	edit := &event.MessageEventContent{MsgType: event.MsgText, Body: "!remind @bob:example.org coffee"}
	edit.SetEdit(said)
	alice.send(room, edit)
	alice.hearEdit(room, bot.UserID(), e.ID, "@bob:example.org after 1h0m0s: coffee")
}

func botFollowsRedaction(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!ping")
	e := alice.hearReply(room, bot.UserID(), said, "pong")
	_, err := alice.RedactEvent(alice.ctx, room, said)
	check(t, "redact the command", err)
	alice.hear(room, bot.UserID(), "the redaction of the answer", func(r *event.Event) bool {
		return r.Type.Type == event.EventRedaction.Type && (r.Redacts == e.ID || r.Content.AsRedaction().Redacts == e.ID)
	})
}

func botReacts(t *testing.T, hs Homeserver) {
	like := niobot.NewCommand("like", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		_, err := c.React(ctx, "👍")
		return err
	})
	bot, alice := startBot(t, hs, like), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!like")
	alice.hear(room, bot.UserID(), "the reaction", func(e *event.Event) bool {
		if e.Type.Type != event.EventReaction.Type {
			return false
		}
		rel := e.Content.AsReaction().RelatesTo
		return rel.EventID == said && rel.Key == "👍"
	})
}

func botWritesDirectly(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	first, err := bot.SendDirect(alice.ctx, alice.UserID, niobot.Plain("hello"))
	check(t, "send directly", err)
	alice.await("the invite", func(resp *mautrix.RespSync) bool { return resp.Rooms.Invite[first.RoomID] != nil })
	alice.join(first.RoomID)
	second, err := bot.SendDirect(alice.ctx, alice.UserID, niobot.Plain("hello again"))
	check(t, "send directly again", err)
	if second.RoomID != first.RoomID {
		t.Errorf("the second message went to %s, the first to %s", second.RoomID, first.RoomID)
	}
	alice.hear(first.RoomID, bot.UserID(), "the second message", func(e *event.Event) bool { return e.ID == second.ID })
	client, err := bot.Client(alice.ctx)
	check(t, "get the bot's client", err)
	var direct map[id.UserID][]id.RoomID
	check(t, "read m.direct", client.GetAccountData(alice.ctx, event.AccountDataDirectChats.Type, &direct))
	if rooms := direct[alice.UserID]; len(rooms) != 1 || rooms[0] != first.RoomID {
		t.Errorf("m.direct has %v for the user, want %s", rooms, first.RoomID)
	}
}

func botAsks(t *testing.T, hs Homeserver) {
	ask := niobot.NewCommand("ask", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if err := c.Reply(ctx, "What is your name?"); err != nil {
			return err
		}
		m, err := c.WaitForMessage(ctx, nil)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "Hello, %s!", m.Body)
	})
	bot, alice := startBot(t, hs, ask), newUser(t, hs, "alice")
	room := alice.with(bot)
	said := alice.say(room, "!ask")
	alice.hearReply(room, bot.UserID(), said, "What is your name?")
	alice.say(room, "Alice")
	alice.hearReply(room, bot.UserID(), said, "Hello, Alice!")
}

// botCatchesUp sends more than one sync brings while the bot can't look.
func botCatchesUp(t *testing.T, hs Homeserver) {
	const burst = 80
	count := niobot.NewCommand("count", func(ctx context.Context, c *niobot.Context, a struct {
		N int `arg:"n"`
	}) error {
		return c.Reply(ctx, "%d", a.N)
	}, niobot.Serial())
	v := newValve(t, hs.URL())
	bot, alice := startBotBehind(t, hs, v.URL, count), newUser(t, hs, "alice")
	room := alice.with(bot)
	v.shut()
	for n := range burst {
		alice.say(room, fmt.Sprintf("!count %d", n))
	}
	v.open()
	next := 0
	alice.since = ""
	alice.filterBy(&mautrix.Filter{Room: &mautrix.RoomFilter{Timeline: &mautrix.FilterPart{
		Limit: 1000, Senders: []id.UserID{bot.UserID()}, Types: []event.Type{event.EventMessage},
	}}})
	alice.await("all answers", func(resp *mautrix.RespSync) bool {
		for _, e := range timeline(resp, room) {
			if got := parse(t, e).Content.AsMessage().Body; got != fmt.Sprint(next) {
				t.Fatalf("answer %d is %q", next, got)
			}
			next++
		}
		return next == burst
	})
	if v.gaps.Load() == 0 {
		t.Error("the burst fitted into the syncs: nothing was caught up on")
	}
}

func botChecksPower(t *testing.T, hs Homeserver) {
	mod := niobot.NewCommand("mod", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		return c.Reply(ctx, "done")
	}, niobot.Require(niobot.SenderPower(50)))
	bot, alice, bob := startBot(t, hs, mod), newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.with(bot)
	_, err := alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: bob.UserID})
	check(t, "invite bob", err)
	bob.join(room)
	alice.hearReply(room, bot.UserID(), alice.say(room, "!mod"), "done")
	alice.hearReply(room, bot.UserID(), bob.say(room, "!mod"), "That takes a power level of 50, and yours is 0.")
}

func botFollowsUpgrade(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	old := alice.with(bot)
	created, err := alice.CreateRoom(alice.ctx, &mautrix.ReqCreateRoom{Preset: "public_chat"})
	check(t, "create the new room", err)
	_, err = alice.SendStateEvent(alice.ctx, old, event.StateTombstone, "",
		&event.TombstoneEventContent{Body: "moved", ReplacementRoom: created.RoomID})
	check(t, "replace the old room", err)
	alice.awaitJoin(created.RoomID, bot.UserID())
	alice.hearReply(created.RoomID, bot.UserID(), alice.say(created.RoomID, "!ping"), "pong")
}

func botSurvivesRestart(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	room := alice.with(bot)
	alice.hearReply(room, bot.UserID(), alice.say(room, "!ping"), "pong")
	hs.Restart(t)
	alice.hearReply(room, bot.UserID(), alice.say(room, "!ping"), "pong")
}
