package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/release"
)

// cliff is a homeserver that, once armed, lets a sent message arrive and never answers.
type cliff struct {
	hs      *fakehs.Server
	armed   atomic.Bool
	arrived chan struct{}
}

func (c *cliff) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "/send/m.room.message/") || !c.armed.CompareAndSwap(true, false) {
		c.hs.ServeHTTP(w, r)
		return
	}
	c.hs.ServeHTTP(httptest.NewRecorder(), r)
	close(c.arrived)
	<-r.Context().Done()
}

// newRoom is a homeserver with the support room, in which the bot has the power for @room.
func newRoom(t *testing.T) (c *cliff, url, token string, bot id.UserID, room id.RoomID) {
	t.Helper()
	hs := fakehs.New(fakehs.Options{})
	c = &cliff{hs: hs, arrived: make(chan struct{})}
	server := httptest.NewServer(c)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
	})
	sessions := make(map[string]fakehs.Session)
	for _, name := range []string{"me", "bot"} {
		user, err := hs.Register(name, name)
		if err != nil {
			t.Fatal(err)
		}
		if sessions[name], err = hs.LogIn(user, ""); err != nil {
			t.Fatal(err)
		}
	}
	me, err := mautrix.NewClient(server.URL, sessions["me"].UserID, sessions["me"].Token)
	if err != nil {
		t.Fatal(err)
	}
	bot = sessions["bot"].UserID
	resp, err := me.CreateRoom(t.Context(), &mautrix.ReqCreateRoom{
		Preset: "public_chat", RoomAliasName: "m", Invite: []id.UserID{bot},
		PowerLevelOverride: &event.PowerLevelsEventContent{Users: map[id.UserID]int{me.UserID: 100, bot: 50}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := hs.SetMembership(bot, resp.RoomID, bot, "join"); err != nil {
		t.Fatal(err)
	}
	return c, server.URL, sessions["bot"].Token, bot, resp.RoomID
}

// TestDryRun is a whole urgent release: a fault in v5 and v4, planned, cut, pushed to a bare remote, published by a
// module proxy in a folder, seen by an old client, and announced in a room, once, though the tool is killed.
func TestDryRun(t *testing.T) {
	server, url, token, bot, room := newRoom(t)
	w := newWorld(t, url)
	w.fix()
	w.vars["NIOBOT_TOKEN"] = token

	before := w.git("ls-remote", "origin")
	cut := w.call(cutArgs...)
	if cut.code != 0 {
		t.Fatalf("cut: %+v", cut)
	}
	golden(t, "cut.txt", strings.ReplaceAll(cut.stdout, filepath.Join(w.clone, ".git"), ".git"))
	if w.git("ls-remote", "origin") != before {
		t.Error("something left the machine without --push")
	}
	if got := w.call("disclose", "GHSA-2c3f-4g5h-6j7m"); got.code != exitError ||
		!strings.Contains(got.stderr, "v5.6.1 is not on origin; v4.7.14 is not on origin") {
		t.Errorf("disclose before push: %+v", got)
	}
	push := w.call(append(cutArgs, "--push")...)
	if push.code != 0 {
		t.Fatalf("push: %+v", push)
	}
	golden(t, "cut-push.txt", push.stdout)
	if got := w.call("disclose", "GHSA-2c3f-4g5h-6j7m"); got.code != exitError ||
		!strings.Contains(got.stderr, "v5.6.1 is not in the module proxy; v4.7.14 is not") {
		t.Errorf("disclose before the module proxy has it: %+v", got)
	}
	if n := len(server.hs.Messages(room, bot)); n > 0 {
		t.Fatalf("%d messages before the disclosure", n)
	}
	w.publish("v5.6.1")
	w.publish("v4.7.14")
	oldClientSees(t, w)

	// The tool is killed when its announcement has arrived, before it knows.
	server.armed.Store(true)
	killed := startProgram(t, w, token, "disclose", "GHSA-2c3f-4g5h-6j7m")
	select {
	case <-server.arrived:
	case <-time.After(time.Minute):
		t.Fatal("the announcement did not arrive")
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Wait(); err == nil {
		t.Error("the tool ended in order, though it was killed")
	}
	for n, name := range []string{"disclose.txt", "disclose-again.txt"} {
		got := w.call("disclose", "GHSA-2c3f-4g5h-6j7m")
		if got.code != 0 {
			t.Fatalf("disclose, time %d: %+v", n, got)
		}
		golden(t, name, got.stdout)
	}
	messages := server.hs.Messages(room, bot)
	if len(messages) != 1 {
		t.Fatalf("%d announcements, want 1", len(messages))
	}
	content := messages[0].Content.AsMessage()
	if content.Mentions == nil || !content.Mentions.Room {
		t.Error("the announcement mentions nobody")
	}
	golden(t, "announcement.txt", content.Body+"\n")
	golden(t, "announcement.html", content.FormattedBody+"\n")
	for _, name := range []string{"GHSA-2c3f-4g5h-6j7m.md", "GHSA-2c3f-4g5h-6j7m.json"} {
		text, err := os.ReadFile(filepath.Join(w.clone, "docs", "advisories", name))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, withoutTime(string(text)))
	}
}

// withoutTime takes the time of the disclosure out: the first one was by a process with the real clock.
func withoutTime(text string) string {
	today := time.Now().UTC().Format(time.DateOnly)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := strings.Index(line, today); at >= 0 {
			lines[i] = line[:at] + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// oldClientSees asks the go command of a user with old versions.
func oldClientSees(t *testing.T, w *world) {
	t.Helper()
	dir := t.TempDir()
	w.write(filepath.Join(dir, "go.mod"),
		"module example.org/user\n\ngo 1.26\n\nrequire (\n\texample.org/m/v4 v4.7.13\n\texample.org/m/v5 v5.6.0\n)\n")
	client := release.Exec{Env: append(gitEnv(),
		"GOPROXY="+w.vars["GOPROXY"], "GOSUMDB=off", "GOFLAGS=-mod=mod -modcacherw",
		"GOMODCACHE="+filepath.Join(t.TempDir(), "mod"),
	)}
	out, err := client.Run(t.Context(), dir, "", "go", "list", "-m", "-u", "-retracted", "-json", "all")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for decoder := json.NewDecoder(strings.NewReader(out)); decoder.More(); {
		var m struct {
			Path, Version string
			Retracted     []string
			Update        *struct{ Version string }
		}
		if err := decoder.Decode(&m); err != nil {
			t.Fatal(err)
		}
		fixed := map[string]string{"example.org/m/v4": "v4.7.14", "example.org/m/v5": "v5.6.1"}[m.Path]
		if fixed == "" {
			continue
		}
		seen[m.Path] = true
		want := "[URGENT] GHSA-2c3f-4g5h-6j7m: It leaks; upgrade to " + fixed
		if len(m.Retracted) != 1 || m.Retracted[0] != want {
			t.Errorf("%s %s is retracted for %q, want %q", m.Path, m.Version, m.Retracted, want)
		}
		if m.Update == nil || m.Update.Version != fixed {
			t.Errorf("%s: the update is %+v, want %s", m.Path, m.Update, fixed)
		}
	}
	if len(seen) != 2 {
		t.Errorf("go list knows %v", seen)
	}
}

// startProgram starts the tool as a process of its own.
func startProgram(t *testing.T, w *world, token string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = w.clone
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Env = append(append(os.Environ(), gitEnv()...), asProgram+"=1", "NIOBOT_TOKEN="+token,
		"GOPROXY="+w.vars["GOPROXY"])
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the program printed: %s", output.String())
		}
	})
	return cmd
}
