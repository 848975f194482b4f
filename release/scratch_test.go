package release_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/release"
)

// scratch is a repository of a module with the policy's versions, fixes on their branches, and a bare remote.
type scratch struct {
	t      testing.TB
	dir    string
	remote string
	git    *release.Git
	run    release.Exec
	now    time.Time
}

// newScratch makes the repository: v3.9.9, v4.6.3 and v4.7.13, v5.2.7 and v5.6.0, each on its own history.
func newScratch(t testing.TB) *scratch {
	t.Helper()
	s := &scratch{t: t, dir: filepath.Join(t.TempDir(), "clone"), remote: filepath.Join(t.TempDir(), "remote.git")}
	s.now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s.run = release.Exec{Env: []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
		"GIT_AUTHOR_NAME=M", "GIT_AUTHOR_EMAIL=m@example.org", "GIT_COMMITTER_NAME=M", "GIT_COMMITTER_EMAIL=m@example.org",
		"GIT_AUTHOR_DATE=2026-11-22T12:00:00Z", "GIT_COMMITTER_DATE=2026-11-22T12:00:00Z",
		"GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off",
	}}
	s.git = &release.Git{Dir: s.dir, Runner: s.run}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s.in("init", "--quiet", "--initial-branch=main")
	s.in("init", "--quiet", "--bare", s.remote)
	s.in("remote", "add", "origin", s.remote)
	for _, tag := range strings.Fields("v3.9.9 v4.6.3 v4.7.13 v5.2.7 v5.6.0") {
		s.release(tag)
	}
	s.in("push", "--quiet", "origin", "main", "--tags")
	return s
}

// in runs git in the clone.
func (s *scratch) in(args ...string) string {
	s.t.Helper()
	out, err := s.run.Run(s.t.Context(), s.dir, "", "git", args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (s *scratch) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// release commits and tags a version.
func (s *scratch) release(tag string) {
	s.t.Helper()
	s.write("go.mod", fmt.Sprintf("module example.org/m/%s\n\ngo 1.26\n", tag[:2]))
	s.write("m.go",
		"// Package m leaks.\npackage m\n\n// Leaks tells whether the fault is there.\nconst Leaks = true\n")
	s.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## ["+tag+"] - 2026-01-01\n\n- Something.\n")
	s.write("release/project.toml", filledProject)
	s.in("add", ".")
	s.in("commit", "--quiet", "-m", "Release "+tag)
	s.in("tag", "-a", "-m", tag, tag)
}

// fix commits the fix on the branch of a major.
func (s *scratch) fix(major, base string) {
	s.t.Helper()
	s.in("checkout", "--quiet", "-b", "security/"+major, base)
	s.write("m.go",
		"// Package m is tight.\npackage m\n\n// Leaks tells whether the fault is there.\nconst Leaks = false\n")
	s.in("commit", "--quiet", "-a", "-m", "Stop the leak")
	s.in("checkout", "--quiet", "main")
}

func (s *scratch) cutter() *release.Cutter {
	s.t.Helper()
	p, err := release.ReadProject(filepath.Join(s.dir, "release", "project.toml"))
	if err != nil {
		s.t.Fatal(err)
	}
	// Quicker than go test, and as good: it fails while the leak is there.
	p.Test = []string{"git", "grep", "--quiet", "Leaks = false", "--", "m.go"}
	return &release.Cutter{Project: p, Git: s.git, Now: func() time.Time { return s.now }}
}

// state is all that git has of the clone and the remote, to see that nothing was changed.
func (s *scratch) state() string {
	s.t.Helper()
	var b strings.Builder
	b.WriteString(s.in("for-each-ref") + "\n" + s.in("status", "--porcelain") + "\n" + s.in("worktree", "list") + "\n")
	b.WriteString(s.in("ls-remote", "origin") + "\n")
	_ = filepath.WalkDir(filepath.Join(s.dir, ".git", "niobot-release"),
		func(path string, d os.DirEntry, err error) error {
			if err == nil {
				b.WriteString(path + "\n")
			}
			return nil
		})
	return b.String()
}

var leak = release.Fault{
	ID: "GHSA-2c3f-4g5h-6j7m", Summary: "It leaks", Details: "Secretly.", Affected: "v3, v4, v5",
	Credits: []release.Credit{{Name: "Alice", Role: "REPORTER"}},
}

// announcer notes what it is told to announce.
type announcer struct {
	got []release.Announcement
	err error
}

func (a *announcer) Announce(_ context.Context, what release.Announcement) (string, error) {
	a.got = append(a.got, what)
	return "$event", a.err
}

var errAnnounce = errors.New("the room is gone")
