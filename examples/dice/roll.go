package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/niobot/niobot"
)

type rollArgs struct {
	Dice dice `arg:"dice" default:"d6" help:"such as d20, 2d6 or 2d6+1d4+3"`
}

// rollCommand makes the command. chance is a number from 0 up to n, n excluded: the tests have dice that they know.
func rollCommand(chance func(n int) int) *niobot.Command {
	roll := func(ctx context.Context, c *niobot.Context, a rollArgs) error {
		sum := a.Dice.add
		var shown []string
		for _, g := range a.Dice.groups {
			for range g.count {
				eyes := 1 + chance(g.sides)
				sum += eyes
				shown = append(shown, fmt.Sprint(eyes))
			}
		}
		if len(shown) == 1 && a.Dice.add == 0 {
			return c.Reply(ctx, "🎲 **%d**", sum)
		}
		if a.Dice.add > 0 {
			shown = append(shown, fmt.Sprint(a.Dice.add))
		}
		return c.Reply(ctx, "🎲 %s = **%d**", strings.Join(shown, " + "), sum)
	}
	return niobot.NewCommand("roll", roll,
		niobot.Alias("r"),
		niobot.Describe("Roll dice."),
		niobot.Convert(notation{maxDice: 20, maxSides: 1000}))
}
