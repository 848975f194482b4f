package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// History is which versions a project has released. It does not change; goroutines may share it.
type History struct {
	versions []Version // Ascending, each once
	esr      map[int]bool
	ignored  []string
}

// NewHistory makes a history of a project's git tags, or of what the module proxy lists for its module paths, in any
// order. A tag that looks like a version and is none is a [*VersionError]: passed over, it would hide a release from
// the policy. Other tags are passed over. A history without a release is [ErrNoVersion].
func NewHistory(tags []string) (*History, error) {
	h := &History{}
	for _, tag := range tags {
		v, err := ParseVersion(tag)
		switch {
		case err == nil:
			h.versions = append(h.versions, v)
		case looksLikeVersion.MatchString(tag):
			return nil, fmt.Errorf("tag: %w", err)
		default:
			h.ignored = append(h.ignored, tag)
		}
	}
	slices.SortFunc(h.versions, Version.Compare)
	h.versions = slices.Compact(h.versions)
	if !slices.ContainsFunc(h.versions, func(v Version) bool { return !v.IsPrerelease() }) {
		return nil, ErrNoVersion
	}
	return h, nil
}

// WithESR is the history with those majors marked for extended support, beside those that are.
func (h *History) WithESR(majors ...int) *History {
	esr := maps.Clone(h.esr)
	if esr == nil {
		esr = make(map[int]bool)
	}
	for _, m := range majors {
		esr[m] = true
	}
	return &History{versions: h.versions, esr: esr, ignored: h.ignored}
}

// Versions are all versions, the oldest first.
func (h *History) Versions() []Version { return slices.Clone(h.versions) }

// Ignored are the tags that are no versions and don't look like any.
func (h *History) Ignored() []string { return slices.Clone(h.ignored) }

// Has tells whether the version is in the history.
func (h *History) Has(v Version) bool {
	_, found := slices.BinarySearchFunc(h.versions, v, Version.Compare)
	return found
}

// Majors are the majors of which something was released, ascending; pre-releases don't count.
func (h *History) Majors() []int {
	var majors []int
	for _, v := range h.versions {
		if !v.IsPrerelease() && !slices.Contains(majors, v.major) {
			majors = append(majors, v.major)
		}
	}
	return majors
}

// Current is the newest major.
func (h *History) Current() int {
	majors := h.Majors()
	return majors[len(majors)-1]
}

// Newest is the newest release of a major, which is the newest patch of its newest minor; zero if there is none.
func (h *History) Newest(major int) Version {
	for _, v := range slices.Backward(h.versions) {
		if v.major == major && !v.IsPrerelease() {
			return v
		}
	}
	return Version{}
}

// first is the first release of a major.
func (h *History) first(major int) Version {
	i := slices.IndexFunc(h.versions, func(v Version) bool { return v.major == major && !v.IsPrerelease() })
	return h.versions[i]
}

// ofModule are the versions that share a module path with the major; 0 and 1 do.
func (h *History) ofModule(major int) []Version {
	var list []Version
	for _, v := range h.versions {
		if sameModule(v.major, major) {
			list = append(list, v)
		}
	}
	return list
}

func sameModule(a, b int) bool { return max(a, 1) == max(b, 1) }

// isMarkedESR tells whether a go.mod file marks its major for extended support: by a comment on the module line, or
// above it, that begins with "ESR:", as Go's own "Deprecated:" does. The newest version of the major decides, as it does
// for retractions, so that git and the module proxy know the same.
func isMarkedESR(gomod []byte) (bool, error) {
	file, err := modfile.ParseLax("go.mod", gomod, nil)
	if err != nil {
		return false, err
	}
	if file.Module == nil || file.Module.Syntax == nil {
		return false, nil
	}
	comments := file.Module.Syntax.Comment()
	for _, c := range slices.Concat(comments.Before, comments.Suffix) {
		if strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(c.Token, "//")), "ESR:") {
			return true, nil
		}
	}
	return false, nil
}
