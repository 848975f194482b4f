package fakehs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

// Request is one entry of the log of requests.
type Request struct {
	At      time.Time
	Method  string
	Path    string    // as the client sent it, unescaped
	Pattern string    // of the endpoint, e.g. "/_matrix/client/v3/rooms/{room}/send/{type}/{txn}"; "" if unknown
	User    id.UserID // "" without a valid token
	Status  int       // 0 while under way, or if the connection was cut before an answer was made
}

// maxRequestLog bounds the log; the older half goes when it is full.
const maxRequestLog = 1 << 16

type requestLog []*Request

func (s *Server) logRequest(c *call) *Request {
	_, pattern, _ := strings.Cut(c.route.pattern, " ")
	entry := &Request{At: s.opts.Now(), Method: c.r.Method, Path: c.r.URL.Path, Pattern: pattern}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requestLog) >= maxRequestLog {
		s.requestLog = append(s.requestLog[:0:0], s.requestLog[maxRequestLog/2:]...)
	}
	s.requestLog = append(s.requestLog, entry)
	s.arrivals.ring()
	return entry
}

func (s *Server) finishRequest(entry *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status = status
	s.arrivals.ring()
}

// Requests returns the requests so far in the order in which they came, those under way included. Of very many only
// the latest are kept, at least 32,768.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.requestLog))
	for i, entry := range s.requestLog {
		list[i] = *entry
	}
	return list
}

// CountRequests returns how many requests have come with the method ("" for any) to endpoints whose pattern or path
// contains path, among those that [Server.Requests] still returns.
func (s *Server) CountRequests(method, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requestLog.count(asked(method, path))
}

func (l requestLog) count(matches func(*Request) bool) int {
	n := 0
	for _, r := range l {
		if matches(r) {
			n++
		}
	}
	return n
}

func asked(method, path string) func(*Request) bool {
	return func(r *Request) bool {
		return (method == "" || r.Method == method) &&
			(strings.Contains(r.Pattern, path) || strings.Contains(r.Path, path))
	}
}

// WaitRequests waits until [Server.CountRequests] has reached n, or ctx ends. A request counts as soon as it has come:
// what it asks for may not be done yet, see [Server.WaitAnswers].
func (s *Server) WaitRequests(ctx context.Context, n int, method, path string) error {
	return s.waitRequests(ctx, n, path, asked(method, path))
}

// WaitAnswers is [Server.WaitRequests] for requests that have been answered, well or with an error: what they ask for
// is done.
func (s *Server) WaitAnswers(ctx context.Context, n int, method, path string) error {
	matches := asked(method, path)
	return s.waitRequests(ctx, n, path, func(r *Request) bool { return r.Status != 0 && matches(r) })
}

func (s *Server) waitRequests(ctx context.Context, n int, path string, matches func(*Request) bool) error {
	for {
		s.mu.Lock()
		got, news := s.requestLog.count(matches), s.arrivals.wait()
		s.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d requests to %s, got %d: %w", n, path, got, context.Cause(ctx))
		case <-s.ctx.Done():
			return fmt.Errorf("wait for %d requests to %s, got %d: %w", n, path, got, ErrClosed)
		}
	}
}
