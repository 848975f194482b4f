package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
	"github.com/niobot/niobot/store/storetest"
)

func TestMain(m *testing.M) {
	claimAndSay()
	storetest.Child(func(address string) (niobot.Store, error) { return sqlite.Open(address) })
	os.Exit(m.Run())
}

// open gives a handle that is closed when the test ends.
func open(t testing.TB, path string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// integrity has SQLite itself look at the file.
func integrity(t testing.TB, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check says %q, %v", verdict, err)
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		path := filepath.Join(t.TempDir(), "bot.db")
		return storetest.Subject{
			Address: path,
			Open:    func(t testing.TB) niobot.Store { return open(t, path) },
			Check:   func(t testing.TB) { integrity(t, path) },
		}
	})
}
