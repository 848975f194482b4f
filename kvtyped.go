package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// TypedKV is a [KV] whose values are Ts, kept as JSON by the rules of encoding/json. Its methods are those of KV.
type TypedKV[T any] struct{ kv *KV }

// KVOf gives the values of a KV a type.
//
//	scores := niobot.KVOf[int](bot.KV("scores"))
func KVOf[T any](kv *KV) TypedKV[T] { return TypedKV[T]{kv} }

// Item is a key of a [TypedKV] and its value.
type Item[T any] struct {
	Key   string
	Value T
}

// In is [KV.In] with the same type.
func (k TypedKV[T]) In(r Run) TypedKV[T] { return TypedKV[T]{k.kv.In(r)} }

// Get is the value of a key; ok is false where there is none.
func (k TypedKV[T]) Get(ctx context.Context, key string) (value T, ok bool, err error) {
	raw, ok, err := k.kv.Get(ctx, key)
	if err != nil || !ok {
		return value, false, err
	}
	value, err = decodeItem[T](key, raw)
	return value, err == nil, err
}

// Put sets the value of a key; see [KV.Put].
func (k TypedKV[T]) Put(ctx context.Context, key string, value T, opts ...KVOption) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %q: %w", key, err)
	}
	return k.kv.Put(ctx, key, raw, opts...)
}

// Delete removes a key; see [KV.Delete].
func (k TypedKV[T]) Delete(ctx context.Context, key string) error { return k.kv.Delete(ctx, key) }

// Update sets the value of a key to what f makes of it: of the zero value where there is none. No other change is lost:
// where one comes between, f is called again, with that. An error of f ends it, and changes nothing. opts are about the
// new value: without [Expire], it does not go, whatever the one before did.
func (k TypedKV[T]) Update(
	ctx context.Context, key string, f func(value T, ok bool) (T, error), opts ...KVOption,
) (value T, err error) {
	for {
		raw, ok, err := k.kv.Get(ctx, key)
		if err != nil {
			return value, err
		}
		var before T
		if ok {
			if before, err = decodeItem[T](key, raw); err != nil {
				return value, err
			}
		} else {
			raw = nil
		}
		after, err := f(before, ok)
		if err != nil {
			return value, err
		}
		encoded, err := json.Marshal(after)
		if err != nil {
			return value, fmt.Errorf("encode %q: %w", key, err)
		}
		if swapped, err := k.kv.CompareAndSwap(ctx, key, raw, encoded, opts...); err != nil || swapped {
			return after, err
		}
	}
}

// List goes through the keys that begin with prefix; see [KV.List]. Of a value that is no T, it tells the error and goes
// on.
func (k TypedKV[T]) List(ctx context.Context, prefix string) iter.Seq2[Item[T], error] {
	return func(yield func(Item[T], error) bool) {
		for record, err := range k.kv.List(ctx, prefix) {
			item := Item[T]{Key: record.Key}
			if err == nil {
				item.Value, err = decodeItem[T](record.Key, record.Value)
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func decodeItem[T any](key string, raw []byte) (value T, err error) {
	if err := json.Unmarshal(raw, &value); err != nil {
		var none T
		return none, fmt.Errorf("decode %q: %w", key, err)
	}
	return value, nil
}
