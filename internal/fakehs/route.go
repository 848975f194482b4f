package fakehs

import (
	"net/http"
	"strings"
)

// access says who may call an endpoint.
type access int

const (
	needToken   access = iota // only with a valid access token
	acceptToken               // with or without; a wrong token is still an error
	open                      // the token is not looked at
)

// handler answers one endpoint. It returns what to encode as JSON, an *apiError, or a rawReply.
type handler func(*call) (any, error)

// route is one endpoint. Unless own is set the handler runs with s.mu held and the body read.
type route struct {
	method  string
	path    string // the part after the version, or the whole path if it begins with "/_" or "/."
	version string // "v3" (which r0 shares) or "v1"
	access  access
	own     bool // the handler locks, reads and waits by itself
	handle  handler

	pattern string
}

// paths returns the patterns that the route answers to.
func (rt *route) paths() []string {
	switch {
	case strings.HasPrefix(rt.path, "/_") || strings.HasPrefix(rt.path, "/."):
		return []string{rt.path}
	case rt.version == "":
		return []string{"/_matrix/client/v3" + rt.path, "/_matrix/client/r0" + rt.path}
	default:
		return []string{"/_matrix/client/" + rt.version + rt.path}
	}
}

func (s *Server) register(table []route) {
	for _, entry := range table {
		for _, path := range entry.paths() {
			rt := entry
			rt.pattern = rt.method + " " + path
			s.mux.Handle(rt.pattern, routeHandler{s, &rt})
		}
	}
}

// routeHandler is what the mux knows of a route.
type routeHandler struct {
	s     *Server
	route *route
}

func (h routeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.s.serve(w, r, h.route) }

// ServeHTTP answers one request of the client-server API. As in package net/http, a connection that a fault cuts, or
// one to a closed server, shows as a panic with [http.ErrAbortHandler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.calls.Done()
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS")
	header.Set("Access-Control-Allow-Headers", "X-Requested-With, Content-Type, Authorization")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return
	}
	if !s.known(r) {
		s.serve(w, r, s.unknownRoute(r))
		return
	}
	s.mux.ServeHTTP(w, r)
}

// known reports whether there is an endpoint for the request. The mux's own redirects and errors, which are not JSON,
// do not count.
func (s *Server) known(r *http.Request) bool {
	h, _ := s.mux.Handler(r)
	_, ok := h.(routeHandler)
	return ok
}

// unknownRoute answers what no endpoint is there for; it tells a wrong method from a wrong path as the spec asks.
//
// https://spec.matrix.org/v1.15/client-server-api/#common-error-codes
func (s *Server) unknownRoute(r *http.Request) *route {
	status := http.StatusNotFound
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if s.known(probe) {
			status = http.StatusMethodNotAllowed
		}
	}
	return &route{access: open, own: true, handle: func(*call) (any, error) {
		return nil, fail(status, "M_UNRECOGNIZED", "unrecognised request: %s %s", r.Method, r.URL.Path)
	}}
}

// routeTable lists all endpoints, one area after the other.
func routeTable() []route {
	var table []route
	for _, area := range [][]route{
		accountRoutes, loginRoutes, deviceRoutes, filterRoutes, syncRoutes,
		roomRoutes, membershipRoutes, eventRoutes, historyRoutes, aliasRoutes, spaceRoutes,
		profileRoutes, ephemeralRoutes, accountDataRoutes,
		toDeviceRoutes, keyRoutes, backupRoutes, mediaRoutes, pushRoutes,
	} {
		table = append(table, area...)
	}
	return table
}
