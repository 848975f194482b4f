package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
)

// Dice are a number of dice with the same number of sides, written as 2d6. It shows a type of one's own as an argument:
// all that it takes is UnmarshalText.
type Dice struct{ Count, Sides int }

// Bounds of [Dice].
const (
	MaxCount = 100
	MaxSides = 1000
)

// UnmarshalText reads dice such as 2d6, d20 or 6, which is d6. Its errors are for the user.
func (d *Dice) UnmarshalText(text []byte) error {
	count, sides, found := strings.Cut(strings.ToLower(string(text)), "d")
	if !found {
		count, sides = "", count
	}
	var err error
	read := func(what, s string, most int) int {
		n, wrong := strconv.Atoi(s)
		if err == nil && (wrong != nil || n < 1 || n > most) {
			err = arg.Reject("the number of %s in %q is not one from 1 to %d", what, text, most)
		}
		return n
	}
	dice := Dice{Count: 1}
	if count != "" {
		dice.Count = read("dice", count, MaxCount)
	}
	dice.Sides = read("sides", sides, MaxSides)
	if err != nil {
		return err
	}
	*d = dice
	return nil
}

func (d Dice) String() string { return fmt.Sprintf("%dd%d", d.Count, d.Sides) }

type rollArgs struct {
	Dice Dice `arg:"dice" default:"d6" help:"how many dice of how many sides, such as 2d20"`
}

func roll(ctx context.Context, c *niobot.Context, a rollArgs) error {
	sum := 0
	for range a.Dice.Count {
		sum += 1 + rand.N(a.Dice.Sides)
	}
	return c.Reply(ctx, "🎲 %v: **%d**", a.Dice.String(), sum)
}
