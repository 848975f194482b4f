package niobot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/event"
)

// MaxPollAnswers is how many answers a [Poll] may have (MSC3381).
const MaxPollAnswers = 20

// Poll is a question to a room, which clients show with buttons (MSC3381). It is sent by [Context.Respond], [Bot.Send]
// and their kin; what comes of it is told by [Bot.PollResult] and [Bot.WatchPoll], and [Bot.EndPoll] ends it. It goes out
// in the form that clients read in today's rooms, with the event types org.matrix.msc3381.poll.*; that of extensible
// rooms, m.poll.*, is read as well.
type Poll struct {
	Question    string
	Answers     []string // 1 to [MaxPollAnswers]
	Choices     int      // How many answers a user may give. Zero: 1
	Undisclosed bool     // Whether clients show the votes only when the poll has ended
}

// The event types of polls, as they are sent.
var (
	pollStart    = event.EventUnstablePollStart
	pollResponse = event.EventUnstablePollResponse
	pollEnd      = event.EventUnstablePollEnd
)

// Those of rooms with extensible events (MSC1767).
const (
	stablePollStart    = "m.poll.start"
	stablePollResponse = "m.poll.response"
	stablePollEnd      = "m.poll.end"
)

// Body implements [Content]: the question and its answers, numbered, for clients that know no polls.
func (p Poll) Body() Body { return Plain(p.fallback()) }

func (p Poll) fallback() string {
	var b strings.Builder
	b.WriteString(p.Question)
	for i, answer := range p.Answers {
		fmt.Fprintf(&b, "\n%d. %s", i+1, answer)
	}
	return b.String()
}

func (p Poll) check() error {
	switch {
	case strings.TrimSpace(p.Question) == "":
		return errors.New("poll has no question")
	case len(p.Answers) == 0:
		return errors.New("poll has no answers")
	case len(p.Answers) > MaxPollAnswers:
		return fmt.Errorf("poll has %d answers; %d are allowed", len(p.Answers), MaxPollAnswers)
	case p.Choices < 0 || p.Choices > len(p.Answers):
		return fmt.Errorf("poll of %d answers lets users choose %d", len(p.Answers), p.Choices)
	}
	for i, answer := range p.Answers {
		if strings.TrimSpace(answer) == "" {
			return fmt.Errorf("answer %d of the poll is empty", i+1)
		}
	}
	return nil
}

func (p Poll) event() (event.Type, any, error) {
	if err := p.check(); err != nil {
		return event.Type{}, nil, err
	}
	content := pollContent{Text: p.fallback(), Poll: pollBlock{
		Kind: "org.matrix.msc3381.poll.disclosed", MaxSelections: max(p.Choices, 1),
		Question: pollText{p.Question, p.Question, event.MsgText},
	}}
	if p.Undisclosed {
		content.Poll.Kind = "org.matrix.msc3381.poll.undisclosed"
	}
	for i, answer := range p.Answers {
		content.Poll.Answers = append(content.Poll.Answers, pollAnswer{strconv.Itoa(i + 1), answer})
	}
	return pollStart, content, nil
}

type pollContent struct {
	Text string    `json:"org.matrix.msc1767.text"`
	Poll pollBlock `json:"org.matrix.msc3381.poll.start"`
}

type pollBlock struct {
	Kind          string       `json:"kind"`
	MaxSelections int          `json:"max_selections"`
	Question      pollText     `json:"question"`
	Answers       []pollAnswer `json:"answers"`
}

type pollText struct {
	Text    string            `json:"org.matrix.msc1767.text"`
	Body    string            `json:"body"`
	MsgType event.MessageType `json:"msgtype"`
}

type pollAnswer struct {
	ID   string `json:"id"`
	Text string `json:"org.matrix.msc1767.text"`
}

// Poll is the poll that the event starts; ok is false where it starts none. Of more answers than a poll may have, the
// first are read.
func (e *Event) Poll() (p Poll, ok bool) {
	p, _, ok = e.readPoll()
	return p, ok
}

// isPollStart and its kin tell what the event is to a poll.
func (e *Event) isPollStart() bool {
	return e.Type == pollStart || e.Type.Type == stablePollStart && !e.kept.HasStateKey
}

func (e *Event) isPollResponse() bool {
	return e.Type == pollResponse || e.Type.Type == stablePollResponse && !e.kept.HasStateKey
}

func (e *Event) isPollEnd() bool {
	return e.Type == pollEnd || e.Type.Type == stablePollEnd && !e.kept.HasStateKey
}

// looseText is a text in one of the ways in which extensible events have put it: a string, or a list of forms.
type looseText struct {
	Unstable json.RawMessage `json:"org.matrix.msc1767.text"`
	Stable   json.RawMessage `json:"m.text"`
	Old      json.RawMessage `json:"body"`
}

func (t looseText) String() string {
	for _, raw := range []json.RawMessage{t.Unstable, t.Stable, t.Old} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return validText(text)
		}
		var forms []struct {
			Body string `json:"body"`
			Type string `json:"mimetype"`
		}
		if json.Unmarshal(raw, &forms) != nil {
			continue
		}
		for _, form := range forms {
			if form.Type == "" || form.Type == "text/plain" {
				return validText(form.Body)
			}
		}
	}
	return ""
}

// looseBlock is the description of a poll of either form.
type looseBlock struct {
	Kind          string          `json:"kind"`
	MaxSelections json.RawMessage `json:"max_selections"`
	Question      looseText       `json:"question"`
	Answers       []struct {
		looseText
		ID       string `json:"id"`
		StableID string `json:"m.id"`
	} `json:"answers"`
}

// readPoll is the poll that an event starts, and the ids of its answers.
func (e *Event) readPoll() (p Poll, ids []string, ok bool) {
	if !e.isPollStart() {
		return Poll{}, nil, false
	}
	var content struct {
		Unstable *looseBlock `json:"org.matrix.msc3381.poll.start"`
		Stable   *looseBlock `json:"m.poll"`
	}
	if json.Unmarshal([]byte(e.kept.Content), &content) != nil {
		return Poll{}, nil, false
	}
	block := content.Unstable
	if block == nil {
		block = content.Stable
	}
	if block == nil {
		return Poll{}, nil, false
	}
	p.Question, p.Choices = block.Question.String(), 1
	p.Undisclosed = block.Kind != "org.matrix.msc3381.poll.disclosed" && block.Kind != "m.disclosed" &&
		block.Kind != "m.poll.disclosed"
	var most float64
	if json.Unmarshal(block.MaxSelections, &most) == nil && most >= 1 {
		p.Choices = int(min(most, MaxPollAnswers))
	}
	for _, answer := range block.Answers[:min(len(block.Answers), MaxPollAnswers)] {
		name := answer.ID
		if name == "" {
			name = answer.StableID
		}
		p.Answers, ids = append(p.Answers, answer.String()), append(ids, name)
	}
	return p, ids, p.Question != "" && len(ids) > 0
}

// selections are the answers that a response gives, by their ids. What can't be read gives none.
func (e *Event) selections() []string {
	var content struct {
		Unstable *struct {
			Answers []string `json:"answers"`
		} `json:"org.matrix.msc3381.poll.response"`
		Stable []string `json:"m.selections"`
	}
	if json.Unmarshal([]byte(e.kept.Content), &content) != nil {
		return nil
	}
	if content.Unstable != nil {
		return content.Unstable.Answers
	}
	return content.Stable
}
