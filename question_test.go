package niobot_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/niobottest"
)

// nio-bot 64: a question that has ended, in whatever way, hears nothing any more.
func TestEndedQuestionsLeaveNothingBehind(t *testing.T) {
	list, _ := paged(2)
	inHouse(t, setting{commands: []*niobot.Command{askName(), confirming(), choosing(3), list}}, func(h *house) {
		want := func(open int) {
			t.Helper()
			h.settle()
			if questions, waiters := h.bot.OpenQuestions(); questions != open || waiters != open {
				t.Errorf("%d questions and %d waiters, want %d", questions, waiters, open)
			}
		}
		want(0)
		h.alice.say("!name")
		h.alice.redact(h.last().ID)
		want(0)
		h.alice.say("!sure")
		h.settle()
		h.alice.say("yes")
		want(0)
		h.alice.redact(h.alice.say("!choose"))
		want(0)
		h.alice.say("!list")
		h.alice.react(h.last().ID, "✖️")
		want(0)
		for range 5 {
			h.alice.say("!name")
		}
		h.alice.say("!list")
		want(6)
		h.pass(time.Hour)
		want(0)
		h.fail(fakehs.Fault{Path: "/send/m.room.message/", Count: 1, Status: http.StatusForbidden, ErrCode: "M_FORBIDDEN"})
		h.alice.say("!name")
		want(0)
	})
}

// A wizard as a bot's author would test it.
func TestWizardOfThreeQuestions(t *testing.T) {
	bot := newBot(t)
	bot.Add(command("order", func(ctx context.Context, c *niobot.Context) error {
		sizes := []string{"small", "large"}
		size, err := c.Choose(ctx, niobot.Plain("Which size?"), sizes)
		if err != nil {
			return err
		}
		n, err := niobot.Ask[int](ctx, c, niobot.Plain("How many?"))
		if err != nil {
			return err
		}
		sure, err := c.Confirm(ctx, niobot.Markdown("%d %s ones?", n, sizes[size]))
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s", fmt.Sprint("ordered: ", sure))
	}))
	var done atomic.Bool
	bot.Use(func(next niobot.Handler) niobot.Handler {
		return func(ctx context.Context, c *niobot.Context) error {
			defer done.Store(true)
			return next(ctx, c)
		}
	})
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	order := alice.Say(room, "!order")
	alice.React(hs.ExpectMessage(room, "Which size?\n\n1️⃣ small\n2️⃣ large"), "2️⃣")
	hs.ExpectMessage(room, "How many?")
	hs.Settle()
	alice.Say(room, "three")
	alice.ExpectReply(`"three" is not a whole number. Please try again.`)
	alice.Say(room, "3")
	hs.ExpectMessage(room, "3 large ones?")
	hs.Settle()
	alice.Reply(order, "yes")
	hs.Settle() // A handler that has heard its answer is not at rest.
	if !done.Load() {
		t.Error("settled though the handler works on")
	}
	hs.ExpectMessage(room, "ordered: true")
}
