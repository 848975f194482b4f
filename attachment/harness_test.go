package attachment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// deadline ends what would wait for ever; no test comes near it.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// quick repeats at once.
func quick(ctx context.Context, f func(ctx context.Context) error) error {
	var err error
	for range 5 {
		var failed mautrix.HTTPError
		if err = f(ctx); !asHTTP(err, &failed) || failed.Response != nil && failed.Response.StatusCode < 500 {
			break
		}
	}
	return err
}

// home is a homeserver with a user, and that user's repository.
type home struct {
	*fakehs.Server
	client *mautrix.Client
	repo   *attachment.Repository
}

func newHome(t testing.TB, options fakehs.Options, opts ...attachment.RepositoryOption) *home {
	t.Helper()
	hs := fakehs.New(options)
	if _, err := hs.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
	})
	user := must(hs.Register("robot", ""))(t)
	session := must(hs.LogIn(user, ""))(t)
	client := must(mautrix.NewClient(hs.URL(), session.UserID, session.Token))(t)
	return &home{hs, client, attachment.NewRepository(client, with(t, opts)...)}
}

func with(t testing.TB, opts []attachment.RepositoryOption) []attachment.RepositoryOption {
	return append([]attachment.RepositoryOption{
		attachment.WithRetry(quick), attachment.WithTempDir(t.TempDir()), attachment.WithFFmpeg(""),
	}, opts...)
}

// serve is a repository of a server that does what the handler does.
func serve(t testing.TB, handler http.HandlerFunc, opts ...attachment.RepositoryOption) *attachment.Repository {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := must(mautrix.NewClient(server.URL, "@robot:example.org", "token"))(t)
	return attachment.NewRepository(client, with(t, opts)...)
}

// unknown is how servers answer at endpoints that they do not have.
func unknown(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}`)
}

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// noise are bytes that can't be compressed, the same for the same length.
func noise(length int) []byte {
	data := make([]byte, length)
	_, _ = rand.NewChaCha8([32]byte{byte(length)}).Read(data)
	return data
}

// drawing is a picture of that size.
func drawing(width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x + y), 255})
		}
	}
	return picture
}

func pngFile(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, drawing(width, height)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawing(width, height), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fields are a content as it goes over the wire.
func fields(t testing.TB, content any) map[string]any {
	t.Helper()
	var made map[string]any
	if err := json.Unmarshal(must(json.Marshal(content))(t), &made); err != nil {
		t.Fatal(err)
	}
	return made
}

// read is the file of a message, there and back.
func read(t testing.TB, repo *attachment.Repository, content *event.MessageEventContent) ([]byte, attachment.Info) {
	t.Helper()
	// What a receiver has is what went over the wire.
	var received event.MessageEventContent
	if err := json.Unmarshal(must(json.Marshal(content))(t), &received); err != nil {
		t.Fatal(err)
	}
	got := must(repo.Download(deadline(t), &received))(t)
	defer got.Close()
	return must(io.ReadAll(got))(t), got.Info
}

// counter counts what a handler has seen.
type counter struct{ atomic.Int64 }

func mxc(media string) id.ContentURIString { return id.ContentURIString("mxc://example.org/" + media) }
