package niobot_test

import (
	"context"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestPins(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	puts := hs.Fail(niobottest.Fault{Method: "PUT", Path: "/state/"})
	steps := []struct {
		name string
		do   func() error
		want string
		puts int
	}{
		{"first", func() error { return bot.Pin(ctx, room, "$one") }, "[$one]", 1},
		{"second", func() error { return bot.Pin(ctx, room, "$two") }, "[$one $two]", 2},
		{"again", func() error { return bot.Pin(ctx, room, "$one") }, "[$one $two]", 2},
		{"remove", func() error { return bot.Unpin(ctx, room, "$one") }, "[$two]", 3},
		{"remove what is not there", func() error { return bot.Unpin(ctx, room, "$one") }, "[$two]", 3},
		{"remove the last", func() error { return bot.Unpin(ctx, room, "$two") }, "[]", 4},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			must(t, step.do())
			hs.Settle()
			r, _ := bot.Room(room)
			if got := fmt.Sprint(r.Pins()); got != step.want {
				t.Errorf("the pins are %s, want %s", got, step.want)
			}
			if puts.Hits() != step.puts {
				t.Errorf("%d pieces of state were sent, want %d", puts.Hits(), step.puts)
			}
		})
	}
	if got := stateOf(t, alice, room, event.StatePinnedEvents, ""); got != `{"pinned":[]}` {
		t.Errorf("the state is %s", got)
	}
}

func TestPinsThatOthersHaveSpoiltAreLeftAsTheyAre(t *testing.T) {
	hs, alice, room := powered(t)
	alice.SetState(room, event.StatePinnedEvents, "",
		map[string]any{"pinned": []any{"$one", 7, "$one", "$two", nil}, "org.example": true})
	hs.Settle()
	r, _ := hs.Bot().Room(room)
	if got := fmt.Sprint(r.Pins()); got != "[$one $two]" {
		t.Errorf("the pins are %s", got)
	}
	must(t, hs.Bot().Pin(t.Context(), room, "$three"))
	want := `{"org.example":true,"pinned":["$one",7,"$one","$two",null,"$three"]}`
	if got := stateOf(t, alice, room, event.StatePinnedEvents, ""); got != want {
		t.Errorf("the state is %s, want %s", got, want)
	}
	alice.SetState(room, event.StatePinnedEvents, "", map[string]any{"pinned": "none"})
	must(t, hs.Bot().Pin(t.Context(), room, "$four"))
	if got := stateOf(t, alice, room, event.StatePinnedEvents, ""); got != `{"pinned":["$four"]}` {
		t.Errorf("the state is %s", got)
	}
}

func TestPinsAtOnceLoseNothing(t *testing.T) {
	hs, _, room := powered(t)
	const pins = 10
	done := make(chan error, pins)
	for n := range pins {
		go func() { done <- hs.Bot().Pin(t.Context(), room, id.EventID(fmt.Sprintf("$event%d", n))) }()
	}
	for range pins {
		must(t, within(t, "pin an event", done))
	}
	hs.Settle()
	if r, _ := hs.Bot().Room(room); len(r.Pins()) != pins {
		t.Errorf("the pins are %v", r.Pins())
	}
}

func ExampleBot_Pin() {
	pin := niobot.NewCommand("pin", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		if c.Message.ReplyTo == "" {
			return c.Reply(ctx, "Reply to the message that I am to pin.")
		}
		return c.Bot().Pin(ctx, c.Room.ID(), c.Message.ReplyTo)
	})
	fmt.Println(pin)
	// Output: pin
}
