package arg_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

type benchArgs struct {
	User   id.UserID     `arg:"user"`
	Count  int           `arg:"count"`
	For    time.Duration `arg:"--for,-f" default:"24h"`
	Force  bool          `arg:"--force"`
	Reason string        `arg:"reason,rest"`
}

const benchText = "@alice:example.org 12 --for 36h --force was very rude"

var benchWant = benchArgs{"@alice:example.org", 12, 36 * time.Hour, true, "was very rude"}

// BenchmarkBind5 binds five mixed arguments, beside what one would write by hand for this one command.
func BenchmarkBind5(b *testing.B) {
	p := mustPlan[benchArgs](b)
	ctx := b.Context()
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var got benchArgs
			if err := p.Bind(ctx, arg.Input{Text: benchText}, &got); err != nil || got != benchWant {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if got, err := parseByHand(benchText); err != nil || got != benchWant {
				b.Fatal(got, err)
			}
		}
	})
}

// TestBindAllocs holds the cost of a bind: nothing beside the struct itself.
func TestBindAllocs(t *testing.T) {
	p := mustPlan[benchArgs](t)
	ctx := t.Context()
	got := new(benchArgs)
	allocs := testing.AllocsPerRun(100, func() {
		if err := p.Bind(ctx, arg.Input{Text: benchText}, got); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 || *got != benchWant {
		t.Errorf("got %+v with %v allocations, want none", *got, allocs)
	}
}

func parseByHand(text string) (a benchArgs, err error) {
	a.For = 24 * time.Hour
	words := strings.Fields(text)
	place := 0
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "--force":
			a.Force = true
		case w == "--for" || w == "-f":
			if i++; i == len(words) {
				return a, errors.New("no value")
			}
			if a.For, err = time.ParseDuration(words[i]); err != nil {
				return a, err
			}
		case place == 0:
			a.User = id.UserID(w)
			if _, _, err := a.User.ParseAndValidateRelaxed(); err != nil {
				return a, err
			}
			place++
		case place == 1:
			if a.Count, err = strconv.Atoi(w); err != nil {
				return a, err
			}
			place++
		default:
			a.Reason = strings.Join(words[i:], " ")
			return a, nil
		}
	}
	return a, errors.New("no reason")
}
