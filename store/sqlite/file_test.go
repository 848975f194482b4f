package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
	"github.com/niobot/niobot/store/storetest"
)

// wantMode holds a file to a mode.
func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s has the mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
	}
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access is by lists there")
	}
	path := filepath.Join(t.TempDir(), "bot.db")
	put(t, claimed(t, path), "k", nil)
	for _, suffix := range []string{"", "-wal", "-shm", "-lock"} {
		wantMode(t, path+suffix, 0o600)
	}
}

func TestAFileThatOthersCouldReadIsMendedAndSaidSo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access is by lists there")
	}
	path := filled(t)
	for _, name := range []string{path, path + "-lock"} {
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var logged bytes.Buffer
	claimed(t, path, sqlite.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	wantMode(t, path, 0o600)
	wantMode(t, path+"-lock", 0o600)
	if n := strings.Count(logged.String(), "level=WARN"); n != 2 || !strings.Contains(logged.String(), path) {
		t.Errorf("%d warnings: %s", n, &logged)
	}
}

// commitUntil commits until an error comes, and returns it.
func commitUntil(t *testing.T, s niobot.Store) error {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if err := s.Commit(t.Context(), []niobot.Change{niobot.Put("t", "k", nil)}); err != nil {
			return err
		}
	}
	t.Fatal("commits go on")
	return nil
}

func TestAStoreThatIsMovedAwayIsLost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files can't be moved there")
	}
	for _, tt := range []struct {
		name string
		move func(path string) error
	}{
		{"deleted", os.Remove},
		{"moved", func(path string) error { return os.Rename(path, path+".old") }},
		{"replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		}},
		{"lock deleted", func(path string) error { return os.Remove(path + "-lock") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filled(t)
			s := claimed(t, path)
			put(t, s, "k", nil)
			if err := tt.move(path); err != nil {
				t.Fatal(err)
			}
			wantFault(t, commitUntil(t, s), path, niobot.ErrStoreLost, "")
			wantFault(t, s.Commit(t.Context(), nil), path, niobot.ErrStoreLost, "")
			_, _, err := s.Get(t.Context(), "t", "k")
			wantFault(t, err, path, niobot.ErrStoreLost, "")
		})
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := claimed(t, path)
	put(t, s, "before", []byte("1"))
	sqlite.LimitPages(t, s, 100)
	stored := 0
	commit := func(n int) error {
		return s.Commit(t.Context(), []niobot.Change{
			niobot.Put("t", fmt.Sprintf("a%04d", n), bytes.Repeat([]byte{byte(n)}, 3000)),
			niobot.Delete("t", "none"), // So that it is a transaction of several statements
			niobot.Put("t", fmt.Sprintf("b%04d", n), bytes.Repeat([]byte{byte(n)}, 3000)),
		})
	}
	var err error
	for err == nil {
		if err = commit(stored); err == nil {
			stored++
		}
	}
	wantFault(t, err, path, niobot.ErrStoreFull, "")
	for range 3 { // It stays usable, and full
		wantFault(t, commit(stored), path, niobot.ErrStoreFull, "")
		big := []niobot.Change{niobot.Put("t", "big", make([]byte, 100_000))} // One statement
		wantFault(t, s.Commit(t.Context(), big), path, niobot.ErrStoreFull, "")
	}
	check := func(want int) {
		t.Helper()
		n := 0
		for _, err := range s.Scan(t.Context(), "t", "") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 2*want+1 {
			t.Errorf("%d records are there, want %d", n, 2*want+1)
		}
	}
	check(stored)
	sqlite.LimitPages(t, s, 1<<20)
	if err := commit(stored); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	check(stored + 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	integrity(t, path)
}

// claimUnprivileged claims a store in a process that is not root's, and returns what it says. The path, and all above,
// must be open to it.
func claimUnprivileged(t *testing.T, path string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if os.Geteuid() == 0 {
		if runtime.GOOS != "linux" {
			t.Skip("root may write everywhere")
		}
		// By this name it can be run where its own folder is closed to others.
		cmd = exec.Command("/proc/self/exe")
		cmd.SysProcAttr = asNobody()
	}
	cmd.Env = append(os.Environ(), claimVariable+"="+path)
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestWhatCannotBeWrittenToIsSaidToBeReadOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access is by lists there")
	}
	for _, tt := range []struct {
		name         string
		folder, file os.FileMode
		existing     bool
	}{
		{"new in a closed folder", 0o555, 0, false},
		{"closed folder", 0o555, 0o666, true},
		{"closed file", 0o777, 0o444, true},
		{"closed both", 0o555, 0o444, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filled(t)
			folder := filepath.Dir(path)
			var err error
			if tt.existing {
				err = errors.Join(os.Chmod(path, tt.file), os.Chmod(path+"-lock", 0o666))
			} else {
				err = errors.Join(os.Remove(path), os.Remove(path+"-lock"))
			}
			if err := errors.Join(err, os.Chmod(filepath.Dir(folder), 0o755), os.Chmod(folder, tt.folder)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
			said := claimUnprivileged(t, path)
			if os.Geteuid() != 0 && tt.folder == 0o777 {
				return // The owner may open the file to itself
			}
			if !strings.Contains(said, path) ||
				!strings.Contains(said, niobot.ErrStoreReadOnly.Error()) && !strings.Contains(said, "others can read") {
				t.Errorf("it says %q", said)
			}
		})
	}
}

// claimVariable has TestMain claim the store that it names, and say what comes of it.
const claimVariable = "NIOBOT_SQLITE_CLAIM"

func claimAndSay() {
	path := os.Getenv(claimVariable)
	if path == "" {
		return
	}
	s, err := sqlite.Open(path)
	if err == nil {
		err = s.Claim(context.Background(), storetest.Account)
	}
	fmt.Println(err)
	os.Exit(0)
}
