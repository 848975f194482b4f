package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func ExampleListen() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "secret", Prefixes: []string{"!"},
	}))
	defer bot.Close()
	remove := niobot.Listen(bot, event.StateMember,
		func(ctx context.Context, e *niobot.Event, member *event.MemberEventContent) error {
			if member.Membership != event.MembershipJoin {
				return nil
			}
			_, err := bot.Send(ctx, e.RoomID, niobot.Markdown("Welcome, %s!", member.Displayname))
			return err
		})
	remove()
}

func ExampleWaitForContent() {
	bot := niobot.Must(niobot.New(niobot.Config{
		Homeserver: "https://matrix.example.org", Token: "secret", Prefixes: []string{"!"},
	}))
	defer bot.Close()
	type guestArgs struct {
		User id.UserID `arg:"user"`
	}
	bot.Add(niobot.NewCommand("await", func(ctx context.Context, c *niobot.Context, a guestArgs) error {
		joins := niobot.Filter{Type: event.StateMember, RoomID: c.Room.ID(), Sender: a.User}
		_, member, err := niobot.WaitForContent(ctx, bot, joins,
			func(_ *niobot.Event, m *event.MemberEventContent) bool { return m.Membership == event.MembershipJoin })
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s is here.", member.Displayname)
	}))
}

// thing is an event that no specification knows.
type thing struct {
	Size int `json:"size"`
}

var thingType = event.Type{Type: "org.example.thing"}

// heard collects what listeners are called with.
type heard chan string

func (h heard) add(format string, args ...any) { h <- fmt.Sprintf(format, args...) }

// onRemark hears the event by which a test says that all before it has come.
func onRemark(bot *niobot.Bot, h heard) {
	bot.On(event.Type{Type: "org.example.remark"}, func(context.Context, *niobot.Event) error { h.add("remark"); return nil })
}

func remark(u *niobottest.User, room id.RoomID) {
	u.Send(room, event.Type{Type: "org.example.remark", Class: event.MessageEventType}, map[string]any{})
}

func TestListenGivesEachClassItsContent(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 20)
	niobot.Listen(bot, event.StateTopic, func(_ context.Context, e *niobot.Event, c *event.TopicEventContent) error {
		got.add("topic %s", c.Topic)
		return nil
	})
	niobot.Listen(bot, event.EventReaction, func(_ context.Context, e *niobot.Event, c *event.ReactionEventContent) error {
		got.add("reaction %s", c.RelatesTo.Key)
		return nil
	})
	niobot.Listen(bot, event.EphemeralEventTyping, func(_ context.Context, e *niobot.Event, c *event.TypingEventContent) error {
		if len(c.UserIDs) > 0 {
			got.add("typing %s", c.UserIDs[0])
		}
		return nil
	})
	niobot.Listen(bot, event.AccountDataDirectChats,
		func(_ context.Context, e *niobot.Event, c *event.DirectChatsEventContent) error {
			got.add("direct %d", len(*c))
			return nil
		})
	niobot.Listen(bot, thingType, func(_ context.Context, e *niobot.Event, c *thing) error {
		got.add("thing %d", c.Size)
		return nil
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	want := func(text string) {
		t.Helper()
		if s := within(t, text, got); s != text {
			t.Errorf("heard %q, want %q", s, text)
		}
	}
	alice.SetState(room, event.StateTopic, "", map[string]any{"topic": "tea"})
	want("topic tea")
	alice.React(alice.Say(room, "hello"), "👍")
	want("reaction 👍")
	if _, err := alice.Client().UserTyping(t.Context(), room, true, 10_000_000_000); err != nil {
		t.Fatal(err)
	}
	want("typing " + string(alice.ID()))
	alice.Send(room, event.Type{Type: thingType.Type, Class: event.MessageEventType}, thing{3})
	want("thing 3")
	alice.NewDirectRoom()
	want("direct 1")
}

func TestListenTakesNoMessageForState(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 10)
	niobot.Listen(bot, event.StateMember, func(_ context.Context, e *niobot.Event, c *event.MemberEventContent) error {
		if e.Sender != bot.UserID() {
			got.add("%s is now %s", e.Sender, c.Membership)
		}
		return nil
	})
	onRemark(bot, got)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	forged := event.Type{Type: event.StateMember.Type, Class: event.MessageEventType}
	alice.Send(room, forged, map[string]any{"membership": "ban"})
	remark(alice, room)
	if s := within(t, "remark", got); s != "remark" {
		t.Errorf("heard of what is no state: %q", s)
	}
}

func TestContentIsDecodedOnceForAllListeners(t *testing.T) {
	bot := newBot(t)
	seen := make(chan *thing, 2)
	for range 2 {
		niobot.Listen(bot, thingType, func(_ context.Context, _ *niobot.Event, c *thing) error {
			seen <- c
			return nil
		})
	}
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Send(alice.NewRoom(), event.Type{Type: thingType.Type, Class: event.MessageEventType}, thing{1})
	if a, b := within(t, "first", seen), within(t, "second", seen); a != b {
		t.Error("two listeners got two values")
	}
}

func TestContentThatDoesNotDecodeIsSkippedWithOneLine(t *testing.T) {
	logs := newRecords()
	bot := newBot(t, logs.option())
	got := make(heard, 10)
	for range 3 {
		niobot.Listen(bot, thingType, func(_ context.Context, _ *niobot.Event, c *thing) error {
			got.add("thing %d", c.Size)
			return nil
		})
	}
	onRemark(bot, got)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Send(room, event.Type{Type: thingType.Type, Class: event.MessageEventType}, map[string]any{"size": "large"})
	remark(alice, room)
	if s := within(t, "remark", got); s != "remark" {
		t.Errorf("heard %q", s)
	}
	if lines := logs.with("event skipped", thingType.Type); len(lines) != 1 {
		t.Errorf("%d lines tell of it, want 1: %q", len(lines), lines)
	}
}

// A listener that is removed is not called any more: nio-bot 64.
func TestRemovedListenerIsNotCalledEvenDuringAnEvent(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 10)
	var removeSecond func()
	removeFirst := func() {}
	removeFirst = niobot.Listen(bot, thingType, func(context.Context, *niobot.Event, *thing) error {
		got.add("first")
		removeFirst()
		removeSecond()
		return nil
	})
	removeSecond = niobot.Listen(bot, thingType, func(context.Context, *niobot.Event, *thing) error {
		got.add("second")
		return nil
	})
	onRemark(bot, got)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	for range 2 {
		alice.Send(room, event.Type{Type: thingType.Type, Class: event.MessageEventType}, thing{1})
	}
	remark(alice, room)
	for _, want := range []string{"first", "remark"} {
		if s := within(t, want, got); s != want {
			t.Errorf("heard %q, want %q", s, want)
		}
	}
}

func TestListenPanicsWhereContentBelongsToAnotherType(t *testing.T) {
	bot := newBot(t)
	defer func() {
		want := "niobot: Listen(m.room.topic): its content is a event.TopicEventContent, not a event.MemberEventContent"
		if v := recover(); v != want {
			t.Errorf("panic %v, want %s", v, want)
		}
	}()
	niobot.Listen(bot, event.StateTopic, func(context.Context, *niobot.Event, *event.MemberEventContent) error { return nil })
}

func TestListenTakesAnOwnTypeForAnEventOfTheSpecification(t *testing.T) {
	bot := newBot(t)
	type topic struct {
		Topic  string `json:"topic"`
		Colour string `json:"org.example.colour"`
	}
	got := make(heard, 1)
	niobot.Listen(bot, event.StateTopic, func(_ context.Context, _ *niobot.Event, c *topic) error {
		got.add("%s %s", c.Topic, c.Colour)
		return nil
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.SetState(alice.NewRoom(), event.StateTopic, "", map[string]any{"topic": "tea", "org.example.colour": "green"})
	if s := within(t, "topic", got); s != "tea green" {
		t.Errorf("heard %q", s)
	}
}

func TestWaitForContent(t *testing.T) {
	bot := newBot(t)
	got := make(heard, 1)
	bot.Add(command("size", func(ctx context.Context, c *niobot.Context) error {
		if err := c.Reply(ctx, "go on"); err != nil {
			return err
		}
		e, content, err := niobot.WaitForContent(ctx, c.Bot(), niobot.Filter{Type: thingType, RoomID: c.Room.ID()},
			func(_ *niobot.Event, content *thing) bool { return content.Size > 1 })
		if err == nil {
			got.add("%s sent %d", e.Sender, content.Size)
		}
		return err
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!size")
	alice.ExpectReply("go on")
	hs.Settle() // The handler waits now.
	sent := event.Type{Type: thingType.Type, Class: event.MessageEventType}
	alice.Send(room, sent, map[string]any{"size": "large"})
	alice.Send(room, sent, thing{1})
	alice.Send(room, sent, thing{2})
	if s := within(t, "content", got); s != string(alice.ID())+" sent 2" {
		t.Errorf("got %q", s)
	}
}

func TestWaitForContentEndsWithItsContext(t *testing.T) {
	bot := newBot(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := niobot.WaitForContent[thing](ctx, bot, niobot.Filter{Type: thingType}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// The errors and panics of listeners are logged, each, and end nothing: nio-bot 63.
func TestListenersErrorsAreLogged(t *testing.T) {
	logs := newRecords()
	bot := newBot(t, logs.option())
	got := make(heard, 10)
	niobot.Listen(bot, thingType, func(context.Context, *niobot.Event, *thing) error { return errors.New("broken") })
	niobot.Listen(bot, thingType, func(context.Context, *niobot.Event, *thing) error { panic("ouch") })
	niobot.Listen(bot, thingType, func(context.Context, *niobot.Event, *thing) error { got.add("third"); return nil })
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Send(alice.NewRoom(), event.Type{Type: thingType.Type, Class: event.MessageEventType}, thing{1})
	got.want(t, "third")
	logs.wait(t, "listener ended with an error", "err=broken")
	logs.wait(t, "listener ended with an error", "err=panic: ouch")
}
