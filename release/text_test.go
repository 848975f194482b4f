package release

import (
	"strings"
	"testing"
	"time"
)

func TestRetract(t *testing.T) {
	p := mustPlan(t, mustHistory(t, "v4.0.0 v4.1.0 v4.2.0 v4.2.1 v5.0.0"), "v4.0.0, v4.2.0, v4.2.1")
	const before = "// ESR: for those who wait.\nmodule example.org/m/v4\n\ngo 1.26\n\nretract v4.0.9 // slipped\n"
	got, err := retract([]byte(before), "example.org/m/v4", p.retracted(4), func(i Interval) string {
		return Fault{ID: "GO-2026-0001", Summary: "It leaks"}.rationale(p.upgrade(i))
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `// ESR: for those who wait.
module example.org/m/v4

go 1.26

retract (
	v4.0.9 // slipped
	// [URGENT] GO-2026-0001: It leaks; upgrade to v4.2.2
	v4.0.0
	// [URGENT] GO-2026-0001: It leaks; upgrade to v4.2.2
	[v4.2.0, v4.2.1]
)
`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	list, err := retractions(got)
	if err != nil || len(list) != 3 || list[0].Reason != "slipped" || !strings.HasPrefix(list[1].Reason, urgentMark) {
		t.Errorf("read back: %v, %v", list, err)
	}
	if marked, err := isMarkedESR(got); !marked || err != nil {
		t.Errorf("the ESR mark is lost: %v", err)
	}
	if marked, err := isMarkedESR([]byte("module m // nothing about ESR: here\n")); marked || err != nil {
		t.Errorf("a mark where there is none: %v", err)
	}
	for _, wrong := range []string{"module example.org/m/v5\n", "module example.org/m/v4\nbanana\n", ""} {
		if _, err := retract([]byte(wrong), "example.org/m/v4", p.retracted(4),
			func(Interval) string { return "" }); err == nil {
			t.Errorf("%q is taken for a go.mod of example.org/m/v4", wrong)
		}
	}
}

func TestAddToChangelog(t *testing.T) {
	at := time.Date(2026, 11, 22, 23, 30, 0, 0, time.FixedZone("", -3600))
	v := Version{major: 4, minor: 7, patch: 14, is: true}
	const head = "# Changelog\n\nThe format.\n\n## [Unreleased]\n\n- *(arg)* Added dates.\n"
	const section = "## [v4.7.14] - 2026-11-23\n\n- **Security** It leaks.\n"
	for _, tt := range []struct{ name, text, want string }{
		{"before the newest", head + "\n## [v4.7.13] - 2026-10-01\n\n- Old.\n", head + "\n" + section +
			"\n## [v4.7.13] - 2026-10-01\n\n- Old.\n"},
		{"as the first", head, head + "\n" + section},
		{"without a line end", "# Changelog", "# Changelog\n\n" + section},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := addToChangelog([]byte(tt.text), v, at, []string{"**Security** It leaks."})
			if err != nil || string(got) != tt.want {
				t.Errorf("got\n%s\n%v\nwant\n%s", got, err, tt.want)
			}
		})
	}
	for _, wrong := range []string{"", "Changes:\n", head + "\n" + section} {
		if got, err := addToChangelog([]byte(wrong), v, at, nil); err == nil {
			t.Errorf("%q became\n%s", wrong, got)
		}
	}
}

func TestNotes(t *testing.T) {
	p := mustPlan(t, mustHistory(t, examplePolicyTags), exampleFault.Affected)
	got := exampleFault.notes(p.Releases[1], "github.com/niobot/niobot/v4", p)
	compareGolden(t, "notes.md", got)
	if strings.Contains(got, "was passed on") {
		t.Error("the notes tell the details before the disclosure")
	}
}

func TestParseCredit(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Credit
	}{
		{"Alice", Credit{"Alice", "", "REPORTER"}},
		{" Alice Liddell <@alice:example.org> ",
			Credit{"Alice Liddell", "https://matrix.to/#/@alice:example.org", "REPORTER"}},
		{"Alice <alice@example.org>", Credit{"Alice", "mailto:alice@example.org", "REPORTER"}},
		{"remediation_developer: Bob <https://example.org/bob>",
			Credit{"Bob", "https://example.org/bob", "REMEDIATION_DEVELOPER"}},
		{"Tool: Scanner 3", Credit{"Scanner 3", "", "TOOL"}},
		{"Team: Blue", Credit{"Team: Blue", "", "REPORTER"}},
	} {
		if got, err := ParseCredit(tt.text); err != nil || got != tt.want {
			t.Errorf("%q: got %+v, %v", tt.text, got, err)
		}
	}
	for _, wrong := range []string{"", "<@alice:example.org>", "Alice <", "Alice <@alice:example.org",
		"Alice <somewhere>", "Alice <http://example.org>", "A\nB"} {
		if got, err := ParseCredit(wrong); err == nil {
			t.Errorf("%q: got %+v", wrong, got)
		}
	}
	for want, names := range map[string]string{"": "", "A": "A", "A and B": "A B", "A, B and C": "A B A C"} {
		var credits []Credit
		for name := range strings.FieldsSeq(names) {
			credits = append(credits, Credit{Name: name})
		}
		if got := thanks(credits); got != want {
			t.Errorf("%s: got %q", names, got)
		}
	}
}

func TestWrongFault(t *testing.T) {
	if err := exampleFault.validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Fault){
		"id \"NIO-1\" is none of":          func(f *Fault) { f.ID = "NIO-1" },
		"id \"../x\" is none of":           func(f *Fault) { f.ID = "../x" },
		"id \"CVE-1\" is none of":          func(f *Fault) { f.Aliases = []string{"CVE-1"} },
		"the summary is empty":             func(f *Fault) { f.Summary = " " },
		"the summary is more than one":     func(f *Fault) { f.Summary = "a\nb" },
		"the summary has 161 bytes":        func(f *Fault) { f.Summary = strings.Repeat("x", 161) },
		"\"high\" is no CVSS vector of ve": func(f *Fault) { f.CVSS = "high" },
	} {
		f := exampleFault
		change(&f)
		if err := f.validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
