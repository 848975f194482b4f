package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
	"github.com/niobot/niobot/store/storetest"
)

// released are the digests of the migrations that were released. A line that stands here stays: who has a store has run
// it, and a change would not reach them. Changes of the schema are new migrations, and new lines.
var released = []string{
	"fa332624eb80f370c5912f519b74620931c8105ec29a7492d5f5a1d92f161747",
}

func TestReleasedMigrationsStayAsTheyAre(t *testing.T) {
	if got := sqlite.Digests(); !slices.Equal(got, released) {
		t.Errorf("the migrations have the digests %q, want %q", got, released)
	}
}

// script makes a database by SQL, without niobot.
func script(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

// fixture makes a store as a released version left it.
func fixture(t *testing.T, name string) (path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "bot.db")
	script(t, path, string(text))
	return path
}

func TestAStoreOfVersion1IsTakenOver(t *testing.T) {
	path := fixture(t, "v1.sql")
	for range 2 {
		s := open(t, path)
		if err := s.Claim(t.Context(), storetest.Account); err != nil {
			t.Fatal(err)
		}
		for _, want := range []struct{ table, key, value string }{
			{"sync", "token", "s72_1"}, {"state", "!\x00\xff", "\x00\xff"}, {"state", "!\xff", ""},
		} {
			got, ok, err := s.Get(t.Context(), niobot.Table(want.table), want.key)
			if err != nil || !ok || string(got) != want.value {
				t.Errorf("%s %q = %q, %v, %v; want %q", want.table, want.key, got, ok, err, want.value)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	integrity(t, path)
}
