// Package memory is a [niobot.Store] that lives as long as the process. It suits tests, and bots that may forget: after
// a restart, the bot does not know what it has answered, nor what came while it was down.
package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

var _ niobot.Store = (*Store)(nil)

// Store is a store in memory. What is in it outlives [Store.Release], and is gone with the Store.
type Store struct {
	mu      sync.RWMutex
	claimed bool
	owner   niobot.Account // Zero before the first claim
	tables  map[niobot.Table]*table
}

// table is the records of a table. The keys are sorted when somebody scans, not when they come.
type table struct {
	values map[string][]byte // The values are never changed in place
	keys   []string          // Those of values in order; nil when they have changed since
}

// New returns an empty store, without a claim and without an owner.
func New() *Store { return &Store{tables: make(map[niobot.Table]*table)} }

// String implements [niobot.Store].
func (s *Store) String() string { return "in memory" }

// Volatile reports that nothing in the store outlives the process, so that a bot can warn of it. It is always true.
func (s *Store) Volatile() bool { return true }

// Claim implements [niobot.Store]. Its errors are [niobot.ErrStoreInUse] and [niobot.ErrStoreOwner].
func (s *Store) Claim(ctx context.Context, owner niobot.Account) error {
	if err := ctx.Err(); err != nil {
		return s.fault(err, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed {
		return s.fault(niobot.ErrStoreInUse, "give each bot a store of its own")
	}
	if s.owner == (niobot.Account{}) {
		s.owner = owner
	}
	if s.owner != owner {
		return s.fault(&record.OwnerError{Is: s.owner, Want: owner}, record.OwnerCure)
	}
	s.claimed = true
	return nil
}

// Release implements [niobot.Store]. It never fails.
func (s *Store) Release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claimed = false
	return nil
}

// Get implements [niobot.Store].
func (s *Store) Get(ctx context.Context, name niobot.Table, key string) (value []byte, ok bool, err error) {
	if err := s.usable(ctx, name); err != nil {
		return nil, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.claimed {
		return nil, false, s.unclaimed()
	}
	t := s.tables[name]
	if t == nil {
		return nil, false, nil
	}
	value, ok = t.values[key]
	return bytes.Clone(value), ok, nil
}

// Scan implements [niobot.Store]. It shows the records as they were when the loop began.
func (s *Store) Scan(ctx context.Context, name niobot.Table, prefix string) iter.Seq2[niobot.Record, error] {
	return func(yield func(niobot.Record, error) bool) {
		records, err := s.snapshot(ctx, name, prefix)
		for _, r := range records {
			if err = ctx.Err(); err != nil {
				err = s.fault(err, "")
				break
			}
			r.Value = bytes.Clone(r.Value)
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(niobot.Record{}, err)
		}
	}
}

// snapshot is the records that begin with prefix. Their values are the store's own.
func (s *Store) snapshot(ctx context.Context, name niobot.Table, prefix string) ([]niobot.Record, error) {
	if err := s.usable(ctx, name); err != nil {
		return nil, err
	}
	s.mu.Lock() // Not RLock, for the keys may have to be sorted
	defer s.mu.Unlock()
	if !s.claimed {
		return nil, s.unclaimed()
	}
	t := s.tables[name]
	if t == nil {
		return nil, nil
	}
	keys := t.within(prefix)
	records := make([]niobot.Record, len(keys))
	for i, key := range keys {
		records[i] = niobot.Record{Key: key, Value: t.values[key]}
	}
	return records, nil
}

// Commit implements [niobot.Store].
func (s *Store) Commit(ctx context.Context, changes []niobot.Change) error {
	if err := record.Check(changes); err != nil {
		return s.fault(err, "")
	}
	if err := ctx.Err(); err != nil {
		return s.fault(err, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.claimed {
		return s.unclaimed()
	}
	for i := range changes {
		s.apply(&changes[i])
	}
	return nil
}

func (s *Store) apply(c *niobot.Change) {
	t := s.tables[c.Table]
	if t == nil {
		if !record.IsPut(c) {
			return
		}
		t = &table{values: make(map[string][]byte)}
		s.tables[c.Table] = t
	}
	switch {
	case c.Prefix:
		for _, key := range slices.Clone(t.within(c.Key)) {
			t.remove(key)
		}
	case record.IsPut(c):
		if _, ok := t.values[c.Key]; !ok {
			t.keys = nil
		}
		value := make([]byte, len(c.Value))
		copy(value, c.Value)
		t.values[c.Key] = value
	default:
		t.remove(c.Key)
	}
	if len(t.values) == 0 {
		delete(s.tables, c.Table)
	}
}

func (t *table) remove(key string) {
	if _, ok := t.values[key]; ok {
		delete(t.values, key)
		t.keys = nil
	}
}

// within is the keys that begin with prefix, in order. They are good until the table's next change.
func (t *table) within(prefix string) []string {
	if t.keys == nil {
		t.keys = make([]string, 0, len(t.values))
		for key := range t.values {
			t.keys = append(t.keys, key)
		}
		slices.Sort(t.keys)
	}
	first, _ := slices.BinarySearch(t.keys, prefix)
	n := 0
	for first+n < len(t.keys) && strings.HasPrefix(t.keys[first+n], prefix) {
		n++
	}
	return t.keys[first : first+n]
}

// usable is what keeps a read from being tried.
func (s *Store) usable(ctx context.Context, name niobot.Table) error {
	if err := record.CheckTable(name); err != nil {
		return s.fault(err, "")
	}
	if err := ctx.Err(); err != nil {
		return s.fault(err, "")
	}
	return nil
}

func (s *Store) unclaimed() error { return s.fault(niobot.ErrStoreLost, record.UnclaimedCure) }

func (s *Store) fault(err error, cure string) error {
	return &niobot.StoreError{Store: s.String(), Err: err, Cure: cure}
}
