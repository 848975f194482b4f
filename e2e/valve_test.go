//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// valve is a proxy that can hold back syncs. It counts the requests that fill gaps.
type valve struct {
	*httptest.Server

	gaps   atomic.Int32
	held   sync.RWMutex // Locked while shut
	isShut bool
}

func newValve(t *testing.T, target string) *valve {
	t.Helper()
	upstream, err := url.Parse(target)
	check(t, "parse the homeserver's URL", err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) }}
	v := new(valve)
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/sync"):
			v.held.RLock()
			v.held.RUnlock() // To have waited is all.
		case strings.HasSuffix(r.URL.Path, "/messages"):
			v.gaps.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		v.open()
		v.Close()
	})
	return v
}

func (v *valve) shut() {
	v.held.Lock()
	v.isShut = true
}

// open may be called twice.
func (v *valve) open() {
	if v.isShut {
		v.isShut = false
		v.held.Unlock()
	}
}
