package victim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/bench/ledger"
)

// numbered are the arguments of all commands: a number, which the answers repeat.
type numbered struct {
	N int `arg:"n"`
}

// lasting are those of a command that takes its time.
type lasting struct {
	N    int           `arg:"n"`
	Time time.Duration `arg:"time"`
}

// Commands are the bot's commands: most answer at once, some answer twice, edit their answer, or wait before it as for
// a slow service.
func Commands() []*niobot.Command {
	return []*niobot.Command{
		niobot.NewCommand("echo", func(ctx context.Context, c *niobot.Context, a numbered) error {
			return c.Reply(ctx, "echo %d", a.N)
		}),
		niobot.NewCommand("twice", func(ctx context.Context, c *niobot.Context, a numbered) error {
			if err := c.Reply(ctx, "first %d", a.N); err != nil {
				return err
			}
			return c.Reply(ctx, "second %d", a.N)
		}),
		niobot.NewCommand("edit", func(ctx context.Context, c *niobot.Context, a numbered) error {
			if err := c.Reply(ctx, "working %d", a.N); err != nil {
				return err
			}
			return c.EditReply(ctx, "done %d", a.N)
		}),
		niobot.NewCommand("slow", func(ctx context.Context, c *niobot.Context, a lasting) error {
			timer := time.NewTimer(a.Time)
			defer timer.Stop()
			select {
			case <-timer.C:
				return c.Reply(ctx, "slow %d", a.N)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
	}
}

// slowest is how long a slow command takes at most.
const slowest = 2 * time.Second

// Line is the n-th command that a user says, and what it is to be answered with.
func Line(rng *rand.Rand, n int) (text string, want []ledger.Answer) {
	body := func(word string) ledger.Answer { return ledger.Answer{Body: fmt.Sprintf("%s %d", word, n)} }
	switch roll := rng.IntN(100); {
	case roll < 76:
		return fmt.Sprintf("!echo %d", n), []ledger.Answer{body("echo")}
	case roll < 84:
		return fmt.Sprintf("!twice %d", n), []ledger.Answer{body("first"), body("second")}
	case roll < 92:
		edited := body("done")
		edited.Edit = true
		return fmt.Sprintf("!edit %d", n), []ledger.Answer{body("working"), edited}
	default:
		takes := time.Duration(rng.Int64N(int64(slowest))).Round(time.Millisecond)
		return fmt.Sprintf("!slow %d %s", n, takes), []ledger.Answer{body("slow")}
	}
}
