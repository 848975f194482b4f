package attachment_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/peak"
)

const (
	giant    = 1 << 30
	mostHeap = 64 << 20
)

// giantFile is a file of 1 GiB that is nowhere: each byte is made of its offset.
type giantFile struct{ at int64 }

func (*giantFile) Open(string) (fs.File, error) { return new(giantFile), nil }
func (f *giantFile) Stat() (fs.FileInfo, error) { return f, nil }
func (*giantFile) Close() error                 { return nil }
func (*giantFile) Name() string                 { return "giant.bin" }
func (*giantFile) Size() int64                  { return giant }
func (*giantFile) Mode() fs.FileMode            { return 0o400 }
func (*giantFile) ModTime() time.Time           { return time.Time{} }
func (*giantFile) IsDir() bool                  { return false }
func (*giantFile) Sys() any                     { return nil }
func (f *giantFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	return n, err
}

func (*giantFile) ReadAt(p []byte, at int64) (int, error) {
	n := int(min(int64(len(p)), giant-at))
	for i := range p[:n] {
		p[i] = byte((at + int64(i)) >> 8)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func sum(h hash.Hash) string { return base64.RawStdEncoding.EncodeToString(h.Sum(nil)) }

func TestGiantFileNeedsLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves 1 GiB, up and down")
	}
	arrived := sha256.New()
	// What is received is the same plaintext in the clear: its hash is right, and what comes out is what its key makes
	// of it.
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/_matrix/media/v3/upload":
			_, _ = io.CopyBuffer(arrived, r.Body, make([]byte, 64<<10))
			_, _ = io.WriteString(w, `{"content_uri":"mxc://example.org/abc"}`)
		case r.Method == http.MethodGet && r.URL.Path == "/_matrix/client/v1/media/download/example.org/abc":
			w.Header().Set("Content-Length", fmt.Sprint(giant))
			_, _ = io.CopyBuffer(onlyWriter{w}, io.NewSectionReader(new(giantFile), 0, giant), make([]byte, 64<<10))
		default:
			unknown(w)
		}
	}, attachment.WithMaxDownload(giant))
	var content *event.MessageEventContent
	up := peak.Of(func(sample func()) any {
		a := attachment.File(attachment.FS(new(giantFile), "giant.bin"),
			attachment.OnProgress(func(_, _ int64) { sample() }))
		content = must(a.Content(deadline(t), repo, true))(t)
		return nil
	})
	if got := sum(arrived); got != content.File.Hashes.SHA256 {
		t.Errorf("what arrived has the hash %s, and the message says %s", got, content.File.Hashes.SHA256)
	}
	plain := sha256.New()
	_, _ = io.Copy(plain, io.NewSectionReader(new(giantFile), 0, giant))
	content.File.Hashes.SHA256 = sum(plain)
	down := peak.Of(func(sample func()) any {
		got := must(repo.Download(deadline(t), content, attachment.FollowDownload(func(_, _ int64) { sample() })))(t)
		if got.Info.Size != giant {
			t.Errorf("got %d bytes", got.Info.Size)
		}
		_ = got.Close()
		return nil
	})
	t.Logf("1 GiB takes %.1f MiB going up and %.1f MiB coming down", float64(up)/(1<<20), float64(down)/(1<<20))
	if up > mostHeap || down > mostHeap {
		t.Error("that is too much")
	}
}

// onlyWriter hides methods that would bring buffers of their own.
type onlyWriter struct{ io.Writer }
