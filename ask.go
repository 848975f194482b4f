package niobot

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/niobot/niobot/arg"
)

// What questions do where options do not say.
const (
	DefaultPatience = 5 * time.Minute // How long an answer is waited for
	DefaultTries    = 3               // How many answers of [Ask] may be wrong before it gives up
)

// AskOption changes how one question is asked: by [Context.Ask], [Ask], [Context.Confirm], [Context.Choose] and
// [Context.Pages].
type AskOption func(*asking)

type asking struct {
	patience time.Duration
	tries    int
	anyone   bool
}

// Within sets how long the answer is waited for from the moment of the question. Zero: for as long as the command may
// run. Default: [DefaultPatience].
func Within(d time.Duration) AskOption { return func(a *asking) { a.patience = d } }

// Tries sets how many wrong answers are told what is wrong with them before a question ends with [ErrNoAnswer]; the
// last of them is not. Default: [DefaultTries].
func Tries(n int) AskOption { return func(a *asking) { a.tries = n } }

// ByAnyone lets everybody in the room answer. Without it only the user counts who called the command.
func ByAnyone() AskOption { return func(a *asking) { a.anyone = true } }

// Ask sends a question and returns the message that answers it:
//
//	m, err := c.Ask(ctx, niobot.Plain("What shall the room be called?"))
//
// The question is a reply to the command, in the command's thread. The answer is the next text by the user who called
// the command in the same room and thread, or in a thread below the question. Edits, notices, and messages that call a
// command, are no answers. Where several questions to a user are open at once in one place, a message that replies to
// one of them answers that one, and any other the latest.
//
// While it waits, the handler gives its place to others, as in [Bot.WaitFor]. The errors: [ErrTimeout], [ErrWithdrawn]
// where somebody redacted the question, [ErrAskedLeft] where the user left the room, those of [Context.Respond], and
// the cause of ctx's end. A handler may return the former three as they are: the user is told.
func (c *Context) Ask(ctx context.Context, body Body, opts ...AskOption) (*Message, error) {
	var answered *Message
	err := c.pose(ctx, body, newAsking(opts), &question{texts: true}, func(ctx context.Context, q *question) error {
		a, err := q.answer(ctx)
		if err == nil {
			answered = a.text
		}
		return err
	})
	return answered, err
}

// Ask asks for a value: [Context.Ask] whose answer is converted by the rules of package arg.
//
//	when, err := niobot.Ask[time.Duration](ctx, c, niobot.Plain("How long?"))
//
// A T that is a type of an argument is the whole answer; a string is the text as it stands. Any other struct has the
// fields and tags of a command's arguments, with their limits, and the answer is read as those are. The command's own
// converters count. The user is told of a wrong answer what is wrong, and may try again; [Tries] says how often. After
// that the error is [ErrNoAnswer].
func Ask[T any](ctx context.Context, c *Context, body Body, opts ...AskOption) (T, error) {
	var value T
	bind, err := answerBinder[T](c)
	if err != nil {
		return value, fmt.Errorf("ask: %w", err)
	}
	set := newAsking(opts)
	err = c.pose(ctx, body, set, &question{texts: true}, func(ctx context.Context, q *question) error {
		return c.untilRight(ctx, q, set.tries, func(m *Message) (err error) {
			value, err = bind(ctx, m)
			return err
		})
	})
	return value, err
}

// untilRight takes answers until one is right. take returns an [*arg.Error] for one that is not.
func (c *Context) untilRight(ctx context.Context, q *question, tries int, take func(*Message) error) error {
	for try := 1; ; try++ {
		a, err := q.answer(ctx)
		if err != nil {
			return err
		}
		err = take(a.text)
		wrong, isWrong := errors.AsType[*arg.Error](err)
		if !isWrong {
			return err
		}
		if try >= tries {
			return &unanswered{err: ErrNoAnswer, refusal: refuse(c, "answer", TextNoAnswer, wrong.Reason)}
		}
		again := outgoing{body: c.words(TextTryAgain, wrong.Reason), replyTo: a.text.ID, thread: a.text.Thread}
		if _, err := c.bot.post(ctx, c.Room.id, again, nil, c.run); err != nil {
			return err
		}
	}
}

// answerBinder makes what converts answers to a T.
func answerBinder[T any](c *Context) (func(ctx context.Context, m *Message) (T, error), error) {
	if reflect.TypeFor[T]() == reflect.TypeFor[string]() {
		return func(_ context.Context, m *Message) (value T, _ error) {
			reflect.ValueOf(&value).Elem().SetString(strings.TrimSpace(m.Body))
			return value, nil
		}, nil
	}
	type whole struct {
		Value T `arg:"answer,rest"`
	}
	type word struct {
		Value T `arg:"answer"`
	}
	if bind, err := binder(c, func(w *whole) T { return w.Value }); err == nil {
		return bind, nil
	}
	bind, err := binder(c, func(w *word) T { return w.Value })
	if err != nil && reflect.TypeFor[T]().Kind() == reflect.Struct {
		return binder(c, func(value *T) T { return *value })
	}
	return bind, err
}

// binder makes what binds answers to an A, of which value takes what is wanted.
func binder[A, T any](c *Context, value func(*A) T) (func(ctx context.Context, m *Message) (T, error), error) {
	var converters []arg.Option
	if c.Command != nil {
		converters = c.Command.converters
	}
	plan, err := arg.NewPlan(reflect.TypeFor[A](), converters...)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, m *Message) (T, error) {
		var into A
		err := plan.Bind(ctx, arg.Input{
			Text: m.Body, HTML: m.FormattedBody, Resolver: resolver{c.bot}, Location: c.bot.Location(),
		}, &into)
		return value(&into), err
	}, nil
}

func newAsking(opts []AskOption) *asking {
	set := &asking{patience: DefaultPatience, tries: DefaultTries}
	for _, opt := range opts {
		opt(set)
	}
	return set
}

// limit makes the context of the wait for an answer.
func (a *asking) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.patience <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, a.patience, ErrTimeout)
}

// pose asks a question, lets f take the answers, and tidies up. Below f's context, time is limited.
func (c *Context) pose(
	ctx context.Context, body Body, set *asking, q *question, f func(ctx context.Context, q *question) error,
) error {
	q.room, q.thread, q.log = c.Room, c.thread(), c.Logger()
	if !set.anyone {
		q.by = c.Message.Sender
	}
	c.bot.openQuestion(ctx, q)
	defer q.close(ctx)
	if m, ok := c.Room.Member(q.by); ok && hasLeft(m.Membership) {
		return c.unanswered(ErrAskedLeft)
	}
	sent, err := c.Respond(ctx, body)
	if err != nil {
		return err
	}
	q.appear(sent.ID)
	limited, cancel := set.limit(ctx)
	defer cancel()
	err = f(limited, q)
	if err != nil && limited.Err() != nil {
		err = context.Cause(limited)
	}
	return c.unanswered(err)
}
