package niobot

import (
	"context"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// tableKV holds what the bot's author stores, by the kind of the KV, its name, and the key.
const tableKV Table = "kv"

// kvSweep is how often values that have gone by their time are removed for good.
const kvSweep = time.Hour

// kvTable is all KVs of a bot. What is on its way to the store stands in memory until it is there, so that it is seen at
// once. Where there is no store, all stands there.
type kvTable struct {
	mu      sync.Mutex
	stored  bool // Whether there is a store, open or not
	store   Store
	journal *journal
	recent  map[string]kvValue
	writing fifo[kvWriting]
	version uint64
	follow  func(key string, value kvValue) // Told of each change
}

// kvValue is a value; the zero one stands for a key that is not there.
type kvValue struct {
	value   []byte // Not nil, unless the key is not there
	expires int64  // In milliseconds since 1970; zero: never
	version uint64 // Of recent
}

// kvWriting is keys whose values of recent are no longer needed once their batch is stored.
type kvWriting struct {
	batch   *journalBatch
	keys    []string
	version uint64
}

func newKVValue(value []byte, expires time.Time) kvValue {
	v := kvValue{value: append([]byte{}, value...)}
	if !expires.IsZero() {
		v.expires = max(expires.UnixMilli(), 1)
	}
	return v
}

func (v kvValue) there() bool {
	return v.value != nil && (v.expires == 0 || time.Now().UnixMilli() < v.expires)
}

// change stores the value: its time in eight bytes, and what follows.
func (v kvValue) change(key string) Change {
	if v.value == nil {
		return Delete(tableKV, key)
	}
	return Put(tableKV, key, append(binary.BigEndian.AppendUint64(nil, uint64(v.expires)), v.value...))
}

func readKVValue(stored []byte) kvValue {
	if len(stored) < 8 {
		return kvValue{} // Nobody has stored that.
	}
	return kvValue{value: stored[8:], expires: int64(binary.BigEndian.Uint64(stored))}
}

// open makes the store be used.
func (t *kvTable) open(store Store, j *journal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store, t.journal = store, j
}

func (t *kvTable) get(ctx context.Context, key string) (kvValue, error) {
	t.mu.Lock()
	known, ok := t.recent[key]
	store, err := t.ready()
	t.mu.Unlock()
	if ok || err != nil || store == nil {
		return known, err
	}
	return read(ctx, store, key)
}

func read(ctx context.Context, store Store, key string) (kvValue, error) {
	value, ok, err := store.Get(ctx, tableKV, key)
	if !ok || err != nil {
		return kvValue{}, err
	}
	return readKVValue(value), nil
}

// usable is nil where values can be kept.
func (t *kvTable) usable() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.ready()
	return err
}

// ready is the store; nil where there is none. The table is locked.
func (t *kvTable) ready() (Store, error) {
	if t.stored && t.store == nil {
		return nil, ErrNotOpen
	}
	return t.store, nil
}

// swap sets a value if what is there matches, where nil matches all, and returns when it is stored.
func (t *kvTable) swap(ctx context.Context, key string, matches func(kvValue) bool, value kvValue) (bool, error) {
	t.mu.Lock()
	store, err := t.ready()
	if err == nil && matches != nil {
		now, ok := t.recent[key]
		if !ok && store != nil {
			now, err = read(ctx, store, key)
		}
		if err == nil && !matches(now) {
			t.mu.Unlock()
			return false, nil
		}
	}
	if err != nil || store == nil {
		if err == nil {
			t.keep(map[string]kvValue{key: value}, nil)
		}
		t.mu.Unlock()
		return err == nil, err
	}
	batch := t.journal.put(value.change(key)).batch
	t.keep(map[string]kvValue{key: value}, batch)
	t.mu.Unlock()
	poke(t.journal.urgent)
	return true, t.journal.wait(ctx, batch)
}

// commit sets several values. write hands their changes over to the journal, together with what else it wants; it is
// called in any case.
func (t *kvTable) commit(values map[string]kvValue, write func(changes []Change)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var changes []Change
	for key, value := range values {
		changes = append(changes, value.change(key))
	}
	write(changes)
	switch {
	case len(values) == 0:
	case t.journal != nil:
		t.keep(values, t.journal.put().batch)
	case !t.stored:
		t.keep(values, nil)
	}
}

// keep holds values in memory: until their batch is stored, or for good where it is nil. The table is locked.
func (t *kvTable) keep(values map[string]kvValue, batch *journalBatch) {
	t.forget()
	if t.recent == nil {
		t.recent = make(map[string]kvValue)
	}
	t.version++
	for key, value := range values {
		t.follow(key, value)
		value.version = t.version
		if batch == nil && !value.there() {
			delete(t.recent, key)
		} else {
			t.recent[key] = value
		}
	}
	if batch != nil {
		t.writing.push(kvWriting{batch, slices.Collect(maps.Keys(values)), t.version})
	}
}

// forget drops what is stored by now. The table is locked.
func (t *kvTable) forget() {
	for t.writing.len() > 0 {
		oldest := t.writing.items[t.writing.head]
		select {
		case <-oldest.batch.stored:
		default:
			return
		}
		t.writing.pop()
		for _, key := range oldest.keys {
			if t.recent[key].version == oldest.version {
				delete(t.recent, key)
			}
		}
	}
}

// scan goes through the keys that begin with prefix and are there.
func (t *kvTable) scan(ctx context.Context, prefix string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		t.mu.Lock()
		store, err := t.ready()
		recent := under(t.recent, prefix)
		t.mu.Unlock()
		if err != nil {
			yield(Record{}, err)
			return
		}
		for record, err := range merged(stored(ctx, store, prefix), recent) {
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// stored goes through what is in the store; nothing where there is none.
func stored(ctx context.Context, store Store, prefix string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if store == nil {
			return
		}
		for record, err := range store.Scan(ctx, tableKV, prefix) {
			if err != nil {
				yield(Record{}, err)
				return
			}
			value := readKVValue(record.Value)
			if value.there() && !yield(Record{record.Key, value.value}, nil) {
				return
			}
		}
	}
}

// kvItem is a key with what is known of it.
type kvItem struct {
	key   string
	value kvValue
}

// under is the values whose keys begin with prefix, in the order of the keys.
func under(values map[string]kvValue, prefix string) (items []kvItem) {
	for key, value := range values {
		if strings.HasPrefix(key, prefix) {
			items = append(items, kvItem{key, value})
		}
	}
	slices.SortFunc(items, func(a, b kvItem) int { return strings.Compare(a.key, b.key) })
	return items
}

// merged is records with newer items laid over them, both in the order of their keys.
func merged(below iter.Seq2[Record, error], above []kvItem) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		rest := above
		before := func(key string, all bool) bool {
			for len(rest) > 0 && (all || rest[0].key < key) {
				item := rest[0]
				rest = rest[1:]
				if item.value.there() && !yield(Record{item.key, item.value.value}, nil) {
					return false
				}
			}
			return true
		}
		for record, err := range below {
			if err != nil {
				yield(Record{}, err)
				return
			}
			if !before(record.Key, false) {
				return
			}
			if len(rest) > 0 && rest[0].key == record.Key {
				continue // What is newer comes with the next, or at the end.
			}
			if !yield(record, nil) {
				return
			}
		}
		before("", true)
	}
}

// sweep removes the values that have gone by their time, at once and every hour.
func (b *Bot) sweepKV(ctx context.Context) {
	for {
		if err := b.kv.sweep(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn("values that have expired not removed", "err", err)
		}
		if sleep(ctx, kvSweep) != nil {
			return
		}
	}
}

func (t *kvTable) sweep(ctx context.Context) error {
	t.mu.Lock()
	store, err := t.ready()
	if store == nil {
		maps.DeleteFunc(t.recent, func(_ string, v kvValue) bool { return !v.there() })
	}
	t.mu.Unlock()
	if store == nil || err != nil {
		return err
	}
	for record, err := range store.Scan(ctx, tableKV, "") {
		if err != nil {
			return err
		}
		if readKVValue(record.Value).there() {
			continue
		}
		gone := func(now kvValue) bool { return !now.there() } // It may have been set anew.
		if _, err := t.swap(ctx, record.Key, gone, kvValue{}); err != nil {
			return err
		}
	}
	return nil
}
