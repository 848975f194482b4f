package arg

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on what a user may send.
const (
	MaxInput = 64 << 10 // bytes of Input.Text; Matrix events are smaller, so only a caller's mistake gets near it
	MaxWords = 1000     // words in one input, not counting those inside a rest argument
)

// Word is one word of an input.
type Word struct {
	Text   string // the word without its quotes and with its escapes undone
	Offset int    // where it begins in the input, in bytes, quotes included
	End    int    // where it ends
	Quoted bool   // whether it stood in quotes
}

// Split cuts text into words by the rules in the package comment. The error, if any, is an [*Error]; the words before
// the fault are returned with it.
func Split(text string) ([]Word, error) {
	if err := checkLength(text); err != nil {
		return nil, err
	}
	var words []Word
	for s := (scanner{text: text}); s.more(); {
		w, err := s.next()
		if err != nil {
			return words, err
		}
		words = append(words, w)
	}
	return words, nil
}

func checkLength(text string) error {
	if len(text) <= MaxInput {
		return nil
	}
	offset := MaxInput
	for offset > MaxInput-utf8.UTFMax && !utf8.RuneStart(text[offset]) {
		offset--
	}
	reason := fmt.Sprintf("the text is longer than %d bytes", MaxInput)
	return &Error{Text: text, Offset: offset, End: len(text), Reason: reason, Err: ErrTooLong}
}

// scanner yields the words of a text one by one. It can be copied and put back, which is how the binder rewinds.
type scanner struct {
	text  string
	pos   int
	words int
	loose uint8 // apostrophes, by place in quoteMarks, that are known to have no partner ahead
}

// more skips space and reports whether a word follows.
func (s *scanner) more() bool {
	s.pos += len(s.text[s.pos:]) - len(strings.TrimLeftFunc(s.text[s.pos:], unicode.IsSpace))
	return s.pos < len(s.text)
}

// next reads the word at the scanner's place, which may be empty only where a flag's value is read behind "=".
func (s *scanner) next() (Word, *Error) {
	if err := s.count(); err != nil {
		return Word{}, err
	}
	if mark := quoteAt(s.text[s.pos:]); mark >= 0 {
		if w, ok, err := s.quoted(mark); ok || err != nil {
			return w, err
		}
	}
	return s.plain(), nil
}

// count counts the word ahead towards MaxWords.
func (s *scanner) count() *Error {
	if s.words++; s.words <= MaxWords {
		return nil
	}
	end := s.pos + wordLen(s.text[s.pos:])
	reason := fmt.Sprintf("there are more than %d words", MaxWords)
	return &Error{Text: s.text, Offset: s.pos, End: end, Reason: reason, Err: ErrTooLong}
}

func (s *scanner) plain() Word {
	start, from := s.pos, s.pos
	var undone strings.Builder
	for s.pos < len(s.text) {
		if n := escapeAt(s.text[s.pos:]); n > 0 {
			undone.WriteString(s.text[from:s.pos])
			from = s.pos + 1
			s.pos += n
			continue
		}
		r, size := utf8.DecodeRuneInString(s.text[s.pos:])
		if unicode.IsSpace(r) {
			break
		}
		s.pos += size
	}
	w := Word{Text: s.text[from:s.pos], Offset: start, End: s.pos}
	if undone.Len() > 0 || from > start {
		undone.WriteString(w.Text)
		w.Text = undone.String()
	}
	return w
}

// quoteMark is a quote that may open a word, and what closes it.
type quoteMark struct {
	open       string
	close      []string
	apostrophe bool // also used as an apostrophe, so that one without a partner is text
}

var quoteMarks = [...]quoteMark{
	{open: `"`, close: []string{`"`}},
	{open: "'", close: []string{"'"}, apostrophe: true},
	{open: "`", close: []string{"`"}},
	{open: "“", close: []string{"”"}},
	{open: "”", close: []string{"”"}},
	{open: "„", close: []string{"“", "”"}},
	{open: "‘", close: []string{"’"}, apostrophe: true},
	{open: "‚", close: []string{"‘", "’"}, apostrophe: true},
	{open: "«", close: []string{"»"}},
	{open: "»", close: []string{"«"}},
}

func quoteAt(text string) int {
	if text == "" || !strings.Contains("\"'`\xc2\xe2", text[:1]) {
		return -1 // no mark begins with any other byte
	}
	for i := range quoteMarks {
		if strings.HasPrefix(text, quoteMarks[i].open) {
			return i
		}
	}
	return -1
}

// quoted reads a word in quotes. It reports false where the mark turns out to be an apostrophe.
func (s *scanner) quoted(mark int) (Word, bool, *Error) {
	m := &quoteMarks[mark]
	if m.open == "`" {
		return s.code()
	}
	if m.apostrophe && s.loose&(1<<mark) != 0 {
		return Word{}, false, nil
	}
	start := s.pos
	body := start + len(m.open)
	from := body
	var undone strings.Builder
	for i := body; i < len(s.text); {
		if n := escapeAt(s.text[i:]); n > 0 {
			undone.WriteString(s.text[from:i])
			from = i + 1
			i += n
			continue
		}
		size := closeAt(s.text[i:], m.close)
		if size == 0 {
			i++
			continue
		}
		end := i + size
		if !spaceOrEnd(s.text[end:]) {
			if m.apostrophe {
				i = end
				continue
			}
			return Word{}, false, s.glued(i, end)
		}
		undone.WriteString(s.text[from:i])
		s.pos = end
		return Word{Text: undone.String(), Offset: start, End: end, Quoted: true}, true, nil
	}
	if m.apostrophe {
		s.loose |= 1 << mark
		return Word{}, false, nil
	}
	return Word{}, false, s.unclosed(start, body)
}

// code reads a word between equal runs of backquotes, in which a backslash is text, as in Markdown.
func (s *scanner) code() (Word, bool, *Error) {
	run := s.text[s.pos : s.pos+backquotes(s.text[s.pos:])]
	body := s.pos + len(run)
	if len(run) == 2 && spaceOrEnd(s.text[body:]) {
		w := Word{Offset: s.pos, End: body, Quoted: true}
		s.pos = body
		return w, true, nil
	}
	for i := body; i < len(s.text); {
		n := backquotes(s.text[i:])
		switch {
		case n == 0:
			i++
		case n != len(run):
			i += n
		case !spaceOrEnd(s.text[i+n:]):
			return Word{}, false, s.glued(i, i+n)
		default:
			w := Word{Text: s.text[body:i], Offset: s.pos, End: i + n, Quoted: true}
			s.pos = i + n
			return w, true, nil
		}
	}
	return Word{}, false, s.unclosed(s.pos, body)
}

func (s *scanner) unclosed(start, end int) *Error {
	reason := fmt.Sprintf("the quote %s is not closed; write \\%[1]s for the mark itself", s.text[start:end])
	return &Error{Text: s.text, Offset: start, End: end, Reason: reason, Err: ErrQuote}
}

func (s *scanner) glued(start, end int) *Error {
	reason := fmt.Sprintf("a space is needed after the closing quote %s; write \\%[1]s for the mark itself", s.text[start:end])
	return &Error{Text: s.text, Offset: start, End: end, Reason: reason, Err: ErrQuote}
}

// escapeAt returns the length of the escape at the front of text: a backslash and a quote, space or backslash.
func escapeAt(text string) int {
	if len(text) < 2 || text[0] != '\\' {
		return 0
	}
	r, size := utf8.DecodeRuneInString(text[1:])
	if r == '\\' || unicode.IsSpace(r) || strings.ContainsRune("\"'`“”„‘’‚«»", r) && r != utf8.RuneError {
		return 1 + size
	}
	return 0
}

func closeAt(text string, marks []string) int {
	for _, m := range marks {
		if strings.HasPrefix(text, m) {
			return len(m)
		}
	}
	return 0
}

func backquotes(text string) int {
	return len(text) - len(strings.TrimLeft(text, "`"))
}

func spaceOrEnd(text string) bool {
	if text == "" {
		return true
	}
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsSpace(r)
}

// wordLen returns how far it is to the next space, whatever stands between.
func wordLen(text string) int {
	if n := strings.IndexFunc(text, unicode.IsSpace); n >= 0 {
		return n
	}
	return len(text)
}
