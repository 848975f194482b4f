package niobot

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

var (
	// ErrTimeout ends a question that nobody answered in time. It is also a [context.DeadlineExceeded].
	ErrTimeout error = timeoutError{}

	// ErrWithdrawn ends a question whose message was redacted.
	ErrWithdrawn = errors.New("question was redacted")

	// ErrAskedLeft ends a question to a user who has left the room.
	ErrAskedLeft = errors.New("user who was asked has left the room")

	// ErrNoAnswer ends a question that got wrong answers only; see [Tries].
	ErrNoAnswer = errors.New("question got no answer of use")
)

// The texts of questions. The comments say what their arguments are.
const (
	TextTimeout   Text = "No answer came in time."                                // no arguments
	TextWithdrawn Text = "My question was removed, so I do not wait any longer."  // no arguments
	TextAskedLeft Text = "Whom I asked has left the room."                        // no arguments
	TextNoAnswer  Text = "That is no answer that I understand, so I give up. %s." // what was wrong
	TextTryAgain  Text = "%s. Please try again."                                  // what was wrong
	TextYes       Text = "yes"                                                    // an answer to Confirm, no arguments
	TextNo        Text = "no"                                                     // an answer to Confirm, no arguments
	TextChoose    Text = "Answer with a number from 1 to %d"                      // the number of options
)

type timeoutError struct{}

func (timeoutError) Error() string { return "no answer came in time" }

// Timeout is what net.Error and its kin call it.
func (timeoutError) Timeout() bool { return true }

func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// unanswered is the end of a question, together with what the user is told of it where nobody says anything else.
type unanswered struct {
	err     error
	refusal error
}

func (e *unanswered) Error() string { return e.err.Error() }

// Unwrap gives the condition and a [*CheckError].
func (e *unanswered) Unwrap() []error { return []error{e.err, e.refusal} }

// unanswered adds to the end of a question what the user is told.
func (c *Context) unanswered(err error) error {
	for end, text := range map[error]Text{
		ErrTimeout: TextTimeout, ErrWithdrawn: TextWithdrawn, ErrAskedLeft: TextAskedLeft,
	} {
		if errors.Is(err, end) {
			return &unanswered{err: end, refusal: refuse(c, "answer", text)}
		}
	}
	return err
}

// answer is what a question was answered with: one of the three.
type answer struct {
	text   *Message   // A text
	key    string     // A reaction's key
	undone id.EventID // A reaction that was taken back, where the question wants to know
	event  id.EventID // The answer's event
}

// answer waits for an answer. It puts the bot's reactions on the question as long as there is none.
func (q *question) answer(ctx context.Context) (*answer, error) {
	for {
		e, ok := q.poll(ctx)
		if !ok && len(q.keys) > 0 && ctx.Err() == nil {
			q.offer(ctx)
			continue
		}
		if !ok {
			var err error
			if e, err = q.next(ctx); err != nil {
				return nil, err
			}
		}
		a, err := q.read(e)
		if a != nil || err != nil {
			return a, err
		}
	}
}

// read makes an answer of an event, and nothing of one that turns out to be none.
func (q *question) read(e *Event) (*answer, error) {
	switch e.Type {
	case event.StateMember:
		return nil, ErrAskedLeft
	case event.EventRedaction:
		switch {
		case e.redacts() == q.message:
			return nil, ErrWithdrawn
		case q.undo && q.mayAnswer(e.Sender):
			return &answer{undone: e.redacts(), event: e.ID}, nil
		}
	case event.EventReaction:
		if reactedTo(e) == q.message {
			return &answer{key: plainKey(reactionKey(e)), event: e.ID}, nil
		}
	case event.EventMessage:
		m, ok := e.message()
		if !ok || !q.mayAnswer(m.Sender) || m.kept.TransactionID() != "" || !q.bot.isSpoken(m) {
			return nil, nil
		}
		return &answer{text: m, event: e.ID}, nil
	}
	return nil, nil
}

// isSpoken tells whether m is a text, or the caption of a file, that calls no command.
func (b *Bot) isSpoken(m *Message) bool {
	if m.MsgType != event.MsgEmote && !b.takes(m) {
		return false
	}
	_, _, calls := b.route(m.room, m)
	return !calls
}

// plainKey is a reaction's key without what clients add to one and the same emoji: the mark that it is to be shown as
// an emoji (U+FE0F), and skin tones.
func plainKey(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '\uFE0F' || r >= 0x1F3FB && r <= 0x1F3FF {
			return -1
		}
		return r
	}, strings.TrimSpace(key))
}
