package niobottest

import (
	"net/http"
	"net/url"
)

func (s *Server) httpClient() *http.Client { return &http.Client{Transport: s.hs.Transport()} }

// homeserver is a base URL for requests that do not go over the network.
func (s *Server) homeserver() *url.URL { return &url.URL{Scheme: "http", Host: "homeserver.invalid"} }
