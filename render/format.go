package render

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// printed is a part of a format as fmt prints it.
type printed struct {
	text    string
	literal bool // the text stands in the format, so it is markdown
	verb    rune // what printed an argument; 0 for literals and for what fmt says about a wrong format
	arg     int  // the argument that the verb prints
}

// splitFormat takes a printf format apart. The texts of the parts are, put together, what fmt.Sprintf prints.
func splitFormat(format string, args []any) []printed {
	parts := make([]printed, 0, 2*strings.Count(format, "%")+2)
	s := formatScanner{format: format, args: args}
	for s.pos < len(format) {
		start := s.pos
		if n := strings.IndexByte(format[start:], '%'); n >= 0 {
			s.pos += n
		} else {
			s.pos = len(format)
		}
		if s.pos > start {
			parts = append(parts, printed{text: format[start:s.pos], literal: true})
		}
		if s.pos < len(format) {
			parts = append(parts, s.directive())
		}
	}
	if !s.reordered && s.next < len(args) {
		parts = append(parts, printed{text: fmt.Sprintf(format[len(format):], args[s.next:]...)}) // %!(EXTRA …)
	}
	return parts
}

// maxNumber is fmt's bound for widths and precisions.
const maxNumber = 1_000_000

// formatScanner reads a format in the way of fmt's doPrintf. It rewrites each directive to one that takes its
// arguments in their order, and leaves the printing to fmt.
type formatScanner struct {
	format    string
	args      []any
	pos       int
	next      int // the argument that the next verb or star takes
	reordered bool

	plain []byte // the directive without indexes
	used  []any  // the arguments that it takes
	bad   bool   // an index was out of range
}

// directive reads one directive, which starts at pos, and prints it.
func (s *formatScanner) directive() printed {
	s.plain, s.used, s.bad = append(s.plain[:0], '%'), nil, false
	s.pos++
	for s.pos < len(s.format) && strings.IndexByte("#0+- ", s.format[s.pos]) >= 0 {
		s.take(1)
	}
	indexed := s.index()
	if s.star() {
		indexed = false
	} else if s.number() && indexed {
		s.bad = true // %[3]2d
	}
	if s.pos+1 < len(s.format) && s.format[s.pos] == '.' {
		s.take(1)
		s.bad = s.bad || indexed // %[3].2d
		indexed = s.index()
		if s.star() {
			indexed = false
		} else {
			s.number()
		}
	}
	if !indexed {
		indexed = s.index()
	}
	const noVerb = "%!(NOVERB)"
	if s.pos >= len(s.format) {
		return printed{text: strings.TrimSuffix(s.complaints(), noVerb) + noVerb}
	}
	verb, size := utf8.DecodeRuneInString(s.format[s.pos:])
	switch {
	case verb == '%':
		s.pos += size
		return printed{text: s.complaints() + "%", literal: true}
	case s.bad:
		s.pos += size
		return printed{text: s.complaints() + "%!" + string(verb) + "(BADINDEX)"}
	}
	part := printed{}
	if s.next < len(s.args) { // else %!d(MISSING)
		part.verb, part.arg = verb, s.next
		s.consume()
		if indexed { // without an index, a verb such as the space of "%[1] " would be a flag
			s.plain = fmt.Appendf(s.plain, "[%d]", len(s.used))
		}
	}
	s.take(size)
	part.text = fmt.Sprintf(string(s.plain), s.used...)
	return part
}

// complaints is what fmt says about the width and precision read so far.
func (s *formatScanner) complaints() string {
	return strings.TrimSuffix(fmt.Sprintf(string(s.plain)+"%", s.used...), "%")
}

// take moves n bytes of the format to the plain directive.
func (s *formatScanner) take(n int) {
	s.plain = append(s.plain, s.format[s.pos:s.pos+n]...)
	s.pos += n
}

// consume gives the next argument to the directive.
func (s *formatScanner) consume() {
	if s.next < len(s.args) {
		s.used = append(s.used, s.args[s.next])
		s.next++
	}
}

// star reads a "*", and reports whether there was one.
func (s *formatScanner) star() bool {
	if s.pos >= len(s.format) || s.format[s.pos] != '*' {
		return false
	}
	s.take(1)
	s.consume()
	return true
}

// number reads digits, and reports whether there were any.
func (s *formatScanner) number() bool {
	start, value := s.pos, 0
	for s.pos < len(s.format) && s.format[s.pos] >= '0' && s.format[s.pos] <= '9' {
		if value > maxNumber {
			// As in fmt, the check comes a digit late, and the rest of the format is lost.
			s.take(1)
			s.pos = len(s.format)
			return false
		}
		value = value*10 + int(s.format[s.pos]-'0')
		s.take(1)
	}
	return s.pos > start
}

// index reads an argument index such as "[2]", and reports whether there was one.
func (s *formatScanner) index() bool {
	if s.pos >= len(s.format) || s.format[s.pos] != '[' {
		return false
	}
	s.reordered = true
	rest := s.format[s.pos+1:]
	inside, _, closed := strings.Cut(rest, "]")
	if !closed || len(rest) < len("1]") {
		s.pos++
		s.bad = true
		return false
	}
	s.pos += len("[") + len(inside) + len("]")
	n, err := strconv.ParseUint(inside, 10, 32) // no signs
	if err != nil || n < 1 || n > uint64(len(s.args)) {
		s.bad = true
		return err == nil
	}
	s.next = int(n) - 1
	return true
}
