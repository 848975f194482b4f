package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/niobot/niobot"
)

const (
	fileMode   = 0o600
	folderMode = 0o700
)

// The header of a database file (https://www.sqlite.org/fileformat2.html#the_database_header).
const (
	headerSize  = 100
	headerMagic = "SQLite format 3\x00"
	program     = "niob" // As the first migration sets it
	pageSizeAt  = 16     // Two bytes; 1 means 65536
	changesAt   = 24     // Four bytes, counting up
	pagesAt     = 28     // Four bytes: the size in pages
	programAt   = 68     // Four bytes, as PRAGMA application_id
	validForAt  = 92     // Four bytes: the value of changes for which pages holds
)

// prepareFolder sees to it that the folder is there.
func (s *Store) prepareFolder() error {
	info, err := os.Stat(s.folder())
	switch {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%w: %s is no folder", errNoFile, s.folder())
	case errors.Is(err, fs.ErrNotExist) && s.newFolder:
		return os.MkdirAll(s.folder(), folderMode)
	}
	return err
}

// resolve follows symbolic links, so that a store has one lock by whatever name it goes. A file that is not there yet
// stays as it is.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", fmt.Errorf("%w: it is a link to a file that is not there", errNoFile)
		}
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		return filepath.Join(folder, filepath.Base(path)), err
	}
	return real, err
}

// inspect looks at the file before SQLite does, which takes an empty file for a new store, even beside a log that it
// then deletes. It must be called under the lock and without a connection, since it opens and closes the file.
func inspect(path string) (found bool, err error) {
	log, err := os.Stat(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	logged := err == nil && log.Size() > 0
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if logged {
			return false, fmt.Errorf("%w: the file is missing, but its log %s is there",
				niobot.ErrStoreCorrupt, filepath.Base(path)+"-wal")
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%w: it is %s", errNoFile, info.Mode().Type())
	}
	var header [headerSize]byte
	if _, err := io.ReadFull(file, header[:]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("%w: the file has %d bytes only", niobot.ErrStoreCorrupt, info.Size())
	} else if err != nil {
		return false, err
	}
	return true, checkHeader(header[:], info.Size(), logged)
}

// checkHeader finds a file that is no database, is another program's, or is cut off. While there is a log, the file may be shorter than its
// header says, since a fold that was cut off by a crash is done again from the log.
func checkHeader(header []byte, size int64, logged bool) error {
	if !bytes.HasPrefix(header, []byte(headerMagic)) {
		return fmt.Errorf("%w: the file is no SQLite database", niobot.ErrStoreCorrupt)
	}
	page := int64(binary.BigEndian.Uint16(header[pageSizeAt:]))
	if page == 1 {
		page = 1 << 16
	}
	if page < 512 || page&(page-1) != 0 {
		return fmt.Errorf("%w: its header speaks of pages of %d bytes", niobot.ErrStoreCorrupt, page)
	}
	if string(header[programAt:][:len(program)]) != program {
		return errForeign
	}
	changes, valid := binary.BigEndian.Uint32(header[changesAt:]), binary.BigEndian.Uint32(header[validForAt:])
	want := int64(binary.BigEndian.Uint32(header[pagesAt:])) * page
	if !logged && changes == valid && size < want {
		return fmt.Errorf("%w: the file has %d of its %d bytes", niobot.ErrStoreCorrupt, size, want)
	}
	return nil
}

// guard sees to it that nobody else can read the store's files, which may hold keys.
func (s *Store) guard(path string) error {
	if runtime.GOOS == "windows" {
		return nil // Access is by lists, which a new file takes over from its folder
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", path + lockSuffix} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		before := info.Mode().Perm()
		if before&0o077 == 0 {
			continue
		}
		if err = os.Chmod(name, before&^0o077); err == nil {
			if info, err = os.Stat(name); err == nil && info.Mode().Perm()&0o077 != 0 {
				err = errors.New("its file system keeps no permissions")
			}
		}
		if err != nil {
			return s.fault(fmt.Errorf("others can read %s (mode %#o): %w", name, before, err),
				"make it the user's of the bot, with the mode 0600")
		}
		s.log.Warn("others could read the store; only the bot's user can now", "file", name, "mode", fmt.Sprintf("%#o", before))
	}
	return nil
}

// moved finds out whether the file at path is still the one that is in use.
func moved(path string, was fs.FileInfo) error {
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: the file is gone", niobot.ErrStoreLost)
	case err != nil:
		return err
	case !os.SameFile(now, was):
		return fmt.Errorf("%w: another file stands in its place", niobot.ErrStoreLost)
	}
	return nil
}

// syncFolder makes a rename in a folder last.
func syncFolder(folder string) error {
	if runtime.GOOS == "windows" {
		return nil // Folders can't be opened there, and renames last
	}
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}
