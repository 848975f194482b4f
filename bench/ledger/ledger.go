// Package ledger keeps account of what a bot was asked and what it answered, and finds what was answered never, or more
// than once.
package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Answer is a message by which a bot answers a command.
type Answer struct {
	Body string
	Edit bool // Whether it edits an earlier answer
}

// Ledger is an account. Its methods may be called from any goroutine; the zero value is not usable, see [New].
type Ledger struct {
	bot id.UserID

	mu       sync.Mutex
	commands map[id.EventID]*entry
	answers  map[id.EventID]id.EventID // Replies of the bot → what they answer
	counted  map[id.EventID]bool       // All messages of the bot
	stray    []string                  // Messages of the bot that answer nothing
	open     int                       // Commands that were asked and are not answered in full
	changed  chan struct{}             // Closed when open is lower, or zero
}

// entry is one command. An answer may be seen before the command is entered.
type entry struct {
	asked bool
	open  bool
	room  id.RoomID
	text  string
	want  []Answer
	got   []found
}

// found is an answer as it was seen.
type found struct {
	Answer
	room id.RoomID
	id   id.EventID
}

// New makes an empty account of a bot's answers.
func New(bot id.UserID) *Ledger {
	return &Ledger{
		bot:      bot,
		commands: make(map[id.EventID]*entry),
		answers:  make(map[id.EventID]id.EventID),
		counted:  make(map[id.EventID]bool),
		changed:  make(chan struct{}),
	}
}

// Ask enters a command, and what it is to be answered with, each once.
func (l *Ledger) Ask(room id.RoomID, command id.EventID, text string, want []Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entry(command)
	e.asked, e.room, e.text, e.want = true, room, text, want
	l.judge(e)
}

// See enters an event of a room. Those that are no messages of the bot are passed over, as are those seen before.
func (l *Ledger) See(room id.RoomID, e *event.Event) {
	if e.Sender != l.bot || e.Type.Type != event.EventMessage.Type || e.StateKey != nil {
		return
	}
	message := e.Content.AsMessage()
	relation := message.OptionalGetRelatesTo()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counted[e.ID] {
		return
	}
	l.counted[e.ID] = true
	answer := Answer{Body: message.Body}
	command := relation.GetNonFallbackReplyTo()
	if original := relation.GetReplaceID(); original != "" {
		answer.Edit = true
		command = l.answers[original]
		if message.NewContent != nil {
			answer.Body = message.NewContent.Body
		}
	} else {
		l.answers[e.ID] = command
	}
	if command == "" {
		l.stray = append(l.stray, fmt.Sprintf("%s in %s: %q", e.ID, room, message.Body))
		return
	}
	of := l.entry(command)
	of.got = append(of.got, found{Answer: answer, room: room, id: e.ID})
	l.judge(of)
}

func (l *Ledger) entry(command id.EventID) *entry {
	e := l.commands[command]
	if e == nil {
		e = new(entry)
		l.commands[command] = e
	}
	return e
}

// judge counts the entry among the open ones, or no longer. The caller holds l.mu.
func (l *Ledger) judge(e *entry) {
	was := e.open
	e.open = e.asked && len(e.missing()) > 0
	switch {
	case e.open && !was:
		l.open++
	case was && !e.open:
		l.open--
		close(l.changed)
		l.changed = make(chan struct{})
	}
}

// missing is what the command lacks.
func (e *entry) missing() []Answer {
	return slices.DeleteFunc(slices.Clone(e.want), func(want Answer) bool {
		return slices.ContainsFunc(e.got, func(got found) bool { return got.Answer == want && got.room == e.room })
	})
}

// surplus is what came too often, in another room, or was never wanted.
func (e *entry) surplus() []found {
	left := slices.Clone(e.want)
	var more []found
	for _, got := range e.got {
		i := slices.Index(left, got.Answer)
		if i < 0 || got.room != e.room {
			more = append(more, got)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	return more
}

// Open is how many commands lack an answer, and a channel that is closed when that has changed for the better.
func (l *Ledger) Open() (open int, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open, l.changed
}

// Settle waits until all commands are answered, and returns early with ctx's error.
func (l *Ledger) Settle(ctx context.Context) error {
	for {
		open, changed := l.Open()
		if open == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d commands are not answered: %w", open, context.Cause(ctx))
		}
	}
}

// Verdict is what an account comes to.
type Verdict struct {
	Asked  int
	Lost   int      // Commands without an answer that they should have
	Double int      // Commands with an answer too many, or a wrong one
	Stray  int      // Messages of the bot that answer no command
	Cases  []string // A line for each of them
}

// Sound tells whether each command has its answers, each once, and nothing else was said.
func (v Verdict) Sound() bool { return v.Lost == 0 && v.Double == 0 && v.Stray == 0 }

// Verdict adds up what was entered so far.
func (l *Ledger) Verdict() Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Verdict{Stray: len(l.stray)}
	for command, e := range l.commands {
		if e.asked {
			v.Asked++
		}
		if missing := e.missing(); e.asked && len(missing) > 0 {
			v.Lost++
			v.Cases = append(v.Cases, fmt.Sprintf("lost: %s in %s, %q: %s", command, e.room, e.text, show(missing)))
		}
		if surplus := e.surplus(); len(surplus) > 0 {
			v.Double++
			v.Cases = append(v.Cases, fmt.Sprintf("double: %s in %s, %q: %s", command, e.room, e.text, show(surplus)))
		}
	}
	for _, line := range l.stray {
		v.Cases = append(v.Cases, "stray: "+line)
	}
	slices.Sort(v.Cases)
	return v
}

func show[T Answer | found](list []T) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = fmt.Sprintf("%+v", one)
	}
	return strings.Join(texts, ", ")
}
