package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

func ExampleAsk() {
	type sizeArgs struct {
		Width  int `arg:"width" min:"1" max:"100"`
		Height int `arg:"height" min:"1" max:"100"`
	}
	draw := niobot.NewCommand("draw", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
		title, err := c.Ask(ctx, niobot.Plain("What shall it be called?"))
		if err != nil {
			return err
		}
		size, err := niobot.Ask[sizeArgs](ctx, c, niobot.Plain("Width and height?"), niobot.Within(time.Minute))
		if err != nil {
			return err
		}
		return c.Reply(ctx, "**%s**, %d by %d", title.Body, size.Width, size.Height)
	})
	fmt.Println(draw)
	// Output: draw
}

// asker is a command that answers with what came of f.
func asker(name string, f func(ctx context.Context, c *niobot.Context) (string, error)) *niobot.Command {
	return command(name, func(ctx context.Context, c *niobot.Context) error {
		said, err := f(ctx, c)
		if err != nil {
			return err
		}
		return c.Reply(ctx, "%s", said)
	})
}

// askName asks for a name.
func askName(opts ...niobot.AskOption) *niobot.Command {
	return asker("name", func(ctx context.Context, c *niobot.Context) (string, error) {
		m, err := c.Ask(ctx, niobot.Plain("name?"), opts...)
		if err != nil {
			return "", err
		}
		return "hello " + m.Body, nil
	})
}

// react puts a reaction on an event of the house's room.
func (g *guest) react(on id.EventID, key string) id.EventID {
	g.h.t.Helper()
	resp, err := g.SendReaction(g.h.t.Context(), g.h.room, on, key)
	g.h.must(err)
	return resp.EventID
}

// replyTo sends a text that replies to a message.
func (g *guest) replyTo(to id.EventID, text string) {
	g.h.t.Helper()
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text,
		RelatesTo: &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: to}}}
	_, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.EventMessage, content)
	g.h.must(err)
}

// sayInThread sends a text into a thread.
func (g *guest) sayInThread(root id.EventID, text string) id.EventID {
	g.h.t.Helper()
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text,
		RelatesTo: &event.RelatesTo{Type: event.RelThread, EventID: root}}
	resp, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.EventMessage, content)
	g.h.must(err)
	return resp.EventID
}

// joins makes a guest a member of the house's room.
func (h *house) joins(name string) *guest {
	h.t.Helper()
	g := h.guest(name)
	_, err := h.alice.InviteUser(h.t.Context(), h.room, &mautrix.ReqInviteUser{UserID: g.UserID})
	h.must(err)
	_, err = g.JoinRoomByID(h.t.Context(), h.room)
	h.must(err)
	h.settle()
	return g
}

// last is the latest message that the bot has sent, edits aside.
func (h *house) last() *event.Event {
	h.t.Helper()
	h.settle()
	var last *event.Event
	for _, e := range h.hs.Messages(h.room, h.botID) {
		if rel := e.Content.AsMessage().RelatesTo; rel == nil || rel.Type != event.RelReplace {
			last = e
		}
	}
	if last == nil {
		h.t.Fatal("the bot has said nothing")
	}
	return last
}

// taps are the keys of the bot's own reactions to a message, in their order.
func (h *house) taps(on id.EventID) (keys []string) {
	h.settle()
	for _, e := range h.hs.Timeline(h.room) {
		if e.Type == event.EventReaction && e.Sender == h.botID {
			if rel := e.Content.AsReaction().RelatesTo; rel.EventID == on {
				keys = append(keys, rel.Key)
			}
		}
	}
	return keys
}

// wantTaps compares the bot's reactions to a message.
func (h *house) wantTaps(on id.EventID, want ...string) {
	h.t.Helper()
	if got := h.taps(on); fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("the bot's reactions are %v, want %v", got, want)
	}
}

func TestAskTakesTheInvokersNextText(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName()}}, func(h *house) {
		bob := h.joins("bob")
		h.alice.say("!name")
		question := h.last().ID
		bob.say("bob")
		bob.replyTo(question, "bob again")
		_, err := h.alice.SendNotice(h.t.Context(), h.room, "a notice")
		h.must(err)
		h.alice.say("!ping")
		h.settle()
		h.alice.say("alice")
		h.alice.say("too late")
		h.wantSaid("name?", "pong", "hello alice")
	})
}

func TestAskIgnoresEdits(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName()}}, func(h *house) {
		before := h.alice.say("before")
		h.alice.say("!name")
		h.settle()
		h.alice.edit(before, "an edit")
		h.alice.say("alice")
		h.wantSaid("name?", "hello alice")
	})
}

func TestAskIgnoresWhatWasSaidBeforeTheQuestion(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName()}}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/m.room.message/", Count: 1, Status: 502})
		h.alice.say("!name")
		h.settle() // The bot waits before it tries again.
		h.alice.say("early")
		h.settle()
		h.wantSaid()
		h.pass(time.Minute)
		h.alice.say("alice")
		h.wantSaid("name?", "hello alice")
	})
}

// nio-bot 81: what is asked in a thread stays there.
func TestAskStaysInTheThread(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName()}}, func(h *house) {
		root := h.alice.say("root")
		h.alice.sayInThread(root, "!name")
		question := h.last()
		if rel := question.Content.AsMessage().RelatesTo; rel.Type != event.RelThread || rel.EventID != root {
			t.Errorf("the question is not in the thread: %+v", rel)
		}
		h.alice.say("outside")
		h.alice.sayInThread(root, "alice")
		h.wantSaid("name?", "hello alice")
	})
}

func TestAskTakesAnAnswerInAThreadBelowTheQuestion(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName()}}, func(h *house) {
		h.alice.say("!name")
		h.alice.sayInThread(h.last().ID, "alice")
		h.wantSaid("name?", "hello alice")
	})
}

func TestLatestOfTwoQuestionsGetsTheAnswer(t *testing.T) {
	ask := func(which string) *niobot.Command {
		return asker(which, func(ctx context.Context, c *niobot.Context) (string, error) {
			m, err := c.Ask(ctx, niobot.Plain(which+"?"))
			if err != nil {
				return "", err
			}
			return which + " " + m.Body, nil
		})
	}
	inHouse(t, setting{commands: []*niobot.Command{ask("first"), ask("second"), ask("third")}}, func(h *house) {
		h.alice.say("!first")
		first := h.last().ID
		h.alice.say("!second")
		h.settle()
		h.alice.say("!third")
		h.settle()
		h.alice.replyTo(first, "A")
		h.settle()
		h.alice.say("B")
		h.alice.say("C")
		h.wantSaid("first?", "second?", "third?", "first A", "third B", "second C")
	})
}

func TestQuestionThatIsNotAskedYetTakesNoAnswer(t *testing.T) {
	cmd := asker("other", func(ctx context.Context, c *niobot.Context) (string, error) {
		m, err := c.Ask(ctx, niobot.Plain("other?"))
		if err != nil {
			return "", err
		}
		return "other " + m.Body, nil
	})
	inHouse(t, setting{commands: []*niobot.Command{askName(), cmd}}, func(h *house) {
		h.alice.say("!name")
		h.settle()
		h.fail(fakehs.Fault{Path: "/send/m.room.message/", Count: 1, Status: 502})
		h.alice.say("!other")
		h.settle()
		h.alice.say("alice")
		h.pass(time.Minute)
		h.wantSaid("name?", "other?", "hello alice")
		h.alice.say("thing")
		h.wantSaid("name?", "other?", "hello alice", "other thing")
	})
}

func TestAskByAnyoneTakesAnybodysAnswer(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{askName(niobot.ByAnyone())}}, func(h *house) {
		bob := h.joins("bob")
		h.alice.say("!name")
		h.settle()
		bob.say("bob")
		h.wantSaid("name?", "hello bob")
	})
}

func TestQuestionEndsInTime(t *testing.T) {
	var got outcome
	cmd := command("name", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Ask(ctx, niobot.Plain("name?"), niobot.Within(time.Minute))
		return got.set(err)
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!name")
		h.pass(59 * time.Second)
		h.wantSaid("name?")
		h.pass(2 * time.Second)
		h.wantSaid("name?", "No answer came in time.")
		h.alice.say("late")
		h.wantSaid("name?", "No answer came in time.")
	})
	got.want(t, niobot.ErrTimeout)
	got.want(t, context.DeadlineExceeded)
}

func TestQuestionEndsWithTheCallersOwnDeadline(t *testing.T) {
	var got outcome
	cmd := command("name", func(ctx context.Context, c *niobot.Context) error {
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := c.Ask(limited, niobot.Plain("name?"))
		_ = got.set(err)
		return nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!name")
		h.pass(2 * time.Second)
	})
	got.want(t, context.DeadlineExceeded)
	if errors.Is(got.err, niobot.ErrTimeout) {
		t.Error("the deadline counts as the question's own")
	}
}

func TestRedactedQuestionEndsTheWait(t *testing.T) {
	var got outcome
	cmd := command("name", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Ask(ctx, niobot.Plain("name?"))
		_ = got.set(err)
		return nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!name")
		h.alice.redact(h.last().ID)
		h.settle()
		got.want(t, niobot.ErrWithdrawn)
	})
}

func TestQuestionEndsWhenTheUserLeaves(t *testing.T) {
	var got outcome
	cmd := command("name", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Ask(ctx, niobot.Plain("name?"))
		return got.set(err)
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		bob := h.joins("bob")
		bob.say("!name")
		h.settle()
		_, err := h.alice.LeaveRoom(h.t.Context(), h.room)
		h.must(err)
		h.settle()
		got.wantNone(t)
		_, err = bob.LeaveRoom(h.t.Context(), h.room)
		h.must(err)
		h.settle()
		got.want(t, niobot.ErrAskedLeft)
	})
}

func TestQuestionEndsWithItsCommandAndWithTheBot(t *testing.T) {
	var got outcome
	cmd := command("name", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.Confirm(ctx, niobot.Plain("sure?"))
		return got.set(err)
	})
	for name, end := range map[string]func(h *house, command id.EventID){
		"redacted": func(h *house, command id.EventID) { h.alice.redact(command) },
		"edited":   func(h *house, command id.EventID) { h.alice.edit(command, "nothing") },
		"stopped":  func(h *house, _ id.EventID) { h.stop(); <-h.ended },
	} {
		t.Run(name, func(t *testing.T) {
			got = outcome{}
			inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
				command := h.alice.say("!name")
				question := h.last().ID
				h.wantTaps(question, "👍", "👎")
				end(h, command)
				h.settle()
				if !got.ended {
					t.Error("the question goes on")
				}
				h.wantTaps(question)
			})
		})
	}
}

// With one worker: who waits for an answer holds up nobody.
func TestQuestionGivesItsPlaceAway(t *testing.T) {
	one := func(c *niobot.Config) { c.Workers = 1 }
	inHouse(t, setting{config: one, commands: []*niobot.Command{askName()}}, func(h *house) {
		h.alice.say("!name")
		h.settle()
		bob := h.joins("bob")
		bob.say("!ping")
		h.wantSaid("name?", "pong")
		h.alice.say("alice")
		h.wantSaid("name?", "pong", "hello alice")
	})
}

func TestAskConvertsAndAsksAgain(t *testing.T) {
	type limited struct {
		N int `arg:"number" min:"1" max:"3"`
	}
	for name, test := range map[string]struct {
		ask   func(ctx context.Context, c *niobot.Context) (string, error)
		says  []string
		wants []string
	}{
		"int": {func(ctx context.Context, c *niobot.Context) (string, error) {
			n, err := niobot.Ask[int](ctx, c, niobot.Plain("?"))
			return fmt.Sprint(n), err
		}, []string{"many", "7"}, []string{"?", `"many" is not a whole number. Please try again.`, "7"}},
		"string": {func(ctx context.Context, c *niobot.Context) (string, error) {
			return niobot.Ask[string](ctx, c, niobot.Plain("?"))
		}, []string{`--it's "as it  stands"`}, []string{"?", `--it's "as it  stands"`}},
		"duration": {func(ctx context.Context, c *niobot.Context) (string, error) {
			d, err := niobot.Ask[time.Duration](ctx, c, niobot.Plain("?"))
			return d.String(), err
		}, []string{"1d"}, []string{"?", "24h0m0s"}},
		"user": {func(ctx context.Context, c *niobot.Context) (string, error) {
			user, err := niobot.Ask[id.UserID](ctx, c, niobot.Plain("?"))
			return string(user), err
		}, []string{"@bob:localhost"}, []string{"?", "@bob:localhost"}},
		"slice": {func(ctx context.Context, c *niobot.Context) (string, error) {
			all, err := niobot.Ask[[]int](ctx, c, niobot.Plain("?"))
			return fmt.Sprint(all), err
		}, []string{"1 2 3"}, []string{"?", "[1 2 3]"}},
		"struct": {func(ctx context.Context, c *niobot.Context) (string, error) {
			l, err := niobot.Ask[limited](ctx, c, niobot.Plain("?"), niobot.Tries(2))
			return fmt.Sprint(l.N), err
		}, []string{"4", "5"}, []string{"?", `"4" must be at most 3. Please try again.`,
			`That is no answer that I understand, so I give up. "5" must be at most 3.`}},
	} {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{commands: []*niobot.Command{asker("ask", test.ask)}}, func(h *house) {
				h.alice.say("!ask")
				h.settle()
				for _, text := range test.says {
					h.alice.say(text)
					h.settle()
				}
				h.wantSaid(test.wants...)
			})
		})
	}
}

func TestAskForATypeThatIsNoArgumentIsAnError(t *testing.T) {
	var got outcome
	cmd := command("ask", func(ctx context.Context, c *niobot.Context) error {
		_, err := niobot.Ask[chan int](ctx, c, niobot.Plain("?"))
		_ = got.set(err)
		return nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!ask")
		h.wantSaid()
	})
	if got.err == nil {
		t.Error("no error")
	}
}

func TestAnswerIsNotFoundAgainByTheNextWait(t *testing.T) {
	cmd := asker("name", func(ctx context.Context, c *niobot.Context) (string, error) {
		first, err := c.Ask(ctx, niobot.Plain("name?"))
		if err != nil {
			return "", err
		}
		second, err := c.WaitForMessage(ctx, nil)
		if err != nil {
			return "", err
		}
		return first.Body + " and " + second.Body, nil
	})
	inHouse(t, setting{commands: []*niobot.Command{cmd}}, func(h *house) {
		h.alice.say("!name")
		h.settle()
		h.alice.say("alice")
		h.settle()
		h.alice.say("smith")
		h.wantSaid("name?", "alice and smith")
	})
}
