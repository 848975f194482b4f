package release_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

// SECURITY.md is what project.toml makes of it.
func TestPolicyIsUpToDate(t *testing.T) {
	p, err := release.ReadProject("project.toml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Policy()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("SECURITY.md is not what release/project.toml makes; run: go tool release policy")
	}
}

const filledProject = `
name = "m"
module = "example.org/m"
repository = "https://example.org/m"
maintainer = "@me:example.org"
support_room = "#m:example.org"
homeserver = "https://matrix.example.org"
`

func TestPolicySaysWhatIsMissing(t *testing.T) {
	p, err := release.ParseProject(filledProject)
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.Policy()
	if err != nil || p.Filled() != nil || strings.Contains(text, "FILL IN") ||
		strings.Contains(text, "to be filled in") {
		t.Errorf("%v, %v, a filled project gives\n%s", err, p.Filled(), text)
	}
	for _, want := range []string{
		"[@me:example.org](https://matrix.to/#/@me:example.org)", "[#m:example.org](https://matrix.to/#/%23m:example.org)",
		"\nhttps://example.org/m.\n", "at least 2 more major releases",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	p, err = release.ParseProject(strings.Replace(filledProject, "@me:example.org", "FILL IN: who", 1))
	if err != nil {
		t.Fatal(err)
	}
	var missing *release.PlaceholderError
	if !errors.As(p.Filled(), &missing) || strings.Join(missing.Fields, " ") != "maintainer" {
		t.Errorf("got %v", p.Filled())
	}
	if text, err = p.Policy(); err != nil || !strings.Contains(text, "**Still to be filled in**") ||
		!strings.Contains(text, "\n**[FILL IN: who]**.\n") {
		t.Errorf("%v: the placeholder is not marked in\n%s", err, text)
	}
}

func TestWrongProject(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"no TOML", `name = "m"`, `name = `, "expected value"},
		{"an unknown key", `name = "m"`, "name = \"m\"\nnmae = \"m\"", "unknown key nmae"},
		{"no name", `name = "m"`, `name = ""`, "name is empty"},
		{"a module with a major", `"example.org/m"`, `"example.org/m/v2"`, "is no module path without /vN"},
		{"a repository without https", `"https://example.org/m"`, `"git@example.org:m"`, "repository: "},
		{"a maintainer's mail address", `"@me:example.org"`, `"me@example.org"`, "maintainer: "},
		{"a room's name", `"#m:example.org"`, `"The room"`, "support_room: "},
		{"markup in an id", `"@me:example.org"`, `"@me:example.org)[x](y"`, "maintainer: "},
		{"no homeserver", `"https://matrix.example.org"`, `""`, "homeserver is empty"},
		{"a branch without a major", `name = "m"`, "name = \"m\"\nfix_branch = \"fix\"", "fix_branch"},
		{"a remote that is a flag", `name = "m"`, "name = \"m\"\nremote = \"--exec=x\"", "remote"},
		{"no test", `name = "m"`, "name = \"m\"\ntest = []", "test is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(filledProject, tt.old, tt.new, 1)
			if _, err := release.ParseProject(text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
