package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Source is where the file of an [Attachment] comes from: [Path], [FS], [Bytes], [Reader], [URL], [MXC] or [Message].
// All can be used many times, and by several goroutines at once.
type Source interface {
	open(ctx context.Context, r *Repository) (opened, error)
}

// opened is a source that is ready to be read.
type opened struct {
	file   file
	name   string
	path   string        // Of a file that other programs can open; empty if there is none
	origin id.ContentURI // Of the same bytes on the server, plain; zero if they are not there
	hint   Info          // What the message said that it came from
}

type pathSource string

// Path is a file of the machine. It must be a regular file, and is opened anew at each use.
func Path(path string) Source { return pathSource(path) }

func (s pathSource) open(context.Context, *Repository) (opened, error) {
	name := string(s)
	// Opening a pipe would wait for who writes to it.
	if stat, err := os.Stat(name); err != nil {
		return opened{}, err
	} else if !stat.Mode().IsRegular() {
		return opened{}, fmt.Errorf("%s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return opened{}, err
	}
	stat, err := f.Stat()
	absolute, err2 := filepath.Abs(name)
	if err := errors.Join(err, err2); err != nil {
		_ = f.Close()
		return opened{}, err
	}
	return opened{file: sizedFile{f, f, stat.Size()}, name: filepath.Base(name), path: absolute}, nil
}

// sizedFile is an open file with the size that it had then.
type sizedFile struct {
	io.ReaderAt
	io.Closer
	size int64
}

// Size implements file.
func (f sizedFile) Size() int64 { return f.size }

type fsSource struct {
	fsys fs.FS
	name string
}

// FS is a file of a file system, such as an embed.FS.
func FS(fsys fs.FS, name string) Source { return fsSource{fsys, name} }

func (s fsSource) open(ctx context.Context, r *Repository) (opened, error) {
	f, err := s.fsys.Open(s.name)
	if err != nil {
		return opened{}, err
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", s.name)
	}
	if err != nil {
		_ = f.Close()
		return opened{}, err
	}
	if at, ok := f.(io.ReaderAt); ok {
		return opened{file: sizedFile{at, f, stat.Size()}, name: path.Base(s.name)}, nil
	}
	copied := newSpool(r.dir)
	err = copied.fill(contextReader{ctx, f}, math.MaxInt64, "")
	_ = f.Close()
	if err != nil {
		_ = copied.Close()
		return opened{}, fmt.Errorf("read %s: %w", s.name, err)
	}
	return opened{file: copied, name: path.Base(s.name)}, nil
}

type bytesSource struct {
	name string
	data []byte
}

// Bytes is a file with that name and content, which must not change.
func Bytes(name string, data []byte) Source { return bytesSource{name, data} }

func (s bytesSource) open(context.Context, *Repository) (opened, error) {
	return opened{file: sizedFile{bytes.NewReader(s.data), io.NopCloser(nil), int64(len(s.data))}, name: s.name}, nil
}

type readerSource struct {
	name string
	mu   sync.Mutex
	r    io.Reader
	read *spool // nil before the first use
	done bool
}

// Reader is a file with that name, read from r when it is first used, and kept from then on. r is not closed.
func Reader(name string, r io.Reader) Source { return &readerSource{name: name, r: r} }

func (s *readerSource) open(ctx context.Context, r *Repository) (opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil {
		s.read = newSpool(r.dir)
	}
	if !s.done {
		// What was read before ctx ended is kept; the next use goes on from there.
		if err := s.read.fill(contextReader{ctx, s.r}, math.MaxInt64, ""); err != nil {
			return opened{}, fmt.Errorf("read %s: %w", s.name, err)
		}
		s.done, s.r = true, nil
	}
	return opened{file: sizedFile{s.read, io.NopCloser(nil), s.read.Size()}, name: s.name}, nil
}

// URL is a file of the web, fetched anew at each use: over http or https, with at most five redirects, within a limit
// of bytes and of time, and from public addresses only. The errors: [ErrForbiddenURL], [ErrForbiddenAddress],
// [ErrTooLarge], and [*StatusError].
func URL(url string, opts ...FetchOption) Source {
	f := fetch{url: url, timeout: defaultFetchTime}
	for _, opt := range opts {
		opt(&f)
	}
	return f
}

func (f fetch) open(ctx context.Context, r *Repository) (opened, error) {
	if f.limit == 0 {
		f.limit = r.maxDownload
	}
	got, name, err := f.run(ctx, r.dir)
	if err != nil {
		return opened{}, err
	}
	return opened{file: got, name: name}, nil
}

type messageSource struct{ content *event.MessageEventContent }

// MXC is a plain file that is on the server already. Into plain rooms it goes as it is; for encrypted ones it is
// encrypted and uploaded anew.
func MXC(uri id.ContentURI) Source {
	return messageSource{&event.MessageEventContent{URL: uri.CUString()}}
}

// Message is the file of a message, decrypted if need be. Its name is kept, and its caption is not.
func Message(content *event.MessageEventContent) Source { return messageSource{content} }

func (s messageSource) open(ctx context.Context, r *Repository) (opened, error) {
	got, err := r.Download(ctx, s.content)
	if err != nil {
		return opened{}, err
	}
	from := opened{file: got.spool, hint: got.Info}
	if s.content.Body != "" || s.content.FileName != "" {
		from.name = got.Name
	}
	if !got.Encrypted {
		from.origin = got.URI
	}
	return from, nil
}
