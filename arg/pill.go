package arg

import (
	"html"
	"slices"
	"strings"
	"unicode"
)

// Limits on the pills that are looked for in one message.
const (
	MaxHTML  = 256 << 10 // bytes of Input.HTML; pills in a longer one are not seen
	MaxPills = 100       // pills read; later ones are not seen
)

// pill is a link in the formatted text whose label stands for an id in the plain text.
type pill struct {
	label  string
	target string // the link
}

// pillAt returns the place of the first pill whose label stands at the front of text, and the label's length there.
// Where several fit, the longest wins. A label that is an identifier itself counts for what it says, not for where it
// leads: what the sender saw is what is meant.
func (b *binding) pillAt(text string) (place, length int) {
	if b.html != "" {
		b.pills = readPills(b.html)
		b.html = ""
	}
	place = -1
	for i, p := range b.pills {
		if n := labelAt(text, p.label); n > length {
			if _, ok := identifier(text[:n]); ok {
				continue
			}
			place, length = i, n
		}
	}
	return place, length
}

// dropPill forgets a pill that was used, so that a second one with the same label gets its turn.
func (b *binding) dropPill(place int) { b.pills = slices.Delete(b.pills, place, place+1) }

// labelAt compares word by word, since HTML and plain text differ in white space, and returns how much of text it took.
func labelAt(text, label string) int {
	rest := text
	for {
		n := wordLen(label)
		if n == 0 || !strings.HasPrefix(rest, label[:n]) {
			return 0
		}
		rest = rest[n:]
		if !spaceOrEnd(rest) {
			return 0
		}
		if label = strings.TrimLeftFunc(label[n:], unicode.IsSpace); label == "" {
			return len(text) - len(rest)
		}
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
	}
}

// readPills finds the links to Matrix identifiers in a message. It is no HTML parser: it knows just enough to find
// anchors in what clients send, and whatever it does not understand is no pill.
func readPills(source string) []pill {
	if len(source) > MaxHTML {
		return nil
	}
	if _, after, ok := strings.Cut(source, "</mx-reply>"); ok {
		source = after // the quoted message's pills are not this one's
	}
	var pills []pill
	for len(pills) < MaxPills {
		i := anchor(source)
		if i < 0 {
			break
		}
		attributes, inner, ok := strings.Cut(source[i:], ">")
		if !ok {
			break
		}
		label, after, ok := cutFold(inner, "</a")
		if !ok {
			break
		}
		source = after
		target := href(attributes)
		if _, err := ParseLink(target); err != nil {
			continue
		}
		if label = strings.TrimSpace(html.UnescapeString(stripTags(label))); label != "" {
			pills = append(pills, pill{label: label, target: target})
		}
	}
	return pills
}

// anchor returns the place behind the next "<a ".
func anchor(source string) int {
	for i := 0; ; {
		n := strings.IndexByte(source[i:], '<')
		if n < 0 || len(source)-i-n < 3 {
			return -1
		}
		i += n + 1
		if (source[i] == 'a' || source[i] == 'A') && unicode.IsSpace(rune(source[i+1])) {
			return i + 1
		}
	}
}

// href returns the value of that attribute, with its entities undone.
func href(attributes string) string {
	for attributes != "" {
		attributes = strings.TrimLeftFunc(attributes, unicode.IsSpace)
		n := strings.IndexFunc(attributes, func(r rune) bool { return r == '=' || unicode.IsSpace(r) })
		if n < 0 {
			return ""
		}
		name := attributes[:n]
		value, ok := strings.CutPrefix(strings.TrimLeftFunc(attributes[n:], unicode.IsSpace), "=")
		if !ok {
			attributes = attributes[n:]
			continue
		}
		value = strings.TrimLeftFunc(value, unicode.IsSpace)
		end := wordLen(value)
		attributes = value[end:]
		if value != "" && (value[0] == '"' || value[0] == '\'') {
			quoted, after, closed := strings.Cut(value[1:], value[:1])
			if !closed {
				return ""
			}
			value, attributes, end = quoted, after, len(quoted)
		}
		if strings.EqualFold(name, "href") {
			return html.UnescapeString(value[:end])
		}
	}
	return ""
}

func stripTags(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(s, "<")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		if _, s, ok = strings.Cut(after, ">"); !ok {
			return out.String()
		}
	}
}

// cutFold is strings.Cut for ASCII separators in any case.
func cutFold(s, sep string) (before, after string, found bool) {
	for i := range len(s) - len(sep) + 1 {
		if s[i] == sep[0] && strings.EqualFold(s[i:i+len(sep)], sep) {
			return s[:i], s[i+len(sep):], true
		}
	}
	return s, "", false
}

// spanMention reads a Markdown link around a Matrix link, as clients put mentions into the plain text:
// [Alice Smith](https://matrix.to/#/@alice:example.org).
func spanMention(text string) (value string, length int, err error) {
	if !strings.HasPrefix(text, "[") {
		return "", 0, nil
	}
	label, after, ok := strings.Cut(text, "](")
	if !ok || strings.Contains(label, "\n") {
		return "", 0, nil
	}
	target, after, ok := strings.Cut(after, ")")
	if _, err := ParseLink(unbracket(target)); !ok || err != nil {
		return "", 0, nil
	}
	length = len(text) - len(after)
	if !spaceOrEnd(after) {
		return "", 0, nil
	}
	return target, length, nil
}
