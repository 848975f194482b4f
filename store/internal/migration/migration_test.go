package migration_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/niobot/niobot/store/internal/migration"
)

func folder(names ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range names {
		files["m/"+name] = &fstest.MapFile{Data: []byte("-- " + name)}
	}
	return files
}

func TestStepsAreReadInOrder(t *testing.T) {
	steps, err := migration.Load(folder("0002_more.sql", "0001_records.sql"), "m")
	if err != nil {
		t.Fatal(err)
	}
	want := []migration.Step{
		{Version: 1, Name: "records", SQL: "-- 0001_records.sql"},
		{Version: 2, Name: "more", SQL: "-- 0002_more.sql"},
	}
	if len(steps) != 2 || steps[0] != want[0] || steps[1] != want[1] {
		t.Errorf("got %+v, want %+v", steps, want)
	}
	if a, b := steps[0].Digest(), steps[1].Digest(); a == b || len(a) != 64 {
		t.Errorf("digests %q and %q", a, b)
	}
}

func TestAFolderWithAFaultIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"a gap", folder("0001_a.sql", "0003_b.sql"), "step 2 was to come"},
		{"a number twice", folder("0001_a.sql", "0001_b.sql"), "0001_b.sql: step 2"},
		{"begun late", folder("0002_a.sql"), "step 1 was to come"},
		{"no number", folder("a.sql"), "0001_name.sql"},
		{"no name", folder("0001.sql"), "0001_name.sql"},
		{"short number", folder("1_a.sql"), "0001_name.sql"},
		{"no folder", fstest.MapFS{}, "m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := migration.Load(tt.files, "m"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to speak of %q", err, tt.want)
			}
		})
	}
}
