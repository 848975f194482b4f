package ledger_test

import (
	"context"
	"errors"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/bench/ledger"
)

const bot id.UserID = "@bot:example.org"

// said is a message of the bot.
func said(eventID id.EventID, body string, relation *event.RelatesTo) *event.Event {
	content := &event.MessageEventContent{MsgType: event.MsgNotice, Body: body, RelatesTo: relation}
	return &event.Event{
		ID: eventID, Sender: bot, Type: event.EventMessage, Content: event.Content{Parsed: content},
	}
}

func replyTo(command id.EventID) *event.RelatesTo {
	return &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: command}}
}

func edits(reply id.EventID) *event.RelatesTo {
	return &event.RelatesTo{Type: event.RelReplace, EventID: reply}
}

func TestVerdict(t *testing.T) {
	want := []ledger.Answer{{Body: "a"}, {Body: "b", Edit: true}}
	a, b := said("$a", "a", replyTo("$c")), said("$b", "b", edits("$a"))
	for _, tt := range []struct {
		name                string
		seen                []*event.Event
		lost, double, stray int
	}{
		{name: "answered", seen: []*event.Event{a, b}},
		{name: "seen twice", seen: []*event.Event{a, b, a, b}},
		{name: "not answered", lost: 1},
		{name: "answered in part", seen: []*event.Event{a}, lost: 1},
		{name: "answered twice", seen: []*event.Event{a, b, said("$a2", "a", replyTo("$c"))}, double: 1},
		{name: "edited twice", seen: []*event.Event{a, b, said("$b2", "b", edits("$a"))}, double: 1},
		{name: "answered otherwise", seen: []*event.Event{a, b, said("$x", "x", replyTo("$c"))}, double: 1},
		{name: "unasked", seen: []*event.Event{a, b, said("$x", "x", nil)}, stray: 1},
		{name: "edit of something unknown", seen: []*event.Event{a, b, said("$x", "x", edits("$y"))}, stray: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, late := range []bool{false, true} {
				l := ledger.New(bot)
				if !late {
					l.Ask("!r", "$c", "!c", want)
				}
				for _, e := range tt.seen {
					l.See("!r", e)
				}
				if late {
					l.Ask("!r", "$c", "!c", want)
				}
				v := l.Verdict()
				if v.Asked != 1 || v.Lost != tt.lost || v.Double != tt.double || v.Stray != tt.stray {
					t.Errorf("asked late: %t: got %+v", late, v)
				}
				if len(v.Cases) != tt.lost+tt.double+tt.stray || v.Sound() != (len(v.Cases) == 0) {
					t.Errorf("asked late: %t: cases %q, sound %t", late, v.Cases, v.Sound())
				}
			}
		})
	}
}

func TestAnswerInAnotherRoomIsNone(t *testing.T) {
	l := ledger.New(bot)
	l.Ask("!r", "$c", "!c", []ledger.Answer{{Body: "a"}})
	l.See("!other", said("$a", "a", replyTo("$c")))
	if v := l.Verdict(); v.Lost != 1 || v.Double != 1 {
		t.Errorf("got %+v", v)
	}
}

func TestOthersAreNotCounted(t *testing.T) {
	l := ledger.New(bot)
	e := said("$a", "a", nil)
	e.Sender = "@alice:example.org"
	l.See("!r", e)
	if v := l.Verdict(); !v.Sound() {
		t.Errorf("got %+v", v)
	}
}

func TestSettleWaitsForTheLastAnswer(t *testing.T) {
	l := ledger.New(bot)
	l.Ask("!r", "$c", "!c", []ledger.Answer{{Body: "a"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Settle(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Settle returned %v while an answer is missing", err)
	}
	settled := make(chan error, 1)
	go func() { settled <- l.Settle(t.Context()) }()
	l.See("!r", said("$a", "a", replyTo("$c")))
	if err := <-settled; err != nil {
		t.Error(err)
	}
}
