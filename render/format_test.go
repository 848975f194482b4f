package render

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzSplitFormat checks that the parts of a format are, put together, what fmt prints, also of wrong formats.
func FuzzSplitFormat(f *testing.F) {
	for _, seed := range []string{
		"", "%s", "%d%%", "%-10s|%v", "%[2]*[1]d", "%.2f", "%", "%!", "%z", "%*d", "%[3]d", "%[x]d", "%[1]2d", "%+v %#v",
		"%[2]s %s", "%999999999d", "%.*s", "%[1].2d", "%[", "%-5%", "% d", "%d %d %d %d", "%[1]c0", "%[9]*d %s", "%[]d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, format string) {
		args := []any{7, "seven", 7.5}
		want := fmt.Sprintf(format, args...)
		var got strings.Builder
		for _, part := range splitFormat(format, args) {
			got.WriteString(part.text)
			if part.literal && part.verb != 0 {
				t.Errorf("%q: %+v is both literal and an argument", format, part)
			}
		}
		if got.String() != want {
			t.Errorf("%q prints %.200q, want %.200q", format, got.String(), want)
		}
	})
}
