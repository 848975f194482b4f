package release

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/template"
)

//go:embed policy.md.tmpl
var policyText string

var policyTemplate = template.Must(template.New("policy").Parse(policyText))

// Policy is the text of SECURITY.md. Placeholders stay visible as such.
func (p *Project) Policy() (string, error) {
	missing := ""
	var placeholders *PlaceholderError
	if err := p.Filled(); errors.As(err, &placeholders) {
		missing = strings.Join(placeholders.Fields, ", ")
	}
	var b strings.Builder
	err := policyTemplate.Execute(&b, map[string]any{
		"Name":        p.Name,
		"Missing":     missing,
		"ESRMajors":   ESRMajors,
		"Maintainer":  matrixLink(p.Maintainer),
		"SupportRoom": matrixLink(p.SupportRoom),
		"Repository":  markPlaceholder(p.Repository),
		"Advisories":  p.Advisories,
	})
	return b.String(), err
}

func markPlaceholder(value string) string {
	if isPlaceholder(value) {
		return "**[" + value + "]**"
	}
	return value
}

// matrixLink is a Matrix id as a link for people.
func matrixLink(id string) string {
	if isPlaceholder(id) {
		return markPlaceholder(id)
	}
	return fmt.Sprintf("[%s](https://matrix.to/#/%s)", id, url.PathEscape(id))
}
