package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	driversqlite "modernc.org/sqlite"

	"github.com/niobot/niobot"
)

const (
	maxReaders = 3 // Connections for reads while the writer is at work
	maxShared  = 4 // Connections of Store.Database

	// checkEvery is how often commits look whether the file is still in its place. What is lost when it is deleted is all
	// that was ever in it, so that some commits more do not matter; but they must not go on into nowhere.
	checkEvery = 100 * time.Millisecond
)

// newSuffix is added to the store's path for the file in which a new store is made, until it is whole.
const newSuffix = "-new"

// claim is a store in use: the lock, and the connections.
type claim struct {
	path    string // With links followed
	lock    *conn
	file    fs.FileInfo           // Of the store, to see when another is put in its place
	locked  fs.FileInfo           // Of the lock
	checked time.Time             // When they were seen last; the writer's
	lost    atomic.Pointer[error] // Why the claim is lost, if it is

	writer  chan *conn // Holds the writer while nobody uses it
	readers chan *conn // Holds the readers that nobody uses; nil for one that is not connected yet
}

// Claim implements [niobot.Store]. It takes the lock, upgrades the schema and checks the owner.
func (s *Store) Claim(ctx context.Context, owner niobot.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim != nil {
		return s.explain(niobot.ErrStoreInUse)
	}
	if err := ctx.Err(); err != nil {
		return s.explain(err)
	}
	c, err := s.take(ctx, owner)
	if err != nil {
		return s.explain(err)
	}
	s.claim = c
	s.shared.SetMaxIdleConns(maxShared)
	return nil
}

// Release implements [niobot.Store]. It folds the log into the file and lets go of the lock. The claim is given up in any
// case; an error says that the file could not be left in order, which the next claim makes good.
func (s *Store) Release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim == nil {
		return nil
	}
	s.shared.SetMaxIdleConns(-1) // Closes those that are idle
	err := s.claim.close()
	s.claim = nil
	return s.explain(err)
}

// take makes the claim.
func (s *Store) take(ctx context.Context, owner niobot.Account) (_ *claim, err error) {
	if err := s.prepareFolder(); err != nil {
		return nil, err
	}
	path, err := resolve(s.path)
	if err != nil {
		return nil, err
	}
	c := &claim{path: path, writer: make(chan *conn, 1), readers: make(chan *conn, maxReaders)}
	if c.lock, err = lock(ctx, path+lockSuffix); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = c.close() // The first error says more
		}
	}()
	if err := s.guard(path); err != nil {
		return nil, err
	}
	found, err := inspect(path)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := s.create(ctx, path, owner); err != nil {
			return nil, err
		}
	}
	w, err := dial(ctx, path, pragmas...)
	if err != nil {
		return nil, err
	}
	c.writer <- w
	for range maxReaders {
		c.readers <- nil
	}
	if mode, _, err := w.one("PRAGMA journal_mode"); err != nil {
		return nil, err
	} else if mode != "wal" {
		return nil, s.fault(fmt.Errorf("its log has the mode %s, not wal", mode), "put it on a local disk")
	}
	if err := enter(w, owner, false); err != nil {
		return nil, err
	}
	if c.locked, err = os.Stat(path + lockSuffix); err != nil {
		return nil, err
	}
	c.file, err = os.Stat(path)
	return c, err
}

// create makes a new store. It gets its name when it is whole, so that a file of that name is never half a store.
func (s *Store) create(ctx context.Context, path string, owner niobot.Account) (err error) {
	made := path + newSuffix
	for _, name := range []string{made, made + "-wal", made + "-shm", made + "-journal"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	file, err := os.OpenFile(made, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	c, err := dial(ctx, made, pragmas...)
	if err != nil {
		return err
	}
	// The last connection to close folds the log into the file and syncs it.
	if err := errors.Join(enter(c, owner, true), c.close()); err != nil {
		return err
	}
	if logged, err := exists(made + "-wal"); err != nil || logged {
		return errors.Join(err, fmt.Errorf("the log of %s was not folded into it", made))
	}
	if err := os.Rename(made, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// close gives up what the claim holds, the lock at last.
func (c *claim) close() error {
	var errs []error
	for _, pool := range []chan *conn{c.readers, c.writer} {
		for range len(pool) {
			if one := <-pool; one != nil {
				errs = append(errs, one.close())
			}
		}
	}
	return errors.Join(append(errs, c.lock.close())...)
}

// unmoved finds out whether the files are still those that the claim is about, if it has not just done so.
func (c *claim) unmoved() error {
	now := time.Now()
	if now.Sub(c.checked) < checkEvery {
		return nil
	}
	if err := errors.Join(moved(c.path, c.file), moved(c.path+lockSuffix, c.locked)); err != nil {
		if errors.Is(err, niobot.ErrStoreLost) {
			c.lost.Store(&err)
		}
		return err
	}
	c.checked = now
	return nil
}

// write gives the writer to f when it is f's turn.
func (c *claim) write(ctx context.Context, f func(*conn) error) error {
	select {
	case w := <-c.writer:
		return c.with(ctx, c.writer, w, f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read gives a connection to f: the writer if it is free, since it remembers the pages that were written last.
func (c *claim) read(ctx context.Context, f func(*conn) error) error {
	select {
	case w := <-c.writer:
		return c.with(ctx, c.writer, w, f)
	default:
	}
	select {
	case w := <-c.writer:
		return c.with(ctx, c.writer, w, f)
	case r := <-c.readers:
		return c.with(ctx, c.readers, r, f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// with calls f and puts the connection back where it came from. It connects first where there is none, and disconnects
// one that broke.
func (c *claim) with(ctx context.Context, pool chan *conn, one *conn, f func(*conn) error) (err error) {
	defer func() { pool <- one }()
	if one == nil {
		if one, err = dial(ctx, c.path, pragmas...); err != nil {
			return err
		}
	}
	err = f(one)
	if one.broken {
		_ = one.close() // What matters is in err
		one = nil
	}
	return err
}

// gate connects [Store.Database] while there is a claim.
type gate struct{ store *Store }

// Connect implements [driver.Connector].
func (g gate) Connect(ctx context.Context) (driver.Conn, error) {
	c, done, err := g.store.use()
	if err != nil {
		return nil, err
	}
	defer done()
	made, err := connector(c.path, pragmas...)
	if err != nil {
		return nil, err
	}
	raw, err := made.Connect(ctx)
	return raw, g.store.explain(err)
}

// Driver implements [driver.Connector].
func (g gate) Driver() driver.Driver { return &driversqlite.Driver{} }
