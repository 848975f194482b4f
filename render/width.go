package render

import (
	"unicode"

	"golang.org/x/text/width"
)

const (
	zeroWidthJoiner   = '\u200d'
	emojiPresentation = '\ufe0f'
)

// displayWidth is how many columns s takes in a font in which all characters are one or two columns wide. Marks take
// none, East Asian wide characters and emoji two, and an emoji of several parts counts once.
func displayWidth(s string) int {
	total, last := 0, 0
	joined := false
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~':
			total, last, joined = total+1, 1, false
			continue
		case r == zeroWidthJoiner:
			joined = true
			continue
		case r == emojiPresentation && last == 1:
			total, last = total+1, 2
			continue
		case isSkinTone(r) && last == 2, unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			continue
		}
		last = 1
		if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth {
			last = 2
		}
		if !joined {
			total += last
		}
		joined = false
	}
	return total
}

func isSkinTone(r rune) bool { return r >= '\U0001f3fb' && r <= '\U0001f3ff' }
