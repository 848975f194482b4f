package release_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/niobot/niobot/release"
)

func TestCut(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	s.fix("v5", "v5.6.0")
	remote, head := s.in("ls-remote", "origin"), s.in("rev-parse", "main", "security/v4", "security/v5")
	record, err := s.cutter().Cut(t.Context(), leak)
	if err != nil {
		t.Fatal(err)
	}
	if len(record.Cuts) != 2 || record.Cuts[0].Version.String() != "v5.6.1" ||
		record.Cuts[1].Version.String() != "v4.7.14" {
		t.Fatalf("cut %+v", record.Cuts)
	}
	if s.in("ls-remote", "origin") != remote {
		t.Error("something left the machine")
	}
	if s.in("rev-parse", "main", "security/v4", "security/v5") != head || s.in("status", "--porcelain") != "" ||
		strings.Count(s.in("worktree", "list"), "\n") > 0 {
		t.Error("a branch moved, or something was left behind")
	}
	for tag, base := range map[string]string{"v4.7.14": "security/v4", "v5.6.1": "security/v5"} {
		if got := s.in("cat-file", "-t", tag); got != "tag" {
			t.Errorf("%s is a %s, not an annotated tag", tag, got)
		}
		if got := s.in("for-each-ref", "--format=%(contents:subject)", "refs/tags/"+tag); got != "[URGENT] "+tag {
			t.Errorf("the subject of %s is %q", tag, got)
		}
		got := s.in("for-each-ref", "--format=%(contents:body)", "refs/tags/"+tag)
		if !strings.Contains(got, "- Alice, reporter") || strings.Contains(got, "Secretly") {
			t.Errorf("the text of %s is %q", tag, got)
		}
		if got := s.in("rev-parse", tag+"^{commit}~1"); got != s.in("rev-parse", base) {
			t.Errorf("%s is not one commit after %s", tag, base)
		}
		if got := s.in("diff", "--name-only", base, tag); got != "CHANGELOG.md\ngo.mod" {
			t.Errorf("%s changes %q", tag, got)
		}
	}
	if got, want := s.in("show", "v4.7.14:go.mod"), "module example.org/m/v4\n\ngo 1.26\n\n"+
		"// [URGENT] GHSA-2c3f-4g5h-6j7m: It leaks; upgrade to v4.7.14\nretract [v4.6.3, v4.7.13]"; got != want {
		t.Errorf("go.mod is\n%s\nwant\n%s", got, want)
	}
	const changelog = "# Changelog\n\n## [Unreleased]\n\n## [v4.7.14] - 2026-11-22\n\n" +
		"- **Security** It leaks (GHSA-2c3f-4g5h-6j7m). Thanks to Alice.\n\n" +
		"## [v4.7.13] - 2026-01-01\n\n- Something."
	if got, want := s.in("show", "v4.7.14:CHANGELOG.md"), changelog; got != want {
		t.Errorf("the changelog is\n%s\nwant\n%s", got, want)
	}
	var osv release.OSV
	draft, err := os.ReadFile(filepath.Join(record.Dir, leak.ID+".json"))
	if err != nil || json.Unmarshal(draft, &osv) != nil || len(osv.Affected) != 3 || osv.Details != "Secretly." {
		t.Errorf("the draft of the record: %v\n%s", err, draft)
	}
	notes, err := os.ReadFile(filepath.Join(record.Dir, "notes-v4.7.14.md"))
	if err != nil || !strings.HasPrefix(string(notes), "# [URGENT] v4.7.14\n") {
		t.Errorf("the notes: %v\n%s", err, notes)
	}
	if info, err := os.Stat(record.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of what is not disclosed: %v, %v", info.Mode(), err)
	}
}

// Killed between two tags, or before the first, the cut goes on where it was; a second cut changes nothing.
func TestCutAgain(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	s.fix("v5", "v5.6.0")
	cut := func() string {
		t.Helper()
		if _, err := s.cutter().Cut(t.Context(), leak); err != nil {
			t.Fatal(err)
		}
		return s.in("rev-parse", "v4.7.14^{commit}", "v5.6.1^{commit}")
	}
	want := cut()
	for _, lost := range [][]string{{}, {"v4.7.14"}, {"v4.7.14", "v5.6.1"}} {
		for _, tag := range lost {
			s.in("tag", "-d", tag)
		}
		if got := cut(); got != want {
			t.Errorf("without %v: got %s, want %s", lost, got, want)
		}
	}
	// Release notes with headings, which git takes for comments unless told otherwise.
	s.in("tag", "-d", "v4.7.14")
	file := filepath.Join(s.dir, ".git", "niobot-release", leak.ID, "record.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "Thanks to:", "# Thanks")),
		0o600); err != nil {
		t.Fatal(err)
	}
	cut()
	got := s.in("for-each-ref", "--format=%(contents:body)", "refs/tags/v4.7.14")
	if !strings.Contains(got, "\n# Thanks\n") {
		t.Errorf("a heading is lost: %q", got)
	}
	other := leak
	other.Affected = "v5"
	if _, err := s.cutter().Cut(t.Context(), other); err == nil ||
		!strings.Contains(err.Error(), "was cut with another description") {
		t.Errorf("another description: %v", err)
	}
	s.in("tag", "-f", "-m", "moved", "v4.7.14", "main")
	var exists *release.TagExistsError
	if _, err := s.cutter().Cut(t.Context(), leak); !errors.As(err, &exists) || exists.Tag != "v4.7.14" {
		t.Errorf("a tag on another commit: %v", err)
	}
}

func TestCutRefuses(t *testing.T) {
	ready := func(s *scratch) {
		s.fix("v4", "v4.7.13")
		s.fix("v5", "v5.6.0")
	}
	for _, tt := range []struct {
		name   string
		change func(*scratch)
		fault  func(*release.Fault)
		want   string
		is     error
	}{
		{"a dirty tree", func(s *scratch) { ready(s); s.write("m.go", "package m\n") }, nil, "", release.ErrDirty},
		{"a file that git does not know", func(s *scratch) { ready(s); s.write("new.go", "package m\n") }, nil, "",
			release.ErrDirty},
		{"a tag that is no version", func(s *scratch) { ready(s); s.in("tag", "v9") }, nil, `tag: "v9" is no version`,
			nil},
		{"failing tests", func(s *scratch) {
			s.fix("v5", "v5.6.0")
			s.in("checkout", "--quiet", "-b", "security/v4", "v4.7.13")
			s.in("commit", "--quiet", "--allow-empty", "-m", "Mend nothing")
			s.in("checkout", "--quiet", "main")
		}, nil, "v4.7.14: tests fail: git grep: exit status 1", release.ErrTestsFailed},
		{"no branch", func(s *scratch) { s.fix("v5", "v5.6.0") }, nil,
			"v4.7.14: there is no branch security/v4; make it from v4.7.13", nil},
		{"no fix", func(s *scratch) { s.fix("v5", "v5.6.0"); s.in("branch", "security/v4", "v4.7.13^{}") }, nil,
			"v4.7.14: branch security/v4 holds nothing after v4.7.13", nil},
		{"a branch from elsewhere", func(s *scratch) { s.fix("v5", "v5.6.0"); s.fix("v4", "v4.6.3") }, nil,
			"v4.7.14: branch security/v4 does not come from v4.7.13", nil},
		{"a go.mod of another major", func(s *scratch) { s.fix("v5", "v5.6.0"); s.in("branch", "security/v4", "main") },
			nil, "v4.7.14: go.mod is not that of module example.org/m/v4", nil},
		{"nothing to cut", ready, func(f *release.Fault) { f.Affected = "v3" }, "", release.ErrNothingToCut},
		{"a wrong range", ready, func(f *release.Fault) { f.Affected = "v4.7.99" },
			`range "v4.7.99": there is no v4.7.99`, nil},
		{"a wrong id", ready, func(f *release.Fault) { f.ID = "../../x" }, `id "../../x" is none of`, nil},
		{"a history without versions", func(s *scratch) {
			for tag := range strings.FieldsSeq(s.in("tag")) {
				s.in("tag", "-d", tag)
			}
		}, nil, "", release.ErrNoVersion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScratch(t)
			tt.change(s)
			fault := leak
			if tt.fault != nil {
				tt.fault(&fault)
			}
			before := s.state()
			_, err := s.cutter().Cut(t.Context(), fault)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %s %v", err, tt.want, tt.is)
			}
			if after := s.state(); after != before {
				t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

func TestCutRefusesTestsThatChangeTheTree(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	fault, cutter := leak, s.cutter()
	fault.Affected = "v4"
	cutter.Project.Test = []string{"git", "init", "--quiet", "left"}
	before := s.state()
	if _, err := cutter.Cut(t.Context(), fault); !errors.Is(err, release.ErrTestsFailed) ||
		!strings.Contains(err.Error(), "left/") {
		t.Errorf("got %v", err)
	}
	if s.state() != before {
		t.Error("something was written")
	}
}

// A tag that a plan would make can only be there if it was put there after the plan's tags were read, or by a remote.
func TestCutRefusesATagThatExists(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	fault := leak
	fault.Affected = "v4"
	cutter := s.cutter()
	racing := release.RunnerFunc(func(ctx context.Context, dir, stdin, name string, args ...string) (string, error) {
		out, err := s.run.Run(ctx, dir, stdin, name, args...)
		if name == "git" && args[0] == "tag" && args[1] == "--list" {
			s.in("tag", "v4.7.14")
		}
		return out, err
	})
	cutter.Git = &release.Git{Dir: s.dir, Runner: racing}
	var exists *release.TagExistsError
	if _, err := cutter.Cut(t.Context(), fault); !errors.As(err, &exists) || exists.Tag != "v4.7.14" {
		t.Errorf("got %v", err)
	}
}

func TestPush(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	s.fix("v5", "v5.6.0")
	record, err := s.cutter().Cut(t.Context(), leak)
	if err != nil {
		t.Fatal(err)
	}
	before := s.in("ls-remote", "origin")
	unfilled := s.cutter()
	unfilled.Project.Maintainer = "FILL IN: who"
	var missing *release.PlaceholderError
	if err := unfilled.Push(t.Context(), record); !errors.As(err, &missing) {
		t.Errorf("placeholders: %v", err)
	}
	s.in("tag", "v5.7.0", "main")
	s.in("push", "--quiet", "origin", "v5.7.0")
	s.in("tag", "-d", "v5.7.0")
	if err := s.cutter().Push(t.Context(), record); err == nil ||
		!strings.Contains(err.Error(), "origin has v5.7.0, which this clone has not") {
		t.Errorf("a version that only the remote has: %v", err)
	}
	s.in("push", "--quiet", "origin", ":v5.7.0", "main:refs/tags/v4.7.14")
	var exists *release.TagExistsError
	if err := s.cutter().Push(t.Context(), record); !errors.As(err, &exists) || exists.Tag != "v4.7.14" {
		t.Errorf("a tag that the remote has: %v", err)
	}
	s.in("push", "--quiet", "origin", ":v4.7.14")
	if got := s.in("ls-remote", "origin"); got != before {
		t.Errorf("something was pushed: %s", got)
	}
	hook := filepath.Join(s.remote, "hooks", "update")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\n[ \"$1\" != refs/tags/v4.7.14 ]\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.cutter().Push(t.Context(), record); err == nil || s.in("ls-remote", "origin") != before {
		t.Errorf("a remote that takes one tag of two: %v, %s", err, s.in("ls-remote", "origin"))
	}
	if err := os.Remove(hook); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.cutter().Push(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		after := s.in("ls-remote", "--refs", "origin")
		for line := range strings.Lines(s.in("ls-remote", "--refs", "origin")) {
			if !strings.Contains(before, strings.TrimSpace(line)) &&
				!strings.HasSuffix(strings.TrimSpace(line), "v4.7.14") &&
				!strings.HasSuffix(strings.TrimSpace(line), "v5.6.1") {
				t.Errorf("%s was pushed", line)
			}
		}
		if !strings.Contains(after, "refs/tags/v4.7.14") || !strings.Contains(after, "refs/tags/v5.6.1") {
			t.Errorf("not pushed: %s", after)
		}
	}
}

func TestDisclose(t *testing.T) {
	s := newScratch(t)
	s.fix("v4", "v4.7.13")
	s.fix("v5", "v5.6.0")
	proxy := &memory{files: map[string]string{"example.org/m/v4/@v/list": "v4.7.13\n",
		"example.org/m/v5/@v/list": "v5.6.1\n"}}
	room := &announcer{err: errAnnounce}
	d := &release.Discloser{Cutter: s.cutter(), Proxy: proxy, Announcer: room}
	refuses := func(step, want string) {
		t.Helper()
		before := s.state()
		if _, err := d.Disclose(t.Context(), leak.ID); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", step, err, want)
		}
		if s.state() != before || len(room.got) > 0 {
			t.Errorf("%s: something was written or announced", step)
		}
	}
	refuses("nothing cut", "run cut first")
	record, err := d.Cutter.Cut(t.Context(), leak)
	if err != nil {
		t.Fatal(err)
	}
	refuses("not pushed", "nothing is disclosed: v5.6.1 is not on origin; v4.7.14 is not on origin")
	if err := d.Cutter.Push(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	refuses("not in the proxy", "nothing is disclosed: v4.7.14 is not in the module proxy")
	proxy.files["example.org/m/v4/@v/list"] = "v4.7.13\nv4.7.14\n"
	d.Cutter.Project.SupportRoom = "FILL IN: room"
	refuses("placeholders", "fill in support_room")
	d.Cutter = s.cutter()

	if _, err := d.Disclose(t.Context(), leak.ID); !errors.Is(err, errAnnounce) {
		t.Fatalf("got %v", err)
	}
	advisory := func() string {
		t.Helper()
		var all string
		for _, name := range []string{".md", ".json"} {
			text, err := os.ReadFile(filepath.Join(s.dir, "docs", "advisories", leak.ID+name))
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		return all
	}
	first := advisory()
	for _, want := range []string{
		"# GHSA-2c3f-4g5h-6j7m: It leaks\n\nPublished 2026-11-22.", "Secretly.",
		"| example.org/m/v3 | v3.9.9 | a supported major |\n", "| example.org/m/v4 | v4.6.3 to v4.7.13 | v4.7.14 |\n",
		"- Alice, reporter\n", `"published": "2026-11-22T12:00:00Z"`,
		`"url": "https://example.org/m/blob/HEAD/docs/advisories/GHSA-2c3f-4g5h-6j7m.md"`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in\n%s", want, first)
		}
	}
	room.err = nil
	s.now = s.now.AddDate(0, 0, 3)
	for n := range 2 {
		done, err := d.Disclose(t.Context(), leak.ID)
		if err != nil || done.Event != "$event" || done.Again != (n == 1) {
			t.Errorf("time %d: %+v, %v", n, done, err)
		}
		if advisory() != first {
			t.Errorf("the advisory has changed:\n%s", advisory())
		}
	}
	want := release.Announcement{
		Transaction: leak.ID, Homeserver: "https://matrix.example.org", Room: "#m:example.org",
		Title: "[URGENT] m v5.6.1 and v4.7.14",
		Text:  "It leaks (GHSA-2c3f-4g5h-6j7m). Upgrade now; the versions that are affected are retracted. Thanks to Alice.",
		Link:  "https://example.org/m/blob/HEAD/docs/advisories/GHSA-2c3f-4g5h-6j7m.md",
	}
	if len(room.got) != 2 || room.got[0] != want || room.got[1] != want {
		t.Errorf("announced %+v", room.got)
	}
}

// A major is ESR if its newest go.mod says so, in git as in the module proxy.
func TestESRMarkInGit(t *testing.T) {
	s := newScratch(t)
	s.in("checkout", "--quiet", "v3.9.9")
	s.write("go.mod", "// ESR: for those who wait.\nmodule example.org/m/v3\n\ngo 1.26\n")
	s.in("commit", "--quiet", "-a", "-m", "Mark v3")
	s.in("tag", "v3.9.10")
	h, err := s.git.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for v, want := range map[string]string{"v3.9.9": "ESR until v7", "v4.6.3": "supported"} {
		if got, err := h.Status(version(t, v)); err != nil || got.String() != want {
			t.Errorf("%s: got %s, %v, want %s", v, got, err, want)
		}
	}
}
