package fakehs

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

// serve takes a request through faults, authentication, its handler and the log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt *route) {
	start := time.Now()
	c := &call{s: s, w: w, r: r, route: rt}
	entry := s.logRequest(c)
	reply, err := s.answer(c, entry)
	status, header, body := s.render(reply, err)
	s.finishRequest(entry, status)
	s.opts.Logger.Debug("request", "method", r.Method, "path", r.URL.Path, "status", status,
		"duration", time.Since(start))
	if c.effects.cut == CutAfter {
		panic(http.ErrAbortHandler)
	}
	for key, values := range header {
		w.Header()[key] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if c.effects.cut == CutMiddle {
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	// A client that has gone away is no fault of the server, and there is nobody left to tell.
	_, _ = w.Write(body)
}

// answer runs the handler unless a fault or a missing token answers in its place.
func (s *Server) answer(c *call, entry *Request) (any, error) {
	authErr := s.authenticate(c)
	if c.user != nil {
		s.mu.Lock()
		entry.User = c.user.id
		s.mu.Unlock()
	}
	if reply, err := s.applyFaults(c); reply != nil || err != nil {
		return reply, err
	}
	if authErr != nil {
		return nil, authErr
	}
	if c.route.own {
		return c.route.handle(c)
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, err := c.route.handle(c)
	if err != nil || reply == nil {
		return reply, err
	}
	if raw, ok := reply.(rawReply); ok {
		return raw, nil
	}
	// Encoded under the lock, since a reply may share maps with the server's state.
	body, err := encode(reply)
	return rawReply{status: http.StatusOK, body: body}, err
}

// authenticate finds the device that the access token stands for.
func (s *Server) authenticate(c *call) error {
	if c.route.access == open {
		return nil
	}
	token, found := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !found {
		token = c.query("access_token")
	}
	if token == "" {
		if c.route.access == acceptToken {
			return nil
		}
		return fail(http.StatusUnauthorized, "M_MISSING_TOKEN", "missing access token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tokens[token]
	if d == nil {
		return s.unknownToken(token)
	}
	c.device, c.user = d, d.user
	d.lastSeen = s.nowMilli()
	return nil
}

// unknownToken returns the error for a token that is not, or no longer, valid. The caller holds s.mu.
func (s *Server) unknownToken(token string) error {
	err := fail(http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "unknown access token")
	err.extra = map[string]any{"soft_logout": s.revoked[token]}
	return err
}

// render turns what a handler returned into a status, headers and a body.
func (s *Server) render(reply any, err error) (int, http.Header, []byte) {
	if err == nil {
		raw, ok := reply.(rawReply)
		if ok {
			return max(raw.status, http.StatusOK), raw.header, raw.body
		}
		var body []byte
		if body, err = encode(reply); err == nil {
			return http.StatusOK, nil, body
		}
	}
	var known *apiError
	if !errors.As(err, &known) {
		known = fail(http.StatusInternalServerError, "M_UNKNOWN", "internal server error")
		s.opts.Logger.Error("no answer to a request", "err", err)
	}
	return known.status, known.header, mustEncode(known)
}

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
	return entry
}

func (s *Server) finishRequest(entry *Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status = status
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
// contains path.
func (s *Server) CountRequests(method, path string) int {
	n := 0
	for _, r := range s.Requests() {
		if (method == "" || r.Method == method) && (strings.Contains(r.Pattern, path) || strings.Contains(r.Path, path)) {
			n++
		}
	}
	return n
}
