package release_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

func TestSupport(t *testing.T) {
	policy := []string{"v3.9.9", "v4.0.0", "v4.6.3", "v4.7.13", "v5.0.0", "v5.2.7", "v5.6.0"}
	for _, tt := range []struct {
		name    string
		version string
		tags    []string
		esr     []int
		want    string
	}{
		{"the current major", "v5.6.0", policy, nil, "supported"},
		{"an old minor of the current major", "v5.0.0", policy, nil, "supported"},
		{"the previous major", "v4.0.0", policy, nil, "supported"},
		{"the major before that", "v3.9.9", policy, nil, "unsupported since v5.0.0"},
		{"a first version", "v0.1.0", []string{"v0.1.0"}, nil, "supported"},
		{"v0 after v1", "v0.1.0", []string{"v0.1.0", "v1.0.0"}, nil, "supported"},
		{"v0 after v2", "v0.1.0", []string{"v0.1.0", "v1.0.0", "v2.3.0", "v2.0.0"}, nil, "unsupported since v2.0.0"},
		{"majors that never came do not count", "v2.0.0", []string{"v2.0.0", "v5.0.0"}, nil, "supported"},
		{"the third of majors with gaps", "v2.0.0", []string{"v2.0.0", "v5.0.0", "v9.0.0", "v9.0.1"}, nil,
			"unsupported since v9.0.0"},
		{"a preview does not end support", "v3.9.9", []string{"v3.9.9", "v4.0.0", "v5.0.0-rc.1"}, nil, "supported"},
		{"a preview", "v5.0.0-rc.1", []string{"v4.0.0", "v5.0.0-rc.1"}, nil, "unsupported, a preview of v5.0.0"},
		{"a preview within a major", "v4.1.0-rc.1", []string{"v4.0.0", "v4.1.0-rc.1"}, nil,
			"unsupported, a preview of v4.1.0"},
		{"a pre-release with its release", "v4.1.0-rc.1", []string{"v4.1.0", "v4.1.0-rc.1"}, nil, "supported"},
		{"ESR in its own time", "v5.0.0", policy, []int{5}, "ESR until v9"},
		{"ESR as previous major", "v4.6.3", policy, []int{4}, "ESR until v8"},
		{"ESR after the usual end", "v3.9.9", policy, []int{3}, "ESR until v7"},
		{"ESR at its last major", "v2.0.0", append([]string{"v2.0.0"}, policy...), []int{2}, "ESR until v6"},
		{"ESR at its end", "v1.0.0", append([]string{"v1.0.0", "v2.0.0"}, policy...), []int{1},
			"unsupported since v5.0.0"},
		{"ESR of another major", "v3.9.9", policy, []int{4}, "unsupported since v5.0.0"},
		{"tags of other kinds", "v1.0.0", []string{"nightly", "docs/v2", "v1.0.0", "release-2026"}, nil, "supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := release.Support(tt.version, tt.tags, tt.esr...)
			if err != nil || got.String() != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if got.IsSupported() == strings.HasPrefix(tt.want, "unsupported") {
				t.Errorf("IsSupported is %t for %q", got.IsSupported(), got)
			}
		})
	}
}

func TestSupportRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		tags          []string
		want          string
	}{
		{"no version", "5.6.0", []string{"v1.0.0"}, `"5.6.0" is no version: one begins with v, as in v1.2.3`},
		{"an unknown tag", "v1.0.1", []string{"v1.0.0", "v1.2.0"}, "there is no v1.0.1; the newest v1 is v1.2.0"},
		{"an unknown major", "v7.0.0", []string{"v1.0.0"}, "there is no v7.0.0, nor any other v7"},
		{"an unknown preview", "v7.0.0-rc.1", []string{"v1.0.0"}, "there is no v7.0.0-rc.1, nor any other v7"},
		{"a tag that is no version", "v1.0.0", []string{"v1.0.0", "v1.0"},
			`tag: "v1.0" is no version: one is a v and three numbers`},
		{"a tag without v", "v1.0.0", []string{"v1.0.0", "1.0.1"}, `tag: "1.0.1" is no version: one begins with v`},
		{"an empty history", "v1.0.0", nil, "no version was released yet"},
		{"a history of previews", "v1.0.0", []string{"v1.0.0-rc.1", "nightly"}, "no version was released yet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := release.Support(tt.version, tt.tags)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || got != (release.Status{}) {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if _, err := release.NewHistory(nil); !errors.Is(err, release.ErrNoVersion) {
		t.Errorf("an empty history: %v, want ErrNoVersion", err)
	}
}
