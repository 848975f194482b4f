package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
)

// How a quiz goes.
const (
	prize      = 3
	quizLength = time.Minute
)

var questions = []struct{ question, answer string }{
	{"Which planet is nearest to the sun?", "Mercury"},
	{"What is the chemical sign of gold?", "Au"},
	{"How many bits has a byte?", "8"},
}

// quiz is the module of !quiz. It knows no other module, only the points that it was given.
type quiz struct {
	scores *scores
}

var _ niobot.Module = (*quiz)(nil)

func (q *quiz) Name() string { return "quiz" }

func (q *quiz) Commands() []*niobot.Command {
	return []*niobot.Command{
		niobot.NewCommand("quiz", q.play,
			niobot.Describe("Ask the room. The first right answer wins points."),
			niobot.Cooldown(1, 10*time.Second, niobot.PerRoom)),
	}
}

// play waits for the right answer by anybody in the room.
func (q *quiz) play(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	chosen := questions[rand.IntN(len(questions))]
	if err := c.Reply(ctx, "**%s** The first right answer wins %d points.", chosen.question, prize); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, quizLength, niobot.ErrTimeout)
	defer cancel()
	e, err := c.WaitFor(waiting, niobot.Filter{Type: event.EventMessage, Match: func(e *niobot.Event) bool {
		m, ok := e.Message()
		return ok && strings.EqualFold(strings.TrimSpace(m.Body), chosen.answer)
	}})
	switch {
	case errors.Is(err, niobot.ErrTimeout):
		return c.Reply(ctx, "Nobody knew: it is **%s**.", chosen.answer)
	case err != nil:
		return err
	}
	points := q.scores.add(e.Sender, prize)
	_, err = c.Send(ctx, niobot.Markdown("Right! That makes **%d**.", points), niobot.InReplyTo(e.ID))
	return err
}
