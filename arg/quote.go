package arg

import (
	"strings"
	"unicode"
)

// Quote returns s in a form that [Split] and [Plan.Bind] read as one word with the value s: s itself where that is
// enough, else s between double quotes.
func Quote(s string) string {
	if isPlain(s) {
		return s
	}
	return `"` + quoteEscaper.Replace(s) + `"`
}

var quoteEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func isPlain(s string) bool {
	if s == "" || strings.HasPrefix(s, "-") || strings.HasPrefix(s, emDash) || quoteAt(s) >= 0 {
		return false
	}
	return !strings.Contains(s, `\`) && !strings.ContainsFunc(s, unicode.IsSpace)
}
