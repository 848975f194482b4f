//go:build goolm

package cli_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/cli"
	"github.com/niobot/niobot/internal/fakehs"
)

// ranOnce is the folder of a bot that has run with encryption, and has written into an encrypted room.
func ranOnce(t *testing.T, hs *fakehs.Server, bot fakehs.Session) string {
	t.Helper()
	folder := t.TempDir()
	alice := register(t, hs, "alice")
	room, err := hs.NewRoom(alice, "private_chat", bot.UserID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hs.SendState(alice, room, event.StateEncryption, "",
		&event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}); err != nil {
		t.Fatal(err)
	}
	p := launch(t, false, encrypted(hs, folder), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	if _, err := hs.SendText(alice, room, "!ping"); err != nil {
		t.Fatal(err)
	}
	await(t, hs, room, func(e *event.Event) bool { return e.Sender == bot.UserID && e.Type == event.EventEncrypted })
	if code := p.stop(); code != 0 {
		t.Fatalf("exit code %d, standard error %q", code, p.errs)
	}
	return folder
}

func TestKeysThereAndBack(t *testing.T) {
	hs, bot := homeserver(t)
	folder := ranOnce(t, hs, bot)
	store, path := filepath.Join(folder, "bot.db"), filepath.Join(folder, "keys.txt")
	vars := []string{"NIOBOT_TOKEN", bot.Token, "NIOBOT_PASSPHRASE", "a passphrase"}
	got := run(t, "", []string{"keys", "export", path, "--homeserver", hs.URL(), "--store", store}, vars...)
	if want := "1 key exported to " + path + "\n"; got.code != 0 || got.stdout != want || got.stderr != "" {
		t.Fatalf("got %+v, want %q", got, want)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(data), "-----BEGIN MEGOLM SESSION DATA-----") {
		t.Errorf("the file is %.40q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	args := []string{"keys", "import", "--homeserver", hs.URL(), "--store", store, path}
	if got, want := run(t, "", args, vars...), "1 key imported from "+path+"\n"; got.code != 0 || got.stdout != want {
		t.Errorf("got %+v, want %q", got, want)
	}

	for _, tt := range []struct {
		name string
		args []string
		vars []string
		want string
	}{
		{"the file is there", []string{"keys", "export", path}, vars, "is there already; name a new file"},
		{"no passphrase", []string{"keys", "import", path}, vars[:2], "NIOBOT_PASSPHRASE is not set"},
		{"wrong passphrase", []string{"keys", "import", path}, []string{"NIOBOT_TOKEN", bot.Token, "NIOBOT_PASSPHRASE", "x"},
			"the passphrase is wrong"},
		{"no such file", []string{"keys", "import", path + "x"}, vars, "no such file"},
		{"not an export", []string{"keys", "import", filepath.Join(folder, "bot.db-recovery-key")}, vars, "is not an export of keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(t, "", append(tt.args, "--homeserver", hs.URL(), "--store", store), tt.vars...)
			if got.code != 1 || !strings.Contains(got.stderr, tt.want) {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestPassphraseIsAskedForAtTheTerminal(t *testing.T) {
	hs, bot := homeserver(t)
	folder := ranOnce(t, hs, bot)
	path := filepath.Join(folder, "keys.txt")
	ask := func(what string, typed ...string) result {
		var out, errs bytes.Buffer
		code := cli.Main(t.Context(), cli.Env{
			Args:   []string{"keys", what, "--homeserver", hs.URL(), "--store", filepath.Join(folder, "bot.db"), path},
			Stdin:  strings.NewReader(""),
			Stdout: &out, Stderr: &errs, Getenv: variables([]string{"NIOBOT_TOKEN", bot.Token}),
			ReadSecret: func(string) (string, error) {
				if len(typed) == 0 {
					return "", errors.New("the terminal is gone")
				}
				next := typed[0]
				typed = typed[1:]
				return next, nil
			},
		})
		return result{code, out.String(), errs.String()}
	}
	for _, tt := range []struct {
		name  string
		typed []string
		want  string
	}{
		{"empty", []string{""}, "the passphrase is empty"},
		{"not the same", []string{"one", "two"}, "the two passphrases are not the same"},
		{"gone", nil, "the terminal is gone"},
		{"gone half way", []string{"one"}, "the terminal is gone"},
	} {
		if got := ask("export", tt.typed...); got.code != 1 || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s: got %+v", tt.name, got)
		}
	}
	if got := ask("export", "one", "one"); got.code != 0 {
		t.Errorf("got %+v", got)
	}
	if got := ask("import", "one"); got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestDevices(t *testing.T) {
	hs := fakehs.New(fakehs.Options{})
	t.Cleanup(func() { hs.Close() })
	if _, err := hs.Listen(); err != nil {
		t.Fatal(err)
	}
	user, err := hs.Register("bot", "the password")
	if err != nil {
		t.Fatal(err)
	}
	bot, err := hs.LogIn(user, "")
	if err != nil {
		t.Fatal(err)
	}
	folder := ranOnce(t, hs, bot)
	for _, device := range []id.DeviceID{"OLD", "O\x1b[2JLDER"} {
		if _, err := hs.LogIn(user, device); err != nil {
			t.Fatal(err)
		}
	}
	devices := func(password string, more ...string) result {
		t.Helper()
		args := append([]string{"devices", "--homeserver", hs.URL(), "--store", filepath.Join(folder, "bot.db")}, more...)
		return run(t, "", args, "NIOBOT_TOKEN", bot.Token, "NIOBOT_PASSWORD", password)
	}
	got := devices("")
	lines := strings.Split(got.stdout, "\n")
	own := regexp.MustCompile(`^` + string(bot.DeviceID) + ` .*\(this bot\) .* [\w+/]{4} [\w+/]{4} `)
	if got.code != 0 || len(lines) != 5 || !strings.HasPrefix(lines[0], "DEVICE ") || !own.MatchString(lines[1]) {
		t.Errorf("got %+v", got)
	}
	if !strings.Contains(got.stdout, "OLD  ") || !strings.Contains(got.stdout, "O�[2JLDER") {
		t.Errorf("the other devices are not in\n%s", got.stdout)
	}
	if got := devices("", "--sign-out", "OLD"); got.code != 1 ||
		!strings.Contains(got.stderr, "set NIOBOT_PASSWORD") {
		t.Errorf("without a password, got %+v", got)
	}
	if got := devices("wrong", "--sign-out", "OLD"); got.code != 1 || !strings.Contains(got.stderr, "look at NIOBOT_PASSWORD") {
		t.Errorf("with a wrong password, got %+v", got)
	}
	if got := devices("the password", "--sign-out", "OLD"); got.code != 0 || got.stdout != "signed out OLD\n" {
		t.Errorf("got %+v", got)
	}
	if got := devices("the password", "--sign-out-others"); got.code != 0 || got.stdout != "signed out O�[2JLDER\n" {
		t.Errorf("got %+v", got)
	}
	if got := devices("", "--sign-out-others"); got.code != 0 || got.stdout != "there are no other devices\n" {
		t.Errorf("got %+v", got)
	}
	if left := hs.Devices(user); len(left) != 1 || left[0] != bot.DeviceID {
		t.Errorf("%v are left", left)
	}
	if got := devices("", "--sign-out", string(bot.DeviceID)); got.code != 1 || !strings.Contains(got.stderr, "own device") {
		t.Errorf("got %+v", got)
	}
}

// What is in use, missing or somebody else's is told with what helps.
func TestStoreErrorsSayWhatHelps(t *testing.T) {
	hs, bot := homeserver(t)
	folder := t.TempDir()
	store := filepath.Join(folder, "bot.db")
	server := []string{"--homeserver", hs.URL(), "--store"}
	p := launch(t, false, encrypted(hs, folder), "NIOBOT_TOKEN", bot.Token)
	p.sees("running as")
	other, err := hs.LogIn(register(t, hs, "other"), "")
	if err != nil {
		t.Fatal(err)
	}
	again, err := hs.LogIn(bot.UserID, "")
	if err != nil {
		t.Fatal(err)
	}
	wants := func(name, want string, token string, args ...string) {
		t.Helper()
		got := run(t, "", args, "NIOBOT_TOKEN", token)
		if got.code != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: got %+v, want %q", name, got, want)
		}
	}
	wants("run twice", "stop the other process, or start this one with --standby", bot.Token,
		append([]string{"run"}, append(server, store)...)...)
	wants("devices while it runs", "is in use by another process; stop the bot first", bot.Token,
		append([]string{"devices"}, append(server, store)...)...)
	standby := launch(t, false, encrypted(hs, folder, "--standby"), "NIOBOT_TOKEN", bot.Token)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d, standard error %q", code, p.errs)
	}
	standby.sees("running as")
	if code := standby.stop(); code != 0 {
		t.Errorf("exit code %d, standard error %q", code, standby.errs)
	}
	wants("another account", "give each account and device a store of its own", other.Token,
		append([]string{"run"}, append(server, store)...)...)
	wants("no store to export", "is not there; name the one that the bot was run with", bot.Token,
		append([]string{"keys", "export", "x"}, append(server, store+"x")...)...)
	wants("no folder", "make the folder, or mount its disk", bot.Token,
		append([]string{"run"}, append(server, filepath.Join(folder, "a", "b.db"))...)...)
	wants("no recovery key", "put the recovery key into "+store+"2-recovery-key, or lose both with run --reset-identity", again.Token,
		append([]string{"run", "--encrypt"}, append(server, store+"2")...)...)
}
