package release

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"
)

// addToChangelog puts a section for a version before the newest one of a changelog in Markdown, whose sections are
// headings of the second level. What is under [Unreleased] stays there: a patch holds the fix alone.
func addToChangelog(text []byte, v Version, date time.Time, lines []string) ([]byte, error) {
	if !bytes.HasPrefix(text, []byte("# ")) {
		return nil, errors.New("the changelog does not begin with a heading")
	}
	at := len(text)
	offset := 0
	for line := range bytes.Lines(text) {
		if heading, ok := strings.CutPrefix(string(line), "## "); ok {
			if strings.Contains(heading, "["+v.String()+"]") {
				return nil, fmt.Errorf("the changelog has a section for %s already", v)
			}
			if at == len(text) && !strings.HasPrefix(strings.ToLower(heading), "[unreleased]") {
				at = offset
			}
		}
		offset += len(line)
	}
	var section bytes.Buffer
	fmt.Fprintf(&section, "## [%s] - %s\n\n", v, date.UTC().Format(time.DateOnly))
	for _, line := range lines {
		fmt.Fprintf(&section, "- %s\n", line)
	}
	before, after := text[:at], text[at:]
	if len(after) > 0 {
		section.WriteString("\n")
		return bytes.Join([][]byte{before, section.Bytes(), after}, nil), nil
	}
	before = append(bytes.TrimRight(before, "\n"), "\n\n"...)
	return append(before, section.Bytes()...), nil
}

// changelogLine is what a fault's section says.
func (f Fault) changelogLine() string {
	line := fmt.Sprintf("**Security** %s (%s).", strings.TrimSuffix(f.Summary, "."), f.ID)
	if who := thanks(f.Credits); who != "" {
		line += " Thanks to " + who + "."
	}
	return line
}
