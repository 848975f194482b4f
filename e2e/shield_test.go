//go:build e2e

package e2e

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
)

// newShield starts a proxy before a server that must not see a request being given up: Dendrite on SQLite leaves a
// transaction open where a client goes away in the middle of it, and ends with "cannot start a transaction within a
// transaction" soon after. A bot that stops gives up its long poll at once, as it should.
func newShield(target string) *httptest.Server {
	upstream := &url.URL{Scheme: "http", Host: target}
	return httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(upstream) },
		Transport: patient{http.DefaultTransport.(*http.Transport).Clone()},
		ErrorLog:  log.New(io.Discard, "", 0), // A server that restarts refuses requests; the client is told by a 502.
	})
}

// patient is a transport that sees each request through.
type patient struct{ http.RoundTripper }

func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	return p.RoundTripper.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
}
