package release

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Version is a released version, such as v4.7.13 or v5.0.0-rc.1. Values can be compared with ==. The zero Version is
// none.
type Version struct {
	major, minor, patch int
	pre                 string // With its hyphen, as in "-rc.1"
	is                  bool   // Tells v0.0.0 from none
}

// ParseVersion reads a version as Go and git know it: a leading v, three numbers without leading zeros, and optionally
// a pre-release. Anything else is a [*VersionError].
func ParseVersion(s string) (Version, error) {
	wrong := func(reason string) (Version, error) { return Version{}, &VersionError{Text: s, Reason: reason} }
	switch {
	case !strings.HasPrefix(s, "v"):
		return wrong("one begins with v, as in v1.2.3")
	case semver.Build(s) != "":
		return wrong("Go takes no build metadata (+…) in a version")
	case semver.Canonical(s) != s || s == "":
		return wrong("one is a v and three numbers without leading zeros, as in v1.2.3 or v1.2.3-rc.1")
	}
	pre := semver.Prerelease(s)
	var numbers [3]int
	for i, text := range strings.Split(strings.TrimSuffix(s[1:], pre), ".") {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return wrong("its numbers are too large")
		}
		numbers[i] = int(n)
	}
	return Version{numbers[0], numbers[1], numbers[2], pre, true}, nil
}

// looksLikeVersion matches tags that mean to be versions.
var looksLikeVersion = regexp.MustCompile(`^[vV]?[0-9]+(\.|$)`)

// String is the version as its tag has it, and empty for the zero Version.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("v%d.%d.%d%s", v.major, v.minor, v.patch, v.pre)
}

// IsZero tells whether v is no version at all.
func (v Version) IsZero() bool { return !v.is }

// Major is the first number. All else being well, only its change breaks code.
func (v Version) Major() int { return v.major }

// Minor is the second number.
func (v Version) Minor() int { return v.minor }

// Patch is the third number.
func (v Version) Patch() int { return v.patch }

// IsPrerelease tells whether v comes before the release of the same numbers, as v5.0.0-rc.1 and pseudo-versions do.
func (v Version) IsPrerelease() bool { return v.pre != "" }

// Compare orders versions as semver.org does, for [slices.SortFunc].
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor), cmp.Compare(v.patch, w.patch),
		semver.Compare("v0.0.0"+v.pre, "v0.0.0"+w.pre))
}

// bare is the version without its v, as OSV and package URLs have it.
func (v Version) bare() string { return strings.TrimPrefix(v.String(), "v") }

// release is the version without its pre-release.
func (v Version) release() Version {
	v.pre = ""
	return v
}

// nextPatch is the version that a patch of v has.
func (v Version) nextPatch() Version {
	v = v.release()
	v.patch++
	return v
}

// MarshalText implements [encoding.TextMarshaler].
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. An empty text is the zero Version.
func (v *Version) UnmarshalText(text []byte) (err error) {
	*v = Version{}
	if len(text) > 0 {
		*v, err = ParseVersion(string(text))
	}
	return err
}

// ModulePath is the path of a project's module for a major version: Go adds /vN to it from 2 on. base is the path
// without such a suffix.
func ModulePath(base string, major int) string {
	if major < 2 {
		return base
	}
	return base + "/v" + strconv.Itoa(major)
}

// BasePath is a module's path without its /vN.
func BasePath(path string) string {
	if base, _, ok := module.SplitPathVersion(path); ok {
		return base
	}
	return path
}
