package render

import (
	"strings"
	"unicode/utf8"
)

const (
	// MaxInput is how many bytes of a format, of HTML, or of all arguments of one call together are looked at.
	// What goes beyond is cut off and replaced by "…". An event holds 65,536 bytes, so this is room to spare.
	MaxInput = 256 << 10

	// MaxDepth is how deep elements may be nested in HTML; the spec asks for 100. Tags beyond it are dropped, and
	// what they hold is kept.
	MaxDepth = 100

	// MaxSize is the default limit of [Split], in bytes as [Body.Size] counts them. An event may have 65,536 bytes
	// in all (client-server API, "Size limits"). Encryption takes a third of that for base64, and relations, keys and
	// the envelope need a few kilobytes.
	MaxSize = 44 << 10

	// maxColumnWidth bounds the padding of a column in plain text: one long cell must not blow up all the others.
	maxColumnWidth = 60
)

const ellipsis = "…"

// truncate cuts s to at most limit bytes at a rune's boundary and marks the cut.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(0, limit-len(ellipsis))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// clean makes s fit for a message: line ends become "\n", invalid UTF-8 becomes U+FFFD, and control characters other
// than tab and newline go. It returns s itself if there is nothing to do.
func clean(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case isControl(r):
			return -1
		}
		return r
	}, s)
}

func isClean(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		}
		if isControl(r) {
			return false
		}
	}
	return true
}

func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
}
