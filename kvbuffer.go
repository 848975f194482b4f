package niobot

import (
	"fmt"
	"maps"
	"sync"
)

// Bounds of what one run may change in KVs.
const (
	maxKVChanges = 10000
	maxKVBytes   = 16 << 20
)

// kvBuffer is what a run has changed, which takes effect when the run ends.
type kvBuffer struct {
	mu     sync.Mutex
	values map[string]kvValue
	bytes  int
}

// buffer is the run's, made at the first call.
func (r *run) buffer() *kvBuffer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes == nil {
		r.changes = new(kvBuffer)
	}
	return r.changes
}

func (w *kvBuffer) find(key string) (kvValue, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, ok := w.values[key]
	return value, ok
}

func (w *kvBuffer) put(key string, value kvValue) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.putLocked(key, value)
}

func (w *kvBuffer) putLocked(key string, value kvValue) error {
	before, changed := w.values[key]
	size := w.bytes + len(value.value) - len(before.value)
	if !changed {
		size += len(key)
	}
	if size > maxKVBytes || !changed && len(w.values) >= maxKVChanges {
		return fmt.Errorf("one run may change %d keys and %d bytes", maxKVChanges, maxKVBytes)
	}
	if w.values == nil {
		w.values = make(map[string]kvValue)
	}
	w.values[key], w.bytes = value, size
	return nil
}

func (w *kvBuffer) swap(
	below func() (kvValue, error), key string, matches func(kvValue) bool, value kvValue,
) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, ok := w.values[key]
	if !ok {
		var err error
		if now, err = below(); err != nil {
			return false, err
		}
	}
	if !matches(now) {
		return false, nil
	}
	err := w.putLocked(key, value)
	return err == nil, err
}

func (w *kvBuffer) under(prefix string) []kvItem {
	w.mu.Lock()
	defer w.mu.Unlock()
	return under(w.values, prefix)
}

// keepChanges makes what the run has changed take effect when its event is done, unless it failed.
func (r *run) keepChanges() {
	values := r.changes.take(r.err != nil)
	if len(values) == 0 {
		return
	}
	if entry := r.call.Message.entry; entry != nil {
		entry.finishSetting(values)
		return
	}
	b := r.call.bot
	b.kv.commit(values, func(changes []Change) {
		if b.journal != nil {
			b.journal.put(changes...)
		}
	})
}

// take is what the run has changed, and nothing where it failed.
func (w *kvBuffer) take(failed bool) map[string]kvValue {
	if w == nil || failed {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.values)
}
