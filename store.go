package niobot

import (
	"context"
	"errors"
	"iter"

	"maunium.net/go/mautrix/id"
)

// Store keeps what a bot must not forget: where it stands in the stream of events, what it has yet to do, the state of
// its rooms, and what its author stores. store/sqlite and store/postgres keep it on disk, store/memory for as long as
// the process lives; store/storetest holds any other to this contract.
//
// A store is a set of tables, each an ordered map of keys to values, both of arbitrary bytes. Keys are ordered byte by
// byte, are at most [MaxStoreKey] bytes long and are not empty; values are at most [MaxStoreValue] bytes long, and may be
// empty. A table is there as soon as something is in it.
//
// It belongs to one account and device, and to one process at a time: [Store.Claim] comes before all else, and from
// then until [Store.Release] no other process, and no other handle in this one, may read or write it through a claim of
// its own. Where a claim is lost without Release, as by a connection that breaks, nothing is written any more, and calls
// return [ErrStoreLost], unless the store can prove that nobody else held it meanwhile.
//
// Commit makes all its changes or none, in their order, also where the process is killed in the middle. Once it has
// returned nil, a crash of the process loses nothing of it. A crash of the machine may lose the latest commits, but never
// an earlier one and not a later, nor a part of one. After an error it has changed nothing, and may be called again. A
// context that ends while Commit runs leaves it open whether the changes were made.
//
// Get and Scan see all that Commit has made before they were called. Methods may be called from several goroutines;
// commits are made one after the other.
type Store interface {
	// Claim makes the store this process's, creates or upgrades its tables, and checks whose it is; a new store becomes
	// the account's. It does not wait: a store that somebody else holds is [ErrStoreInUse]. Errors are [*StoreError].
	Claim(ctx context.Context, owner Account) error

	// Get is the value of a key; ok is false where there is none.
	Get(ctx context.Context, table Table, key string) (value []byte, ok bool, err error)

	// Scan goes through the records of a table whose keys begin with prefix, in the order of the keys; an empty prefix
	// is all of them. After an error it ends. What is committed meanwhile may be seen or not. The loop's body may call
	// any method of the store.
	Scan(ctx context.Context, table Table, prefix string) iter.Seq2[Record, error]

	// Commit makes the changes in one transaction.
	Commit(ctx context.Context, changes []Change) error

	// Release gives the claim up, so that another process, or this one, can claim the store again. What was committed
	// stays. Without a claim it does nothing.
	Release() error

	// String is what the store is called in errors and logs, such as its file; it holds no password.
	String() string
}

// Bounds of a [Store].
const (
	MaxStoreKey   = 1024     // Bytes
	MaxStoreValue = 16 << 20 // Bytes
)

// Account is whom a [Store] belongs to.
type Account struct {
	UserID   id.UserID
	DeviceID id.DeviceID
}

// String implements [fmt.Stringer].
func (a Account) String() string { return string(a.UserID) + " (device " + string(a.DeviceID) + ")" }

// Table is the name of a table of a [Store]: 1 to 64 lower-case letters, digits and underscores.
type Table string

// Record is a key and its value.
type Record struct {
	Key   string
	Value []byte
}

// Change is one step of [Store.Commit]: made by [Put], [Delete] or [DeleteAll].
type Change struct {
	Table  Table
	Key    string // Or, with Prefix, what the keys begin with; empty for the whole table
	Value  []byte // What Put stores; nil for a deletion
	Prefix bool   // Whether all keys that begin with Key are deleted
}

// Put stores a value, in place of what was there.
func Put(table Table, key string, value []byte) Change {
	if value == nil {
		value = []byte{}
	}
	return Change{Table: table, Key: key, Value: value}
}

// Delete removes a key; one that is not there is no error.
func Delete(table Table, key string) Change { return Change{Table: table, Key: key} }

// DeleteAll removes all keys that begin with prefix; an empty one, the whole table.
func DeleteAll(table Table, prefix string) Change {
	return Change{Table: table, Key: prefix, Prefix: true}
}

// Why a store can't be used. They are wrapped in a [*StoreError].
var (
	// ErrStoreInUse means that another process, or another handle in this one, holds the store's claim. With [WithStandby], a bot waits for it.
	ErrStoreInUse = errors.New("is in use by another process")

	// ErrStoreOwner means that the store belongs to another account or device.
	ErrStoreOwner = errors.New("belongs to another account")

	// ErrStoreNewer means that a newer version of niobot made the store.
	ErrStoreNewer = errors.New("was made by a newer version of niobot")

	// ErrStoreCorrupt means that what is in the store can't be read.
	ErrStoreCorrupt = errors.New("is damaged")

	// ErrStoreFull means that there is no room left. What was to be stored is kept in memory and tried again.
	ErrStoreFull = errors.New("has no room left")

	// ErrStoreReadOnly means that the store can't be written to.
	ErrStoreReadOnly = errors.New("can't be written to")

	// ErrStoreLost means that the claim was lost, so that another process may be at work.
	ErrStoreLost = errors.New("is no longer held by this process")
)

// StoreError is what is wrong with a store, which one, and what helps.
type StoreError struct {
	Store string // [Store.String]
	Err   error  // One of the errors above, or what the database said, or both
	Cure  string // What to do, as a whole clause without a full stop; may be empty
}

// Error implements error: the store, the cause and the cure.
func (e *StoreError) Error() string {
	text := "store " + e.Store + ": " + e.Err.Error()
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	return text
}

// Unwrap is the cause.
func (e *StoreError) Unwrap() error { return e.Err }
