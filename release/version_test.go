package release_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/niobot/niobot/release"
)

// version is a version that has to be one.
func version(t testing.TB, s string) release.Version {
	t.Helper()
	v, err := release.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseVersion(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"v1.2.3", true},
		{"v0.0.0", true},
		{"v10.20.30", true},
		{"v1.2.3-rc.1", true},
		{"v0.0.0-20260102030405-abcdefabcdef", true},
		{"", false},
		{"v", false},
		{"1.2.3", false},
		{"V1.2.3", false},
		{"v1", false},
		{"v1.2", false},
		{"v1.2.3.4", false},
		{"v01.2.3", false},
		{"v1.2.3+meta", false},
		{"v2.0.0+incompatible", false},
		{"v1.2.-3", false},
		{"v1.2.3 ", false},
		{"v99999999999.0.0", false},
		{"nightly", false},
	} {
		v, err := release.ParseVersion(tt.text)
		var wrong *release.VersionError
		if tt.ok && (err != nil || v.String() != tt.text || v.IsZero()) {
			t.Errorf("%q: got %q, %v", tt.text, v, err)
		}
		if !tt.ok && (!errors.As(err, &wrong) || wrong.Text != tt.text || !v.IsZero()) {
			t.Errorf("%q: got %q, %v, want a VersionError", tt.text, v, err)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	want := []string{
		"v0.9.0", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-rc.2", "v1.0.0-rc.10", "v1.0.0", "v1.0.1", "v1.2.0", "v1.10.0",
		"v2.0.0",
	}
	var versions []release.Version
	for _, s := range want {
		versions = append(versions, version(t, s))
	}
	slices.Reverse(versions)
	slices.SortFunc(versions, release.Version.Compare)
	for i, v := range versions {
		if v.String() != want[i] {
			t.Errorf("place %d: got %s, want %s", i, v, want[i])
		}
	}
}

// Go's module paths of all majors are one project.
func TestModulePaths(t *testing.T) {
	for major, want := range map[int]string{0: "example.org/m", 1: "example.org/m", 2: "example.org/m/v2",
		12: "example.org/m/v12"} {
		if got := release.ModulePath("example.org/m", major); got != want {
			t.Errorf("major %d: got %s, want %s", major, got, want)
		}
		if got := release.BasePath(want); got != "example.org/m" {
			t.Errorf("base of %s: got %s", want, got)
		}
	}
}
