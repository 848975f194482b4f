package niobot

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// halfway makes Markdown that is still being written fit to be shown: what is open at its end is closed, and the first
// bits of what can't be shown before more of it is there are left out. It may guess wrong; the whole text follows.
func halfway(text string) string {
	start, fence := lastBlock(text)
	block := text[start:]
	switch {
	case fence != "":
		return text[:start] + withoutTail(block, func(line string) bool { return isRun(line, fence[0]) })
	case isTable(block):
		return text[:start] + halfTable(block)
	}
	block = withoutTail(block, isMark)
	return text[:start] + closeInline(block)
}

// lastBlock is where the last block of the text begins, within which emphasis and its kin may be open, and the fence
// of the code that it is in, if it is in any.
func lastBlock(text string) (start int, fence string) {
	for at := 0; at < len(text); {
		end := at + lineEnd(text[at:])
		line := strings.TrimLeft(text[at:end], " \t>")
		trimmed := strings.TrimRight(line, " \t\r\n")
		run := fenceOf(line)
		switch {
		case fence != "" && len(run) >= len(fence) && run[0] == fence[0] && trimmed == run && end < len(text):
			fence, start = "", end
		case fence != "":
		case run != "" && end < len(text):
			fence, start = run, end
		case trimmed == "":
			start = end
		case beginsBlock.MatchString(line):
			start = at
		}
		at = end
	}
	return start, fence
}

// beginsBlock matches what ends the paragraph before it: the item of a list and a heading.
var beginsBlock = regexp.MustCompile(`^(?:[-+*]|\d{1,9}[.)]|#{1,6})[ \t]`)

func lineEnd(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

// fenceOf is the run of backticks or tildes that begins or ends fenced code; empty where the line has none.
func fenceOf(line string) string {
	for _, c := range "`~" {
		if run := line[:len(line)-len(strings.TrimLeft(line, string(c)))]; len(run) >= 3 {
			if c == '`' && strings.ContainsRune(line[len(run):], '`') {
				return "" // Code within a line
			}
			return run
		}
	}
	return ""
}

// withoutTail is the block without its last line, where that is not ended and means something else once it goes on.
func withoutTail(block string, half func(line string) bool) string {
	at := strings.LastIndexByte(block, '\n') + 1
	if line := strings.TrimLeft(block[at:], " \t>"); line != "" && half(strings.TrimRight(line, " \t")) {
		return block[:at]
	}
	return block
}

func isRun(line string, c byte) bool { return strings.Trim(line, string(c)) == "" }

// isMark tells whether the line is only the beginning of a line: of a list's item, a heading, or fenced code. Below a
// paragraph, a lone - would make that a heading.
func isMark(line string) bool { return strings.Trim(line, "-+*=#") == "" || fenceOf(line) != "" }

// isTable tells whether the block is a table, or may become one. A line that begins with || holds a spoiler.
func isTable(block string) bool {
	line := strings.TrimLeft(block, " \t")
	return strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "||")
}

// halfTable is the whole rows of a table that has begun with its first two lines, and nothing before.
func halfTable(block string) string {
	at := strings.LastIndexByte(block, '\n') + 1
	if last := strings.TrimRight(block[at:], " \t"); len(last) > 1 && strings.HasSuffix(last, "|") {
		at = len(block)
	}
	header, rows, _ := strings.Cut(block[:at], "\n")
	delimiters, _, _ := strings.Cut(rows, "\n")
	if strings.Count(delimiters, "|") < strings.Count(header, "|") {
		return ""
	}
	return block[:at]
}

// mark is something in a text that is open.
type mark struct {
	char  byte // One of * _ ~ | ` [
	count int
	at    int
	end   int // Where what it encloses begins
}

// inline reads the marks of one block (CommonMark 0.31, "Inlines").
type inline struct {
	text string
	open []mark
	cut  int // Where the text ends that is shown
}

// halfTag matches the beginning of a tag or of a URL in angle brackets.
var halfTag = regexp.MustCompile(`<[/!a-zA-Z][^\s<>]*$|<$`)

// closeInline closes the emphasis, code, spoilers and links that are open at the end of a block.
func closeInline(block string) string {
	in := &inline{text: block, cut: len(block)}
	for at := 0; at < in.cut; {
		at = in.read(at)
	}
	text := block[:in.cut]
	if !slices.ContainsFunc(in.open, func(m mark) bool { return m.char == '`' }) {
		if at := halfTag.FindStringIndex(text); at != nil {
			text = text[:at[0]]
		}
	}
	var closing strings.Builder
	for _, m := range slices.Backward(in.open) {
		switch inner := strings.TrimSpace(text[min(m.end, len(text)):]); {
		case m.at >= len(text):
		case m.char == '[':
			text = text[:m.at] + text[m.end:]
		case inner == "":
			text = strings.TrimRight(text[:m.at], " \t")
		default:
			closing.WriteString(strings.Repeat(string(m.char), m.count))
		}
	}
	if closing.Len() == 0 {
		return text
	}
	text = strings.TrimRight(text, " \t\r\n")
	if strings.HasSuffix(text, "`") && closing.String()[0] == '`' {
		text += " "
	}
	return text + closing.String()
}

// read reads what stands at a place, and returns the next.
func (in *inline) read(at int) (next int) {
	c := in.text[at]
	next = at + 1
	switch c {
	case '\\':
		if next == in.cut {
			in.cut = at
		}
		return min(next+1, in.cut)
	case '`':
		return in.code(at)
	case '[':
		from := at
		if at > 0 && in.text[at-1] == '!' {
			from--
		}
		in.open = append(in.open, mark{char: c, at: from, end: next})
	case ']':
		return in.link(at)
	case '*', '_', '~', '|':
		next = at + in.run(at)
		in.delimiter(c, at, next)
	}
	return next
}

// run is how often the character at a place comes in a row.
func (in *inline) run(at int) int {
	text := in.text[at:in.cut]
	return len(text) - len(strings.TrimLeft(text, text[:1]))
}

// code passes over code within a line, or notes that it is open.
func (in *inline) code(at int) (next int) {
	count := in.run(at)
	begin := at + count
	for next = begin; next < in.cut; {
		if in.text[next] != '`' {
			next++
			continue
		}
		run := in.run(next)
		switch {
		case run == count:
			return next + run
		case next+run == in.cut && run < count:
			in.cut = next // Half of its end
		}
		next += run
	}
	in.open = append(in.open, mark{char: '`', count: count, at: at, end: begin})
	return in.cut
}

// link ends the text of a link. Of one whose destination is not there yet, the text is shown.
func (in *inline) link(at int) (next int) {
	last := len(in.open) - 1
	for last >= 0 && in.open[last].char != '[' {
		last--
	}
	if last < 0 {
		return at + 1
	}
	rest := in.text[at+1 : in.cut]
	if strings.HasPrefix(rest, "(") {
		end := destinationEnd(rest)
		if end < 0 {
			in.cut = at
			return at
		}
		in.open = slices.Delete(in.open, last, last+1)
		return at + 1 + end
	}
	if rest == "" {
		in.cut = at // It is not known whether it is a link.
		return at
	}
	in.open = slices.Delete(in.open, last, last+1)
	return at + 1
}

// destinationEnd is where a link's destination in parentheses ends; -1 where it does not.
func destinationEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '\n':
			if depth == 0 {
				return -1
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// delimiter opens or closes emphasis, struck text and spoilers (CommonMark 0.31, "Emphasis and strong emphasis").
func (in *inline) delimiter(c byte, at, end int) {
	before, _ := utf8.DecodeLastRuneInString(in.text[:at])
	after, _ := utf8.DecodeRuneInString(in.text[end:in.cut])
	opens, closes := flanks(before, at == 0, after, end == in.cut)
	if c == '_' && opens && closes {
		opens, closes = isPunctuation(before), isPunctuation(after)
	}
	count := end - at
	if c == '|' && count < 2 {
		if end == in.cut {
			in.cut = at
		}
		return
	}
	if closes {
		for i := len(in.open) - 1; i >= 0 && count > 0; i-- {
			m := &in.open[i]
			if m.char != c {
				continue
			}
			taken := min(m.count, count)
			m.count -= taken
			count -= taken
			in.open = in.open[:i+1] // What was open within it is text.
			if m.count == 0 {
				in.open = in.open[:i]
			}
		}
	}
	switch {
	case count == 0:
	case end == in.cut && count == end-at:
		in.cut = at // It is not known what it will be.
	case opens:
		in.open = append(in.open, mark{char: c, count: count, at: at, end: end})
	}
}

// flanks tells whether marks between two characters can open and close.
func flanks(before rune, first bool, after rune, last bool) (opens, closes bool) {
	blankBefore, blankAfter := first || unicode.IsSpace(before), last || unicode.IsSpace(after)
	opens = !blankAfter && (!isPunctuation(after) || blankBefore || isPunctuation(before))
	closes = !blankBefore && (!isPunctuation(before) || blankAfter || isPunctuation(after))
	return opens, closes
}

func isPunctuation(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
