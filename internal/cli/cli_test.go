package cli_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/cli"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// run runs the program with the environment variables, each a key and a value.
func run(t *testing.T, stdin string, args []string, vars ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(t.Context(), cli.Env{
		Args: args, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Getenv: variables(vars),
	})
	return result{code, out.String(), errs.String()}
}

func variables(vars []string) func(string) string {
	return func(key string) string {
		for i := 0; i+1 < len(vars); i += 2 {
			if vars[i] == key {
				return vars[i+1]
			}
		}
		return ""
	}
}

func TestHelp(t *testing.T) {
	tests := []struct {
		golden string
		args   [][]string
	}{
		{"help.txt", [][]string{{"help"}, {"-h"}, {"--help"}, {"-help"}}},
		{"help-demo.txt", [][]string{{"help", "demo"}, {"demo", "-h"}, {"demo", "--help"}}},
		{"help-run.txt", [][]string{{"help", "run"}, {"run", "-h"}}},
		{"help-keys.txt", [][]string{{"help", "keys"}, {"keys", "-h"}, {"keys", "export", "--help"}}},
		{"help-devices.txt", [][]string{{"help", "devices"}, {"devices", "-h"}}},
		{"help-version.txt", [][]string{{"help", "version"}, {"version", "-h"}}},
		{"help-help.txt", [][]string{{"help", "help"}, {"help", "-h"}}},
	}
	for _, tt := range tests {
		for _, args := range tt.args {
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				got := run(t, "", args)
				if got.code != 0 || got.stderr != "" {
					t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
				}
				golden(t, tt.golden, got.stdout)
			})
		}
	}
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

// The usage text is written by hand: every flag that it names has to exist.
func TestHelpNamesTheFlagsThatExist(t *testing.T) {
	for _, args := range [][]string{
		{"demo", "--own-bot", "--log-level", "info", "surplus"},
		{"run", "--homeserver", "x", "--prefix", "?", "--owner", "@a:b", "--log-level", "debug", "--store", "x", "--standby",
			"--encrypt", "--recovery-key-file", "x", "--reset-identity", "surplus"},
		{"keys", "export", "--homeserver", "x", "--store", "x", "--recovery-key-file", "x", "--log-level", "debug", "x", "surplus"},
		{"devices", "--homeserver", "x", "--store", "x", "--sign-out", "x", "--sign-out-others",
			"--recovery-key-file", "x", "--log-level", "debug", "surplus"},
	} {
		got := run(t, "", args)
		if want := `niobot: unexpected argument "surplus"`; !strings.HasPrefix(got.stderr, want) {
			t.Errorf("%q: got %q, want %q", args, got.stderr, want)
		}
	}
}

func TestWrongCommandLine(t *testing.T) {
	token := []string{"NIOBOT_TOKEN", "secret"}
	tests := []struct {
		name string
		args []string
		want string // At the start of standard error
		help string // The usage that follows
	}{
		{"nothing", nil, "niobot: a command is needed\n", "niobot <command>"},
		{"unknown command", []string{"dmeo"}, "niobot: unknown command \"dmeo\"\n", "niobot <command>"},
		{"help for an unknown command", []string{"help", "x"}, "niobot: unknown command \"x\"\n", "niobot <command>"},
		{"help for two commands", []string{"help", "run", "demo"}, "niobot: unexpected argument \"demo\"\n", "niobot help"},
		{"help with a flag", []string{"help", "--x"}, "niobot: flag provided but not defined: -x\n", "niobot help"},
		{"unknown flag", []string{"demo", "--x"}, "niobot: flag provided but not defined: -x\n", "niobot demo"},
		{"wrong level", []string{"demo", "--log-level", "loud"}, "niobot: invalid value \"loud\" for flag -log-level", "niobot demo"},
		{"surplus", []string{"version", "x"}, "niobot: unexpected argument \"x\"\n", "niobot version"},
		{"no homeserver", []string{"run"}, "niobot: --homeserver is needed\n", "niobot run"},
		{"token in an argument", []string{"run", "--token", "secret"}, "niobot: flag provided but not defined: -token\n", "niobot run"},
		{"wrong homeserver", []string{"run", "--homeserver", "ftp://x"},
			"niobot: --homeserver: \"ftp://x\" has the scheme \"ftp\"", "niobot run"},
		{"wrong owner", []string{"run", "--homeserver", "x", "--owner", "me"}, "niobot: --owner: \"me\" ", "niobot run"},
		{"wrong prefix", []string{"run", "--homeserver", "x", "--prefix", " "}, "niobot: --prefix: \" \" ", "niobot run"},
		{"encryption without a store", []string{"run", "--homeserver", "x", "--encrypt"}, "niobot: --encrypt needs --store", "niobot run"},
		{"standby without a store", []string{"run", "--homeserver", "x", "--standby"}, "niobot: --standby needs --store", "niobot run"},
		{"reset without encryption", []string{"run", "--homeserver", "x", "--store", "x", "--reset-identity"},
			"niobot: --reset-identity needs --encrypt", "niobot run"},
		{"no keys command", []string{"keys"}, "niobot: export or import is needed\n", "niobot keys"},
		{"unknown keys command", []string{"keys", "copy", "x"}, "niobot: unknown keys command \"copy\"\n", "niobot keys"},
		{"keys without a file", []string{"keys", "import"}, "niobot: a file is needed\n", "niobot keys"},
		{"keys with two files", []string{"keys", "import", "a", "--store", "x", "b"},
			"niobot: unexpected argument \"b\"\n", "niobot keys"},
		{"keys with an unknown flag", []string{"keys", "import", "--x", "a"},
			"niobot: flag provided but not defined: -x\n", "niobot keys"},
		{"keys without a store", []string{"keys", "export", "--homeserver", "x", "a"}, "niobot: --store is needed\n", "niobot keys"},
		{"devices without a store", []string{"devices", "--homeserver", "x"}, "niobot: --store is needed\n", "niobot devices"},
		{"devices without a homeserver", []string{"devices", "--store", "x"}, "niobot: --homeserver is needed\n", "niobot devices"},
		{"devices signed out in two ways", []string{"devices", "--sign-out", "A", "--sign-out-others"},
			"niobot: --sign-out and --sign-out-others can't be together\n", "niobot devices"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, "", tt.args, token...)
			if got.code != 2 || got.stdout != "" {
				t.Errorf("exit code %d, want 2; standard output %q, want none", got.code, got.stdout)
			}
			if !strings.HasPrefix(got.stderr, tt.want) || !strings.Contains(got.stderr, "\nUsage: "+tt.help) {
				t.Errorf("standard error %q, want %q and the usage of %s", got.stderr, tt.want, tt.help)
			}
			if strings.Contains(got.stderr, "secret") && tt.name != "token in an argument" {
				t.Errorf("the token is shown: %q", got.stderr)
			}
		})
	}
}

// All that is wrong is told at once.
func TestWrongCommandLineTellsAll(t *testing.T) {
	got := run(t, "", []string{"run", "--homeserver", "ftp://x", "--owner", "me"}, "NIOBOT_TOKEN", "secret")
	if !strings.Contains(got.stderr, "--homeserver:") || !strings.Contains(got.stderr, "--owner:") {
		t.Errorf("standard error %q, want both mistakes", got.stderr)
	}
}

func TestMissingTokenSaysHowToGetOne(t *testing.T) {
	for _, vars := range [][]string{nil, {"NIOBOT_TOKEN", ""}, {"NIOBOT_TOKEN", " \n"}} {
		got := run(t, "", []string{"run", "--homeserver", "https://matrix.example.org"}, vars...)
		if got.code != 1 {
			t.Errorf("exit code %d, want 1", got.code)
		}
		for _, want := range []string{"NIOBOT_TOKEN is not set", "Access Token", "read -rs NIOBOT_TOKEN"} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("standard error %q, want %q in it", got.stderr, want)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		got := run(t, "", []string{arg})
		if got.code != 0 || !strings.HasPrefix(got.stdout, "niobot ") || !strings.Contains(got.stdout, "\ngo1.") {
			t.Errorf("%s: exit code %d, %q", arg, got.code, got.stdout)
		}
	}
}

func TestEndOfContextIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	code := cli.Main(ctx, cli.Env{
		Args: []string{"demo"}, Stdin: strings.NewReader("!ping\n"), Stdout: &out, Stderr: &errs, Getenv: variables(nil),
	})
	if code != 0 || errs.Len() > 0 {
		t.Errorf("exit code %d, standard error %q", code, errs.String())
	}
}
