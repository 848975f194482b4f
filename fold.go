package niobot

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold gives text in a form in which texts that differ only by case are the same: each rune is replaced by the
// smallest of its simple case orbit. It allocates only where that changes something.
func fold(text string) string {
	for i, r := range text {
		if foldRune(r) != r {
			var b strings.Builder
			b.Grow(len(text))
			b.WriteString(text[:i])
			for _, r := range text[i:] {
				b.WriteRune(foldRune(r))
			}
			return b.String()
		}
	}
	return text
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	// The orbit of the Kelvin sign and of the long s holds ASCII letters, of which the small one stands for all.
	if least < utf8.RuneSelf {
		return unicode.ToLower(least)
	}
	return least
}

// cutPrefix is [strings.CutPrefix], which folds case where exact is false. The lengths of the two texts in bytes may
// differ then: text is cut where its own prefix ends.
func cutPrefix(text, prefix string, exact bool) (rest string, ok bool) {
	if exact {
		return strings.CutPrefix(text, prefix)
	}
	for _, want := range prefix {
		got, size := utf8.DecodeRuneInString(text)
		if size == 0 || foldRune(got) != foldRune(want) {
			return "", false
		}
		text = text[size:]
	}
	return text, true
}
