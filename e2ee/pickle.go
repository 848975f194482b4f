//go:build goolm

package e2ee

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/niobot/niobot"
)

// table is where this package keeps what is not in mautrix' tables.
const table niobot.Table = "e2ee"

const pickleRecord = "pickle_key"

// pickleKey is the key of the secrets in the database: the given one, or one that is made once and kept in the store.
//
// It lies beside what it locks on purpose. A file of its own would be one more thing to lose, with all keys in it, and
// guard only against those who get at the database but not at the folder that it is in.
func pickleKey(ctx context.Context, given []byte, store niobot.Store) ([]byte, error) {
	if len(given) > 0 {
		return given, nil
	}
	key, ok, err := store.Get(ctx, table, pickleRecord)
	if err != nil {
		return nil, fmt.Errorf("read the key of the secrets: %w", err)
	}
	if ok {
		return key, nil
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	if err := store.Commit(ctx, []niobot.Change{niobot.Put(table, pickleRecord, key)}); err != nil {
		return nil, fmt.Errorf("store the key of the secrets: %w", err)
	}
	return key, nil
}
