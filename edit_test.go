package niobot_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/niobottest"
)

// lines replies once for each argument.
func lines() *niobot.Command {
	type args struct {
		Words []string `arg:"words"`
	}
	return niobot.NewCommand("lines", func(ctx context.Context, c *niobot.Context, a args) error {
		for _, w := range a.Words {
			if err := c.Reply(ctx, "%s", w); err != nil {
				return err
			}
		}
		return nil
	})
}

// hang replies and waits for the end of its context; it tells the cause.
func hang(causes chan<- error, opts ...niobot.CommandOption) *niobot.Command {
	return command("hang", func(ctx context.Context, c *niobot.Context) error {
		if err := c.Reply(ctx, "working"); err != nil {
			return err
		}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}, opts...)
}

// nio-bot 31, 32, 81: an edit runs the command again, with the text of the edit, and changes the replies.
func TestEditOfACommand(t *testing.T) {
	for _, test := range []struct {
		name string
		text []string // The message, and its edits
		want []string
	}{
		{"edits the reply", []string{"!echo one", "!echo two"}, []string{"echo one", "edit of 0: echo two"}},
		{"edits it each time", []string{"!echo 1", "!echo 2", "!echo 3"},
			[]string{"echo 1", "edit of 0: echo 2", "edit of 0: echo 3"}},
		{"redacts what is too much", []string{"!lines a b c", "!lines d"}, []string{"a", "gone", "gone", "edit of 0: d"}},
		{"sends what is missing", []string{"!lines a", "!lines b c"}, []string{"a", "edit of 0: b", "c"}},
		{"to another command", []string{"!lines a", "!ping"}, []string{"a", "edit of 0: pong"}},
		{"to no command redacts", []string{"!lines a b", "never mind"}, []string{"gone", "gone"}},
		{"to no command and back", []string{"!ping", "never mind", "!ping"}, []string{"gone", "pong"}},
		{"to an unknown command redacts", []string{"!ping", "!x"}, []string{"gone"}},
		{"to a misspelt command", []string{"!ping", "!pnig"},
			[]string{"pong", "edit of 0: There is no !pnig. Did you mean !ping?"}},
		{"of no command to one", []string{"ping", "!ping"}, []string{"pong"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inHouse(t, setting{config: workers(1), commands: []*niobot.Command{lines()}}, func(h *house) {
				message := h.alice.say(test.text[0])
				for _, text := range test.text[1:] {
					h.settle()
					h.alice.edit(message, text)
				}
				h.wantSaid(test.want...)
				for _, e := range h.hs.Messages(h.room, h.botID) {
					rel := e.Content.AsMessage().RelatesTo
					if rel != nil && rel.Type != event.RelReplace && rel.GetReplyTo() != message {
						t.Errorf("a reply is to %s, want the message that was edited", rel.GetReplyTo())
					}
				}
			})
		})
	}
}

func TestEditsInQuickSuccessionLeaveTheLast(t *testing.T) {
	inHouse(t, setting{config: workers(1), commands: []*niobot.Command{lines()}}, func(h *house) {
		message := h.alice.say("!lines a b")
		h.settle()
		h.fail(fakehs.Fault{Path: "/send/", Latency: 3 * time.Second, Count: 8})
		for _, text := range []string{"!lines c d e", "!lines f", "!ping", "!lines g h"} {
			h.alice.edit(message, text)
		}
		h.pass(5 * time.Minute)
		if got := h.shown(); !slices.Equal(got, []string{"g", "h"}) {
			t.Errorf("the room shows %q, want the replies of the last edit", got)
		}
	})
}

// shown is the bot's messages in the house's room as a client shows them: with their edits, without what is redacted.
func (h *house) shown() (texts []string) {
	places := make(map[string]int)
	for _, e := range h.hs.Messages(h.room, h.botID) {
		content := e.Content.AsMessage()
		switch {
		case content.Body == "":
		case content.NewContent == nil:
			places[string(e.ID)] = len(texts)
			texts = append(texts, content.Body)
		default:
			if i, ok := places[string(content.RelatesTo.EventID)]; ok {
				texts[i] = content.NewContent.Body
			}
		}
	}
	return texts
}

func TestEditCancelsTheHandlerThatRuns(t *testing.T) {
	for name, s := range map[string]struct {
		workers int
		opts    []niobot.CommandOption
	}{
		"with places left":    {8, nil},
		"in the only place":   {1, nil},
		"of a serial command": {8, []niobot.CommandOption{niobot.Serial()}},
	} {
		for _, act := range []string{"edit", "edit to no command", "redaction"} {
			t.Run(name+", "+act, func(t *testing.T) {
				var causes chan error
				inHouse(t, setting{config: workers(s.workers), before: func(h *house) {
					causes = make(chan error, 4)
					h.bot.Add(hang(causes, s.opts...))
				}}, func(h *house) {
					h.room = h.alice.newRoom()
					message := h.alice.say("!hang")
					h.wantSaid("working")
					switch act {
					case "edit":
						h.alice.edit(message, "!echo done")
						h.wantSaid("working", "edit of 0: echo done")
					case "edit to no command":
						h.alice.edit(message, "nothing")
						h.wantSaid("gone")
					case "redaction":
						h.alice.redact(message)
						h.wantSaid("gone")
					}
					if len(causes) != 1 {
						t.Errorf("%d handlers were cancelled, want 1", len(causes))
					}
					if lines := h.logs.with("ERROR"); len(lines) > 0 {
						t.Errorf("logged: %q", lines)
					}
				})
			})
		}
	}
}

// Two commands that are limited to one run, each waiting for the other's, would wait for ever.
func TestEditsThatSwapTwoSerialCommandsEnd(t *testing.T) {
	gate := make(map[string]chan bool)
	serial := func(name string) *niobot.Command {
		gate[name] = make(chan bool, 8)
		return command(name, func(ctx context.Context, c *niobot.Context) error {
			select {
			case <-gate[name]:
			case <-ctx.Done():
			}
			return c.Reply(ctx, "%s", name)
		}, niobot.Serial())
	}
	inHouse(t, setting{before: func(h *house) {
		h.bot.Add(serial("left"), serial("right")) // In the bubble, as their channels are.
	}}, func(h *house) {
		h.room = h.alice.newRoom()
		h.alice.say("!left") // Both are taken.
		h.alice.say("!right")
		one, two := h.alice.say("!left"), h.alice.say("!right")
		h.settle()
		h.alice.edit(one, "!right")
		h.alice.edit(two, "!left")
		for range 4 {
			gate["left"] <- true
			gate["right"] <- true
		}
		h.settle()
		got := h.shown()
		slices.Sort(got)
		if want := []string{"left", "left", "right", "right"}; !slices.Equal(got, want) {
			t.Errorf("the bot said %q, want %q", got, want)
		}
	})
}

func TestRedactionOfACommand(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{lines(), command("react", func(ctx context.Context, c *niobot.Context) error {
		_, err := c.React(ctx, "👍")
		return err
	})}}, func(h *house) {
		message := h.alice.say("!lines a b")
		h.settle()
		h.alice.redact(message)
		h.wantSaid("gone", "gone")
		message = h.alice.say("!react")
		h.settle()
		h.alice.redact(message)
		h.settle()
		redacted := 0
		for _, e := range h.hs.Timeline(h.room) {
			if e.Type == event.EventRedaction && e.Sender == h.botID {
				redacted++
			}
		}
		if redacted != 3 {
			t.Errorf("the bot redacted %d events, want two replies and the reaction", redacted)
		}
	})
}

// nio-bot 71: only a message's author can edit it.
func TestEditBySomebodyElseIsIgnored(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		bob := h.guest("bob")
		_, err := h.alice.InviteUser(h.t.Context(), h.room, &mautrix.ReqInviteUser{UserID: bob.UserID})
		h.must(err)
		_, err = bob.JoinRoomByID(h.t.Context(), h.room)
		h.must(err)
		command, text := h.alice.say("!echo alice"), h.alice.say("just text")
		h.settle()
		bob.edit(command, "!echo bob")
		bob.edit(text, "!echo bob")
		h.wantSaid("echo alice")
	})
}

func TestWithoutEditsACommandIsHandledOnce(t *testing.T) {
	inHouse(t, setting{opts: []niobot.Option{niobot.WithoutEdits()}}, func(h *house) {
		message := h.alice.say("!echo one")
		h.settle()
		h.alice.edit(message, "!echo two")
		h.settle()
		h.alice.redact(message)
		h.alice.edit(h.alice.say("text"), "!echo three")
		h.wantSaid("echo one")
	})
}

func TestReplyThatCouldNotBeEditedIsNotForgotten(t *testing.T) {
	inHouse(t, setting{commands: []*niobot.Command{lines()}}, func(h *house) {
		message := h.alice.say("!lines a")
		h.settle()
		h.fail(fakehs.Fault{Path: "/send/", Status: http.StatusForbidden, ErrCode: "M_FORBIDDEN", Count: 2})
		h.alice.edit(message, "!lines b")
		h.wantSaid("gone") // Neither the answer nor the error could be sent; the old answer is wrong now.
	})
}

// A send that is under way when its command is edited may have reached the server.
func TestReplyUnderWayIsKnownToTheEdit(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Latency: 5 * time.Second, Count: 1})
		message := h.alice.say("!echo one")
		h.pass(time.Second)
		h.alice.edit(message, "!echo two")
		h.pass(time.Minute)
		if got := h.shown(); !slices.Equal(got, []string{"echo two"}) {
			t.Errorf("the room shows %q", got)
		}
	})
}

// An edit names no thread of its own.
func TestEditedCommandIsAnsweredInItsThread(t *testing.T) {
	bot := newBot(t)
	bot.Add(niobot.NewCommand("count", func(ctx context.Context, c *niobot.Context, a struct {
		N int `arg:"n"`
	}) error {
		for n := range a.N {
			if err := c.Reply(ctx, "%d", n+1); err != nil {
				return err
			}
		}
		return nil
	}))
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	root := alice.Say(alice.NewRoom(), "a thread")
	said := alice.SayIn(root, "!count 1")
	alice.ExpectReply("1")
	alice.Edit(said, "!count 2")
	if got := alice.ExpectReply("2"); got.Event.Content.AsMessage().RelatesTo.GetThreadParent() != root.ID {
		t.Errorf("the second reply is outside the thread: %+v", got.Event.Content.AsMessage().RelatesTo)
	}
}
