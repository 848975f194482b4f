package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/niobot/niobot/arg"
)

// dice is what a player writes as 2d6+1d4+3: groups of dice, and a number that is added to them.
type dice struct {
	groups []group
	add    int
}

// group are dice with the same number of sides.
type group struct{ count, sides int }

// notation converts text to dice. It is an arg.Converter, and is given to commands by niobot.Convert.
type notation struct {
	maxDice  int
	maxSides int
}

var term = regexp.MustCompile(`^(?:(\d*)[dD](\d+)|(\d+))$`)

// Convert reads dice. What is wrong with the text is said by arg.Reject: the user reads it, below what they typed.
func (n notation) Convert(_ context.Context, text string) (dice, error) {
	var d dice
	rolled := 0
	for part := range strings.SplitSeq(text, "+") {
		found := term.FindStringSubmatch(part)
		switch {
		case found == nil:
			return dice{}, arg.Reject("%q is no dice like d20, 2d6 or 2d6+3", text)
		case found[3] != "":
			number, err := strconv.Atoi(found[3])
			if err != nil || number > n.maxDice*n.maxSides {
				return dice{}, arg.Reject("%s is more than dice can show", found[3])
			}
			d.add += number
			continue
		}
		g := group{count: 1}
		var err error
		if found[1] != "" {
			g.count, err = strconv.Atoi(found[1])
		}
		if rolled += g.count; err != nil || g.count < 1 || rolled > n.maxDice {
			return dice{}, arg.Reject("only 1 to %d dice can be rolled at once", n.maxDice)
		}
		if g.sides, err = strconv.Atoi(found[2]); err != nil || g.sides < 2 || g.sides > n.maxSides {
			return dice{}, arg.Reject("a die has from 2 to %d sides", n.maxSides)
		}
		d.groups = append(d.groups, g)
	}
	return d, nil
}

// Kind is the word for dice in help. Without it, that would be the name of the type.
func (n notation) Kind() arg.Kind { return "dice" }
