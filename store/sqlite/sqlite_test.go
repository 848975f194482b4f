package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/sqlite"
)

var bot = niobot.Account{UserID: "@bot:example.org", DeviceID: "DEVICE"}

func TestSmoke(t *testing.T) {
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "bot.db"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for range 2 {
		if err := s.Claim(ctx, bot); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(ctx, []niobot.Change{niobot.Put("a", "k", []byte("v")), niobot.Put("a", "k2", nil), niobot.Delete("a", "k3")}); err != nil {
			t.Fatal(err)
		}
		v, ok, err := s.Get(ctx, "a", "k2")
		t.Log(v, ok, err)
		for r, err := range s.Scan(ctx, "a", "") {
			t.Log(r, err)
		}
		if err := s.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
