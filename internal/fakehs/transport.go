package fakehs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
)

// Transport returns a way to the server without sockets, for [http.Client.Transport]. The host of a request's URL does
// not matter. It behaves as a connection does under faults and [Server.Unplug], and works inside a testing/synctest
// bubble. A request runs on the goroutine that makes it.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.s.network.mu.Lock()
	life, unplugged := t.s.network.life, t.s.network.unplugged
	t.s.network.mu.Unlock()
	if req.Body != nil {
		defer req.Body.Close()
	}
	if unplugged || life.Err() != nil {
		return nil, fmt.Errorf("connect to homeserver in memory: %w", syscall.ECONNREFUSED)
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	stop := context.AfterFunc(life, cancel)
	defer stop()
	served := req.Clone(ctx)
	served.RequestURI = req.URL.RequestURI()
	served.Host = req.URL.Host
	if served.Body == nil {
		served.Body = http.NoBody
	}
	rec := &recorder{header: make(http.Header)}
	aborted := rec.serve(t.s, served)
	switch {
	case req.Context().Err() != nil:
		return nil, context.Cause(req.Context())
	case life.Err() != nil:
		return nil, fmt.Errorf("homeserver in memory: %w", syscall.ECONNRESET)
	case aborted && rec.status == 0:
		return nil, fmt.Errorf("homeserver in memory: %w", io.EOF)
	}
	return rec.response(req, aborted), nil
}

// recorder is the [http.ResponseWriter] of a request in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// serve runs the request and reports whether the connection was cut.
func (r *recorder) serve(s *Server, req *http.Request) (aborted bool) {
	defer func() {
		v := recover()
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			aborted = true
		} else if v != nil {
			panic(v)
		}
	}()
	s.ServeHTTP(r, req)
	return false
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(req *http.Request, aborted bool) *http.Response {
	var body io.Reader = &r.body
	if aborted {
		body = io.MultiReader(&r.body, broken{})
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)),
		StatusCode:    r.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.header,
		Body:          io.NopCloser(body),
		ContentLength: -1,
		Request:       req,
	}
}

// broken is what follows the bytes that came before a connection was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
