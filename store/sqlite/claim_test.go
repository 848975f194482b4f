package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
	"github.com/niobot/niobot/store/storetest"
)

// filled makes a store with records, and gives its claim back.
func filled(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "bot.db")
	s := claimed(t, path)
	for i := range 50 {
		put(t, s, strings.Repeat("k", i+1), bytes.Repeat([]byte{byte(i)}, 1000))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func claimed(t testing.TB, path string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s := open(t, path, options...)
	if err := s.Claim(t.Context(), storetest.Account); err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s niobot.Store, key string, value []byte) {
	t.Helper()
	if err := s.Commit(t.Context(), []niobot.Change{niobot.Put("t", key, value)}); err != nil {
		t.Fatal(err)
	}
}

// rewrite changes the bytes of a file.
func rewrite(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantFault holds an error to name the file, its kind and a cure.
func wantFault(t *testing.T, err error, path string, kind error, text string) {
	t.Helper()
	var fault *niobot.StoreError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a *niobot.StoreError", err)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %q is not %q", err, kind)
	}
	if fault.Store != path || fault.Cure == "" || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q (cure %q) does not name %s, %q and a cure", err, fault.Cure, path, text)
	}
}

func TestABadFileIsRefusedAndLeftAsItIs(t *testing.T) {
	other := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			script(t, path, text)
		}
	}
	bytesOf := func(f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) { rewrite(t, path, f) }
	}
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, path string)
		kind   error
		want   string
	}{
		{"empty", bytesOf(func([]byte) []byte { return nil }), niobot.ErrStoreCorrupt, "0 bytes"},
		{"some bytes", bytesOf(func(b []byte) []byte { return b[:99] }), niobot.ErrStoreCorrupt, "99 bytes"},
		{"cut off", bytesOf(func(b []byte) []byte { return b[:len(b)/2] }), niobot.ErrStoreCorrupt, "of its"},
		{"a byte short", bytesOf(func(b []byte) []byte { return b[:len(b)-1] }), niobot.ErrStoreCorrupt, "of its"},
		{
			"text", bytesOf(func([]byte) []byte { return bytes.Repeat([]byte("text\n"), 1000) }),
			niobot.ErrStoreCorrupt, "no SQLite database",
		},
		{
			"zeros", bytesOf(func(b []byte) []byte { return make([]byte, len(b)) }),
			niobot.ErrStoreCorrupt, "no SQLite database",
		},
		{
			"wrong page size", bytesOf(func(b []byte) []byte {
				binary.BigEndian.PutUint16(b[16:], 1000)
				return b
			}), niobot.ErrStoreCorrupt, "pages of 1000 bytes",
		},
		{
			"schema overwritten", bytesOf(func(b []byte) []byte {
				copy(b[100:4096], bytes.Repeat([]byte{0xaa}, 4096))
				return b
			}), niobot.ErrStoreCorrupt, "",
		},
		{
			"the file is gone, its log is not", func(t *testing.T, path string) {
				if err := errors.Join(os.Remove(path), os.WriteFile(path+"-wal", []byte("log"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}, niobot.ErrStoreCorrupt, "bot.db-wal",
		},
		{"another program's", other("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)"), nil, "another program"},
		{
			"without its tables", func(t *testing.T, path string) {
				script(t, path, "DROP TABLE niobot_meta")
			}, niobot.ErrStoreCorrupt, "tables are missing",
		},
		{
			"newer", func(t *testing.T, path string) {
				script(t, path, "UPDATE niobot_meta SET value = '99' WHERE name = 'version'")
			}, niobot.ErrStoreNewer, "version 99",
		},
		{
			"no version", func(t *testing.T, path string) {
				script(t, path, "DELETE FROM niobot_meta WHERE name = 'version'")
			}, niobot.ErrStoreCorrupt, "version",
		},
		{
			"a version below 1", func(t *testing.T, path string) {
				script(t, path, "UPDATE niobot_meta SET value = '0' WHERE name = 'version'")
			}, niobot.ErrStoreCorrupt, `"0"`,
		},
		{
			"a folder", func(t *testing.T, path string) {
				if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
					t.Fatal(err)
				}
			}, nil, "is no file",
		},
		{
			"a link to nothing", func(t *testing.T, path string) {
				if err := errors.Join(os.Remove(path), os.Symlink(path+"-missing", path)); err != nil {
					t.Skip(err)
				}
			}, nil, "a link to a file that is not there",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filled(t)
			tt.damage(t, path)
			before, _ := os.ReadFile(path) // Not where it is a folder or gone
			s := open(t, path)
			for range 2 {
				wantFault(t, s.Claim(t.Context(), storetest.Account), path, tt.kind, tt.want)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Errorf("the refused file was changed, from %d to %d bytes", len(before), len(after))
			}
		})
	}
}

func TestADamagedRecordIsAnErrorAndNoMissingOne(t *testing.T) {
	path := filled(t)
	rewrite(t, path, func(b []byte) []byte {
		for at := 3 * 4096; at < len(b); at += 4096 { // Beyond the schema and the tables' roots
			copy(b[at:at+100], bytes.Repeat([]byte{0xaa}, 100))
		}
		return b
	})
	s := claimed(t, path)
	_, ok, err := s.Get(t.Context(), "t", "kkk")
	wantFault(t, err, path, niobot.ErrStoreCorrupt, "")
	if ok {
		t.Error("the record is said to be there")
	}
	var failed error
	for _, err := range s.Scan(t.Context(), "t", "") {
		failed = err
	}
	wantFault(t, failed, path, niobot.ErrStoreCorrupt, "")
}

func TestAMissingFolderIsAnErrorUnlessItMayBeMade(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(folder, "bot.db")
	wantFault(t, open(t, path).Claim(t.Context(), storetest.Account), path, os.ErrNotExist, folder)
	claimed(t, path, sqlite.WithNewFolder())
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder that was made has %v, %v", info.Mode(), err)
	}
}

func TestAPathThatIsNoneIsRefusedByOpen(t *testing.T) {
	for _, path := range []string{"", ":memory:", "file:bot.db?mode=memory", "a\x00b"} {
		if _, err := sqlite.Open(path); err == nil {
			t.Errorf("Open takes %q", path)
		}
	}
}

func TestOpenTouchesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("in the folder is %v, %v", left, err)
	}
}

func TestNamesWithSpecialCharactersAreFiles(t *testing.T) {
	for _, name := range []string{"a b.db", "50%.db", "what?mode=memory", "a#b.db", "ä&ö.db", "%41.db"} {
		path := filepath.Join(t.TempDir(), name)
		put(t, claimed(t, path), "k", nil)
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestALinkHasTheLockOfItsTarget(t *testing.T) {
	path := filled(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	claimed(t, path)
	wantFault(t, open(t, link).Claim(t.Context(), storetest.Account), link, niobot.ErrStoreInUse, "WithStandby")
}

func TestAHalfMadeStoreIsMadeAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	for _, suffix := range []string{"-new", "-new-wal", "-new-shm"} {
		if err := os.WriteFile(path+suffix, []byte("left by a crash"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := claimed(t, path)
	put(t, s, "k", nil)
	if left, err := filepath.Glob(path + "-new*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestReleaseLeavesOneFileBesideTheLock(t *testing.T) {
	path := filled(t)
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 2 {
		t.Errorf("after Release there are %v, %v", left, err)
	}
	integrity(t, path)
}

func TestOtherToolsMayReadWhileItIsClaimed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := claimed(t, path)
	put(t, s, "k", nil)
	integrity(t, path)
	put(t, s, "l", nil)
	integrity(t, path)
}
