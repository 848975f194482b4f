package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

// odd are keys that show how a store orders and compares them.
var odd = []string{
	"\x00", "\x00\x00", "\x00\xff", "\x01", "A", "a", "a\x00", "a\x00b", "aa", "ab", "a\xff", "a\xff\xff", "b",
	"\x7f", "\x80", "ä", "ｅ", "\U0001f600", "%", "_", `\`, `'`, `"`, "\xc3", "\xff", "\xff\x00", "\xff\xff",
}

func testOrder(t *testing.T, s Subject) {
	store := claimed(t, s)
	for i, key := range odd {
		commit(t, store, niobot.Put("order", key, fmt.Appendf(nil, "%d", i)))
	}
	for _, prefix := range append([]string{"", "zz", "a\x00b\x00"}, odd...) {
		var want []string
		for i, key := range odd {
			if strings.HasPrefix(key, prefix) {
				want = append(want, fmt.Sprintf("%s=%d", key, i))
			}
		}
		slices.Sort(want)
		slices.SortFunc(want, func(a, b string) int { // "=" would take part in the order of keys
			return strings.Compare(a[:strings.LastIndexByte(a, '=')], b[:strings.LastIndexByte(b, '=')])
		})
		wantScan(t, store, "order", prefix, want...)
	}
	for i, key := range odd {
		if got, ok := get(t, store, "order", key); !ok || got != fmt.Sprint(i) {
			t.Errorf("Get %q = %q, %v; want %d", key, got, ok, i)
		}
	}
}

func testTables(t *testing.T, s Subject) {
	store := claimed(t, s)
	wantScan(t, store, "nothing_yet", "")
	tables := []niobot.Table{"a", "aa", "a_1", "a0", niobot.Table(strings.Repeat("z", 64))}
	for _, table := range tables {
		commit(t, store, niobot.Put(table, "key", []byte(table)))
	}
	commit(t, store, niobot.DeleteAll("aa", ""))
	for _, table := range tables {
		got, ok := get(t, store, table, "key")
		if ok != (table != "aa") || ok && got != string(table) {
			t.Errorf("table %s holds %q, %v", table, got, ok)
		}
	}
}

func testValues(t *testing.T, s Subject) {
	store := claimed(t, s)
	large := niobot.MaxStoreValue
	if testing.Short() {
		large = 1 << 20
	}
	for _, tt := range []struct {
		name  string
		value []byte
	}{
		{"nil", nil},
		{"empty", []byte{}},
		{"zero byte", []byte{0}},
		{"all bytes", pattern(256, 0)},
		{"a page", pattern(4096, 1)},
		{"large", pattern(large, 2)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			commit(t, store, niobot.Put("values", "key", tt.value))
			got, ok := get(t, store, "values", "key")
			if !ok || got != string(tt.value) {
				t.Errorf("Get: %d bytes, %v; want the %d bytes that were put", len(got), ok, len(tt.value))
			}
			n := 0
			for r, err := range store.Scan(t.Context(), "values", "") {
				if n++; err != nil || r.Key != "key" || r.Value == nil || !bytes.Equal(r.Value, tt.value) {
					t.Errorf("Scan: %q with %d bytes (nil: %v), error %v", r.Key, len(r.Value), r.Value == nil, err)
				}
			}
			if n != 1 {
				t.Errorf("Scan gives %d records, want one", n)
			}
		})
	}
}

func testCopies(t *testing.T, s Subject) {
	store := claimed(t, s)
	value := []byte("value")
	commit(t, store, niobot.Put("copies", "key", value))
	value[0] = 'X'
	got, _, err := store.Get(t.Context(), "copies", "key")
	if err != nil || string(got) != "value" {
		t.Fatalf("after the caller changed its slice, Get = %q, %v", got, err)
	}
	got[0] = 'Y'
	for r, err := range store.Scan(t.Context(), "copies", "") {
		if err != nil || string(r.Value) != "value" {
			t.Fatalf("after the caller changed what Get gave, Scan = %q, %v", r.Value, err)
		}
		r.Value[0] = 'Z'
	}
	if got, _ := get(t, store, "copies", "key"); got != "value" {
		t.Errorf("after the caller changed what Scan gave, Get = %q", got)
	}
}

func testBounds(t *testing.T, s Subject) {
	store := claimed(t, s)
	longest := strings.Repeat("\xff", niobot.MaxStoreKey)
	commit(t, store, niobot.Put("bounds", longest, []byte("1")), niobot.Put("bounds", longest[1:], []byte("2")))
	wantScan(t, store, "bounds", longest[2:], longest[1:]+"=2", longest+"=1")
	commit(t, store, niobot.DeleteAll("bounds", longest))
	for _, tt := range []struct {
		name   string
		change niobot.Change
	}{
		{"key too long", niobot.Put("bounds", longest+"k", nil)},
		{"prefix too long", niobot.DeleteAll("bounds", longest+"k")},
		{"no key", niobot.Put("bounds", "", nil)},
		{"delete without a key", niobot.Delete("bounds", "")},
		{"value too long", niobot.Put("bounds", "k", make([]byte, niobot.MaxStoreValue+1))},
		{"no table", niobot.Put("", "k", nil)},
		{"upper case", niobot.Put("Bounds", "k", nil)},
		{"quoted", niobot.DeleteAll(`b" OR 1=1 --`, "")},
		{"long name", niobot.Put(niobot.Table(strings.Repeat("b", 65)), "k", nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := store.Commit(t.Context(), []niobot.Change{tt.change}); err == nil {
				t.Error("Commit takes it")
			}
			wantScan(t, store, "bounds", "", longest[1:]+"=2")
		})
	}
	if _, _, err := store.Get(t.Context(), "No Table", "k"); err == nil {
		t.Error("Get takes a name that is none")
	}
	if err := scanError(t.Context(), store, "No Table"); err == nil {
		t.Error("Scan takes a name that is none")
	}
	if _, ok := get(t, store, "bounds", longest+"k"); ok {
		t.Error("a key that is too long is there")
	}
}

func testContext(t *testing.T, s Subject) {
	fresh := s.Open(t)
	ended, end := context.WithCancel(t.Context())
	end()
	wantError(t, fresh, "Claim", fresh.Claim(ended, Account), context.Canceled)
	store := claimed(t, s)
	commit(t, store, niobot.Put("ctx", "k", []byte("1")))
	wantError(t, store, "Commit", store.Commit(ended, []niobot.Change{niobot.Put("ctx", "k", nil)}), context.Canceled)
	_, _, err := store.Get(ended, "ctx", "k")
	wantError(t, store, "Get", err, context.Canceled)
	wantError(t, store, "Scan", scanError(ended, store, "ctx"), context.Canceled)
	wantScan(t, store, "ctx", "", "k=1")
}
