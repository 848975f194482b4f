package attachment_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"maunium.net/go/mautrix"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestOneFileGoesUpOnceForTenRooms(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	data := noise(2 << 20)
	var rooms sync.WaitGroup
	uris := make([]string, 10)
	for i := range uris {
		rooms.Go(func() {
			content, err := attachment.Of(attachment.Bytes("f.bin", data)).Content(deadline(t), h.repo, false)
			if err != nil {
				t.Error(err)
				return
			}
			uris[i] = string(content.URL)
		})
	}
	rooms.Wait()
	for _, uri := range uris {
		if uri != uris[0] || uri == "" {
			t.Errorf("got %q", uris)
		}
	}
	if n := h.CountRequests("PUT", "/upload/"); n != 1 {
		t.Errorf("there were %d uploads", n)
	}
	// Encrypted, each has a key of its own, and other types are other files to clients.
	for range 2 {
		must(attachment.Of(attachment.Bytes("f.bin", data)).Content(deadline(t), h.repo, true))(t)
	}
	other := attachment.Of(attachment.Bytes("f.bin", data), attachment.MIME("text/cat"))
	must(other.Content(deadline(t), h.repo, false))(t)
	if n := h.CountRequests("PUT", "/upload/"); n != 4 {
		t.Errorf("there were %d uploads in the end", n)
	}
}

func TestUploadCacheIsBounded(t *testing.T) {
	h := newHome(t, fakehs.Options{}, attachment.WithUploadCache(2))
	send := func(b byte) {
		t.Helper()
		must(attachment.Of(attachment.Bytes("f", []byte{b})).Content(deadline(t), h.repo, false))(t)
	}
	for _, tt := range []struct {
		file byte
		want int // Uploads until then
	}{{1, 1}, {2, 2}, {1, 2}, {3, 3}, {1, 3}, {2, 4}, {3, 5}} {
		send(tt.file)
		if n := h.CountRequests("POST", "/upload"); n != tt.want {
			t.Errorf("after %d: %d uploads, want %d", tt.file, n, tt.want)
		}
	}
}

func TestUploadLimitIsAskedFirst(t *testing.T) {
	h := newHome(t, fakehs.Options{MaxUpload: 1000})
	for range 2 {
		_, err := attachment.Of(attachment.Bytes("f", noise(1001))).Content(deadline(t), h.repo, true)
		var large *attachment.TooLargeError
		if !errors.As(err, &large) || !errors.Is(err, attachment.ErrTooLarge) || large.Limit != 1000 || large.Size != 1001 {
			t.Errorf("got %v", err)
		}
	}
	must(attachment.Of(attachment.Bytes("f", noise(1000))).Content(deadline(t), h.repo, true))(t)
	if up, asked := h.CountRequests("POST", "/upload"), h.CountRequests("GET", "/media/config"); up != 1 || asked != 1 {
		t.Errorf("%d uploads, asked %d times", up, asked)
	}
}

func TestUploadLimitOfOtherServers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status map[string]int // By path; 200 has the limit
		want   int64
	}{
		{"old", map[string]int{"/_matrix/media/v3/config": 200}, 77},
		{"none", nil, 0},
		{"broken", map[string]int{"/_matrix/client/v1/media/config": 500}, 0},
		{"forbidden", map[string]int{"/_matrix/client/v1/media/config": 403}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch status := tt.status[r.URL.Path]; status {
				case 0:
					unknown(w)
				case 200:
					_, _ = io.WriteString(w, `{"m.upload.size":77}`)
				default:
					w.WriteHeader(status)
				}
			})
			if got, err := repo.UploadLimit(deadline(t)); err != nil || got != tt.want {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	repo := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errcode":"M_UNKNOWN_TOKEN"}`)
	})
	if _, err := repo.UploadLimit(deadline(t)); !errors.Is(err, mautrix.MUnknownToken) {
		t.Errorf("got %v", err)
	}
}

func TestServerThatRefusesTheSize(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	h.Fail(fakehs.Fault{Path: "/upload", Status: http.StatusRequestEntityTooLarge, ErrCode: "M_TOO_LARGE"})
	_, err := attachment.Of(attachment.Bytes("f", noise(10))).Content(deadline(t), h.repo, false)
	if !errors.Is(err, attachment.ErrTooLarge) || !errors.Is(err, mautrix.MTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestUploadIsRepeatedFromTheStart(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault fakehs.Fault
		size  int
	}{
		{"not begun", fakehs.Fault{Path: "/upload", Cut: fakehs.CutBefore, Count: 2}, 300_000},
		{"server is down", fakehs.Fault{Path: "/upload", Status: 502, Count: 2}, 300_000},
		{"place not made", fakehs.Fault{Path: "/create", Status: 502, Count: 1}, 3 << 20},
		{"large and not begun", fakehs.Fault{Path: "/upload", Cut: fakehs.CutBefore, Count: 2}, 3 << 20},
		// The server has the file, and says that it does: M_CANNOT_OVERWRITE_MEDIA.
		{"answer lost", fakehs.Fault{Path: "/upload", Cut: fakehs.CutAfter, Count: 1}, 3 << 20},
	} {
		for _, encrypted := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				h := newHome(t, fakehs.Options{})
				fault := h.Fail(tt.fault)
				data := noise(tt.size)
				content := must(attachment.Of(attachment.Bytes("f", data)).Content(deadline(t), h.repo, encrypted))(t)
				fault.Remove()
				if got, _ := read(t, h.repo, content); !bytes.Equal(got, data) || fault.Hits() != tt.fault.Count {
					t.Errorf("got %d bytes after %d faults", len(got), fault.Hits())
				}
			})
		}
	}
}

func TestServerWithoutPlaces(t *testing.T) {
	var created, uploaded counter
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/_matrix/media/v1/create":
			created.Add(1)
			unknown(w)
		case "/_matrix/media/v3/upload":
			uploaded.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, `{"content_uri":"mxc://example.org/abc"}`)
		default:
			unknown(w)
		}
	})
	for range 3 {
		content := must(attachment.Of(attachment.Bytes("f", noise(2<<20))).Content(deadline(t), repo, true))(t)
		if content.File.URL != mxc("abc") {
			t.Errorf("got %s", content.File.URL)
		}
	}
	if created.Load() != 1 || uploaded.Load() != 3 {
		t.Errorf("%d places, %d uploads", created.Load(), uploaded.Load())
	}
}

func TestPlacesThatRunOut(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	h.Fail(fakehs.Fault{Path: "/create", Status: http.StatusTooManyRequests})
	must(attachment.Of(attachment.Bytes("f", noise(2<<20))).Content(deadline(t), h.repo, false))(t)
	if h.CountRequests("POST", "/upload") != 1 {
		t.Error("there was no plain upload")
	}
}

func TestAnswersThatAreNoUpload(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"no URI": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, `{}`)
		},
		"before the file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, `{"content_uri":"mxc://example.org/abc"}`)
		},
	} {
		repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/_matrix/media/v3/upload" {
				unknown(w)
				return
			}
			answer(w, r)
		})
		if _, err := attachment.Of(attachment.Bytes("f", noise(20<<20))).Content(deadline(t), repo, true); err == nil {
			t.Errorf("%s: taken for an upload", name)
		}
	}
}

func TestUploadEndsWithTheContext(t *testing.T) {
	arrived := make(chan struct{})
	repo := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_matrix/media/v3/upload" {
			unknown(w)
			return
		}
		close(arrived)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(deadline(t))
	go func() {
		<-arrived
		cancel()
	}()
	_, err := attachment.Of(attachment.Bytes("f", noise(9))).Content(ctx, repo, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	h := newHome(t, fakehs.Options{})
	var mu sync.Mutex
	var seen []int64
	follow := func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if total != 3<<20 || done > total || len(seen) > 0 && done < seen[len(seen)-1] {
			t.Errorf("%d of %d after %v", done, total, seen)
		}
		seen = append(seen, done)
	}
	check := func() {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(seen) < 5 || seen[len(seen)-1] != 3<<20 {
			t.Errorf("saw %v", seen)
		}
		seen = nil
	}
	content := must(attachment.Of(attachment.Bytes("f", noise(3<<20)), attachment.OnProgress(follow)).
		Content(deadline(t), h.repo, true))(t)
	check()
	got := must(h.repo.Download(deadline(t), content, attachment.FollowDownload(follow)))(t)
	defer got.Close()
	check()
}
