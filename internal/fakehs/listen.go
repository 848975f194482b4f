package fakehs

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// ErrClosed is returned by methods that need a server which [Server.Close] has not ended.
var ErrClosed = errors.New("homeserver is closed")

// listenerState is the server's life on the network; it has a mutex of its own because requests run meanwhile.
type listenerState struct {
	mu   sync.Mutex
	addr string // kept while unplugged, so that Plug comes back to it
	http *http.Server
	done chan struct{}
}

// Listen opens a free port of 127.0.0.1 and returns the base URL for clients. Called again, it returns the same URL.
func (s *Server) Listen() (string, error) {
	if err := s.Plug(); err != nil {
		return "", err
	}
	return s.URL(), nil
}

// URL returns the base URL that [Server.Listen] returned, or "" before that.
func (s *Server) URL() string {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	if s.listener.addr == "" {
		return ""
	}
	return "http://" + s.listener.addr
}

// Plug listens again on the address that [Server.Unplug] gave up. It does nothing while the server listens.
func (s *Server) Plug() error {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	if s.listener.http != nil {
		return nil
	}
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	addr := s.listener.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(discard{}, "", 0),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Serve always ends with an error, and Close is the only cause that this server has.
		_ = srv.Serve(ln)
	}()
	s.listener.addr, s.listener.http, s.listener.done = ln.Addr().String(), srv, done
	return nil
}

// Unplug cuts all connections and refuses new ones until [Server.Plug]. State stays as it is.
func (s *Server) Unplug() error {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	if s.listener.http == nil {
		return nil
	}
	err := s.listener.http.Close()
	<-s.listener.done
	s.listener.http = nil
	return err
}

// Restart looks from outside as a restart of a server process does: connections are cut, new ones are refused for
// [Options.RestartDelay], then the same state is back on the same address. If ctx ends first, the server comes back at
// once and ctx's error is returned.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Unplug(); err != nil {
		return err
	}
	delay := time.NewTimer(s.opts.RestartDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
	}
	return errors.Join(s.Plug(), ctx.Err())
}

// discard swallows the HTTP server's own log: aborted handlers are what faults are made of.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
