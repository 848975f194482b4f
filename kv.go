package niobot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Bounds of a [KV], in bytes.
const (
	MaxKVName  = 64      // Of the name of a KV, or of a module
	MaxKVKey   = 512     // Keys are not empty
	MaxKVValue = 1 << 20 // Values may be empty
)

// ErrNotOpen is returned by a [KV] of a bot with a store that [Bot.Run] has not opened yet.
var ErrNotOpen = errors.New("the bot's store is not open; it is while Run works")

// KV is a named table of keys and values for the bot's author, kept in the bot's store; without a store, it is kept in
// memory, and empty at each start. Its methods may be called from any goroutine. A change that has returned without an
// error survives a crash. All changes are kept in the order in which they were made.
//
// [KVOf] gives values a type.
type KV struct {
	table  *kvTable
	prefix string
	buffer *kvBuffer // nil where changes are made at once
}

// KV is the table of that name, which is there as soon as something is in it. It panics where the name is empty, longer
// than [MaxKVName], or holds a NUL: a mistake in the program.
func (b *Bot) KV(name string) *KV { return b.kv.named("bot", name) }

// KV is the module's own table, by the module's name. It outlives the module's unmounting.
func (s *Scope) KV() *KV { return s.bot.kv.named("module", s.made.name) }

// KV is [Bot.KV] with [KV.In] this call.
func (c *Context) KV(name string) *KV { return c.bot.KV(name).In(c) }

// Run is a run that changes can be a part of: the [*Context] of a command's, or the [*Firing] of a job's.
type Run interface {
	// changed is what the run has changed so far.
	changed() *kvBuffer
}

func (c *Context) changed() *kvBuffer { return c.run.buffer() }

// In is the same table as a part of a run: its changes are seen only through what In has returned for this
// run, until the handler returns. Then they are all made, in one transaction with the end of the run; or none of them,
// where the handler returns an error or panics. So a run that is repeated after a crash begins with what there was
// before, and what it counts is counted once. Where two runs change a key, the later end counts. Changes that are made
// when the handler has returned are lost.
func (k *KV) In(r Run) *KV {
	return &KV{table: k.table, prefix: k.prefix, buffer: r.changed()}
}

// KVOption changes how a value is kept.
type KVOption func(*kvOptions)

type kvOptions struct{ ttl time.Duration }

// Expire makes the value go after some time, to the millisecond: from then on it is not found. Zero or less: at once.
func Expire(after time.Duration) KVOption {
	return func(o *kvOptions) { o.ttl = max(after, time.Nanosecond) }
}

// expiry is when a value goes, zero for never.
func expiry(opts []KVOption) (at time.Time) {
	var o kvOptions
	for _, opt := range opts {
		opt(&o)
	}
	if o.ttl > 0 {
		at = time.Now().Add(o.ttl)
	}
	return at
}

// Get is the value of a key; ok is false where there is none. The caller may change it.
func (k *KV) Get(ctx context.Context, key string) (value []byte, ok bool, err error) {
	if err := checkKV(key, nil); err != nil {
		return nil, false, err
	}
	found, err := k.get(ctx, k.prefix+key)
	if err != nil {
		return nil, false, fmt.Errorf("get %q: %w", key, err)
	}
	return bytes.Clone(found.value), found.there(), nil
}

// Put sets the value of a key. It returns when that is stored.
func (k *KV) Put(ctx context.Context, key string, value []byte, opts ...KVOption) error {
	if err := checkKV(key, value); err != nil {
		return err
	}
	if err := k.set(ctx, k.prefix+key, newKVValue(value, expiry(opts))); err != nil {
		return fmt.Errorf("put %q: %w", key, err)
	}
	return nil
}

// Delete removes a key; one that is not there is no error. It returns when that is stored.
func (k *KV) Delete(ctx context.Context, key string) error {
	if err := checkKV(key, nil); err != nil {
		return err
	}
	if err := k.set(ctx, k.prefix+key, kvValue{}); err != nil {
		return fmt.Errorf("delete %q: %w", key, err)
	}
	return nil
}

// CompareAndSwap sets the value of a key if it is old by now, where nil stands for no value, and reports whether it was.
// A nil value removes the key. No other change comes between; in a run, none of the run's own.
func (k *KV) CompareAndSwap(ctx context.Context, key string, old, value []byte, opts ...KVOption) (swapped bool, err error) {
	if err := checkKV(key, value); err != nil {
		return false, err
	}
	var change kvValue
	if value != nil {
		change = newKVValue(value, expiry(opts))
	}
	matches := func(now kvValue) bool {
		return now.there() == (old != nil) && (old == nil || bytes.Equal(now.value, old))
	}
	swapped, err = k.swap(ctx, k.prefix+key, matches, change)
	if err != nil {
		return false, fmt.Errorf("swap %q: %w", key, err)
	}
	return swapped, nil
}

// List goes through the keys that begin with prefix, and their values, in the order of the keys, byte by byte; an empty
// prefix is all. After an error it ends. What changes meanwhile may be seen or not. The loop's body may change the KV.
func (k *KV) List(ctx context.Context, prefix string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for found, err := range k.scan(ctx, k.prefix+prefix) {
			if err != nil {
				yield(Record{}, fmt.Errorf("list %q: %w", prefix, err))
				return
			}
			if !yield(Record{Key: found.Key[len(k.prefix):], Value: bytes.Clone(found.Value)}, nil) {
				return
			}
		}
	}
}

func checkKV(key string, value []byte) error {
	switch {
	case key == "":
		return errors.New("the key is empty")
	case len(key) > MaxKVKey:
		return fmt.Errorf("the key %.40q… has %d bytes; %d are allowed", key, len(key), MaxKVKey)
	case len(value) > MaxKVValue:
		return fmt.Errorf("the value of %q has %d bytes; %d are allowed", key, len(value), MaxKVValue)
	}
	return nil
}

// named is one of the tables that share the store's.
func (t *kvTable) named(kind, name string) *KV {
	if name == "" || len(name) > MaxKVName || strings.Contains(name, "\x00") {
		panic(fmt.Sprintf("niobot: KV(%q): the name is empty, longer than %d bytes, or holds a NUL", name, MaxKVName))
	}
	return &KV{table: t, prefix: kind + "\x00" + name + "\x00"}
}

func (k *KV) get(ctx context.Context, key string) (kvValue, error) {
	if k.buffer != nil {
		if own, ok := k.buffer.find(key); ok {
			return own, nil
		}
	}
	return k.table.get(ctx, key)
}

func (k *KV) set(ctx context.Context, key string, value kvValue) error {
	if k.buffer != nil {
		if err := k.table.usable(); err != nil {
			return err
		}
		return k.buffer.put(key, value)
	}
	_, err := k.table.swap(ctx, key, nil, value)
	return err
}

func (k *KV) swap(ctx context.Context, key string, matches func(kvValue) bool, value kvValue) (bool, error) {
	if k.buffer == nil {
		return k.table.swap(ctx, key, matches, value)
	}
	return k.buffer.swap(func() (kvValue, error) { return k.table.get(ctx, key) }, key, matches, value)
}

func (k *KV) scan(ctx context.Context, prefix string) iter.Seq2[Record, error] {
	below := k.table.scan(ctx, prefix)
	if k.buffer == nil {
		return below
	}
	return merged(below, k.buffer.under(prefix))
}
