package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/niobot/niobot"
)

// model is what a store should hold: for each table, keys and values.
type model map[niobot.Table]map[string]string

func (m model) apply(c niobot.Change) {
	table := m[c.Table]
	switch {
	case c.Prefix:
		maps.DeleteFunc(table, func(key, _ string) bool { return strings.HasPrefix(key, c.Key) })
	case c.Value != nil:
		if table == nil {
			table = make(map[string]string)
			m[c.Table] = table
		}
		table[c.Key] = string(c.Value)
	default:
		delete(table, c.Key)
	}
}

func (m model) scan(table niobot.Table, prefix string) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(m[table])) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, key+"="+m[table][key])
		}
	}
	return all
}

// chance makes the operations.
type chance struct{ *rand.Rand }

// newChance prints its seed, or takes it from the environment.
func newChance(t testing.TB) chance {
	seed := rand.Uint64()
	if text := os.Getenv("NIOBOT_STORETEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("NIOBOT_STORETEST_SEED: %v", err)
		}
	}
	t.Logf("NIOBOT_STORETEST_SEED=%d repeats this run", seed)
	return chance{rand.New(rand.NewPCG(seed, 0))}
}

func (c chance) table() niobot.Table { return []niobot.Table{"one", "two", "t3"}[c.IntN(3)] }

// key is short and of few letters, so that keys meet and are each other's prefixes.
func (c chance) key(least int) string {
	b := make([]byte, least+c.IntN(4))
	for i := range b {
		b[i] = "\x00ab\xfe\xff"[c.IntN(5)]
	}
	return string(b)
}

func (c chance) change() niobot.Change {
	switch n := c.IntN(20); {
	case n == 0:
		return niobot.DeleteAll(c.table(), c.key(0))
	case n < 5:
		return niobot.Delete(c.table(), c.key(1))
	case n == 5:
		return niobot.Put(c.table(), c.key(1), pattern(c.IntN(10_000), byte(c.IntN(256))))
	default:
		return niobot.Put(c.table(), c.key(1), pattern(c.IntN(20), byte(c.IntN(256))))
	}
}

func testModel(t *testing.T, s Subject) {
	operations := 10_000
	if testing.Short() {
		operations = 1000
	}
	store, want, dice := claimed(t, s), model{}, newChance(t)
	for i := range operations {
		switch n := dice.IntN(100); {
		case n == 0:
			if err := store.Release(); err != nil {
				t.Fatalf("operation %d: Release: %v", i, err)
			}
			if err := store.Claim(t.Context(), Account); err != nil {
				t.Fatalf("operation %d: Claim: %v", i, err)
			}
		case n < 50:
			changes := make([]niobot.Change, dice.IntN(6))
			for j := range changes {
				changes[j] = dice.change()
				want.apply(changes[j])
			}
			if err := store.Commit(t.Context(), changes); err != nil {
				t.Fatalf("operation %d: Commit %v: %v", i, changes, err)
			}
		case n < 80:
			table, key := dice.table(), dice.key(1)
			got, ok := get(t, store, table, key)
			if value, there := want[table][key]; got != value || ok != there {
				t.Fatalf("operation %d: Get %s %q = %q, %v; want %q, %v", i, table, key, got, ok, value, there)
			}
		default:
			table, prefix := dice.table(), dice.key(0)
			if got := scan(t, store, table, prefix); !slices.Equal(got, want.scan(table, prefix)) {
				t.Fatalf("operation %d: Scan %s %q = %q, want %q", i, table, prefix, got, want.scan(table, prefix))
			}
		}
	}
	for _, table := range []niobot.Table{"one", "two", "t3"} {
		if got := scan(t, store, table, ""); !slices.Equal(got, want.scan(table, "")) {
			t.Errorf("in the end table %s holds %s", table, fmt.Sprintf("%q, want %q", got, want.scan(table, "")))
		}
	}
}
