package syncjson

import "io"

// maxNesting is how deep the response may nest before shallow steps in: far above MaxDepth, so that an event that it
// has touched is skipped, and far below the 10,000 levels at which JSON decoders call the whole text broken.
const maxNesting = 1000

// shallow is a reader that puts 0 and spaces in the place of what nests deeper than maxNesting. An event of 64 KiB can
// nest 30,000 levels: without this, anyone in a room could send one that the bot's syncs fail on for ever.
type shallow struct {
	r       io.Reader
	depth   int
	quoted  bool // inside a string
	escaped bool // behind its backslash
}

func (s *shallow) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.level(p[:n])
	return n, err
}

// level goes over the next bytes of the stream and changes them in place.
func (s *shallow) level(p []byte) {
	for i := 0; i < len(p); i++ {
		if s.quoted {
			start := i
			i = s.skipString(p, i)
			if s.depth > maxNesting {
				blank(p[start:min(i+1, len(p))])
			}
			continue
		}
		switch c := p[i]; c {
		case '"':
			s.quoted = true
		case '{', '[':
			if s.depth++; s.depth == maxNesting+1 {
				p[i] = '0'
				continue
			}
		case '}', ']':
			if s.depth--; s.depth == maxNesting {
				p[i] = ' '
			}
		}
		if s.depth > maxNesting {
			p[i] = ' '
		}
	}
}

// skipString returns the index of the quote that ends the string at p[i:], or len(p).
func (s *shallow) skipString(p []byte, i int) int {
	for ; i < len(p); i++ {
		switch {
		case s.escaped:
			s.escaped = false
		case p[i] == '\\':
			s.escaped = true
		case p[i] == '"':
			s.quoted = false
			return i
		}
	}
	return i
}

func blank(p []byte) {
	for i := range p {
		p[i] = ' '
	}
}
