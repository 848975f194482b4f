package niobottest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
)

// direct is a transport that calls a handler without a network.
type direct struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (d direct) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	defer func() {
		v := recover()
		if abort, ok := v.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
			resp, err = nil, fmt.Errorf("connection cut: %w", io.ErrUnexpectedEOF)
		} else if v != nil {
			panic(v)
		}
	}()
	inner := req.Clone(req.Context())
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	inner.RequestURI = req.URL.RequestURI()
	inner.RemoteAddr = "127.0.0.1:0"
	recorder := httptest.NewRecorder()
	d.handler.ServeHTTP(recorder, inner)
	resp = recorder.Result()
	resp.Request = req
	return resp, nil
}

func (s *Server) httpClient() *http.Client { return &http.Client{Transport: direct{s.hs}} }

// homeserver is a base URL for requests that do not go over the network.
func (s *Server) homeserver() *url.URL { return &url.URL{Scheme: "http", Host: "homeserver.invalid"} }
