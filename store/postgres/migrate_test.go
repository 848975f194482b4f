package postgres_test

import (
	"os"
	"slices"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/postgres"
	"github.com/niobot/niobot/store/storetest"
)

// released are the digests of the migrations that were released. A line that stands here stays: who has a store has run
// it, and a change would not reach them. Changes of the schema are new migrations, and new lines.
var released = []string{
	"459cd8c8301ad64787846bedc920b338e2ae75e4a65b57d21bf1e610d84944cd",
}

func TestReleasedMigrationsStayAsTheyAre(t *testing.T) {
	if got := postgres.Digests(); !slices.Equal(got, released) {
		t.Errorf("the migrations have the digests %q, want %q", got, released)
	}
}

func TestAStoreOfVersion1IsTakenOver(t *testing.T) {
	schema := newSchema(t)
	text, err := os.ReadFile("testdata/v1.sql")
	if err != nil {
		t.Fatal(err)
	}
	query(t, "CREATE SCHEMA "+schema+"; SET search_path = "+schema+"; "+string(text))
	for range 2 {
		s := claimed(t, schema)
		for _, want := range []struct {
			table      niobot.Table
			key, value string
		}{
			{"sync", "token", "s72_1"}, {"state", "!\x00\xff", "\x00\xff"}, {"state", "!\xff", ""},
		} {
			got, ok, err := s.Get(t.Context(), want.table, want.key)
			if err != nil || !ok || string(got) != want.value {
				t.Errorf("%s %q = %q, %v, %v; want %q", want.table, want.key, got, ok, err, want.value)
			}
		}
		put(t, s, "k")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStoreThatIsNotOfThisVersionIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name, change string
		kind         error
		want         string
	}{
		{"newer", "UPDATE %s.niobot_meta SET value = '99' WHERE name = 'version'", niobot.ErrStoreNewer, "version 99"},
		{"none", "DELETE FROM %s.niobot_meta WHERE name = 'version'", niobot.ErrStoreCorrupt, "version"},
		{"below 1", "UPDATE %s.niobot_meta SET value = '0' WHERE name = 'version'", niobot.ErrStoreCorrupt, `"0"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema := newSchema(t)
			if err := claimed(t, schema).Release(); err != nil {
				t.Fatal(err)
			}
			queryf(t, tt.change, schema)
			s := open(t, schema)
			for range 2 {
				wantFault(t, s.Claim(t.Context(), storetest.Account), s, tt.kind, tt.want)
			}
		})
	}
}
