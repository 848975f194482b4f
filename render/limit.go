package render

import "unicode/utf8"

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
