package fakehs

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serve takes a request through faults, authentication, its handler and the log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt *route) {
	start := time.Now()
	c := &call{s: s, w: w, r: r, route: rt}
	entry := s.logRequest(c)
	s.mu.Lock()
	c.life = s.restarts
	s.mu.Unlock()
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
	if c.life != s.restarts {
		panic(http.ErrAbortHandler)
	}
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
	c.device, c.user, c.token = d, d.user, token
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
