package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	driversqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

// What helps.
const (
	cureBackup  = "restore it from a backup; to begin anew, move it away together with its -wal and -shm files"
	cureWrite   = "let this user write the file and its folder"
	cureFull    = "make room on its disk"
	cureFolder  = "make the folder, or mount its disk"
	cureDisk    = "look at the disk and at what the system logs of it"
	cureForeign = "give the bot a file of its own"
	cureMoved   = "put it back and start anew; a store is not to be moved while it is in use"
)

var (
	// errForeign means that the file belongs to another program.
	errForeign = errors.New("is the database of another program")

	// errNoFile means that something else stands where the file should be.
	errNoFile = errors.New("is no file")
)

// code is SQLite's primary result code of an error, 0 where there is none.
func code(err error) int { return extended(err) & 0xff }

func extended(err error) int {
	if e, ok := errors.AsType[*driversqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// fault makes an error the store's.
func (s *Store) fault(err error, cure string) error {
	return &niobot.StoreError{Store: s.String(), Err: err, Cure: cure}
}

func (s *Store) unclaimed() error { return s.fault(niobot.ErrStoreLost, record.UnclaimedCure) }

// explain makes an error of SQLite or of the file system the store's, with its cause and cure.
func (s *Store) explain(err error) error {
	if _, ok := errors.AsType[*niobot.StoreError](err); ok || err == nil {
		return err
	}
	cure, kind := s.kind(err)
	if kind != nil && !errors.Is(err, kind) {
		err = fmt.Errorf("%w: %w", kind, err)
	}
	return s.fault(err, cure)
}

// kind is what helps, and which of niobot's errors it is, if any.
func (s *Store) kind(err error) (cure string, kind error) {
	switch {
	case errors.Is(err, niobot.ErrStoreInUse):
		return record.InUseCure, niobot.ErrStoreInUse
	case errors.Is(err, niobot.ErrStoreOwner):
		return record.OwnerCure, niobot.ErrStoreOwner
	case errors.Is(err, niobot.ErrStoreNewer):
		return record.NewerCure, niobot.ErrStoreNewer
	case errors.Is(err, niobot.ErrStoreCorrupt):
		return cureBackup, niobot.ErrStoreCorrupt
	case errors.Is(err, niobot.ErrStoreLost):
		return cureMoved, niobot.ErrStoreLost
	case errors.Is(err, errForeign), errors.Is(err, errNoFile):
		return cureForeign, nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "", nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return cureFull, niobot.ErrStoreFull
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return cureWrite, niobot.ErrStoreReadOnly
	case errors.Is(err, os.ErrNotExist):
		return cureFolder, nil
	}
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		return cureFull, niobot.ErrStoreFull
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return cureBackup, niobot.ErrStoreCorrupt
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return cureWrite, niobot.ErrStoreReadOnly
	case sqlite3.SQLITE_CANTOPEN:
		if !s.folderIsWritable() {
			return cureWrite, niobot.ErrStoreReadOnly
		}
		return cureWrite, nil
	case sqlite3.SQLITE_IOERR:
		if extended(err) == sqlite3.SQLITE_IOERR_SHMSIZE { // The index of the log can't grow
			return cureFull, niobot.ErrStoreFull
		}
		return cureDisk, nil
	}
	return "", nil
}

// folderIsWritable tries to make a file beside the store's.
func (s *Store) folderIsWritable() bool {
	file, err := os.CreateTemp(s.folder(), ".niobot-*")
	if err != nil {
		return false
	}
	file.Close()
	return os.Remove(file.Name()) == nil
}
