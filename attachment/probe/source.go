package probe

import (
	"errors"
	"fmt"
	"io"
)

// Bounds of one [Read], whatever the file claims.
const (
	// MaxBytes is how much of a file is read, in bytes.
	MaxBytes = 16 << 20
	// MaxSteps is how many pieces of a file, such as boxes, chunks or pages, are looked at.
	MaxSteps = 1 << 18
)

const (
	pageSize = 4 << 10  // What is read at once, at least
	maxPiece = 64 << 10 // What may be asked for at once
)

// errLeft tells that a piece lies outside the file.
var errLeft = fmt.Errorf("%w: it ends too early", ErrMalformed)

// source reads a file in pages and counts what that costs. Every loop over a file's content asks it for each piece, so
// every loop ends. It is not safe for concurrent use.
type source struct {
	r     io.ReaderAt
	size  int64        // The file's, in bytes
	alive func() error // Gives an error when nobody waits for the answer any more
	steps int          // Left
	bytes int64        // Left
	page  []byte       // Bytes of the file from first on
	first int64
}

func newSource(r io.ReaderAt, size int64, alive func() error) *source {
	return &source{r: r, size: size, alive: alive, steps: MaxSteps, bytes: MaxBytes}
}

// at gives n bytes from an offset on. They are valid until the next call.
func (s *source) at(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > s.size || int64(n) > s.size-off {
		return nil, errLeft
	}
	if n > maxPiece {
		return nil, fmt.Errorf("%w: a piece has %d bytes", ErrLimit, n)
	}
	if s.steps--; s.steps < 0 {
		return nil, fmt.Errorf("%w: more than %d pieces", ErrLimit, MaxSteps)
	}
	if off < s.first || off+int64(n) > s.first+int64(len(s.page)) {
		if err := s.load(off, n); err != nil {
			return nil, err
		}
	}
	from := int(off - s.first)
	return s.page[from : from+n : from+n], nil
}

// load makes a page that begins at an offset and has n bytes or more.
func (s *source) load(off int64, n int) error {
	if err := s.alive(); err != nil {
		return err
	}
	want := int(min(int64(max(n, pageSize)), s.size-off))
	if s.bytes -= int64(want); s.bytes < 0 {
		return fmt.Errorf("%w: more than %d bytes", ErrLimit, MaxBytes)
	}
	if cap(s.page) < want {
		s.page = make([]byte, want)
	}
	s.page, s.first = s.page[:want], off
	got, err := s.r.ReadAt(s.page, off)
	s.page = s.page[:max(0, min(got, want))]
	if len(s.page) >= n {
		return nil
	}
	s.page = s.page[:0]
	if err == nil || errors.Is(err, io.EOF) {
		// The file is shorter than its owner said.
		return fmt.Errorf("read file: %w", io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("read file: %w", err)
}

// head gives the n bytes from an offset on, or as many as there are.
func (s *source) head(off int64, n int) ([]byte, error) {
	return s.at(off, int(max(0, min(int64(n), s.size-off))))
}
