package niobot_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// long is a command that answers with a text of so many bytes; it mentions carol and has a field.
func long(sizes ...int) *niobot.Command {
	calls := 0
	return command("long", func(ctx context.Context, c *niobot.Context) error {
		size := sizes[min(calls, len(sizes)-1)]
		calls++
		sent, err := c.Respond(ctx, niobot.Plain(paragraphs(size)),
			niobot.Mention("@carol:localhost"), niobot.WithField("org.example", 1))
		if err != nil {
			return err
		}
		if all := c.Sent(); all[0] != sent {
			return errors.New("the returned message is not the first")
		}
		return nil
	})
}

// parts are the bot's messages, and the latest text of each.
func (h *house) parts() (messages []*event.Event, texts []string) {
	h.settle()
	places := make(map[id.EventID]int)
	for _, e := range h.hs.Messages(h.room, h.botID) {
		content := e.Content.AsMessage()
		if content.NewContent != nil {
			texts[places[content.RelatesTo.EventID]] = content.NewContent.Body
			continue
		}
		places[e.ID] = len(messages)
		messages, texts = append(messages, e), append(texts, content.Body)
	}
	return messages, texts
}

// nio-bot 61: a text that outgrows an event is sent in pieces.
func TestLongTextBecomesSeveralMessagesInOrder(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{long(100_000)}}, func(h *house) {
		root := h.alice.say("root")
		h.alice.sayInThread(root, "!long")
		messages, texts := h.parts()
		if len(messages) < 2 {
			t.Fatalf("got %d messages", len(messages))
		}
		if got, want := strings.Fields(strings.Join(texts, "\n\n")), strings.Fields(paragraphs(100_000)); len(got) != len(want) {
			t.Errorf("got %d words, want %d", len(got), len(want))
		}
		for i, e := range messages {
			content := e.Content.AsMessage()
			if !strings.HasPrefix(content.Body, "paragraph ") {
				t.Errorf("part %d begins with %.20q", i, content.Body)
			}
			if content.RelatesTo.Type != event.RelThread || content.RelatesTo.EventID != root {
				t.Errorf("part %d is not in the thread", i)
			}
			_, marked := e.Content.Raw["org.example"]
			replies := content.RelatesTo.GetNonFallbackReplyTo() != ""
			mentions := len(content.Mentions.UserIDs) > 0
			if first := i == 0; marked != first || replies != first || mentions != first {
				t.Errorf("part %d: field %v, reply %v, mention %v", i, marked, replies, mentions)
			}
		}
	})
}

func TestTextThatFitsIsOneMessage(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{long(render.MaxSize - 2000)}}, func(h *house) {
		h.alice.say("!long")
		if messages, _ := h.parts(); len(messages) != 1 {
			t.Errorf("got %d messages", len(messages))
		}
	})
}

func TestEditedCommandEditsTheParts(t *testing.T) {
	for name, sizes := range map[string][]int{
		"as long": {100_000, 100_000}, "longer": {10, 100_000}, "shorter": {100_000, 10}, "too long for an edit": {10, 40_000},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{commands: []*niobot.Command{long(sizes...)}}, func(h *house) {
				command := h.alice.say("!long")
				h.settle()
				h.alice.edit(command, "!LONG")
				_, texts := h.parts()
				got, want := strings.Fields(strings.Join(texts, "\n\n")), strings.Fields(paragraphs(sizes[1]))
				if len(got) != len(want) {
					t.Errorf("got %d words in %d messages, want %d", len(got), len(texts), len(want))
				}
			})
		})
	}
}

func TestTextBeyondAllBoundsIsRefused(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		if _, err := h.bot.Send(h.ctx(), h.room, niobot.Plain(paragraphs(150_000))); !errors.Is(err, niobot.ErrTooLarge) {
			t.Errorf("the error is %v", err)
		}
		h.wantSaid()
	})
}

func TestEditIsNeverSplit(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		sent, err := h.bot.Send(h.ctx(), h.room, niobot.Plain("short"))
		h.must(err)
		if err := sent.Edit(h.ctx(), niobot.Plain(paragraphs(60_000))); !errors.Is(err, niobot.ErrTooLarge) {
			t.Errorf("the error is %v", err)
		}
		h.wantSaid("short")
	})
}
