package attachment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix"
)

// DefaultMaxDownload is the most that a received file, or one from a URL, may have: 256 MiB.
const DefaultMaxDownload = 256 << 20

// DefaultMaxPicture is the most that a decoded picture may take in memory: 128 MiB, about 33 million pixels with
// transparency, or 89 million of a usual photo.
const DefaultMaxPicture = 128 << 20

const (
	limitLasts     = time.Hour // For how long what the server said of its limit is believed
	maxDecodings   = 2         // At a time, see WithMaxPicture
	requestTimeout = 60 * time.Second
)

// Repository is the content repository of a homeserver: where files go up and come down (spec: Client-Server API,
// "Content repository"). It is safe for concurrent use.
type Repository struct {
	client      *mautrix.Client
	http        *http.Client
	retry       Retry
	dir         string
	maxDownload int64
	maxPicture  int64
	log         *slog.Logger
	warn        func(ctx context.Context, p *Prepared)
	tool        tool
	decodings   chan struct{}
	uploads     *uploadCache
	limit       struct {
		sync.Mutex
		bytes int64
		asked time.Time
	}
	// What the server turned out not to have. Servers learn over the years, so that a restart asks again.
	noAuthenticated, noCreate atomic.Bool
}

// RepositoryOption changes a [Repository].
type RepositoryOption func(*Repository)

// WithRetry sets how requests are repeated. Without it they are tried five times, with growing pauses of half a second
// and more, or those that the server asks for.
func WithRetry(retry Retry) RepositoryOption { return func(r *Repository) { r.retry = retry } }

// WithMaxDownload sets the most that a received file may have, in bytes; [DefaultMaxDownload] without it.
func WithMaxDownload(bytes int64) RepositoryOption {
	return func(r *Repository) { r.maxDownload = bytes }
}

// WithMaxPicture sets what a picture may take in memory to be decoded, in bytes; [DefaultMaxPicture] without it. Larger
// ones are sent without a thumbnail and a blurhash. Two are decoded at a time.
func WithMaxPicture(bytes int64) RepositoryOption {
	return func(r *Repository) { r.maxPicture = bytes }
}

// WithUploadCache sets how many plain files are remembered, so that they go up once; 256 without it, none for 0.
func WithUploadCache(files int) RepositoryOption {
	return func(r *Repository) { r.uploads = newUploadCache(files) }
}

// WithTempDir sets the folder of temporary files. Without it, it is the system's.
func WithTempDir(dir string) RepositoryOption { return func(r *Repository) { r.dir = dir } }

// WithLogger sets where it is logged that a preview could not be made, or that clients may not show a file. Without it
// nothing is.
func WithLogger(log *slog.Logger) RepositoryOption { return func(r *Repository) { r.log = log } }

// WithWarning sets a function that is told of files with a [Prepared.Warning].
func WithWarning(warn func(ctx context.Context, p *Prepared)) RepositoryOption {
	return func(r *Repository) { r.warn = warn }
}

// WithFFmpeg sets the program that makes pictures of videos and voice messages of sounds. Without it, it is the ffmpeg
// in PATH; with an empty path there is none. ffprobe is expected in the same folder.
func WithFFmpeg(path string) RepositoryOption {
	return func(r *Repository) { r.tool = tool{path: path, known: true} }
}

// NewRepository is the content repository behind a client. The client's http.Client is used without its Timeout, which
// is one for the whole of a transfer; what does not move for a minute is ended.
func NewRepository(client *mautrix.Client, opts ...RepositoryOption) *Repository {
	httpClient := new(http.Client)
	if client.Client != nil {
		*httpClient = *client.Client
	}
	httpClient.Timeout = 0
	r := &Repository{
		client: client, http: httpClient, retry: retry, maxDownload: DefaultMaxDownload, maxPicture: DefaultMaxPicture,
		log: slog.New(slog.DiscardHandler), warn: func(context.Context, *Prepared) {},
		decodings: make(chan struct{}, maxDecodings), uploads: newUploadCache(defaultUploadCache),
	}
	for _, opt := range opts {
		opt(r)
	}
	return r
}

// UploadLimit is the most that the server takes, in bytes, or 0 if it does not say. The server is asked once an hour.
func (r *Repository) UploadLimit(ctx context.Context) (int64, error) {
	r.limit.Lock()
	defer r.limit.Unlock()
	if !r.limit.asked.IsZero() && time.Since(r.limit.asked) < limitLasts {
		return r.limit.bytes, nil
	}
	paths := []mautrix.PrefixableURLPath{
		mautrix.ClientURLPath{"v1", "media", "config"},
		mautrix.MediaURLPath{"v3", "config"}, // Of servers before v1.11
	}
	var config mautrix.RespMediaConfig
	var err error
	for _, path := range paths {
		err = r.call(ctx, http.MethodGet, r.client.BuildURL(path), &config)
		if !isUnsupported(err) {
			break
		}
	}
	// A server that can't tell may take files all the same. Without a network, or with a wrong token, it will not.
	var failed mautrix.HTTPError
	if err != nil && (!errors.As(err, &failed) || failed.Response == nil || failed.IsStatus(http.StatusUnauthorized)) {
		return 0, fmt.Errorf("ask for the upload limit: %w", err)
	}
	r.limit.bytes, r.limit.asked = max(0, config.UploadSize), time.Now()
	return r.limit.bytes, nil
}

// call makes a request without a file.
func (r *Repository) call(ctx context.Context, method, url string, answer any) error {
	return r.retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		_, err := r.client.MakeFullRequest(ctx, mautrix.FullRequest{
			Method: method, URL: url, ResponseJSON: answer, MaxAttempts: 1, Client: r.http,
		})
		return err
	})
}

// isUnsupported tells that the server does not know an endpoint (spec: Client-Server API, "Common error codes").
func isUnsupported(err error) bool {
	if errors.Is(err, mautrix.MUnrecognized) {
		return true
	}
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) || failed.Response == nil || failed.RespError != nil {
		return false
	}
	// Old servers, and proxies before them, answer without an error code.
	status := failed.Response.StatusCode
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}
