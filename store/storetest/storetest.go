// Package storetest is the contract of [niobot.Store] as tests. Whoever writes a store runs them:
//
//	func TestMain(m *testing.M) {
//		storetest.Child(func(address string) (niobot.Store, error) { return mystore.Open(address) })
//		os.Exit(m.Run())
//	}
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Subject {
//			path := filepath.Join(t.TempDir(), "store")
//			return storetest.Subject{
//				Address: path,
//				Open: func(t testing.TB) niobot.Store {
//					s, err := mystore.Open(path)
//					if err != nil {
//						t.Fatal(err)
//					}
//					return s
//				},
//			}
//		})
//	}
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

// Account is whom the stores of the suite belong to.
var Account = niobot.Account{UserID: "@bot:example.org", DeviceID: "BOTDEVICE"}

// Subject is one store under test, empty and without an owner.
type Subject struct {
	// Open makes a handle to the store; each call a new one, unless the store has only one. What is to be closed is
	// closed by t.Cleanup. Required.
	Open func(t testing.TB) niobot.Store

	// Address is what the function that was given to [Child] needs to open the store in another process. Empty for a
	// store that only its own process can open: tests with two processes are left out then.
	Address string

	// Check looks at the store from outside, after a process that used it was killed. It is called without a claim.
	// May be nil.
	Check func(t testing.TB)
}

// Run holds stores to the contract. Each test asks for a subject of its own.
//
// Beside the flag -short, which makes it fewer rounds, the variable NIOBOT_STORETEST_SEED repeats a run of the random
// tests, which print their seed.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s Subject)
	}{
		{"KeysAreOrderedByBytes", testOrder},
		{"TablesAreApart", testTables},
		{"ValuesComeBack", testValues},
		{"ValuesAreNotShared", testCopies},
		{"BoundsAreKept", testBounds},
		{"ChangesAreMadeInOrder", testChangeOrder},
		{"DeletionsHitNoNeighbour", testDeletions},
		{"AFaultyCommitChangesNothing", testAtomicity},
		{"AnEndedContextChangesNothing", testContext},
		{"LargeCommitsAreWhole", testLargeCommit},
		{"ScansMayEndEarly", testEarlyBreak},
		{"TheBodyOfAScanMayCallTheStore", testNested},
		{"AScanEndsWithTheClaim", testScanAfterRelease},
		{"CommitsAreSeenAtOnce", testConcurrent},
		{"NothingWorksWithoutAClaim", testUnclaimed},
		{"AClaimExcludesOthers", testClaims},
		{"AStoreBelongsToOneAccount", testOwner},
		{"RecordsOutliveTheHandle", testReopen},
		{"RandomOperationsFollowAModel", testModel},
		{"AnotherProcessIsExcluded", testOtherProcess},
		{"AKilledProcessLosesNothing", testKill},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, subject(t)) })
	}
}

// claimed opens a handle and claims the store.
func claimed(t testing.TB, s Subject) niobot.Store {
	t.Helper()
	store := s.Open(t)
	if err := store.Claim(t.Context(), Account); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	t.Cleanup(func() {
		if err := store.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
	})
	return store
}

func commit(t testing.TB, store niobot.Store, changes ...niobot.Change) {
	t.Helper()
	if err := store.Commit(t.Context(), changes); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func get(t testing.TB, store niobot.Store, table niobot.Table, key string) (string, bool) {
	t.Helper()
	value, ok, err := store.Get(t.Context(), table, key)
	if err != nil {
		t.Fatalf("Get %q: %v", key, err)
	}
	if ok && value == nil {
		t.Errorf("Get %q: the value is nil, though the key is there", key)
	}
	return string(value), ok
}

// scan is the records whose keys begin with prefix, each as key=value.
func scan(t testing.TB, store niobot.Store, table niobot.Table, prefix string) []string {
	t.Helper()
	var all []string
	for r, err := range store.Scan(t.Context(), table, prefix) {
		if err != nil {
			t.Fatalf("Scan %q: %v", prefix, err)
		}
		all = append(all, r.Key+"="+string(r.Value))
	}
	return all
}

// wantScan compares what a scan gives.
func wantScan(t testing.TB, store niobot.Store, table niobot.Table, prefix string, want ...string) {
	t.Helper()
	if got := scan(t, store, table, prefix); !slices.Equal(got, want) {
		t.Errorf("Scan %s %q = %q, want %q", table, prefix, got, want)
	}
}

// wantError holds an error to be a [*niobot.StoreError] that names the store and wraps want.
func wantError(t testing.TB, store niobot.Store, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
		return
	}
	var fault *niobot.StoreError
	if !errors.As(err, &fault) {
		t.Errorf("%s: error %v is no *niobot.StoreError", what, err)
		return
	}
	if fault.Store != store.String() || !strings.Contains(err.Error(), store.String()) {
		t.Errorf("%s: error %q does not name the store %q", what, err, store)
	}
}

// scanError is the error with which a scan ends.
func scanError(ctx context.Context, store niobot.Store, table niobot.Table) error {
	var failed error
	after := 0
	for _, err := range store.Scan(ctx, table, "") {
		if failed != nil {
			after++
		}
		if err != nil {
			failed = err
		}
	}
	if after > 0 {
		return fmt.Errorf("the scan went on after %w", failed)
	}
	return failed
}

// pattern is n bytes that begin with seed and hold all values.
func pattern(n int, seed byte) []byte {
	b := bytes.Repeat([]byte{0}, n)
	for i := range b {
		b[i] = seed + byte(i)
	}
	return b
}
