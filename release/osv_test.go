package release

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustHistory(t testing.TB, tags string) *History {
	t.Helper()
	h, err := NewHistory(strings.Fields(tags))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustPlan(t testing.TB, h *History, affected string) *Plan {
	t.Helper()
	r, err := ParseRanges(affected)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOSVEvents(t *testing.T) {
	for _, tt := range []struct{ name, tags, affected, want string }{
		{"from the beginning", "v1.0.0 v1.1.0", "v1", "m: 0→1.1.1"},
		{"introduced later", "v1.0.0 v1.1.0 v1.2.0", ">=v1.1.0", "m: 1.1.0→1.2.1"},
		{"fixed between", "v1.0.0 v1.1.0 v1.2.0", "v1.0.0", "m: 0→1.1.0"},
		{"twice", "v1.0.0 v1.1.0 v1.2.0", "v1.0.0, v1.2.0", "m: 0→1.1.0 1.2.0→1.2.1"},
		{"two majors of one path", "v0.9.0 v1.0.0", "v0, v1", "m: 0→0.9.1 1.0.0→1.0.1"},
		{"three majors", "v1.0.0 v2.0.0 v3.0.0", "v1, v2, v3", "m: 0→ m/v2: 0→2.0.1 m/v3: 0→3.0.1"},
		{"a pre-release", "v2.0.0-rc.1 v2.0.0", "v2.0.0-rc.1", "m/v2: 0→2.0.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range affectedModules(mustPlan(t, mustHistory(t, tt.tags), tt.affected), "m") {
				got = append(got, a.Package.Name+":")
				for _, e := range a.Ranges[0].Events {
					if e.Introduced != "" {
						got = append(got, e.Introduced+"→")
					} else {
						got[len(got)-1] += e.Fixed
					}
				}
			}
			if joined := strings.Join(got, " "); joined != tt.want {
				t.Errorf("got %s, want %s", joined, tt.want)
			}
		})
	}
}

// scannerSays is how a scanner reads events: the last one at or before the version counts.
func scannerSays(t testing.TB, events []OSVEvent, v Version) bool {
	t.Helper()
	hit := false
	for _, e := range events {
		at := e.Introduced + e.Fixed
		if at != "0" {
			parsed, err := ParseVersion("v" + at)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Compare(v) > 0 {
				break
			}
		}
		hit = e.Introduced != ""
	}
	return hit
}

// A scanner that reads the record, and Go that reads the retractions, find the affected versions and no others.
func TestRecordAndRetractionsAgreeWithThePlan(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 14))
	for range 2000 {
		var tags, affected []string
		for major := range 1 + rng.IntN(4) {
			for minor := range 1 + rng.IntN(3) {
				for patch := range 1 + rng.IntN(3) {
					tags = append(tags, fmt.Sprintf("v%d.%d.%d", major, minor, patch))
				}
			}
		}
		for _, tag := range tags {
			if rng.IntN(3) > 0 {
				affected = append(affected, tag)
			}
		}
		if len(affected) == 0 {
			continue
		}
		p := mustPlan(t, mustHistory(t, strings.Join(tags, " ")), strings.Join(affected, ","))
		records := make(map[string]OSVAffected)
		for _, a := range affectedModules(p, "m") {
			records[a.Package.Name] = a
		}
		all := slices.Clone(p.Verdicts)
		for _, r := range p.Releases {
			all = append(all, Verdict{Version: r.Version})
		}
		for _, v := range all {
			want := slices.Contains(affected, v.Version.String())
			record, ok := records[ModulePath("m", v.Version.Major())]
			if got := ok && scannerSays(t, record.Ranges[0].Events, v.Version); got != want {
				t.Fatalf("%v, affected %v: the record says %t of %s", tags, affected, got, v.Version)
			}
			retracted := slices.ContainsFunc(p.retracted(v.Version.Major()),
				func(i Interval) bool { return i.has(v.Version) })
			if retracted != want {
				t.Fatalf("%v, affected %v: the retractions say %t of %s", tags, affected, retracted, v.Version)
			}
		}
	}
}

var exampleFault = Fault{
	ID: "GHSA-2c3f-4g5h-6j7m", Aliases: []string{"CVE-2026-12345"},
	Summary: "A crafted reply could ping a whole room", Details: "A <b> in the *name* was passed on.\n",
	CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", Affected: "v4, v5.2.7, v5.6.0",
	Credits: []Credit{
		{Name: "Alice", Contact: "https://matrix.to/#/@alice:example.org", Role: "REPORTER"},
		{Name: "Bob", Role: "REMEDIATION_DEVELOPER"},
	},
}

const examplePolicyTags = "v3.9.9 v4.0.0 v4.6.3 v4.7.12 v4.7.13 v5.0.0 v5.2.7 v5.6.0"

func TestOSVRecord(t *testing.T) {
	p := mustPlan(t, mustHistory(t, examplePolicyTags), exampleFault.Affected)
	at := time.Date(2026, 11, 22, 13, 14, 15, 987, time.FixedZone("", 3600))
	got, err := newOSV(exampleFault, p, "github.com/niobot/niobot", "https://example.org/niobot", at).encode()
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "osv.json", string(got))
	if fault := osvFault(got); fault != "" {
		t.Error(fault)
	}
}

// osvFault holds a record to what schema 1.7 demands of one.
func osvFault(data []byte) string {
	var record map[string]any
	if err := json.Unmarshal(data, &record); err != nil {
		return err.Error()
	}
	text := func(v any) string { s, _ := v.(string); return s }
	list := func(v any) []any { l, _ := v.([]any); return l }
	object := func(v any) map[string]any { o, _ := v.(map[string]any); return o }
	known := []string{
		"schema_version", "id", "modified", "published", "withdrawn", "aliases", "upstream", "related", "summary",
		"details",
		"severity", "affected", "references", "credits", "database_specific",
	}
	for key := range record {
		if !slices.Contains(known, key) {
			return "unknown field " + key
		}
	}
	if !strings.HasPrefix(text(record["schema_version"]), "1.7.") || !idPattern.MatchString(text(record["id"])) {
		return "wrong schema_version or id"
	}
	for _, key := range []string{"modified", "published"} {
		if at, err := time.Parse(time.RFC3339, text(record[key])); err != nil || at.Location() != time.UTC {
			return key + " is no time in UTC"
		}
	}
	for _, s := range list(record["severity"]) {
		if !slices.Contains([]string{"CVSS_V2", "CVSS_V3", "CVSS_V4", "Ubuntu"}, text(object(s)["type"])) ||
			text(object(s)["score"]) == "" {
			return "wrong severity"
		}
	}
	for _, a := range list(record["affected"]) {
		of := object(object(a)["package"])
		if text(of["ecosystem"]) != "Go" || text(of["name"]) == "" ||
			text(of["purl"]) != "pkg:golang/"+text(of["name"]) {
			return "wrong package"
		}
		for _, r := range list(object(a)["ranges"]) {
			events := list(object(r)["events"])
			if text(object(r)["type"]) != "SEMVER" || len(events) == 0 || text(object(events[0])["introduced"]) == "" {
				return "wrong range"
			}
			for _, e := range events {
				at := text(object(e)["introduced"]) + text(object(e)["fixed"])
				if len(object(e)) != 1 || strings.HasPrefix(at, "v") {
					return "wrong event"
				}
			}
		}
	}
	for _, r := range list(record["references"]) {
		if !slices.Contains([]string{"ADVISORY", "FIX", "PACKAGE"}, text(object(r)["type"])) ||
			!strings.HasPrefix(text(object(r)["url"]), "https://") {
			return "wrong reference"
		}
	}
	for _, c := range list(record["credits"]) {
		if text(object(c)["name"]) == "" || !slices.Contains(roles, text(object(c)["type"])) {
			return "wrong credit"
		}
	}
	return ""
}

func TestOSVCheckFindsFaults(t *testing.T) {
	good, err := os.ReadFile("testdata/osv.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"1.7.0"`, `"1.2.0"`}, {`"GHSA-2c3f-4g5h-6j7m"`, `"NIO-1"`}, {`T12:14:15Z"`, `T13:14:15+01:00"`},
		{`"CVSS_V3"`, `"CVSS"`}, {`"Go"`, `"go"`}, {`"SEMVER"`, `"GIT"`}, {`"introduced": "0"`, `"introduced": "v0"`},
		{`"FIX"`, `"PATCH"`}, {`"REPORTER"`, `"reporter"`}, {`"summary"`, `"title"`},
	} {
		bad := strings.Replace(string(good), change[0], change[1], 1)
		if bad == string(good) || osvFault([]byte(bad)) == "" {
			t.Errorf("%s in place of %s is not found", change[1], change[0])
		}
	}
}
