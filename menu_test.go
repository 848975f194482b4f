package niobot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func ExampleNewMenu() {
	vote := niobot.NewMenu("vote", func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
		if p.Removed {
			return c.Reply(ctx, "%s has second thoughts.", p.User)
		}
		return c.Reply(ctx, "%s votes for %s.", p.User, p.Data)
	}).WithRemovals()
	poll := niobot.NewCommand("poll", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		_, err := c.Offer(ctx, vote, niobot.Plain("What's for lunch?"),
			niobot.Button{Key: "🍕", Data: "pizza"}, niobot.Button{Key: "🥗", Data: "salad"})
		return err
	})
	// With a bot: bot.AddMenu(vote); bot.Add(poll)
	fmt.Println(vote.Name(), poll)
	// Output: vote poll
}

// voting is a menu that says what was tapped, with a command that offers it.
func voting(opts ...niobot.CommandOption) (*niobot.Menu, *niobot.Command) {
	menu := niobot.NewMenu("vote", func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
		if p.Removed {
			return c.Reply(ctx, "%s takes back %s", c.Sender().Localpart(), p.Data)
		}
		return c.Reply(ctx, "%s takes %s", c.Sender().Localpart(), p.Data)
	}, opts...)
	return menu, command("poll", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Offer(ctx, menu, niobot.Plain("lunch?"),
			niobot.Button{Key: "🍕", Data: "pizza"}, niobot.Button{Key: "👍", Data: "all"})
		return err
	})
}

func TestMenuRunsItsHandlerForEachTap(t *testing.T) {
	menu, poll := voting()
	inHouse(t, setting{commands: []*niobot.Command{poll}}, func(h *house) {
		h.bot.AddMenu(menu)
		bob := h.joins("bob")
		root := h.alice.say("root")
		h.alice.sayInThread(root, "!poll")
		question := h.last().ID
		h.wantTaps(question, "🍕", "👍")
		bob.react(question, "🍕")
		h.settle()
		h.alice.react(question, "👍🏽")
		h.settle()
		h.alice.react(question, "🥗")
		h.alice.react(root, "🍕")
		h.wantSaid("lunch?", "bob takes pizza", "alice takes all")
		rel := h.last().Content.AsMessage().RelatesTo
		if rel.EventID != root || rel.InReplyTo.EventID != question {
			t.Errorf("the answer is no reply to the menu in its thread: %+v", rel)
		}
	})
}

// The meaning of the buttons is kept in the message: a bot that has just started knows it from there.
func TestMenuOutlivesTheBot(t *testing.T) {
	menu, poll := voting()
	inHouse(t, setting{commands: []*niobot.Command{poll}}, func(h *house) {
		h.bot.AddMenu(menu)
		h.alice.say("!poll")
		question := h.last().ID
		h.stop()
		<-h.ended

		again := h.again(func(bot *niobot.Bot) { bot.AddMenu(menu) })
		defer again()
		h.alice.react(question, "🍕")
		bob := h.joins("bob")
		bob.react(question, "👍")
		h.wantSaid("lunch?", "alice takes pizza", "bob takes all")
	})
}

// again starts another bot with the same account, which is stopped by the returned function.
func (h *house) again(prepare func(*niobot.Bot)) (stop func()) {
	h.t.Helper()
	bot := newBot(h.t, h.logs.option())
	prepare(bot)
	ctx, cancel := context.WithCancel(h.bed(context.Background()))
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(ctx) }()
	h.settle()
	return func() {
		cancel()
		h.must(<-ended)
	}
}

func TestForgedMenuDoesNothing(t *testing.T) {
	menu, poll := voting()
	for name, opts := range map[string][]niobot.Option{"remembered": nil, "fetched": without()} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{opts: opts, commands: []*niobot.Command{poll}}, func(h *house) {
				h.bot.AddMenu(menu)
				field := `"org.niobot.menu":{"name":"vote","buttons":[{"key":"🍕","data":"forged"}]}`
				forged, err := h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(
					`{"msgtype":"m.text","body":"forged",`+field+`}`))
				h.must(err)
				h.alice.react(forged.EventID, "🍕")
				// An edit by somebody else is none either.
				h.alice.say("!ping")
				pong := h.last().ID
				_, err = h.alice.SendMessageEvent(h.t.Context(), h.room, event.EventMessage, json.RawMessage(fmt.Sprintf(
					`{"msgtype":"m.text","body":"* forged","m.new_content":{"msgtype":"m.text","body":"forged",%s},`+
						`"m.relates_to":{"rel_type":"m.replace","event_id":%q}}`, field, pong)))
				h.must(err)
				h.alice.react(pong, "🍕")
				// Nor what the bot forwards.
				m, err := h.bot.Message(h.ctx(), h.room, forged.EventID)
				h.must(err)
				sent, err := h.bot.Forward(h.ctx(), m, h.room)
				h.must(err)
				h.settle()
				h.alice.react(sent.ID, "🍕")
				// Nor a menu of another room.
				h.alice.say("!poll")
				question := h.last().ID
				other := h.alice.newRoom()
				_, _ = h.alice.SendReaction(h.t.Context(), other, question, "🍕")
				h.wantSaid("pong", "forged", "lunch?")
			})
		})
	}
}

func TestMenuKeepsItsButtonsThroughEditsOfItsOwn(t *testing.T) {
	var menu *niobot.Menu
	presses := 0
	menu = niobot.NewMenu("count", func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
		presses++
		if p.Data == "end" {
			return p.End(ctx, niobot.Plain("over"))
		}
		return p.Edit(ctx, niobot.Plain(fmt.Sprint("count ", presses)))
	})
	offer := command("count", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Bot().Offer(ctx, c.Room.ID(), menu, niobot.Plain("count 0"),
			niobot.Button{Key: "➕"}, niobot.Button{Key: "🛑", Data: "end"})
		return err
	})
	inHouse(t, setting{commands: []*niobot.Command{offer}}, func(h *house) {
		h.bot.AddMenu(menu)
		bob, carol := h.joins("bob"), h.joins("carol")
		h.alice.say("!count")
		message := h.last().ID
		h.alice.react(message, "➕")
		h.settle()
		bob.react(message, "➕")
		h.settle()
		bob.react(message, "🛑")
		h.wantSaid("count 0", "edit of 0: count 1", "edit of 0: count 2", "edit of 0: over")
		h.wantTaps(message)
		carol.react(message, "➕")
		h.wantSaid("count 0", "edit of 0: count 1", "edit of 0: count 2", "edit of 0: over")

		h.stop()
		<-h.ended
		defer h.again(func(bot *niobot.Bot) { bot.AddMenu(menu) })()
		h.alice.react(message, "🛑")
		h.wantSaid("count 0", "edit of 0: count 1", "edit of 0: count 2", "edit of 0: over")
	})
}

func TestMenuHearsOfRemovalsWhereItWantsTo(t *testing.T) {
	menu, poll := voting()
	for name, test := range map[string]struct {
		menu *niobot.Menu
		want []string
	}{
		"unasked": {menu, []string{"lunch?", "alice takes pizza"}},
		"asked":   {menu.WithRemovals(), []string{"lunch?", "alice takes pizza", "alice takes back pizza"}},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{commands: []*niobot.Command{poll}}, func(h *house) {
				h.bot.AddMenu(test.menu)
				h.alice.say("!poll")
				tap := h.alice.react(h.last().ID, "🍕")
				h.settle()
				h.alice.redact(tap)
				h.alice.redact(h.alice.say("something else"))
				h.wantSaid(test.want...)
			})
		})
	}
}

func TestMenuRunsAsCommandsDo(t *testing.T) {
	menu, poll := voting(niobot.Require(niobot.OwnerOnly()))
	broken := niobot.NewMenu("broken", func(context.Context, *niobot.Context, niobot.Press) error { panic("boom") })
	offer := command("broken", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Offer(ctx, broken, niobot.Plain("tap"), niobot.Button{Key: "💥"})
		return err
	})
	var wrapped atomic.Int32
	inHouse(t, setting{commands: []*niobot.Command{poll, offer}}, func(h *house) {
		h.bot.AddMenu(menu)
		h.bot.AddMenu(broken)
		h.bot.Use(func(next niobot.Handler) niobot.Handler {
			return func(ctx context.Context, c *niobot.Context) error {
				wrapped.Add(1)
				return next(ctx, c)
			}
		})
		h.alice.say("!poll")
		h.alice.react(h.last().ID, "🍕")
		h.wantSaid("lunch?", "Only the bot's owner may do that.")
		h.alice.say("!broken")
		h.alice.react(h.last().ID, "💥")
		h.wantSaid("lunch?", "Only the bot's owner may do that.", "tap",
			"Something went wrong with broken. It has been logged.")
		h.alice.say("!ping")
		h.wantSaid("lunch?", "Only the bot's owner may do that.", "tap",
			"Something went wrong with broken. It has been logged.", "pong")
	})
	if got := wrapped.Load(); got != 4 {
		t.Errorf("the middleware ran %d times, want 4", got)
	}
}

func TestMenuAsksTheOneWhoTapped(t *testing.T) {
	menu := niobot.NewMenu("sure", func(ctx context.Context, c *niobot.Context, _ niobot.Press) error {
		ok, err := c.Confirm(ctx, niobot.Plain("sure?"))
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s says %t", c.Sender().Localpart(), ok)
	})
	offer := command("offer", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Offer(ctx, menu, niobot.Plain("tap"), niobot.Button{Key: "🔴"})
		return err
	})
	inHouse(t, setting{commands: []*niobot.Command{offer}}, func(h *house) {
		h.bot.AddMenu(menu)
		bob := h.joins("bob")
		h.alice.say("!offer")
		bob.react(h.last().ID, "🔴")
		question := h.last().ID
		h.alice.react(question, "👎")
		h.settle()
		bob.react(question, "👍")
		h.wantSaid("tap", "sure?", "bob says true")
	})
}

func TestRemovedMenuDoesNothing(t *testing.T) {
	menu, poll := voting()
	inHouse(t, setting{commands: []*niobot.Command{poll}}, func(h *house) {
		remove := h.bot.AddMenu(menu)
		h.alice.say("!poll")
		question := h.last().ID
		remove()
		h.alice.react(question, "🍕")
		h.wantSaid("lunch?")
		h.bot.AddMenu(menu)
		h.alice.react(question, "👍")
		h.wantSaid("lunch?", "alice takes all")
	})
}

func TestOfferRefusesWhatWouldNotWork(t *testing.T) {
	menu, _ := voting()
	other := niobot.NewMenu("other", func(context.Context, *niobot.Context, niobot.Press) error { return nil })
	inHouse(t, setting{}, func(h *house) {
		h.bot.AddMenu(menu)
		for name, offer := range map[string]func() (*niobot.Sent, error){
			"not added": func() (*niobot.Sent, error) {
				return h.bot.Offer(h.ctx(), h.room, other, niobot.Plain("a"), niobot.Button{Key: "1"})
			},
			"no buttons": func() (*niobot.Sent, error) { return h.bot.Offer(h.ctx(), h.room, menu, niobot.Plain("a")) },
			"no key": func() (*niobot.Sent, error) {
				return h.bot.Offer(h.ctx(), h.room, menu, niobot.Plain("a"), niobot.Button{})
			},
			"two of a kind": func() (*niobot.Sent, error) {
				return h.bot.Offer(h.ctx(), h.room, menu, niobot.Plain("a"), niobot.Button{Key: "👍"}, niobot.Button{Key: "👍🏻"})
			},
		} {
			if _, err := offer(); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		h.wantSaid()
	})
}

func TestMenuIsAskedOfTheServerOnce(t *testing.T) {
	menu, poll := voting()
	inHouse(t, setting{opts: without(), commands: []*niobot.Command{poll}}, func(h *house) {
		h.bot.AddMenu(menu)
		said := h.alice.say("something")
		var asked atomic.Int32
		h.fail(fakehs.Fault{Path: "/event/", Status: 500, Match: func(*http.Request) bool {
			asked.Add(1)
			return false
		}})
		for _, key := range []string{"a", "b", "c"} {
			h.alice.react(said, key)
		}
		h.settle()
		h.alice.react(said, "d")
		h.wantSaid()
		if asked.Load() != 1 {
			t.Errorf("%d requests", asked.Load())
		}
	})
}

func TestNewMenuRefusesMistakes(t *testing.T) {
	handler := func(context.Context, *niobot.Context, niobot.Press) error { return nil }
	for name, make := range map[string]func(){
		"no name":    func() { niobot.NewMenu("", handler) },
		"no handler": func() { niobot.NewMenu("x", nil) },
		"name taken": func() {
			bot := newBot(t)
			bot.AddMenu(niobot.NewMenu("x", handler))
			bot.AddMenu(niobot.NewMenu("x", handler))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		})
	}
}
