package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/release"
)

var cutArgs = []string{
	"cut", "--id", "GHSA-2c3f-4g5h-6j7m", "--summary", "It leaks", "--affected", "v3, v4, v5",
	"--credit", "Alice <@alice:example.org>",
}

// The subcommands that read, on the policy's own example.
func TestGoldenOutput(t *testing.T) {
	w := newWorld(t, "http://localhost:1")
	w.git("tag", "nightly")
	for _, tt := range []struct {
		golden string
		args   []string
	}{
		{"help.txt", []string{"-h"}},
		{"support.txt", []string{"support", "v4.6.3"}},
		{"support-old.txt", []string{"support", "v3.9.9"}},
		{"support-proxy.txt", []string{"support", "--proxy", "v5.2.7"}},
		{"support.json", []string{"support", "--json", "v3.9.9"}},
		{"plan.txt", []string{"plan", "--affected", "v3, v4, v5.2.7, v5.6.0"}},
		{"plan.json", []string{"plan", "--json", "--affected", "v4.6.3, v5.6.0"}},
		{"plan-none.txt", []string{"plan", "--affected", "v3"}},
		{"policy.txt", []string{"policy"}},
		{"policy-check.txt", []string{"policy", "--check"}},
	} {
		t.Run(tt.golden, func(t *testing.T) {
			got := w.call(tt.args...)
			if got.code != 0 {
				t.Errorf("exit code %d: %s", got.code, got.stderr)
			}
			golden(t, tt.golden, got.stdout)
		})
	}
	if got := w.call("support", "v4.6.3"); got.stderr != "release: tag nightly is no version and is passed over\n" {
		t.Errorf("standard error %q", got.stderr)
	}
	text, err := os.ReadFile(filepath.Join(w.clone, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "SECURITY.md", string(text))
	if err := os.WriteFile(filepath.Join(w.clone, "SECURITY.md"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := w.call("policy", "--check"); got.code != 1 ||
		got.stderr != "release: SECURITY.md is not up to date; run: go tool release policy\n" {
		t.Errorf("%+v", got)
	}
}

func TestChecksumsOutput(t *testing.T) {
	got := call(t.Context(), ".", nil, "checksums", "testdata/abc")
	if got.code != 0 {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	golden(t, "checksums.txt", got.stdout)
}

// Every use of a program's own bill gives other modules when dependencies change; what surrounds them stays.
func TestSBOMOutput(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/p\n\ngo 1.26\n",
		"main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goCommand := release.Exec{Env: gitEnv()}
	if _, err := goCommand.Run(t.Context(), dir, "", "go", "build", "-trimpath", "-buildvcs=false", "-o", program,
		"."); err != nil {
		t.Fatal(err)
	}
	got := call(t.Context(), ".", nil, "sbom", program)
	if got.code != 0 {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	golden(t, "sbom.txt", withoutMachine(got.stdout))
}

// withoutMachine takes out what depends on the Go that runs the test, and on the machine.
func withoutMachine(text string) string {
	var kept []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		switch line := lines[i]; {
		case strings.Contains(line, `"content": "`):
			kept = append(kept, line[:strings.Index(line, `: "`)]+`: "…"`)
		case strings.Contains(line, `"name": "go:`) && !strings.Contains(line, "-trimpath"):
			// A property is a brace, a name, a value and a brace.
			kept = kept[:len(kept)-1]
			i += 2
		case strings.Contains(line, "golang/std@"):
			kept = append(kept, line[:strings.Index(line, "@")]+`@…",`)
		case strings.Contains(line, `"version": "1.`):
			kept = append(kept, line[:strings.Index(line, "1.")]+`…",`)
		default:
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestEveryCommandHasAUsage(t *testing.T) {
	for _, c := range commands() {
		got := call(t.Context(), ".", nil, c.name, "-h")
		if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "Usage: go tool release "+c.name) {
			t.Errorf("%s: %+v", c.name, got)
		}
		if !strings.Contains(mainUsage, "\n  "+c.name+" ") {
			t.Errorf("%s is not in the list of commands", c.name)
		}
	}
}

func TestWrongCommandLine(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "release: a command is needed\n"},
		{"banana", `release: unknown command "banana"`},
		{"support", "release: a version is needed\n"},
		{"support v1.0.0 v2.0.0", `release: unexpected argument "v2.0.0"`},
		{"plan", "release: --affected is needed\n"},
		{"plan --affcted v1", "release: flag provided but not defined: -affcted"},
		{"cut --id GHSA-2c3f-4g5h-6j7m", "release: --id, --summary and --affected are needed\n"},
		{"cut --credit <", `release: invalid value "<" for flag -credit`},
		{"disclose", "release: the id of an advisory is needed\n"},
		{"policy x", `release: unexpected argument "x"`},
		{"sbom", "release: a program is needed\n"},
		{"checksums", "release: a file is needed\n"},
	} {
		got := call(t.Context(), ".", nil, strings.Fields(tt.args)...)
		if got.code != exitUsage || !strings.HasPrefix(got.stderr, tt.want) ||
			!strings.Contains(got.stderr, "\nUsage: ") || got.stdout != "" {
			t.Errorf("%q: %+v", tt.args, got)
		}
	}
}

// A wrong range, an unknown tag, a tag that is no version, an empty history: a clear error, nothing written.
func TestRefusals(t *testing.T) {
	w := newWorld(t, "FILL IN: homeserver")
	w.fix()
	cut := func(affected string) []string {
		args := append([]string{}, cutArgs...)
		args[6] = affected
		return args
	}
	refuses := func(name string, args []string, want string) {
		t.Helper()
		before := w.state()
		got := w.call(args...)
		if got.code != exitError || got.stdout != "" || !strings.HasPrefix(got.stderr, "release: "+want) {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
		if w.state() != before {
			t.Errorf("%s: something was written", name)
		}
	}
	for _, args := range [][]string{{"plan", "--affected"}, {"cut"}} {
		with := func(affected string) []string {
			if args[0] == "cut" {
				return cut(affected)
			}
			return append(append([]string{}, args...), affected)
		}
		refuses("a wrong range", with("banana"), `range "banana": "banana" is no version`)
		refuses("an empty range", with(">=v5.0.0 <v4.0.0"),
			`range ">=v5.0.0 <v4.0.0": there is no v5.0.0; the newest v5 is v5.6.0`)
		refuses("an unknown tag", with("v4.7.14"), `range "v4.7.14": there is no v4.7.14; the newest v4 is v4.7.13`)
	}
	refuses("support of no version", []string{"support", "nightly"}, `"nightly" is no version`)
	refuses("support of an unknown tag", []string{"support", "v4.7.14"},
		"there is no v4.7.14; the newest v4 is v4.7.13")
	refuses("push with placeholders", append(cut("v4"), "--push"), "fill in homeserver in release/project.toml first")
	refuses("disclosing with placeholders", []string{"disclose", "GHSA-2c3f-4g5h-6j7m"},
		"fill in homeserver in release/project.toml first")
	w.vars["NIOBOT_TOKEN"] = ""
	refuses("disclosing without a token", []string{"disclose", "GHSA-2c3f-4g5h-6j7m"}, "NIOBOT_TOKEN is not set")
	w.vars["GOPROXY"] = "off"
	refuses("disclosing without a proxy", []string{"disclose", "GHSA-2c3f-4g5h-6j7m"}, "no module proxy can be asked")

	w.git("tag", "v4.8")
	refuses("a tag that is no version", []string{"support", "v4.6.3"}, `tag: "v4.8" is no version`)
	refuses("a tag that is no version", []string{"plan", "--affected", "v4"}, `tag: "v4.8" is no version`)
	refuses("a tag that is no version", cut("v4"), `tag: "v4.8" is no version`)
	for tag := range strings.FieldsSeq(w.git("tag")) {
		w.git("tag", "-d", tag)
	}
	refuses("an empty history", []string{"support", "v4.6.3"}, "no version was released yet")
	refuses("an empty history", []string{"plan", "--affected", "v4"}, "no version was released yet")
	refuses("an empty history", cut("v4"), "no version was released yet")
	if got := call(t.Context(), t.TempDir(), nil, "policy"); got.code != exitError ||
		!strings.Contains(got.stderr, "not a git repository") {
		t.Errorf("outside of a clone: %+v", got)
	}
}

// With --push, what the remote has is looked at before anything is made.
func TestCutPushLooksFirst(t *testing.T) {
	w := newWorld(t, "http://localhost:1")
	w.fix()
	w.git("push", "--quiet", "origin", "main:refs/tags/v4.7.14")
	before := w.state()
	got := w.call(append(cutArgs, "--push")...)
	if want := "release: origin has v4.7.14, which this clone has not: fetch, and plan again\n"; got.code != exitError ||
		got.stderr != want {
		t.Errorf("%+v, want %s", got, want)
	}
	if w.state() != before {
		t.Error("something was written")
	}
}

func TestClock(t *testing.T) {
	set := clock(func(key string) string {
		if key == "SOURCE_DATE_EPOCH" {
			return "1700000000"
		}
		return ""
	})
	if got := set(); !got.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("got %s", got)
	}
	if got := clock(func(string) string { return "" })(); time.Since(got).Abs() > time.Minute {
		t.Errorf("without SOURCE_DATE_EPOCH: %s", got)
	}
}
