package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	modzip "golang.org/x/mod/zip"

	"github.com/niobot/niobot/release"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// asProgram makes the test binary be the program, so that it can be killed.
const asProgram = "RELEASE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// world is a project with a clone, a bare remote and a module proxy in folders.
type world struct {
	t      testing.TB
	clone  string
	remote string
	proxy  string
	vars   map[string]string // Of the program
	run    release.Exec
}

func newWorld(t testing.TB, homeserver string) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{
		t: t, clone: filepath.Join(root, "clone"), remote: filepath.Join(root, "remote.git"),
		proxy: filepath.Join(root, "proxy"),
	}
	w.vars = map[string]string{
		"GOPROXY": "file://" + filepath.ToSlash(w.proxy), "NIOBOT_TOKEN": "secret",
	}
	w.run = release.Exec{Env: gitEnv()}
	w.mkdir(w.clone)
	w.mkdir(w.proxy)
	w.git("init", "--quiet", "--initial-branch=main")
	w.git("init", "--quiet", "--bare", w.remote)
	w.git("remote", "add", "origin", w.remote)
	w.git("config", "user.name", "M")
	w.git("config", "user.email", "m@example.org")
	for _, tag := range strings.Fields("v3.9.9 v4.6.3 v4.7.13 v5.2.7 v5.6.0") {
		w.release(tag, homeserver)
	}
	w.git("push", "--quiet", "origin", "main", "--tags")
	return w
}

// gitEnv keeps the settings of who runs the tests out of them.
func gitEnv() []string {
	return []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull, "GOFLAGS=-mod=mod", "GOWORK=off",
	}
}

func (w *world) mkdir(dir string) {
	w.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(path, text string) {
	w.t.Helper()
	w.mkdir(filepath.Dir(path))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	out, err := w.run.Run(w.t.Context(), w.clone, "", "git", args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

const projectText = `name = "m"
module = "example.org/m"
repository = "https://example.org/m"
maintainer = "@me:localhost"
support_room = "#m:localhost"
homeserver = "%s"
`

const testText = `package m

import "testing"

func TestLeak(t *testing.T) {
	if Fixed && Leaks {
		t.Fatal("it still leaks")
	}
}
`

// release commits, tags and publishes a version.
func (w *world) release(tag, homeserver string) {
	w.t.Helper()
	path := func(name string) string { return filepath.Join(w.clone, filepath.FromSlash(name)) }
	w.write(path("go.mod"), fmt.Sprintf("module example.org/m/%s\n\ngo 1.26\n", tag[:2]))
	w.write(path("m.go"),
		"// Package m leaks.\npackage m\n\n// What is known.\nconst (\n\tLeaks = true\n\tFixed = false\n)\n")
	w.write(path("m_test.go"), testText)
	w.write(path("CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n\n## ["+tag+"] - 2026-01-01\n\n- Something.\n")
	w.write(path(release.ProjectFile), fmt.Sprintf(projectText, homeserver))
	w.git("add", ".")
	w.git("commit", "--quiet", "-m", "Release "+tag)
	w.git("tag", "-a", "-m", tag, tag)
	w.publish(tag)
}

// fix commits the fix on the branches of v4 and v5.
func (w *world) fix() {
	w.t.Helper()
	for major, base := range map[string]string{"v4": "v4.7.13", "v5": "v5.6.0"} {
		w.git("checkout", "--quiet", "-b", "security/"+major, base)
		w.write(filepath.Join(w.clone, "m.go"),
			"// Package m is tight.\npackage m\n\n// What is known.\nconst (\n\tLeaks = false\n\tFixed = true\n)\n")
		w.git("commit", "--quiet", "-a", "-m", "Stop the leak")
	}
	w.git("checkout", "--quiet", "main")
}

// publish puts a tag into the module proxy, as the real one does when it is first asked for it.
func (w *world) publish(tag string) {
	w.t.Helper()
	v, err := release.ParseVersion(tag)
	if err != nil {
		w.t.Fatal(err)
	}
	path := release.ModulePath("example.org/m", v.Major())
	dir := filepath.Join(w.proxy, filepath.FromSlash(path), "@v")
	tree := filepath.Join(w.t.TempDir(), "tree")
	w.git("worktree", "add", "--quiet", "--detach", tree, tag)
	defer w.git("worktree", "remove", "--force", tree)
	var archive bytes.Buffer
	if err := modzip.CreateFromDir(&archive, module.Version{Path: path, Version: tag}, tree); err != nil {
		w.t.Fatal(err)
	}
	list, _ := os.ReadFile(filepath.Join(dir, "list")) // None is as good as an empty one.
	w.write(filepath.Join(dir, "list"), string(list)+tag+"\n")
	w.write(filepath.Join(dir, tag+".zip"), archive.String())
	w.write(filepath.Join(dir, tag+".mod"), w.git("show", tag+":go.mod")+"\n")
	w.write(filepath.Join(dir, tag+".info"), fmt.Sprintf(`{"Version":%q,"Time":"2026-11-22T12:00:00Z"}`, tag))
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// call runs the program in the clone, at a time that does not change.
func (w *world) call(args ...string) result {
	w.t.Helper()
	return call(w.t.Context(), w.clone, w.vars, args...)
}

func call(ctx context.Context, dir string, vars map[string]string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, env{
		args: args, stdout: &stdout, stderr: &stderr, dir: dir,
		getenv: func(key string) string { return vars[key] },
		now:    func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) },
	})
	return result{code, stdout.String(), stderr.String()}
}

// state is all that git has of the clone and the remote, and what is not disclosed yet.
func (w *world) state() string {
	w.t.Helper()
	text := w.git("for-each-ref") + w.git("status", "--porcelain") + w.git("worktree", "list") +
		w.git("ls-remote", "origin")
	files, err := filepath.Glob(filepath.Join(w.clone, ".git", "niobot-release", "*", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	return text + strings.Join(files, "\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("output differs from %s; run go test -update if it should:\n%s", path, got)
	}
}
