package attachment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

const (
	maxSpoolMemory = 256 << 10 // Of a file without a place of its own; what is longer goes to disk
	copyBuffer     = 64 << 10
)

// file is an opened source: bytes that can be read again, at any place and by several at once.
type file interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// spool keeps bytes that came as a stream: short ones in memory, others in a temporary file that only its owner may
// read. It is written by one goroutine, and read by any number after that.
type spool struct {
	dir    string
	memory []byte
	disk   *diskFile
	size   int64
	closed bool
	mu     sync.Mutex // Guards closed
}

// diskFile is a temporary file. Where the system allows it the file has no name, so that nothing is left behind by a
// crash.
type diskFile struct {
	*os.File
	named bool
}

func newDiskFile(dir string) (*diskFile, error) {
	f, err := os.CreateTemp(dir, "niobot-*") // With the mode 0600
	if err != nil {
		return nil, err
	}
	d := &diskFile{File: f}
	if err := os.Remove(f.Name()); err != nil {
		d.named = true
		runtime.AddCleanup(d, func(name string) { _ = os.Remove(name) }, f.Name())
	}
	return d, nil
}

// Close implements io.Closer. It takes the bytes away.
func (d *diskFile) Close() error {
	err := d.File.Close()
	if d.named {
		err = errors.Join(err, os.Remove(d.Name()))
	}
	return err
}

func newSpool(dir string) *spool { return &spool{dir: dir} }

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.disk == nil && len(s.memory)+len(p) <= maxSpoolMemory {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.disk == nil {
		disk, err := newDiskFile(s.dir)
		if err != nil {
			return 0, fmt.Errorf("make a temporary file: %w", err)
		}
		s.disk = disk
		if _, err := disk.WriteAt(s.memory, 0); err != nil {
			return 0, fmt.Errorf("write a temporary file: %w", err)
		}
		s.memory = nil
	}
	n, err := s.disk.WriteAt(p, s.size)
	s.size += int64(n)
	if err != nil {
		err = fmt.Errorf("write a temporary file: %w", err)
	}
	return n, err
}

// reset drops what was written.
func (s *spool) reset() {
	s.size, s.memory = 0, s.memory[:0]
}

// Size implements file.
func (s *spool) Size() int64 { return s.size }

// ReadAt implements [io.ReaderAt].
func (s *spool) ReadAt(p []byte, offset int64) (int, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return 0, ErrClosed
	case offset < 0:
		return 0, fmt.Errorf("read at offset %d", offset)
	case s.disk == nil:
		return bytes.NewReader(s.memory).ReadAt(p, offset)
	case offset >= s.size:
		return 0, io.EOF
	}
	// After a reset the file may be longer than what was written since.
	rest := s.size - offset
	if int64(len(p)) <= rest {
		return s.disk.ReadAt(p, offset)
	}
	n, err := s.disk.ReadAt(p[:rest], offset)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// Close implements io.Closer. It takes the bytes away, and may be called twice.
func (s *spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed, s.memory = true, nil
	if s.disk == nil {
		return nil
	}
	return s.disk.Close()
}

// fill writes all of r, at most limit bytes. whose names the limit.
func (s *spool) fill(r io.Reader, limit int64, whose string) error {
	buf := make([]byte, copyBuffer)
	for {
		n, err := r.Read(buf)
		if s.size+int64(n) > limit {
			return &TooLargeError{Limit: limit, Whose: whose}
		}
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
