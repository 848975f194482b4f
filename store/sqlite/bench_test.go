package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) storetest.Subject {
		path := filepath.Join(b.TempDir(), "bot.db")
		return storetest.Subject{Open: func(t testing.TB) niobot.Store { return open(t, path) }}
	})
}
