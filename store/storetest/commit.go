package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/niobot/niobot"
)

func testChangeOrder(t *testing.T, s Subject) {
	store := claimed(t, s)
	one, two := []byte("1"), []byte("2")
	for _, tt := range []struct {
		name    string
		changes []niobot.Change
		want    []string
	}{
		{"none", nil, nil},
		{"put", []niobot.Change{niobot.Put("t", "k", one)}, []string{"k=1"}},
		{"put twice", []niobot.Change{niobot.Put("t", "k", one), niobot.Put("t", "k", two)}, []string{"k=2"}},
		{
			"other keys between",
			[]niobot.Change{
				niobot.Put("t", "k", one), niobot.Put("t", "j", one), niobot.Put("u", "k", one), niobot.Put("t", "k", two),
			},
			[]string{"j=1", "k=2"},
		},
		{"put, delete", []niobot.Change{niobot.Put("t", "k", one), niobot.Delete("t", "k")}, nil},
		{"delete, put", []niobot.Change{niobot.Delete("t", "k"), niobot.Put("t", "k", two)}, []string{"k=2"}},
		{
			"put, delete, put",
			[]niobot.Change{niobot.Put("t", "k", one), niobot.Delete("t", "k"), niobot.Put("t", "k", two)},
			[]string{"k=2"},
		},
		{
			"delete all between",
			[]niobot.Change{niobot.Put("t", "ka", one), niobot.DeleteAll("t", "k"), niobot.Put("t", "kb", two)},
			[]string{"kb=2"},
		},
		{"delete twice", []niobot.Change{niobot.Delete("t", "k"), niobot.Delete("t", "k")}, nil},
		{
			"delete the table, put",
			[]niobot.Change{niobot.Put("t", "a", one), niobot.DeleteAll("t", ""), niobot.Put("t", "b", nil)},
			[]string{"b="},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			commit(t, store, niobot.DeleteAll("t", ""))
			commit(t, store, tt.changes...)
			wantScan(t, store, "t", "", tt.want...)
		})
	}
}

func testDeletions(t *testing.T, s Subject) {
	store := claimed(t, s)
	for _, prefix := range append([]string{"", "zz"}, odd...) {
		var want []string
		var puts []niobot.Change
		for _, key := range odd {
			puts = append(puts, niobot.Put("d", key, nil), niobot.Put("e", key, nil))
		}
		commit(t, store, puts...)
		for _, record := range scan(t, store, "d", "") {
			if len(record)-1 < len(prefix) || record[:len(prefix)] != prefix {
				want = append(want, record)
			}
		}
		commit(t, store, niobot.DeleteAll("d", prefix))
		wantScan(t, store, "d", "", want...)
		if n := len(scan(t, store, "e", "")); n != len(odd) {
			t.Fatalf("DeleteAll of %q in one table left %d of %d records in another", prefix, n, len(odd))
		}
	}
	commit(t, store, niobot.DeleteAll("e", ""), niobot.Put("e", "a", nil), niobot.Put("e", "ab", nil))
	commit(t, store, niobot.Delete("e", "a"), niobot.Delete("e", "missing"))
	wantScan(t, store, "e", "", "ab=")
}

func testAtomicity(t *testing.T, s Subject) {
	store := claimed(t, s)
	commit(t, store, niobot.Put("t", "a", []byte("1")), niobot.Put("t", "b", []byte("1")))
	for _, at := range []int{0, 1, 50, 99} {
		var changes []niobot.Change
		for i := range 100 {
			switch i {
			case at:
				changes = append(changes, niobot.Put("t", "", nil)) // A key must not be empty
			case 10:
				changes = append(changes, niobot.DeleteAll("t", ""))
			default:
				changes = append(changes, niobot.Put("t", fmt.Sprint(i), nil))
			}
		}
		if err := store.Commit(t.Context(), changes); err == nil {
			t.Errorf("Commit with a fault at %d gives no error", at)
		}
		wantScan(t, store, "t", "", "a=1", "b=1")
	}
	commit(t, store, niobot.Put("t", "a", []byte("2")))
	wantScan(t, store, "t", "", "a=2", "b=1")
}

func testLargeCommit(t *testing.T, s Subject) {
	store := claimed(t, s)
	const n = 5000
	var changes []niobot.Change
	for i := range n {
		changes = append(changes, niobot.Put("t", fmt.Sprintf("%06d", i), pattern(i%300, byte(i))))
		if i%3 == 2 {
			changes = append(changes, niobot.Delete("t", fmt.Sprintf("%06d", i-1)))
		}
	}
	commit(t, store, changes...)
	next := 0
	for r, err := range store.Scan(t.Context(), "t", "") {
		if err != nil {
			t.Fatal(err)
		}
		if next%3 == 1 && next < n-1 {
			next++
		}
		if r.Key != fmt.Sprintf("%06d", next) || string(r.Value) != string(pattern(next%300, byte(next))) {
			t.Fatalf("after %d keys comes %q with %d bytes", next, r.Key, len(r.Value))
		}
		next++
	}
	if next != n {
		t.Errorf("the scan ends at key %d of %d", next, n)
	}
}

func testConcurrent(t *testing.T, s Subject) {
	store := claimed(t, s)
	const writers, rounds = 8, 40
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			mine := fmt.Sprintf("w%d/", w)
			for i := range rounds {
				key := fmt.Sprintf("%s%03d", mine, i)
				value := fmt.Sprint(i)
				err := store.Commit(t.Context(), []niobot.Change{
					niobot.Put("c", key, []byte(value)), niobot.Put("c", "last/"+mine, []byte(value)),
				})
				if err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
				got, ok, err := store.Get(t.Context(), "c", "last/"+mine)
				if err != nil || !ok || string(got) != value {
					t.Errorf("Get after Commit of %s = %q, %v, %v", value, got, ok, err)
					return
				}
				n := 0
				for _, err := range store.Scan(t.Context(), "c", mine) {
					if err != nil {
						t.Errorf("Scan: %v", err)
						return
					}
					n++
				}
				if n != i+1 {
					t.Errorf("Scan after %d commits gives %d records", i+1, n)
					return
				}
			}
		})
	}
	all.Wait()
	if n := len(scan(t, store, "c", "w")); n != writers*rounds {
		t.Errorf("%d records are there, want %d", n, writers*rounds)
	}
}
