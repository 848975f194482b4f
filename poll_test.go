package niobot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

var lunch = niobot.Poll{Question: "Lunch?", Answers: []string{"pizza", "salad", "soup"}}

// vote answers a poll as clients do today.
func (g *guest) vote(poll id.EventID, answers ...string) id.EventID {
	g.h.t.Helper()
	return g.raw("org.matrix.msc3381.poll.response", map[string]any{
		"m.relates_to":                     map[string]any{"rel_type": "m.reference", "event_id": poll},
		"org.matrix.msc3381.poll.response": map[string]any{"answers": answers},
	})
}

func (g *guest) raw(typ string, content map[string]any) id.EventID {
	g.h.t.Helper()
	<-time.After(time.Millisecond) // Votes are told apart by their times.
	sent, err := g.SendMessageEvent(g.h.t.Context(), g.h.room, event.Type{Type: typ, Class: event.MessageEventType}, content)
	g.h.must(err)
	return sent.EventID
}

// join lets more guests into the house's room.
func (h *house) joined(names ...string) (guests []*guest) {
	h.t.Helper()
	for _, name := range names {
		g := h.guest(name)
		h.must(h.hs.SetMembership(h.alice.UserID, h.room, g.UserID, "invite"))
		h.must(h.hs.SetMembership(g.UserID, h.room, g.UserID, "join"))
		guests = append(guests, g)
	}
	h.settle()
	return guests
}

func (h *house) asks(poll niobot.Poll) id.EventID {
	h.t.Helper()
	sent, err := h.bot.Send(h.t.Context(), h.room, poll)
	h.must(err)
	return sent.ID
}

// tally is the votes as text, such as "pizza 1, salad 0".
func tally(r niobot.PollResult) string {
	var parts []string
	for _, votes := range r.Votes {
		parts = append(parts, fmt.Sprintf("%s %d", votes.Answer, len(votes.Users)))
	}
	if r.Ended {
		parts = append(parts, "ended")
	}
	return strings.Join(parts, ", ")
}

func (h *house) wantVotes(poll id.EventID, want string) {
	h.t.Helper()
	result, err := h.bot.PollResult(h.t.Context(), h.room, poll)
	h.must(err)
	if got := tally(result); got != want {
		h.t.Errorf("the votes are %s; want %s", got, want)
	}
}

func TestPollVotes(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		bob := h.joined("bob")[0]
		poll := h.asks(lunch)
		h.wantVotes(poll, "pizza 0, salad 0, soup 0")
		h.alice.vote(poll, "1")
		bob.vote(poll, "2")
		h.wantVotes(poll, "pizza 1, salad 1, soup 0")
		second := bob.vote(poll, "1", "2") // Of two, the first counts.
		h.wantVotes(poll, "pizza 2, salad 0, soup 0")
		_, err := bob.RedactEvent(h.t.Context(), h.room, second)
		h.must(err)
		h.wantVotes(poll, "pizza 1, salad 1, soup 0")
		h.alice.vote(poll, "7")
		h.wantVotes(poll, "pizza 0, salad 1, soup 0")
		h.alice.vote(poll, "3")
		h.alice.vote(poll)
		h.wantVotes(poll, "pizza 0, salad 1, soup 0")
		h.alice.raw("m.poll.response", map[string]any{
			"m.relates_to": map[string]any{"rel_type": "m.reference", "event_id": poll}, "m.selections": []string{"3"},
		})
		h.wantVotes(poll, "pizza 0, salad 1, soup 1")
		bob.raw("org.matrix.msc3381.poll.response", map[string]any{
			"m.relates_to":                     map[string]any{"rel_type": "m.reference", "event_id": poll},
			"org.matrix.msc3381.poll.response": "wrong",
		})
		h.wantVotes(poll, "pizza 0, salad 0, soup 1")
	})
}

func TestPollOfSeveralChoices(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		several := lunch
		several.Choices = 2
		poll := h.asks(several)
		h.alice.vote(poll, "1", "1", "2")
		h.wantVotes(poll, "pizza 1, salad 0, soup 0")
		h.alice.vote(poll, "3", "2", "1")
		h.wantVotes(poll, "pizza 0, salad 1, soup 1")
	})
}

func TestEndPoll(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		bob := h.joined("bob")[0]
		poll := h.asks(lunch)
		h.alice.vote(poll, "2")
		end := map[string]any{
			"m.relates_to":                map[string]any{"rel_type": "m.reference", "event_id": poll},
			"org.matrix.msc3381.poll.end": map[string]any{},
		}
		bob.raw("org.matrix.msc3381.poll.end", end) // It is not his.
		h.wantVotes(poll, "pizza 0, salad 1, soup 0")
		result, err := h.bot.EndPoll(h.t.Context(), h.room, poll)
		h.must(err)
		if got := tally(result); got != "pizza 0, salad 1, soup 0, ended" || !slices.Equal(result.Winners(), []string{"salad"}) ||
			!slices.Equal(result.Voters(), []id.UserID{h.alice.UserID}) {
			t.Errorf("the result is %s, the winners %q, the voters %q", got, result.Winners(), result.Voters())
		}
		bob.vote(poll, "1")
		h.wantVotes(poll, "pizza 0, salad 1, soup 0, ended")
		if _, err := h.bot.EndPoll(h.t.Context(), h.room, poll); !errors.Is(err, niobot.ErrPollEnded) {
			t.Errorf("ending it again returns %v", err)
		}
		timeline := h.hs.Timeline(h.room)
		var content struct {
			Text    string         `json:"org.matrix.msc1767.text"`
			Results map[string]int `json:"org.matrix.msc3381.poll.results"`
		}
		h.must(json.Unmarshal(timeline[len(timeline)-2].Content.VeryRaw, &content))
		if content.Text != "The poll has ended. Top answer: salad" || content.Results["2"] != 1 || len(content.Results) != 3 {
			t.Errorf("the end says %+v", content)
		}
		if _, err := h.bot.PollResult(h.t.Context(), h.room, h.alice.say("no poll")); !errors.Is(err, niobot.ErrNotPoll) {
			t.Errorf("a text as a poll: %v", err)
		}
	})
}

func TestPollEndsByAModerator(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		poll := h.asks(lunch)
		h.alice.raw("m.poll.end", map[string]any{
			"m.relates_to": map[string]any{"rel_type": "m.reference", "event_id": poll},
		})
		h.wantVotes(poll, "pizza 0, salad 0, soup 0, ended")
	})
}

func TestWatchPoll(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		bob := h.joined("bob")[0]
		poll := h.asks(lunch)
		h.alice.vote(poll, "1")
		h.settle()
		var heard []string
		stop, err := h.bot.WatchPoll(h.t.Context(), h.room, poll, func(_ context.Context, r niobot.PollResult) error {
			heard = append(heard, tally(r))
			return nil
		})
		h.must(err)
		defer stop()
		vote := bob.vote(poll, "3")
		h.alice.vote(h.asks(lunch), "1") // Another poll
		h.settle()
		_, err = bob.RedactEvent(h.t.Context(), h.room, vote)
		h.must(err)
		h.settle()
		_, err = h.bot.EndPoll(h.t.Context(), h.room, poll)
		h.must(err)
		h.settle()
		bob.vote(poll, "2")
		h.settle()
		want := []string{
			"pizza 1, salad 0, soup 0", "pizza 1, salad 0, soup 1", "pizza 1, salad 0, soup 0",
			"pizza 1, salad 0, soup 0, ended",
		}
		if !slices.Equal(heard, want) {
			t.Errorf("told of\n\t%s\nwant\n\t%s", strings.Join(heard, "\n\t"), strings.Join(want, "\n\t"))
		}
	})
}

func TestWatchPollStops(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		poll := h.asks(lunch)
		told := 0
		stop, err := h.bot.WatchPoll(h.t.Context(), h.room, poll, func(context.Context, niobot.PollResult) error {
			told++
			return nil
		})
		h.must(err)
		stop()
		stop()
		h.alice.vote(poll, "1")
		h.settle()
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

// Of a poll of extensible events, as of one of today's clients, the same is read.
func TestPollIsRead(t *testing.T) {
	answers := []map[string]any{
		{"m.id": "a", "m.text": []map[string]any{{"mimetype": "text/html", "body": "<b>x</b>"}, {"body": "yes"}}},
		{"id": "b", "org.matrix.msc1767.text": "no"},
	}
	block := map[string]any{
		"kind": "m.disclosed", "max_selections": 2, "answers": answers,
		"question": map[string]any{"m.text": []map[string]any{{"body": "Well?"}}},
	}
	inHouse(t, setting{}, func(h *house) {
		for typ, content := range map[string]map[string]any{
			"m.poll.start":                  {"m.poll": block},
			"org.matrix.msc3381.poll.start": {"org.matrix.msc3381.poll.start": block},
		} {
			e, err := h.bot.Event(h.t.Context(), h.room, h.alice.raw(typ, content))
			h.must(err)
			got, ok := e.Poll()
			if !ok || got.Question != "Well?" || !slices.Equal(got.Answers, []string{"yes", "no"}) || got.Choices != 2 ||
				got.Undisclosed {
				t.Errorf("%s is read as %+v, %t", typ, got, ok)
			}
		}
		for _, content := range []map[string]any{
			{}, {"m.poll": 1}, {"m.poll": map[string]any{"question": "Well?"}}, {"m.poll": map[string]any{"answers": answers}},
		} {
			e, err := h.bot.Event(h.t.Context(), h.room, h.alice.raw("m.poll.start", content))
			h.must(err)
			if got, ok := e.Poll(); ok {
				t.Errorf("%v is read as %+v", content, got)
			}
		}
	})
}

func TestPollIsChecked(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		for name, wrong := range map[string]niobot.Poll{
			"without question":  {Answers: []string{"yes"}},
			"without answers":   {Question: "Well?"},
			"of empty answers":  {Question: "Well?", Answers: []string{"yes", " "}},
			"of many answers":   {Question: "Well?", Answers: make([]string, niobot.MaxPollAnswers+1)},
			"of many choices":   {Question: "Well?", Answers: []string{"yes"}, Choices: 2},
			"of minus a choice": {Question: "Well?", Answers: []string{"yes"}, Choices: -1},
		} {
			if _, err := h.bot.Send(h.t.Context(), h.room, wrong); err == nil {
				t.Errorf("a poll %s is sent", name)
			}
		}
	})
}
