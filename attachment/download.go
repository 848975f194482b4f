package attachment

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Received is the file of a message, whole and, if it was encrypted, decrypted and checked. Its Size is that of the
// file itself. It must be closed. ReadAt may be called by several at once, the other methods not.
type Received struct {
	Info
	spool  *spool
	reader *io.SectionReader
}

var (
	_ io.ReadSeekCloser = (*Received)(nil)
	_ io.ReaderAt       = (*Received)(nil)
)

// Read implements [io.Reader].
func (r *Received) Read(p []byte) (int, error) { return r.reader.Read(p) }

// ReadAt implements [io.ReaderAt].
func (r *Received) ReadAt(p []byte, offset int64) (int, error) { return r.spool.ReadAt(p, offset) }

// Seek implements [io.Seeker].
func (r *Received) Seek(offset int64, whence int) (int64, error) {
	return r.reader.Seek(offset, whence)
}

// Close takes the file away. It may be called twice.
func (r *Received) Close() error { return r.spool.Close() }

// Save writes the file to a path, in the place of what is there: the new one appears when it is whole. Its mode is
// 0600.
func (r *Received) Save(path string) error {
	made, err := os.CreateTemp(filepath.Dir(path), ".niobot-*")
	if err != nil {
		return fmt.Errorf("save file: %w", err)
	}
	_, err = io.CopyBuffer(onlyWriter{made}, io.NewSectionReader(r.spool, 0, r.spool.Size()), make([]byte, copyBuffer))
	if err = errors.Join(err, made.Close()); err == nil {
		err = os.Rename(made.Name(), path)
	}
	if err != nil {
		_ = os.Remove(made.Name())
		return fmt.Errorf("save file: %w", err)
	}
	return nil
}

// onlyWriter hides methods that would bring a buffer of their own.
type onlyWriter struct{ io.Writer }

// DownloadOption changes one download.
type DownloadOption func(*download)

// MaxBytes is the most that the file may have, in place of the [Repository]'s.
func MaxBytes(bytes int64) DownloadOption { return func(d *download) { d.limit = bytes } }

// FollowDownload sets a function that follows the download.
func FollowDownload(progress Progress) DownloadOption {
	return func(d *download) { d.progress = progress }
}

// Download fetches the file of a message. What was cut goes on where it ended, if the server can do that. The errors:
// [ErrNoMedia], [ErrTooLarge], [ErrBadKey], [ErrHashMismatch], or the server's, as mautrix.HTTPError.
func (r *Repository) Download(
	ctx context.Context, content *event.MessageEventContent, opts ...DownloadOption,
) (*Received, error) {
	info, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	return r.receive(ctx, info, content.File, opts)
}

// DownloadThumbnail fetches the thumbnail that a message has for its file. The errors are those of
// [Repository.Download]; without a thumbnail it is [ErrNoMedia].
func (r *Repository) DownloadThumbnail(
	ctx context.Context, content *event.MessageEventContent, opts ...DownloadOption,
) (*Received, error) {
	said := content.Info
	if said == nil {
		return nil, fmt.Errorf("download thumbnail: %w", ErrNoMedia)
	}
	info, err := Parse(&event.MessageEventContent{
		MsgType: event.MsgImage, URL: said.ThumbnailURL, File: said.ThumbnailFile, Info: said.ThumbnailInfo,
	})
	if err != nil {
		return nil, fmt.Errorf("download thumbnail: %w", err)
	}
	return r.receive(ctx, info, said.ThumbnailFile, opts)
}

// DownloadURI fetches a plain file, such as an avatar.
func (r *Repository) DownloadURI(ctx context.Context, uri id.ContentURI, opts ...DownloadOption) (*Received, error) {
	info, err := Parse(&event.MessageEventContent{URL: uri.CUString()})
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	return r.receive(ctx, info, nil, opts)
}

func (r *Repository) receive(
	ctx context.Context, info Info, file *event.EncryptedFileInfo, opts []DownloadOption,
) (*Received, error) {
	d := &download{repository: r, uri: info.URI, limit: r.maxDownload, spool: newSpool(r.dir)}
	for _, opt := range opts {
		opt(d)
	}
	if info.Size > d.limit {
		return nil, fmt.Errorf("download: %w", &TooLargeError{Limit: d.limit, Size: info.Size, Whose: "the"})
	}
	if file != nil {
		secret, sum, err := parseSecret(file)
		if err != nil {
			return nil, fmt.Errorf("download: %w", err)
		}
		d.secret, d.want = &secret, sum
	}
	if err := d.run(ctx); err != nil {
		_ = d.spool.Close()
		return nil, fmt.Errorf("download %s: %w", info.URI, err)
	}
	info.Size = d.spool.Size()
	return &Received{info, d.spool, io.NewSectionReader(d.spool, 0, d.spool.Size())}, nil
}

// download is a file on its way down.
type download struct {
	repository *Repository
	uri        id.ContentURI
	limit      int64
	progress   Progress
	secret     *secret // nil for a plain file
	want       digest
	spool      *spool
	stream     cipher.Stream
	hash       hash.Hash
}

func (d *download) run(ctx context.Context) error {
	d.restart()
	if err := d.repository.retry(ctx, d.attempt); err != nil {
		return err
	}
	if d.secret == nil {
		return nil
	}
	if got := d.hash.Sum(nil); subtle.ConstantTimeCompare(got, d.want[:]) == 0 {
		return ErrHashMismatch
	}
	return nil
}

// restart drops what has arrived.
func (d *download) restart() {
	d.spool.reset()
	if d.secret != nil {
		d.stream, d.hash = d.secret.stream(), sha256.New()
	}
}

// attempt fetches what is missing.
func (d *download) attempt(ctx context.Context) error {
	watched, moved, stop := watch(ctx)
	defer stop()
	response, err := d.open(watched)
	if err != nil {
		if context.Cause(watched) != nil {
			err = interrupted(watched, "download was interrupted", err)
		}
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusPartialContent || !startsAt(response, d.spool.Size()) {
		d.restart()
		if response.StatusCode == http.StatusPartialContent {
			return interrupted(watched, "server sent another part", io.ErrUnexpectedEOF)
		}
	}
	total := int64(-1)
	if response.ContentLength >= 0 {
		total = d.spool.Size() + response.ContentLength
	}
	if total > d.limit {
		return &TooLargeError{Limit: d.limit, Size: total, Whose: "the"}
	}
	return d.take(watched, response.Body, total, moved)
}

// take reads the body into the spool.
func (d *download) take(ctx context.Context, body io.Reader, total int64, moved func()) error {
	buf := make([]byte, copyBuffer)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			moved()
			if d.spool.Size()+int64(n) > d.limit {
				return &TooLargeError{Limit: d.limit, Whose: "the"}
			}
			if d.secret != nil {
				d.hash.Write(buf[:n])
				d.stream.XORKeyStream(buf[:n], buf[:n])
			}
			if _, err := d.spool.Write(buf[:n]); err != nil {
				return err
			}
			if d.progress != nil {
				d.progress(d.spool.Size(), total)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return interrupted(ctx, "download was interrupted", err)
		}
	}
}

// open asks for the file, at the endpoint that the server has.
func (d *download) open(ctx context.Context) (*http.Response, error) {
	r := d.repository
	if !r.noAuthenticated.Load() {
		response, err := d.get(ctx, mautrix.ClientURLPath{"v1", "media", "download", d.uri.Homeserver, d.uri.FileID})
		if !isUnsupported(err) {
			return response, err
		}
		// Before v1.11 media were open to all. Whether the server is as old, or its proxy was asleep, the answer tells.
		response, err = d.get(ctx, mautrix.MediaURLPath{"v3", "download", d.uri.Homeserver, d.uri.FileID})
		if err == nil {
			r.noAuthenticated.Store(true)
		}
		return response, err
	}
	return d.get(ctx, mautrix.MediaURLPath{"v3", "download", d.uri.Homeserver, d.uri.FileID})
}

func (d *download) get(ctx context.Context, path mautrix.PrefixableURLPath) (*http.Response, error) {
	// A compressed answer would have other offsets than the file.
	header := http.Header{"Accept-Encoding": {"identity"}}
	if have := d.spool.Size(); have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	client := d.repository.client
	_, response, err := client.MakeFullRequestWithResp(ctx, mautrix.FullRequest{
		Method: http.MethodGet, URL: client.BuildURL(path), Headers: header,
		DontReadResponse: true, MaxAttempts: 1, Client: d.repository.http,
	})
	var failed mautrix.HTTPError
	if errors.As(err, &failed) && failed.IsStatus(http.StatusRequestedRangeNotSatisfiable) && d.spool.Size() > 0 {
		d.restart()
		return d.get(ctx, path)
	}
	return response, err
}

// startsAt tells whether a partial answer goes on where the file ended.
func startsAt(response *http.Response, offset int64) bool {
	return strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset))
}
