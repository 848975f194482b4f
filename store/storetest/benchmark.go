package storetest

import (
	"fmt"
	"testing"

	"github.com/niobot/niobot"
)

// Benchmark measures what a bot does most: commits of 1, 3, 10 and 100 records of 300 bytes, reads of one, and a scan of
// 5,000. The time and the allocations are those of one commit, read or scan.
func Benchmark(b *testing.B, subject func(b *testing.B) Subject) {
	const present = 5000
	value := pattern(300, 1)
	start := func(b *testing.B) niobot.Store {
		store := claimed(b, subject(b))
		changes := make([]niobot.Change, present)
		for i := range changes {
			changes[i] = niobot.Put("bench", fmt.Sprintf("!room%d:example.org/%d", i%50, i), value)
		}
		commit(b, store, changes...)
		b.ReportAllocs()
		return store
	}
	for _, n := range []int{1, 3, 10, 100} {
		b.Run(fmt.Sprintf("Commit%d", n), func(b *testing.B) {
			store, changes, next := start(b), make([]niobot.Change, n), 0
			for b.Loop() {
				for i := range changes {
					changes[i] = niobot.Put("bench", fmt.Sprintf("!room%d:example.org/%d", next%50, next%present), value)
					next++
				}
				commit(b, store, changes...)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		})
	}
	// What a command leaves: its entry comes, is done, and the place in the stream moves on.
	b.Run("CommitMixed", func(b *testing.B) {
		store, next := start(b), 0
		for b.Loop() {
			commit(b, store,
				niobot.Put("inbox", fmt.Sprintf("%08d", next+1), value),
				niobot.Delete("inbox", fmt.Sprintf("%08d", next)),
				niobot.Put("sync", "token", value[:40]))
			next++
		}
	})
	b.Run("Get", func(b *testing.B) {
		store, next := start(b), 0
		for b.Loop() {
			if _, ok := get(b, store, "bench", fmt.Sprintf("!room%d:example.org/%d", next%50, next%present)); !ok {
				b.Fatal("a record is missing")
			}
			next += 7
		}
	})
	b.Run("GetMissing", func(b *testing.B) {
		store := start(b)
		for b.Loop() {
			if _, ok := get(b, store, "bench", "!room:example.org/missing"); ok {
				b.Fatal("a record is there")
			}
		}
	})
	b.Run("Scan5000", func(b *testing.B) {
		store := start(b)
		for b.Loop() {
			n := 0
			for _, err := range store.Scan(b.Context(), "bench", "") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != present {
				b.Fatalf("%d records", n)
			}
		}
	})
}
