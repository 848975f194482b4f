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

// maxNumber is the largest width and precision that fmt takes.
const maxNumber = 1_000_000

// formatScanner reads a format in the way of fmt's doPrintf. It rewrites each directive to one without argument indexes,
// and leaves the printing to fmt.
type formatScanner struct {
	format    string
	args      []any
	pos       int
	next      int // the argument that the next verb or star takes
	reordered bool

	plain    []byte // the directive without indexes
	used     []any  // the arguments that it takes
	bad      bool   // an index was out of range
	tooLarge bool
}

// directive reads one directive, which starts at pos, and prints it.
func (s *formatScanner) directive() printed {
	s.plain, s.used, s.bad, s.tooLarge = append(s.plain[:0], '%'), nil, false, false
	s.pos++
	for s.pos < len(s.format) && strings.IndexByte("#0+- ", s.format[s.pos]) >= 0 {
		s.take(1)
	}
	indexed := s.index()
	if digits := s.number(); digits && indexed {
		s.bad = true // %[3]2d
	} else if s.star() {
		indexed = false
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
		s.index()
	}
	if s.pos >= len(s.format) || s.tooLarge {
		s.pos = len(s.format)
		return printed{text: "%!(NOVERB)"}
	}
	verb, size := utf8.DecodeRuneInString(s.format[s.pos:])
	s.take(size)
	switch {
	case verb == '%':
		return printed{text: "%", literal: true}
	case s.bad:
		return printed{text: "%!" + string(verb) + "(BADINDEX)"}
	case s.next >= len(s.args):
		return printed{text: fmt.Sprintf(string(s.plain), s.used...)} // %!d(MISSING)
	}
	part := printed{verb: verb, arg: s.next}
	s.consume()
	part.text = fmt.Sprintf(string(s.plain), s.used...)
	return part
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
		value = min(value*10+int(s.format[s.pos]-'0'), 10*maxNumber)
		s.take(1)
	}
	s.tooLarge = s.tooLarge || value > maxNumber
	return s.pos > start
}

// index reads an argument index such as "[2]", and reports whether there was one.
func (s *formatScanner) index() bool {
	if s.pos >= len(s.format) || s.format[s.pos] != '[' {
		return false
	}
	s.reordered = true
	inside, _, found := strings.Cut(s.format[s.pos+1:], "]")
	if !found {
		s.pos++
		s.bad = true
		return false
	}
	s.pos += len(inside) + len("[]")
	n, err := strconv.Atoi(inside)
	if err != nil || n < 1 || n > len(s.args) {
		s.bad = true
		return err == nil
	}
	s.next = n - 1
	return true
}
