package niobot_test

import (
	"context"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// naming is a command that asks for a name.
func naming() *niobot.Command {
	return niobot.NewCommand("name", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		m, err := c.Ask(ctx, niobot.Plain("name?"))
		if err != nil {
			return err
		}
		return c.Reply(ctx, "hello %s", m.Body)
	})
}

// A question that ends with its command while another one stands in the room. What comes in between is the new one's,
// whichever of the two hears it first; so each case is tried often.
func TestAnswerIsNotLostWithAQuestionThatEnds(t *testing.T) {
	cases := map[string]struct {
		fault fakehs.Fault
		do    func(h *house, first id.EventID)
	}{
		"known": {do: func(h *house, first id.EventID) {
			h.alice.redact(first)
			h.alice.say("Ada")
		}},
		"reply": {do: func(h *house, first id.EventID) {
			second := h.last().ID
			h.alice.redact(first)
			h.alice.reply(second, "Ada")
		}},
		"on its way": { // The question is in the room, and the bot does not know its id yet.
			fault: fakehs.Fault{Path: "/send/", Cut: fakehs.CutAfter, Count: 1},
			do: func(h *house, first id.EventID) {
				h.alice.redact(first)
				h.alice.say("Ada")
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				inHouse(t, setting{commands: []*niobot.Command{naming()}}, func(h *house) {
					first := h.alice.say("!name")
					h.settle()
					if c.fault.Count > 0 {
						h.fail(c.fault)
					}
					h.alice.say("!name")
					h.settle()
					c.do(h, first)
					h.pass(time.Minute)
					h.wantSaid("gone", "name?", "hello Ada")
				})
			}
		})
	}
}
