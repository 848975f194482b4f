package arg

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

const (
	pointerWidth = 72               // columns of the input that a pointer shows
	pointerReach = 4 * pointerWidth // runes on either side that it looks at, for marks that take no column
)

// Pointer returns two lines: the line of the input that is concerned, and carets under the word that is at fault.
//
//	@alice:example.org --for 24x
//	                         ^^^
//
// They line up in a font of fixed width, in which East Asian wide characters and emoji take two columns and combining
// marks none. A long line is cut to the neighbourhood of the word, with … where something is left out. The result is
// plain text that may hold any character of the input; put it into a code block to show it.
func (e *Error) Pointer() string {
	start := min(max(e.Offset, 0), len(e.Text))
	end := min(max(e.End, start), len(e.Text))
	line, at := e.Text, start
	if start == len(e.Text) {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		at = len(line)
	}
	from := strings.LastIndexByte(line[:at], '\n') + 1
	line, _, _ = strings.Cut(line[from:], "\n")
	at = min(at-from, len(line))
	stop := min(end-from, len(line))
	before, word, after := cells(lastRunes(line[:at])), cells(firstRunes(line[at:stop])), cells(firstRunes(line[stop:]))
	if start == len(e.Text) {
		word, after = nil, nil
		if len(before) > 0 {
			before = append(before, cell{" ", 1})
		}
	}
	return draw(before, word, after)
}

// cell is what is printed as one character.
type cell struct {
	text  string
	width int
}

func cells(s string) []cell {
	var out []cell
	for _, r := range s {
		switch {
		case r == '\u200d' || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			out = append(out, cell{string(r), 0})
		case unicode.IsControl(r) || r == utf8.RuneError || unicode.IsSpace(r):
			out = append(out, cell{" ", 1})
		default:
			out = append(out, cell{string(r), columns(r)})
		}
	}
	return out
}

func firstRunes(s string) string {
	n := 0
	for i := range s {
		if n++; n > pointerReach {
			return s[:i]
		}
	}
	return s
}

func lastRunes(s string) string {
	i := len(s)
	for n := 0; i > 0 && n < pointerReach; n++ {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

func columns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func total(cs []cell) int {
	n := 0
	for _, c := range cs {
		n += c.width
	}
	return n
}

// draw prints the three parts of a line with carets under the middle one, and cuts what is too long: first the word,
// then what follows it, then what comes before.
func draw(before, word, after []cell) string {
	const ellipsis = "…"
	if total(before)+total(word)+total(after) > pointerWidth {
		if total(word) > pointerWidth/2 {
			word = append(keep(word, pointerWidth/2-1), cell{ellipsis, 1})
			after = nil
		}
		room := pointerWidth - total(word)
		tail := min(total(after), max(room/4, room-total(before)))
		if tail < total(after) {
			after = append(keep(after, tail-1), cell{ellipsis, 1})
		}
		if head := room - total(after); head < total(before) {
			before = append([]cell{{ellipsis, 1}}, keepLast(before, head-1)...)
		}
	}
	var out strings.Builder
	for _, part := range [...][]cell{before, word, after} {
		for _, c := range part {
			out.WriteString(c.text)
		}
	}
	line := strings.TrimRight(out.String(), " ")
	return line + "\n" + strings.Repeat(" ", total(before)) + strings.Repeat("^", max(total(word), 1))
}

// keep returns the first cells that fit into n columns.
func keep(cs []cell, n int) []cell {
	for i, c := range cs {
		if n -= c.width; n < 0 {
			return cs[:i:i]
		}
	}
	return cs[:len(cs):len(cs)]
}

// keepLast returns the last cells that fit into n columns.
func keepLast(cs []cell, n int) []cell {
	for i := len(cs) - 1; i >= 0; i-- {
		if n -= cs[i].width; n < 0 {
			return cs[i+1:]
		}
	}
	return cs
}
