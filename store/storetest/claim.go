package storetest

import (
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

func testUnclaimed(t *testing.T, s Subject) {
	store := s.Open(t)
	refused := func(when string) {
		t.Helper()
		_, _, err := store.Get(t.Context(), "t", "k")
		wantError(t, store, "Get "+when, err, niobot.ErrStoreLost)
		wantError(t, store, "Scan "+when, scanError(t.Context(), store, "t"), niobot.ErrStoreLost)
		err = store.Commit(t.Context(), []niobot.Change{niobot.Put("t", "k", nil)})
		wantError(t, store, "Commit "+when, err, niobot.ErrStoreLost)
	}
	if store.String() == "" {
		t.Error("the store has no name")
	}
	refused("before Claim")
	if err := store.Release(); err != nil {
		t.Errorf("Release without a claim: %v", err)
	}
	if err := store.Claim(t.Context(), Account); err != nil {
		t.Fatal(err)
	}
	commit(t, store, niobot.Put("t", "k", []byte("1")))
	for range 2 {
		if err := store.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
	}
	refused("after Release")
	store = claimed(t, s)
	wantScan(t, store, "t", "", "k=1")
}

func testClaims(t *testing.T, s Subject) {
	first, second := s.Open(t), s.Open(t)
	claim := func(store niobot.Store) error { return store.Claim(t.Context(), Account) }
	if err := claim(first); err != nil {
		t.Fatal(err)
	}
	commit(t, first, niobot.Put("t", "k", []byte("1")))
	for range 3 { // A refused claim leaves nothing behind
		wantError(t, second, "Claim by another handle", claim(second), niobot.ErrStoreInUse)
		wantError(t, first, "Claim by the same handle", claim(first), niobot.ErrStoreInUse)
	}
	if first != second {
		err := second.Commit(t.Context(), []niobot.Change{niobot.Put("t", "k", []byte("2"))})
		wantError(t, second, "Commit by a refused handle", err, niobot.ErrStoreLost)
		if err := second.Release(); err != nil {
			t.Errorf("Release by a refused handle: %v", err)
		}
		wantError(t, second, "Claim after the other's Release", claim(second), niobot.ErrStoreInUse)
	}
	wantScan(t, first, "t", "", "k=1")
	holder, other := first, second
	for range 4 {
		if err := holder.Release(); err != nil {
			t.Fatal(err)
		}
		holder, other = other, holder
		if err := claim(holder); err != nil {
			t.Fatalf("Claim after Release: %v", err)
		}
		wantScan(t, holder, "t", "", "k=1")
	}
	if err := holder.Release(); err != nil {
		t.Fatal(err)
	}
}

func testOwner(t *testing.T, s Subject) {
	store := s.Open(t)
	if err := store.Claim(t.Context(), Account); err != nil {
		t.Fatal(err)
	}
	commit(t, store, niobot.Put("t", "k", []byte("1")))
	if err := store.Release(); err != nil {
		t.Fatal(err)
	}
	for _, other := range []niobot.Account{
		{UserID: "@other:example.org", DeviceID: Account.DeviceID},
		{UserID: Account.UserID, DeviceID: "OTHERDEVICE"},
		{},
	} {
		store := s.Open(t)
		err := store.Claim(t.Context(), other)
		wantError(t, store, "Claim by "+other.String(), err, niobot.ErrStoreOwner)
		if err != nil && !strings.Contains(err.Error(), Account.String()) {
			t.Errorf("error %q does not say that the store is that of %s", err, Account)
		}
		_, _, err = store.Get(t.Context(), "t", "k")
		wantError(t, store, "Get after it", err, niobot.ErrStoreLost)
	}
	wantScan(t, claimed(t, s), "t", "", "k=1")
}

func testReopen(t *testing.T, s Subject) {
	for i := range 3 {
		store := s.Open(t)
		if err := store.Claim(t.Context(), Account); err != nil {
			t.Fatal(err)
		}
		if n := len(scan(t, store, "t", "")); n != i {
			t.Errorf("%d records after %d commits", n, i)
		}
		commit(t, store, niobot.Put("t", strings.Repeat("k", i+1), nil))
		if err := store.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
