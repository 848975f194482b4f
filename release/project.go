package release

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"golang.org/x/mod/module"
)

// ProjectFile is where a project keeps what [Project] holds, from the root of its repository.
const ProjectFile = "release/project.toml"

// Project holds the names that only the owner of a project knows, and how it is built. A value that begins with
// [Placeholder] is still to be filled in.
type Project struct {
	// Name is what the project is called.
	Name string `toml:"name"`
	// Module is the Go module path, without /vN.
	Module string `toml:"module"`
	// Repository is the address of the repository for people, without a slash at the end.
	Repository string `toml:"repository"`
	// Maintainer is the Matrix id of who takes reports.
	Maintainer string `toml:"maintainer"`
	// SupportRoom is the alias or id of the room that is told of advisories.
	SupportRoom string `toml:"support_room"`
	// Homeserver is where the bot that announces has its account: a URL or a server name.
	Homeserver string `toml:"homeserver"`
	// Remote is the git remote that is pushed to. Default: origin.
	Remote string `toml:"remote"`
	// FixBranch is the branch with the fix for a major, whose number stands for %d. Default: security/v%d.
	FixBranch string `toml:"fix_branch"`
	// Test is the command, with its arguments, that has to succeed on each release. Default: go test ./...
	Test []string `toml:"test"`
	// Advisories is the folder for advisories, from the root of the repository. Default: docs/advisories.
	Advisories string `toml:"advisories"`
}

// Placeholder begins a value that the owner of the project has still to fill in.
const Placeholder = "FILL IN"

// ReadProject reads a project file. Unknown keys are errors; placeholders are not, see [Project.Filled].
func ReadProject(path string) (*Project, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	return ParseProject(string(data))
}

// ParseProject is [ReadProject] for a text.
func ParseProject(text string) (*Project, error) {
	p := &Project{
		Remote: "origin", FixBranch: "security/v%d", Advisories: "docs/advisories",
		Test: []string{"go", "test", "./..."},
	}
	meta, err := toml.Decode(text, p)
	if err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		errs = append(errs, fmt.Errorf("unknown key %s", key))
	}
	if p.Name == "" {
		errs = append(errs, errors.New("name is empty"))
	}
	if err := module.CheckPath(p.Module); err != nil || BasePath(p.Module) != p.Module {
		errs = append(errs, fmt.Errorf("module %q is no module path without /vN", p.Module))
	}
	if strings.Count(p.FixBranch, "%") != 1 || !strings.Contains(p.FixBranch, "%d") {
		errs = append(errs, fmt.Errorf("fix_branch %q does not hold %%d once, for the major", p.FixBranch))
	}
	if len(p.Test) == 0 || p.Test[0] == "" {
		errs = append(errs, errors.New("test is empty"))
	}
	if p.Remote == "" || strings.HasPrefix(p.Remote, "-") {
		errs = append(errs, fmt.Errorf("remote %q is no remote", p.Remote))
	}
	for _, field := range p.owned() {
		if field.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", field.key))
		}
		if !isPlaceholder(field.value) {
			if err := field.check(field.value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", field.key, err))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("read project: %w", err)
	}
	return p, nil
}

func isPlaceholder(value string) bool { return strings.HasPrefix(value, Placeholder) }

// ownedField is a field that only the owner of the project can fill in.
type ownedField struct {
	key, value string
	check      func(string) error
}

func (p *Project) owned() []ownedField {
	return []ownedField{
		{"repository", p.Repository, func(s string) error {
			if !strings.HasPrefix(s, "https://") || strings.HasSuffix(s, "/") {
				return fmt.Errorf("%q is no https URL without a slash at its end", s)
			}
			return nil
		}},
		{"maintainer", p.Maintainer, sigil("@", "a Matrix user id such as @you:example.org")},
		{"support_room", p.SupportRoom, sigil("#!", "a room alias such as #help:example.org, or a room id")},
		{"homeserver", p.Homeserver, func(s string) error {
			if strings.ContainsAny(s, " \t\r\n") {
				return fmt.Errorf("%q is no URL or server name", s)
			}
			return nil
		}},
	}
}

// sigil checks that an id begins with one of the marks and names a server, which room ids of version 12 don't.
func sigil(marks, what string) func(string) error {
	return func(s string) error {
		if s == "" || !strings.ContainsAny(s[:1], marks) || s[0] != '!' && !strings.Contains(s, ":") ||
			strings.ContainsAny(s, " \t\r\n<>()[]\"") {
			return fmt.Errorf("%q is not %s", s, what)
		}
		return nil
	}
}

// Filled returns a [*PlaceholderError] that names every value that is still to be filled in.
func (p *Project) Filled() error {
	var missing []string
	for _, field := range p.owned() {
		if isPlaceholder(field.value) {
			missing = append(missing, field.key)
		}
	}
	if len(missing) > 0 {
		return &PlaceholderError{missing}
	}
	return nil
}

// known is a value, or empty while it is a placeholder.
func known(value string) string {
	if isPlaceholder(value) {
		return ""
	}
	return value
}
