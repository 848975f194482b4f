package release

import (
	"fmt"
	"strings"
)

// notes are the release notes of a planned release, in Markdown without the title. They are public before the
// advisory is, and so hold the summary and not the details.
func (f Fault) notes(r Release, module string, p *Plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "A security release: %s (%s).\n\n", strings.TrimSuffix(f.Summary, "."), f.ID)
	fmt.Fprintf(&b, "Upgrade now:\n\n    go get %s@%s\n\n", module, r.Version)
	fmt.Fprintf(&b, "It is %s with the fix and nothing else.", r.Base)
	var others []string
	for _, other := range p.Releases {
		if other.Version != r.Version {
			others = append(others, other.Version.String())
		}
	}
	if len(others) > 0 {
		fmt.Fprintf(&b, " The fix is in %s too.", strings.Join(others, " and "))
	}
	b.WriteString(" Other versions that are affected get no patch of their own; `go list -m -u -retracted` names them.\n")
	if len(f.Credits) > 0 {
		b.WriteString("\nThanks to:\n\n")
		for _, c := range f.Credits {
			fmt.Fprintf(&b, "- %s\n", c.line())
		}
	}
	return b.String()
}

// line is the credit for people, as in "Alice (https://matrix.to/#/@alice:example.org), reporter".
func (c Credit) line() string {
	line := c.Name
	if c.Contact != "" {
		line += " (" + c.Contact + ")"
	}
	return line + ", " + strings.ToLower(strings.ReplaceAll(c.Role, "_", " "))
}
