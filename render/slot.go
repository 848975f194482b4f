package render

import (
	"strconv"
	"strings"
)

// slot is an argument of Markdown, printed.
type slot struct {
	text        string
	left, right string  // the padding that a width such as %-10s asks for
	nodes       []*node // the markup of a Value
}

// show makes s show a Value that fmt printed as s.text. Flags and precisions that leave no text to stand for the markup
// leave the markup out.
func (s *slot) show(b Body) {
	left, right, ok := strings.Cut(s.text, b.Text)
	if ok && strings.Trim(left+right, " ") == "" {
		*s = slot{text: b.Text, left: left, right: right, nodes: b.nodes()}
	}
}

// nodes returns what b shows in HTML.
func (b Body) nodes() []*node {
	if b.HTML == "" {
		return textLines(b.Text)
	}
	return parseHTML(clean(truncate(b.HTML, MaxInput)), nil)
}

// slots are the arguments of one call of Markdown, and how their placeholders look. A placeholder is a word to
// markdown: it starts with a digit, so that no tag, autolink or attribute name begins with it, and holds letters, so
// that it is no list's number. Arguments never go through markdown, so they can't forge one.
type slots struct {
	args []slot
	key  string // stands on both sides of the number
}

// newKey returns a key that does not occur in the literal parts of a format. It has no beginning that is also its end,
// so it can't arise where two parts meet.
func newKey(parts []printed) string {
	key := "0zqv"
	for i := 0; i < len(parts); {
		if parts[i].literal && strings.Contains(parts[i].text, key) {
			key += "v"
			i = 0
			continue
		}
		i++
	}
	return key
}

func (s *slots) placeholder(i int) string { return s.key + strconv.Itoa(i) + "x" }

// cut splits text around its first placeholder.
func (s *slots) cut(text string) (before string, index int, after string, found bool) {
	if s == nil {
		return text, 0, "", false
	}
	for from := 0; ; {
		at := strings.Index(text[from:], s.key)
		if at < 0 {
			return text, 0, "", false
		}
		at += from
		digits, rest, ok := strings.Cut(text[at+len(s.key):], "x")
		if n, err := strconv.Atoi(digits); ok && err == nil && n >= 0 && n < len(s.args) {
			return text[:at], n, rest, true
		}
		from = at + len(s.key)
	}
}

// attr fills the placeholders in the value of an attribute. In a URL, an argument is escaped for the part of the URL
// that it stands in. It reports whether there were any.
func (s *slots) attr(value string, url bool) (string, bool) {
	before, index, after, found := s.cut(value)
	if !found {
		return value, false
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		arg := s.args[index].text
		if url {
			arg = escapeURLPart(b.String(), arg)
		}
		b.WriteString(arg)
		before, index, after, found = s.cut(after)
	}
	b.WriteString(before)
	return b.String(), true
}
