package sqlite

import (
	"context"
	"os"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/niobot/niobot"
)

// lockSuffix is added to the store's path for the file by which processes exclude each other. It is an empty SQLite
// database, in which the holder has an exclusive transaction open: SQLite's locks work wherever SQLite does, exclude
// handles of one process too, and end with the process. The store itself stays free for other connections.
const lockSuffix = "-lock"

// locking keeps two handles of this process from making the file of one lock at once: the one that closes it would drop
// the lock that the other has just taken.
var locking sync.Mutex

// lock takes the lock of a store, or returns [niobot.ErrStoreInUse]. It is held until the connection is closed.
func lock(ctx context.Context, path string) (*conn, error) {
	locking.Lock()
	defer locking.Unlock()
	// Made only where it is missing, and never opened otherwise: the closing of any descriptor of a file drops the locks
	// that this process has on it.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		if err := file.Close(); err != nil {
			return nil, err
		}
	case !os.IsExist(err):
		return nil, err
	}
	c, err := dial(ctx, path, "busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	if err := c.exec("BEGIN EXCLUSIVE"); err != nil {
		_ = c.close() // It holds nothing
		if code(err) == sqlite3.SQLITE_BUSY {
			return nil, niobot.ErrStoreInUse
		}
		return nil, err
	}
	return c, nil
}
