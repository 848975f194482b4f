package arg

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// emDash is what the keyboards of phones make of "--".
const emDash = "—"

// flag handles a flag at the scanner's place. It reports false where a word that is no flag stands there.
func (b *binding) flag(ctx context.Context) (bool, error) {
	ahead := b.scan.text[b.scan.pos:]
	if ahead[0] != '-' && !strings.HasPrefix(ahead, emDash) {
		return false, nil
	}
	word := ahead[:wordLen(ahead)]
	if word == "--" {
		b.verbatim = true
		b.scan.pos += len(word)
		return true, nil
	}
	name, dashes, ok := flagName(word)
	if !ok {
		return false, nil
	}
	start := b.scan.pos
	end := start + dashes + len(name)
	place, known := b.plan.named(name, dashes)
	if !known {
		if strings.HasPrefix(word, emDash) {
			return false, nil
		}
		return true, b.unknown(name, start, end)
	}
	p := &b.plan.params[place]
	if b.seen&(1<<place) != 0 && !p.Repeated {
		reason := "given twice"
		return true, &Error{Param: p.Name, Text: b.scan.text, Offset: start, End: end, Reason: reason, Err: ErrRepeated}
	}
	if b.seen&(1<<place) == 0 {
		b.named |= 1 << place
	}
	b.scan.pos = end
	if strings.HasPrefix(b.scan.text[end:], "=") {
		b.scan.pos++
	} else if p.bare() {
		return true, b.put(ctx, place, p, "true")
	} else if !b.scan.more() || b.flagAhead() {
		reason := "a value is needed after " + b.scan.text[start:end] + ": " + p.Kind.expects()
		return true, &Error{Param: p.Name, Text: b.scan.text, Offset: start, End: end, Reason: reason, Err: ErrMissing}
	}
	failure, err := b.take(ctx, place, p)
	if err == nil && failure.cause != nil {
		return true, b.error(failure)
	}
	return true, err
}

// flagAhead reports whether the word ahead is a known flag, which then is not a value.
func (b *binding) flagAhead() bool {
	ahead := b.scan.text[b.scan.pos:]
	name, dashes, ok := flagName(ahead[:wordLen(ahead)])
	if !ok {
		return false
	}
	_, known := b.plan.named(name, dashes)
	return known
}

// flagName cuts the name out of a word such as --for=2h. A word that reads as a number, such as -5, is no flag.
func flagName(word string) (name string, dashes int, ok bool) {
	switch {
	case strings.HasPrefix(word, "--"):
		dashes = 2
	case strings.HasPrefix(word, "-"):
		dashes = 1
	case strings.HasPrefix(word, emDash):
		dashes = len(emDash)
	}
	name, _, _ = strings.Cut(word[dashes:], "=")
	first, _ := utf8.DecodeRuneInString(name)
	return name, dashes, dashes > 0 && unicode.IsLetter(first)
}

// named finds a parameter by its flag. Names are not case-sensitive, letters are.
func (p *Plan) named(name string, dashes int) (place int, ok bool) {
	for i := range p.params {
		q := &p.params[i]
		if dashes == 1 {
			r, size := utf8.DecodeRuneInString(name)
			if size == len(name) && r == q.Short {
				return i, true
			}
		} else if strings.EqualFold(name, q.Name) {
			return i, true
		}
	}
	return 0, false
}

func (b *binding) unknown(name string, start, end int) error {
	names := make([]string, len(b.plan.params))
	for i := range b.plan.params {
		names[i] = b.plan.params[i].Name
	}
	reason := "unknown flag " + show(b.scan.text[start:end])
	if near, ok := Nearest(name, names); ok {
		reason += fmt.Sprintf("; did you mean --%s?", near)
	} else {
		reason += "; write -- before text that begins with a dash"
	}
	return &Error{Text: b.scan.text, Offset: start, End: end, Reason: reason, Err: ErrUnknownFlag}
}
