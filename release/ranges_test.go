package release_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

// history is a history that has to be one.
func history(t testing.TB, tags string) *release.History {
	t.Helper()
	h, err := release.NewHistory(strings.Fields(tags))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const policyTags = "v3.9.9 v4.0.0 v4.6.3 v4.7.12 v4.7.13 v5.0.0-rc.1 v5.0.0 v5.2.7 v5.6.0"

func TestRanges(t *testing.T) {
	h := history(t, policyTags)
	for _, tt := range []struct{ ranges, want string }{
		{"v5.6.0", "v5.6.0"},
		{"=v5.6.0", "v5.6.0"},
		{"v4", "v4.0.0 v4.6.3 v4.7.12 v4.7.13"},
		{"v4.7", "v4.7.12 v4.7.13"},
		{">=v4.6.3", "v4.6.3 v4.7.12 v4.7.13 v5.0.0-rc.1 v5.0.0 v5.2.7 v5.6.0"},
		{">v4.6.3 <v5.0.0", "v4.7.12 v4.7.13 v5.0.0-rc.1"},
		{">= v4.6.3 <= v4.7.12", "v4.6.3 v4.7.12"},
		{"<v4.5.0", "v3.9.9 v4.0.0"},
		{"v5.6.0, v4.6.3,v4.6.3", "v4.6.3 v5.6.0"},
		{"v4 <v4.7.0, >=v5.2.7", "v4.0.0 v4.6.3 v5.2.7 v5.6.0"},
	} {
		r, err := release.ParseRanges(tt.ranges)
		if err != nil {
			t.Errorf("%q: %v", tt.ranges, err)
			continue
		}
		list, err := r.Select(h)
		var got []string
		for _, v := range list {
			got = append(got, v.String())
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%q: got %v, %v, want %s", tt.ranges, got, err, tt.want)
		}
	}
}

func TestWrongRanges(t *testing.T) {
	h := history(t, policyTags)
	for _, tt := range []struct{ ranges, want string }{
		{"", `range "": a part of it is empty`},
		{"v4,", `range "v4,": a part of it is empty`},
		{"banana", `range "banana": "banana" is no version`},
		{">=4.0.0", `range ">=4.0.0": "4.0.0" is no version`},
		{">=v4", `range ">=v4": "v4" is no version`},
		{"v4.x", `range "v4.x": "v4.x" is no version`},
		{"v04", `range "v04": "v04" is no version`},
		{"<=", `range "<=": "" is no version`},
		{"v4.0.0..v5.0.0", `range "v4.0.0..v5.0.0": "v4.0.0..v5.0.0" is no version`},
		{"v5.6.1", `range "v5.6.1": there is no v5.6.1; the newest v5 is v5.6.0`},
		{"v4, <=v4.7.31", `range "<=v4.7.31": there is no v4.7.31; the newest v4 is v4.7.13`},
		{">=v6.0.0", `range ">=v6.0.0": there is no v6.0.0, nor any other v6`},
		{">v5.6.0", `range ">v5.6.0": none of the 9 versions is in it`},
		{"v9", `range "v9": none of the 9 versions is in it`},
		{">=v5.0.0 <v4.0.0", `range ">=v5.0.0 <v4.0.0": none of the 9 versions is in it`},
	} {
		r, err := release.ParseRanges(tt.ranges)
		if err == nil {
			_, err = r.Select(h)
		}
		var wrong *release.RangeError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.ranges, err, tt.want)
		}
	}
}

func FuzzParseRanges(f *testing.F) {
	for _, s := range []string{"v4", ">=v4.0.0 <v5.0.0, v5.6.0", "", "= v1.2.3", "<<v1.0.0", "v4,,"} {
		f.Add(s)
	}
	h := history(f, policyTags)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := release.ParseRanges(s)
		if err != nil {
			var wrong *release.RangeError
			if !errors.As(err, &wrong) {
				t.Errorf("%q: %T", s, err)
			}
			return
		}
		if r.String() != s {
			t.Errorf("%q became %q", s, r)
		}
		list, err := r.Select(h)
		if err == nil && len(list) == 0 {
			t.Errorf("%q selects nothing without an error", s)
		}
		for _, v := range list {
			if !h.Has(v) {
				t.Errorf("%q selects %s, which does not exist", s, v)
			}
		}
	})
}
