// Package sqlite is a [niobot.Store] in one SQLite file, which may hold the keys of encryption as well. It needs no cgo.
//
//	db, err := sqlite.Open("bot.db")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	bot, err := niobot.New(config, niobot.WithStore(db))
//
// Beside bot.db stand bot.db-wal and bot.db-shm while it is in use, which belong to it, and bot.db-lock, by which
// processes exclude each other. To copy a store in use, use VACUUM INTO or the backup command of sqlite3. The file has
// to be on a local disk: SQLite's write-ahead log does not work over a network.
//
// Commits are in the log when [Store.Commit] returns, and outlive the process however it ends. They are on the disk's
// platter at the latest when the log is folded into the file, about every 8 MiB (synchronous=NORMAL).
package sqlite

import (
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.mau.fi/util/dbutil"

	"github.com/niobot/niobot"
)

var _ niobot.Store = (*Store)(nil)

// Store is a store in a file. Make it with [Open].
type Store struct {
	path      string
	log       *slog.Logger
	newFolder bool

	shared *sql.DB          // Behind Database; it connects only while there is a claim
	wrap   *dbutil.Database // The same

	mu    sync.RWMutex // Held for reading by what uses the claim, and for writing by what changes it
	claim *claim       // Nil without a claim
}

// Option changes how [Open] opens a store.
type Option func(*Store)

// WithLogger has warnings logged, such as of a file that others could read. Without it they are dropped.
func WithLogger(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// WithNewFolder has [Store.Claim] make the folders that are missing, with the mode 0700. Without it, a missing folder is
// an error, since it may be a disk that is not mounted, and a bot that begins anew forgets what it has answered.
func WithNewFolder() Option { return func(s *Store) { s.newFolder = true } }

// Open names the file of a store. It neither makes nor reads it; [Store.Claim] does. A relative path is meant from the
// folder in which the process is now.
func Open(path string, options ...Option) (*Store, error) {
	s := &Store{path: path, log: slog.New(slog.DiscardHandler)}
	switch {
	case path == "":
		return nil, s.fault(errors.New("the path is empty"), "name a file")
	case path == ":memory:" || strings.HasPrefix(path, "file:"):
		return nil, s.fault(errors.New("it is no path"), "name a file, or use store/memory")
	case strings.ContainsRune(path, 0):
		return nil, s.fault(errors.New("the path holds a zero byte"), "name a file")
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, s.fault(err, "")
	}
	s.path = full
	for _, option := range options {
		option(s)
	}
	s.shared = sql.OpenDB(gate{s})
	s.shared.SetMaxOpenConns(maxShared)
	s.shared.SetMaxIdleConns(maxShared)
	if s.wrap, err = dbutil.NewWithDB(s.shared, "sqlite"); err != nil {
		return nil, s.fault(err, "")
	}
	return s, nil
}

// String is the file's absolute path.
func (s *Store) String() string { return s.path }

// Database gives access to the same file by SQL, for tables beside niobot's own, as package e2ee has. It works while the
// store is claimed; whoever uses it has to be done before [Store.Release]. Its transactions take the write lock at once.
func (s *Store) Database() *dbutil.Database { return s.wrap }

// Close releases the store for good. It may be called twice, and without a claim.
func (s *Store) Close() error {
	return errors.Join(s.Release(), s.shared.Close())
}

// use is the claim, if there is one and it was not lost, until done is called.
func (s *Store) use() (c *claim, done func(), err error) {
	s.mu.RLock()
	if s.claim == nil {
		s.mu.RUnlock()
		return nil, nil, s.unclaimed()
	}
	if why := s.claim.lost.Load(); why != nil {
		s.mu.RUnlock()
		return nil, nil, s.explain(*why)
	}
	return s.claim, s.mu.RUnlock, nil
}

// folder is where the file stands.
func (s *Store) folder() string { return filepath.Dir(s.path) }

// exists reports whether there is something at a path.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
