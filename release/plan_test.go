package release_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

func plan(t testing.TB, h *release.History, affected string) *release.Plan {
	t.Helper()
	r, err := release.ParseRanges(affected)
	if err != nil {
		t.Fatal(err)
	}
	p, err := release.NewPlan(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func planned(p *release.Plan) string {
	var list []string
	for _, r := range p.Releases {
		list = append(list, r.Version.String())
	}
	return strings.Join(list, " ")
}

func verdict(t testing.TB, p *release.Plan, v string) release.Verdict {
	t.Helper()
	i := slices.IndexFunc(p.Verdicts, func(x release.Verdict) bool { return x.Version.String() == v })
	if i < 0 {
		t.Fatalf("there is no verdict on %s", v)
	}
	return p.Verdicts[i]
}

func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		name, tags, affected, want string
	}{
		// The policy's own examples.
		{"v5.6.0, and v5.2.7 too", policyTags, "v5.6.0, v5.2.7", "v5.6.1"},
		{"v4 as well", policyTags, "v5.6.0, v5.2.7, v4", "v5.6.1 v4.7.14"},
		{"v4 alone", policyTags, "v4", "v4.7.14"},

		{"all there is", policyTags, ">=v3.9.9", "v5.6.1 v4.7.14"},
		{"an unsupported major", policyTags, "v3", ""},
		{"an old minor, free in the newest", policyTags, "v5.2.7", ""},
		{"a first version", "v0.1.0", "v0.1.0", "v0.1.1"},
		{"v0 beside v1", "v0.1.0 v1.0.0", "v0, v1", "v1.0.1 v0.1.1"},
		{"a preview", "v1.0.0 v2.0.0-rc.1", "v2.0.0-rc.1", ""},
		{"a preview of the next minor", "v1.0.0 v1.1.0-rc.1", "v1", "v1.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := planned(plan(t, history(t, tt.tags), tt.affected)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPlanSaysWhy(t *testing.T) {
	p := plan(t, history(t, policyTags), "v3, v4, v5.2.7, v5.6.0")
	for v, want := range map[string]release.Verdict{
		"v5.6.0": {Affected: true, Upgrade: version(t, "v5.6.1"), Reason: "patched by v5.6.1"},
		"v5.2.7": {Affected: true, Upgrade: version(t, "v5.6.1"),
			Reason: "only the newest minor of v5 is patched, by v5.6.1"},
		"v4.6.3": {Affected: true, Upgrade: version(t, "v4.7.14"),
			Reason: "only the newest minor of v4 is patched, by v4.7.14"},
		"v4.7.13": {Affected: true, Upgrade: version(t, "v4.7.14"), Reason: "patched by v4.7.14"},
		"v3.9.9":  {Affected: true, Reason: "unsupported since v5.0.0"},
		"v5.0.0":  {Reason: "not affected"},
	} {
		got := verdict(t, p, v)
		if got.Affected != want.Affected || got.Upgrade != want.Upgrade || got.Reason != want.Reason {
			t.Errorf("%s: got %+v, want %+v", v, got, want)
		}
	}
	old := plan(t, history(t, policyTags), "v5.2.7")
	if got := verdict(t, old, "v5.2.7"); got.Upgrade != version(t, "v5.6.0") || got.Reason != "v5.6.0 is not affected" {
		t.Errorf("got %+v", got)
	}
	if len(old.Notes) != 1 || !strings.Contains(old.Notes[0], "/v5 are not retracted") {
		t.Errorf("a plan without a release does not say that nothing is retracted: %q", old.Notes)
	}
	zero := plan(t, history(t, "v0.1.0 v1.0.0"), "v0")
	if planned(zero) != "v0.1.1" || len(zero.Notes) != 1 {
		t.Errorf("a retraction that only v1 could tell of is not noted: %q", zero.Notes)
	}
	esr := plan(t, history(t, policyTags).WithESR(3), "v3")
	if planned(esr) != "v3.9.10" || esr.Releases[0].Title() != "[URGENT] v3.9.10" {
		t.Errorf("ESR: got %q", planned(esr))
	}
}

func TestPlanText(t *testing.T) {
	var b bytes.Buffer
	if err := plan(t, history(t, policyTags), "v3").WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"No version gets a release:\n", "v3.9.9",
		"Note: the affected versions of module path /v3 are not retracted"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// randomHistory makes a project's life: majors with gaps, minors, patches, pre-releases, majors marked ESR.
func randomHistory(rng *rand.Rand) (*release.History, []int, error) {
	var tags []string
	tag := func(numbers ...int) string {
		var parts []string
		for _, n := range numbers {
			parts = append(parts, string(rune('0'+n/10))+string(rune('0'+n%10)))
		}
		for i, p := range parts {
			if p[0] == '0' {
				parts[i] = p[1:]
			}
		}
		return "v" + strings.Join(parts, ".")
	}
	var esr []int
	for major := rng.IntN(2); major < 9; major += 1 + rng.IntN(3)/2 {
		if rng.IntN(8) == 0 {
			break
		}
		if rng.IntN(4) == 0 {
			esr = append(esr, major)
		}
		if rng.IntN(3) == 0 {
			tags = append(tags, tag(major, 0, 0)+"-rc.1")
		}
		for minor := range 1 + rng.IntN(4) {
			for patch := range 1 + rng.IntN(4) {
				tags = append(tags, tag(major, minor, patch))
			}
			if rng.IntN(4) == 0 {
				tags = append(tags, tag(major, minor+1, 0)+"-beta.2")
			}
		}
	}
	if len(tags) == 0 {
		tags = []string{"v1.0.0"}
	}
	rng.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
	h, err := release.NewHistory(tags)
	if err != nil {
		return nil, nil, err
	}
	return h.WithESR(esr...), esr, nil
}

// randomRanges names some of the versions, in one of the ways in which people do.
func randomRanges(rng *rand.Rand, h *release.History) string {
	all := h.Versions()
	pick := func() release.Version { return all[rng.IntN(len(all))] }
	switch rng.IntN(4) {
	case 0:
		return ">=" + all[0].String()
	case 1:
		a, b := pick(), pick()
		if a.Compare(b) > 0 {
			a, b = b, a
		}
		return ">=" + a.String() + " <=" + b.String()
	case 2:
		return "<=" + pick().String() + ", " + pick().String()
	}
	var list []string
	for range 1 + rng.IntN(len(all)) {
		list = append(list, pick().String())
	}
	return strings.Join(list, ",")
}

// supportedMajors is the policy told in another way: the two newest majors, and those marked ESR among the four newest.
func supportedMajors(h *release.History, esr []int) []int {
	majors := h.Majors()
	slices.Reverse(majors)
	supported := slices.Clone(majors[:min(2, len(majors))])
	for _, m := range majors[:min(4, len(majors))] {
		if slices.Contains(esr, m) && !slices.Contains(supported, m) {
			supported = append(supported, m)
		}
	}
	return supported
}

func TestPlanProperties(t *testing.T) {
	const histories = 10_000
	rng := rand.New(rand.NewPCG(7, 1984))
	var releases, upgrades int
	for n := range histories {
		h, esr, err := randomHistory(rng)
		if err != nil {
			t.Fatal(err)
		}
		ranges := randomRanges(rng, h)
		p := plan(t, h, ranges)
		if fault := planFault(h, esr, p); fault != "" {
			t.Fatalf("history %d: %s\nhistory %v, ESR %v\naffected %s\nplanned %s", n, fault, h.Versions(), esr, ranges,
				planned(p))
		}
		releases += len(p.Releases)
		for _, v := range p.Verdicts {
			if !v.Upgrade.IsZero() {
				upgrades++
			}
		}
	}
	if releases < histories || upgrades < histories {
		t.Errorf("%d releases and %d upgrades in %d histories: too few to show anything", releases, upgrades, histories)
	}
}

// planFault says what is wrong with a plan, or nothing.
func planFault(h *release.History, esr []int, p *release.Plan) string {
	supported := supportedMajors(h, esr)
	affected := func(v release.Version) bool { return slices.Contains(p.Affected, v) }
	patched := make(map[int]release.Version)
	for _, r := range p.Releases {
		major := r.Version.Major()
		switch {
		case !patched[major].IsZero():
			return "two patches for one major"
		case !slices.Contains(supported, major):
			return "an unsupported major is patched"
		case h.Has(r.Version):
			return "a planned version exists"
		case r.Base != h.Newest(major) || r.Version.Compare(r.Base) <= 0 || r.Version.Minor() != r.Base.Minor():
			return "a patch is not on the newest minor"
		case !affected(r.Base):
			return "a version that is not affected is patched"
		}
		patched[major] = r.Version
	}
	if len(p.Verdicts) != len(h.Versions()) {
		return "not every version has a verdict"
	}
	for _, v := range p.Verdicts {
		if v.Reason == "" || v.Affected != affected(v.Version) {
			return "no reason, or a wrong one, for " + v.Version.String()
		}
		preview := v.Version.IsPrerelease() && v.Version.Compare(h.Newest(v.Version.Major())) > 0
		if !v.Affected || preview || !slices.Contains(supported, v.Version.Major()) {
			if !v.Upgrade.IsZero() {
				return "an upgrade for what needs or gets none: " + v.Version.String()
			}
			continue
		}
		up := v.Upgrade
		if up.IsZero() || up.Major() != v.Version.Major() || up.Compare(v.Version) <= 0 || affected(up) ||
			up != patched[up.Major()] && !h.Has(up) {
			return "no upgrade within its major for " + v.Version.String()
		}
	}
	return ""
}
