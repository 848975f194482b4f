package storetest

import (
	"fmt"
	"testing"

	"github.com/niobot/niobot"
)

// fill puts n records into table t.
func fill(t testing.TB, store niobot.Store, n int) {
	t.Helper()
	changes := make([]niobot.Change, n)
	for i := range changes {
		changes[i] = niobot.Put("t", fmt.Sprintf("%06d", i), []byte(fmt.Sprint(i)))
	}
	commit(t, store, changes...)
}

func testEarlyBreak(t *testing.T, s Subject) {
	store := claimed(t, s)
	fill(t, store, 2000)
	for _, stop := range []int{1, 2, 700, 1999} {
		for range 10 { // What a loop holds on to runs out
			n := 0
			for _, err := range store.Scan(t.Context(), "t", "") {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == stop {
					break
				}
			}
			if n != stop {
				t.Fatalf("the scan gives %d records, want %d", n, stop)
			}
		}
	}
	commit(t, store, niobot.DeleteAll("t", "001"))
	again := store.Scan(t.Context(), "t", "")
	for round := range 2 {
		n := 0
		for _, err := range again {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			t.Errorf("round %d over one scan gives %d records, want 1000", round, n)
		}
	}
}

func testNested(t *testing.T, s Subject) {
	store := claimed(t, s)
	const n = 1500
	fill(t, store, n)
	seen := 0
	for r, err := range store.Scan(t.Context(), "t", "") {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%06d", seen); r.Key != want {
			t.Fatalf("key %q comes, want %q", r.Key, want)
		}
		if got, ok := get(t, store, "t", r.Key); !ok || got != string(r.Value) {
			t.Fatalf("Get %q in a scan = %q, %v", r.Key, got, ok)
		}
		if seen%100 == 0 {
			for inner, err := range store.Scan(t.Context(), "t", r.Key) {
				if err != nil || inner.Key != r.Key {
					t.Fatalf("a scan in a scan gives %q, %v", inner.Key, err)
				}
			}
		}
		commit(t, store, niobot.Delete("t", r.Key), niobot.Put("u", r.Key, r.Value))
		seen++
	}
	if seen != n {
		t.Errorf("the scan gives %d records, want %d", seen, n)
	}
	wantScan(t, store, "t", "")
	if got := len(scan(t, store, "u", "")); got != n {
		t.Errorf("%d records were moved, want %d", got, n)
	}
}

func testScanAfterRelease(t *testing.T, s Subject) {
	store := claimed(t, s)
	fill(t, store, 5000)
	var failed error
	n := 0
	for _, err := range store.Scan(t.Context(), "t", "") {
		if err != nil {
			failed = err
			continue
		}
		if n++; n == 1 {
			if err := store.Release(); err != nil {
				t.Fatalf("Release in a scan: %v", err)
			}
		}
	}
	// A store may have read ahead, even all of it; but an end without an error has to be the true one.
	if failed != nil {
		wantError(t, store, "Scan", failed, niobot.ErrStoreLost)
	} else if n != 5000 {
		t.Errorf("the scan ends after %d of 5000 records, without an error", n)
	}
}
