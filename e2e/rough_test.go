//go:build e2e

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// rough is a proxy with the troubles of a bad day: while it is on, every few requests it answers with 429 or 500, cuts
// the connection before the server has seen the request, or after.
type rough struct {
	*httptest.Server

	on     atomic.Bool
	count  atomic.Int64
	faults atomic.Int64
}

// roughEvery is how many requests there are to a fault.
const roughEvery = 9

func newRough(t *testing.T, target string) *rough {
	t.Helper()
	upstream, err := url.Parse(target)
	check(t, "parse the homeserver's URL", err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) }}
	r := new(rough)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		// A room is not made a second time where the first request may have arrived, so its maker would be told.
		if !r.on.Load() || strings.HasSuffix(req.URL.Path, "/sync") || strings.HasSuffix(req.URL.Path, "/createRoom") {
			proxy.ServeHTTP(w, req)
			return
		}
		n := r.count.Add(1)
		if n%roughEvery != 0 {
			proxy.ServeHTTP(w, req)
			return
		}
		r.faults.Add(1)
		switch n / roughEvery % 4 {
		case 0:
			refuse(w, http.StatusTooManyRequests, `{"errcode":"M_LIMIT_EXCEEDED","error":"slowly","retry_after_ms":20}`)
		case 1:
			refuse(w, http.StatusInternalServerError, `{"errcode":"M_UNKNOWN","error":"oops"}`)
		case 2:
			proxy.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func refuse(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // The client may be gone.
}
