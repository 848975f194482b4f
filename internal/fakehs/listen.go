package fakehs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// ErrClosed is returned by methods that need a server which [Server.Close] has not ended.
var ErrClosed = errors.New("homeserver is closed")

// network is the server's life on the network; it has a mutex of its own because requests run meanwhile.
type network struct {
	mu   sync.Mutex
	addr string // kept while unplugged, so that Plug comes back to it
	http *http.Server
	done chan struct{}

	unplugged bool
	life      context.Context // of requests through Transport; Unplug ends it
	cut       context.CancelFunc
}

// Listen opens a free port of 127.0.0.1 and returns the base URL for clients. Called again, it returns the same URL.
func (s *Server) Listen() (string, error) {
	n := &s.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.addr == "" {
		n.addr = "127.0.0.1:0"
	}
	if err := s.open(); err != nil {
		return "", err
	}
	return "http://" + n.addr, nil
}

// URL returns the base URL that [Server.Listen] returned, or "" before that.
func (s *Server) URL() string {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	if s.network.addr == "" {
		return ""
	}
	return "http://" + s.network.addr
}

// Unplug cuts all connections and refuses new ones until [Server.Plug]. State stays as it is.
func (s *Server) Unplug() error {
	n := &s.network
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unplugged = true
	n.cut()
	if n.http == nil {
		return nil
	}
	err := n.http.Close()
	<-n.done
	n.http = nil
	return err
}

// Plug takes back what [Server.Unplug] did; a server that listened comes back to its address.
func (s *Server) Plug() error {
	n := &s.network
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.open()
}

// open makes the server reachable. The caller holds s.network.mu.
func (s *Server) open() error {
	n := &s.network
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	if n.unplugged {
		n.life, n.cut = context.WithCancel(s.ctx)
		n.unplugged = false
	}
	if n.addr == "" || n.http != nil {
		return nil
	}
	ln, err := net.Listen("tcp", n.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 30 * time.Second,
		// Debug, since aborted handlers are what faults are made of.
		ErrorLog: slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Serve always ends with an error, and Close is the only cause that this server has.
		_ = srv.Serve(ln)
	}()
	n.addr, n.http, n.done = ln.Addr().String(), srv, done
	return nil
}

// Restart looks from outside as a restart of a server process does: connections are cut, requests that are not done have
// no effect any more, new ones are refused for [Options.RestartDelay], then the same state is back on the same address.
// If ctx ends first, the server comes back at once and ctx's error is returned.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Unplug(); err != nil {
		return err
	}
	s.endRequests()
	delay := time.NewTimer(s.opts.RestartDelay)
	defer delay.Stop()
	select {
	case <-delay.C:
	case <-ctx.Done():
	}
	return errors.Join(s.Plug(), ctx.Err())
}

// endRequests keeps requests under way from having an effect, and forgets those of before where the server is forgetful.
func (s *Server) endRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restarts++
	if !s.opts.Forgetful {
		return
	}
	for _, d := range s.tokens {
		clear(d.txns)
	}
}
