package main

import (
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/niobottest"
)

// loaded are dice that always show their highest number.
func loaded(n int) int { return n - 1 }

func TestRoll(t *testing.T) {
	for args, want := range map[string]string{
		"":               "🎲 6",
		"d20":            "🎲 20",
		"D20+0":          "🎲 20",
		"2d6":            "🎲 6 + 6 = 12",
		"2d6+1d4+3":      "🎲 6 + 6 + 4 + 3 = 19",
		"--dice=3d2":     "🎲 2 + 2 + 2 = 6",
		"5":              "🎲 5 = 5",
		"d6+99999":       "dice: 99999 is more than dice can show",
		"2d":             `dice: "2d" is no dice like d20, 2d6 or 2d6+3`,
		"d6+":            `dice: "d6+" is no dice like d20, 2d6 or 2d6+3`,
		"20d6+d6":        "dice: only 1 to 20 dice can be rolled at once",
		"0d6":            "dice: only 1 to 20 dice can be rolled at once",
		"d1":             "dice: a die has from 2 to 1000 sides",
		"1d" + nines:     "dice: a die has from 2 to 1000 sides",
		nines + "d6":     "dice: only 1 to 20 dice can be rolled at once",
		"d6+d6+" + nines: "dice: " + nines + " is more than dice can show",
	} {
		t.Run(args, func(t *testing.T) {
			got := niobottest.Call(t, rollCommand(loaded), args).Reply()
			if first, _, _ := strings.Cut(got, "\n"); first != want {
				t.Errorf("got %q, want %q", first, want)
			}
		})
	}
}

const nines = "99999999999999999999"

func TestKind(t *testing.T) {
	if kind := rollCommand(loaded).Params()[0].Kind; kind != arg.Kind("dice") {
		t.Errorf("help calls it a %s", kind)
	}
}

func TestBotRolls(t *testing.T) {
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	alice := niobottest.Start(t, niobot.Must(newBot())).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!roll d4")
	alice.ExpectReplyMatch("^🎲 [1-4]$")
}

func FuzzNotation(f *testing.F) {
	for _, seed := range []string{"d6", "2d6+1d4+3", "5", "d", "+", nines + "d" + nines} {
		f.Add(seed)
	}
	n := notation{maxDice: 20, maxSides: 1000}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := n.Convert(t.Context(), text)
		if err != nil {
			return
		}
		rolled := 0
		for _, g := range d.groups {
			rolled += g.count
			if g.count < 1 || g.sides < 2 || g.sides > n.maxSides {
				t.Errorf("%q: %dd%d", text, g.count, g.sides)
			}
		}
		if rolled > n.maxDice || d.add < 0 {
			t.Errorf("%q: %d dice and %d", text, rolled, d.add)
		}
	})
}
