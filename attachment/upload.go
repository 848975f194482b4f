package attachment

import (
	"context"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// createFrom is from what size on a place is made before the upload, in bytes. It costs one more request, after which
// an upload whose answer was lost is not stored twice (MSC2246).
const createFrom = 1 << 20

// upload is a file on its way up.
type upload struct {
	file     file
	mime     string
	name     string
	secret   *secret // nil for a plain upload
	progress Progress
}

// store brings a file to the server and returns the hash of what went up. Encrypted ones go without their name and
// type, which are in the message.
func (r *Repository) store(ctx context.Context, u upload) (id.ContentURI, digest, error) {
	limit, err := r.UploadLimit(ctx)
	if err != nil {
		return id.ContentURI{}, digest{}, err
	}
	if size := u.file.Size(); limit > 0 && size > limit {
		return id.ContentURI{}, digest{}, &TooLargeError{Limit: limit, Size: size, Whose: "the server's"}
	}
	if u.secret != nil {
		uri, sum, err := r.send(ctx, u)
		return uri, sum, err
	}
	sum, err := digestOf(ctx, u.file)
	if err != nil {
		return id.ContentURI{}, sum, fmt.Errorf("read %s: %w", u.name, err)
	}
	uri, err := r.uploads.do(ctx, uploadKey{sum, u.mime}, func() (id.ContentURI, error) {
		uri, sent, err := r.send(ctx, u)
		if err == nil && sent != sum {
			err = errors.New("the file changed while it was uploaded")
		}
		return uri, err
	})
	if err == nil && u.progress != nil {
		u.progress(u.file.Size(), u.file.Size()) // It may have been there already.
	}
	return uri, sum, err
}

// send uploads, without a look into the cache.
func (r *Repository) send(ctx context.Context, u upload) (id.ContentURI, digest, error) {
	if u.file.Size() >= createFrom && !r.noCreate.Load() {
		var place mautrix.RespCreateMXC
		err := r.call(ctx, http.MethodPost, r.client.BuildURL(mautrix.MediaURLPath{"v1", "create"}), &place)
		switch {
		case err == nil && !place.ContentURI.IsEmpty():
			return r.sendTo(ctx, u, place.ContentURI)
		case isUnsupported(err):
			r.noCreate.Store(true)
		case err != nil && !errors.Is(err, mautrix.MLimitExceeded):
			return id.ContentURI{}, digest{}, fmt.Errorf("make a place for the upload: %w", err)
		}
	}
	var made mautrix.RespMediaUpload
	var sum digest
	err := r.retry(ctx, func(ctx context.Context) error {
		var err error
		made, sum, _, err = r.attempt(ctx, http.MethodPost, mautrix.MediaURLPath{"v3", "upload"}, u)
		return err
	})
	if err == nil && made.ContentURI.IsEmpty() {
		err = errors.New("the server's answer has no mxc URI")
	}
	return made.ContentURI, sum, u.wrap(err)
}

// sendTo uploads into a place that was made before.
func (r *Repository) sendTo(ctx context.Context, u upload, place id.ContentURI) (id.ContentURI, digest, error) {
	path := mautrix.MediaURLPath{"v3", "upload", place.Homeserver, place.FileID}
	var sum digest
	var whole bool // Whether an attempt has sent all of it
	err := r.retry(ctx, func(ctx context.Context) error {
		_, sent, ok, err := r.attempt(ctx, http.MethodPut, path, u)
		if ok {
			sum, whole = sent, true
		}
		if whole && isOverwrite(err) {
			return nil // The answer to an earlier attempt was lost.
		}
		return err
	})
	return place, sum, u.wrap(err)
}

func (u *upload) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, mautrix.MTooLarge):
		return fmt.Errorf("upload: %w: %w", &TooLargeError{Size: u.file.Size(), Whose: "the server's"}, err)
	}
	return fmt.Errorf("upload: %w", err)
}

// isOverwrite tells that a place has a file already.
func isOverwrite(err error) bool {
	var failed mautrix.HTTPError
	return errors.As(err, &failed) && failed.RespError != nil && failed.RespError.ErrCode == "M_CANNOT_OVERWRITE_MEDIA"
}

// attempt is one request. whole tells that all of the file was sent; sum is its hash then.
func (r *Repository) attempt(
	ctx context.Context, method string, path mautrix.PrefixableURLPath, u upload,
) (made mautrix.RespMediaUpload, sum digest, whole bool, err error) {
	ctx, moved, stop := watch(ctx)
	defer stop()
	query, mime := map[string]string{}, "application/octet-stream"
	if u.secret == nil {
		mime = u.mime
		if u.name != "" {
			query["filename"] = u.name
		}
	}
	body := newBody(u, moved)
	request := mautrix.FullRequest{
		Method: method, URL: r.client.BuildURLWithQuery(path, query), Headers: http.Header{"Content-Type": {mime}},
		RequestBody: body, RequestLength: body.size, ResponseJSON: &made, MaxAttempts: 1, Client: r.http,
	}
	if body.size == 0 {
		request.RequestBody, request.RequestBytes = nil, []byte{}
	}
	_, err = r.client.MakeFullRequest(ctx, request)
	sum, whole = body.sum()
	switch {
	case err != nil && context.Cause(ctx) != nil:
		err = interrupted(ctx, "upload was interrupted", err)
	case err == nil && !whole:
		err = interrupted(ctx, "upload was cut", io.ErrUnexpectedEOF)
	}
	return made, sum, whole, err
}

// body is the file as one attempt sends it. The transport may still be reading after its request has ended.
type body struct {
	mu       sync.Mutex
	source   io.Reader
	stream   cipher.Stream
	hash     hash.Hash
	read     int64
	size     int64
	moved    func()
	progress Progress
}

func newBody(u upload, moved func()) *body {
	b := &body{
		size: u.file.Size(), hash: sha256.New(), moved: moved, progress: u.progress,
		source: io.NewSectionReader(u.file, 0, u.file.Size()),
	}
	if u.secret != nil {
		b.stream = u.secret.stream()
	}
	return b
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.source.Read(p)
	if b.stream != nil {
		b.stream.XORKeyStream(p[:n], p[:n])
	}
	b.hash.Write(p[:n])
	b.read += int64(n)
	if n > 0 {
		b.moved()
		if b.progress != nil {
			b.progress(b.read, b.size)
		}
	}
	return n, err
}

// sum is the hash of what was sent, and whether that was all.
func (b *body) sum() (sum digest, whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return digest(b.hash.Sum(nil)), b.read == b.size
}

// digestOf reads a file once.
func digestOf(ctx context.Context, f file) (digest, error) {
	h := sha256.New()
	_, err := io.CopyBuffer(h, contextReader{ctx, io.NewSectionReader(f, 0, f.Size())}, make([]byte, copyBuffer))
	return digest(h.Sum(nil)), err
}
