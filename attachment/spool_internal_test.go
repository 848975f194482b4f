package attachment

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestSpoolKeepsShortFilesInMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	s := newSpool(dir)
	if err := s.fill(bytes.NewReader(make([]byte, maxSpoolMemory)), math.MaxInt64, ""); err != nil {
		t.Fatal(err)
	}
	// One byte more needs the folder, which is not there.
	if _, err := s.Write([]byte{1}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSpoolOnDiskIsForItsOwnerAlone(t *testing.T) {
	s := newSpool(t.TempDir())
	if err := s.fill(strings.NewReader(strings.Repeat("0123456789", 100_000)), math.MaxInt64, ""); err != nil {
		t.Fatal(err)
	}
	stat, err := s.disk.Stat()
	if err != nil || runtime.GOOS != "windows" && stat.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", stat.Mode(), err)
	}
	if s.memory != nil || s.Size() != 1_000_000 {
		t.Errorf("%d bytes in memory, size %d", len(s.memory), s.Size())
	}
	check := func(offset int64, length int, want string, wantErr error) {
		t.Helper()
		p := make([]byte, length)
		n, err := s.ReadAt(p, offset)
		if string(p[:n]) != want || !errors.Is(err, wantErr) {
			t.Errorf("at %d: got %q, %v, want %q, %v", offset, p[:n], err, want, wantErr)
		}
	}
	check(0, 3, "012", nil)
	check(999_995, 5, "56789", nil)
	check(999_995, 9, "56789", io.EOF)
	check(1_000_000, 1, "", io.EOF)
	// What was there before does not show again.
	s.reset()
	check(0, 3, "", io.EOF)
	if _, err := s.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	check(0, 9, "abc", io.EOF)
	check(1, 2, "bc", nil)
	if _, err := s.ReadAt(nil, -1); err == nil {
		t.Error("read before the start")
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	check(0, 1, "", ErrClosed)
}

func TestSpoolIsLimited(t *testing.T) {
	for _, limit := range []int64{0, 10, maxSpoolMemory + 10} {
		data := make([]byte, limit)
		if err := newSpool(t.TempDir()).fill(bytes.NewReader(data), limit, "the"); err != nil {
			t.Errorf("%d bytes: %v", limit, err)
		}
		var large *TooLargeError
		err := newSpool(t.TempDir()).fill(bytes.NewReader(append(data, 0)), limit, "the")
		if !errors.As(err, &large) || large.Limit != limit {
			t.Errorf("%d bytes and one: %v", limit, err)
		}
	}
}
