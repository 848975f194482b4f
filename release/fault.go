package release

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Fault is what is known of a security fault while it is being mended.
type Fault struct {
	// ID is the advisory's: GHSA-…, GO-…, CVE-… or OSV-…, of a database that reserves ids. Scanners know no others.
	ID string `json:"id"`
	// Aliases are the ids that other databases have for the fault. Optional.
	Aliases []string `json:"aliases,omitempty"`
	// Summary is one line, for retractions, changelogs and release notes, which are public before the disclosure.
	Summary string `json:"summary"`
	// Details is Markdown for the advisory alone. Optional.
	Details string `json:"details,omitempty"`
	// CVSS is a vector, as in "CVSS:3.1/AV:N/…" or "CVSS:4.0/…". Optional.
	CVSS string `json:"cvss,omitempty"`
	// Affected are the ranges, see [Ranges].
	Affected string `json:"affected"`
	// Credits name who reported the fault or helped.
	Credits []Credit `json:"credits,omitempty"`
}

// maxSummary is how long a summary may be, in bytes: it has to fit on a line of go.mod that people read.
const maxSummary = 160

var (
	idPattern   = regexp.MustCompile(`^(GHSA(-[2-9cfghjmpqrvwx]{4}){3}|(GO|CVE)-[0-9]{4}-[0-9]{4,}|OSV-[0-9]{4}-[0-9]+)$`)
	cvssPattern = regexp.MustCompile(`^CVSS:(3\.[01]|4\.0)(/[A-Z]{1,3}:[A-Z])+$`)
)

// validate joins all that is wrong.
func (f Fault) validate() error {
	var errs []error
	for _, id := range slices.Concat([]string{f.ID}, f.Aliases) {
		if !idPattern.MatchString(id) {
			errs = append(errs, fmt.Errorf("id %q is none of GHSA-…, GO-…, CVE-… and OSV-…", id))
		}
	}
	switch {
	case strings.TrimSpace(f.Summary) == "":
		errs = append(errs, errors.New("the summary is empty"))
	case len(f.Summary) > maxSummary:
		errs = append(errs, fmt.Errorf("the summary has %d bytes, %d are the most", len(f.Summary), maxSummary))
	case strings.ContainsFunc(f.Summary, func(r rune) bool { return r < ' ' || r == 0x7f }):
		errs = append(errs, errors.New("the summary is more than one line"))
	}
	if f.CVSS != "" && !cvssPattern.MatchString(f.CVSS) {
		errs = append(errs, fmt.Errorf("%q is no CVSS vector of version 3 or 4", f.CVSS))
	}
	return errors.Join(errs...)
}

// rationale is the reason that retractions give.
func (f Fault) rationale(upgrade Version) string {
	reason := fmt.Sprintf("%s %s: %s", urgentMark, f.ID, f.Summary)
	if !upgrade.IsZero() {
		reason += fmt.Sprintf("; upgrade to %s", upgrade)
	}
	return reason
}

// urgentMark begins the titles of security releases and the reasons of their retractions.
const urgentMark = "[URGENT]"

// Credit is who found a fault or helped to mend it.
type Credit struct {
	Name    string `json:"name"`
	Contact string `json:"contact,omitempty"` // A URL
	Role    string `json:"role"`              // One of OSV's credit types
}

// roles are the credit types of OSV.
var roles = []string{
	"FINDER", "REPORTER", "ANALYST", "COORDINATOR", "REMEDIATION_DEVELOPER", "REMEDIATION_REVIEWER",
	"REMEDIATION_VERIFIER", "TOOL", "SPONSOR", "OTHER",
}

// ParseCredit reads a credit: a name, a contact in angle brackets if wanted, and before it a role and a colon if it is
// not REPORTER. The contact is a URL, an e-mail address, or a Matrix user id:
//
//	Alice
//	Alice <@alice:example.org>
//	remediation_developer: Bob <https://example.org/bob>
func ParseCredit(s string) (Credit, error) {
	c := Credit{Role: "REPORTER"}
	rest := strings.TrimSpace(s)
	if role, after, ok := strings.Cut(rest, ":"); ok && slices.Contains(roles, strings.ToUpper(role)) {
		c.Role, rest = strings.ToUpper(role), strings.TrimSpace(after)
	}
	name, contact, hasContact := strings.Cut(rest, "<")
	c.Name = strings.TrimSpace(name)
	if c.Name == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Credit{}, fmt.Errorf("credit %q: one looks like Alice <@alice:example.org>", s)
	}
	if !hasContact {
		return c, nil
	}
	contact, closed := strings.CutSuffix(contact, ">")
	if c.Contact = contactURL(contact); !closed || c.Contact == "" {
		return Credit{}, fmt.Errorf("credit %q: the contact is no https URL, e-mail address or Matrix id in <>", s)
	}
	return c, nil
}

// contactURL is a contact as OSV wants it, or empty.
func contactURL(contact string) string {
	if strings.HasPrefix(contact, "@") && strings.Contains(contact, ":") {
		return "https://matrix.to/#/" + contact
	}
	if u, err := url.Parse(contact); err == nil && u.Scheme == "https" && u.Host != "" {
		return contact
	}
	if address, err := mail.ParseAddress(contact); err == nil && address.Address == contact {
		return "mailto:" + contact
	}
	return ""
}

// thanks names everybody in the order given, as "Alice, Bob and Carol".
func thanks(credits []Credit) string {
	var names []string
	for _, c := range credits {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
