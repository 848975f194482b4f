package attachment_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/fakehs"
)

// fetched is what a URL gives, with addresses of this machine allowed.
func fetched(t *testing.T, url string, opts ...attachment.FetchOption) (*attachment.Prepared, error) {
	t.Helper()
	h := newHome(t, fakehs.Options{})
	opts = append([]attachment.FetchOption{attachment.FetchAnywhere()}, opts...)
	p, err := attachment.Of(attachment.URL(url, opts...)).Prepare(deadline(t), h.repo)
	if err == nil {
		t.Cleanup(func() { _ = p.Close() })
	}
	return p, err
}

// nio-bot 92: names of the web were taken as they came, and nothing was limited.
func TestNameOfAURL(t *testing.T) {
	for _, tt := range []struct{ path, disposition, want string }{
		{"/a/cat.bin", "", "cat.bin"},
		{"/a/c%20t.bin?x=y.exe", "", "c t.bin"},
		{"/", "", "file"},
		{"/x.bin", `attachment; filename="cat.bin"`, "cat.bin"},
		{"/x.bin", `attachment; filename="a.bin"; other="b.exe"`, "a.bin"},
		{"/x.bin", `attachment; filename="../../etc/cron.d/job"`, "job"},
		{"/x.bin", `attachment; filename*=UTF-8''c%C3%A4t.bin`, "cät.bin"},
		{"/x.bin", `attachment; filename*=UTF-8''a%E2%80%AEgpj.exe`, "agpj.exe"},
		{"/x.bin", `attachment; filename="`, "x.bin"},
		{"/%2e%2e%2fetc", "", "etc"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Disposition", tt.disposition)
			_, _ = w.Write([]byte{1, 2, 3})
		}))
		p, err := fetched(t, server.URL+tt.path)
		server.Close()
		if err != nil || p.Name != tt.want {
			t.Errorf("%s with %q: %+v, %v", tt.path, tt.disposition, p, err)
		}
	}
}

func TestURLIsSent(t *testing.T) {
	data := noise(600_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hops := len(r.URL.Path) - 1; hops > 0 {
			http.Redirect(w, r, "/"+strings.Repeat("x", hops-1), http.StatusFound)
			return
		}
		_, _ = w.Write(data)
	}))
	defer server.Close()
	h := newHome(t, fakehs.Options{})
	a := attachment.Of(attachment.URL(server.URL+"/xxxxx", attachment.FetchAnywhere()))
	for range 2 {
		content := must(a.Content(deadline(t), h.repo, true))(t)
		if got, _ := read(t, h.repo, content); !bytes.Equal(got, data) {
			t.Errorf("got %d bytes", len(got))
		}
	}
	if _, err := fetched(t, server.URL+"/xxxxxx"); !errors.Is(err, attachment.ErrForbiddenURL) {
		t.Errorf("six redirects: got %v", err)
	}
}

// nio-bot 92: any address could be reached by a URL.
func TestPrivateAddressesAreRefused(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inside.Close()
	port := inside.Listener.Addr().(*net.TCPAddr).Port
	h := newHome(t, fakehs.Options{})
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "127.1", "2130706433", "0x7f000001",
	} {
		target := fmt.Sprintf("http://%s:%d/", host, port)
		_, err := attachment.Of(attachment.URL(target)).Prepare(deadline(t), h.repo)
		var notFound *net.DNSError
		if err == nil || !errors.Is(err, attachment.ErrForbiddenAddress) && !errors.As(err, &notFound) {
			t.Errorf("%s: got %v", target, err)
		}
	}
	if reached {
		t.Error("the server was reached")
	}
}

func TestURLsThatAreNone(t *testing.T) {
	for _, target := range []string{
		"", "cat.jpg", "/etc/passwd", "file:///etc/passwd", "ftp://example.org/x", "http://", "http:///x", "gopher://x",
		"http://[::1", "data:text/plain,hello", "javascript:alert(1)", "http://exa mple.org/?token=secret",
	} {
		_, err := fetched(t, target)
		if !errors.Is(err, attachment.ErrForbiddenURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %v", target, err)
		}
	}
	server := httptest.NewServer(http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	defer server.Close()
	if _, err := fetched(t, server.URL); err == nil || !errors.Is(err, attachment.ErrForbiddenURL) {
		t.Errorf("redirect to a file: got %v", err)
	}
}

func TestFetchLimits(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/told":
			_, _ = w.Write(noise(1001))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(noise(100)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			}
		case "/slow":
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-stop:
			}
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer server.Close()
	defer close(stop)
	for _, path := range []string{"/told", "/endless"} {
		if _, err := fetched(t, server.URL+path, attachment.FetchMaxBytes(1000)); !errors.Is(err, attachment.ErrTooLarge) {
			t.Errorf("%s: got %v", path, err)
		}
	}
	_, err := fetched(t, server.URL+"/slow", attachment.FetchTimeout(50*time.Millisecond))
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("slow: got %v", err)
	}
	_, err = fetched(t, "http://me:password@"+strings.TrimPrefix(server.URL, "http://")+"/tea?token=secret")
	var status *attachment.StatusError
	if !errors.As(err, &status) || status.Status != http.StatusTeapot ||
		strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "password") {
		t.Errorf("status: got %v", err)
	}
	gone := must(url.Parse(server.URL))(t)
	server.Close()
	if _, err := fetched(t, gone.String()+"/?token=secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("server is gone: got %v", err)
	}
}
