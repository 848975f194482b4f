package fakehs

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"maunium.net/go/mautrix/id"
)

// uiaSession is one run of user-interactive authentication.
//
// https://spec.matrix.org/v1.15/client-server-api/#user-interactive-authentication-api
type uiaSession struct {
	pattern string // the endpoint that the session was begun for
	user    id.UserID
}

// uiaAuth is the auth object that a client adds to its request.
type uiaAuth struct {
	Type       string          `json:"type"`
	Session    string          `json:"session"`
	User       string          `json:"user"`
	Identifier json.RawMessage `json:"identifier"`
	Password   string          `json:"password"`
}

// interactive returns nil once the request carries a stage that check accepts; else the 401 to answer with.
func (c *call) interactive(stage string, check func(uiaAuth) error) error {
	var req struct {
		Auth *uiaAuth `json:"auth"`
	}
	if err := c.decode(&req); err != nil {
		return err
	}
	if req.Auth == nil {
		return c.challenge(stage, c.newSession(), nil)
	}
	session := c.s.uiaFlows[req.Auth.Session]
	if session == nil || session.pattern != c.route.pattern || session.user != c.userID() {
		if req.Auth.Session != "" {
			return fail(http.StatusForbidden, "M_UNKNOWN", "unknown session")
		}
		// Without a session a client may pass by the first, empty-handed request, as Synapse allows.
		req.Auth.Session = c.newSession()
	}
	if req.Auth.Type != stage {
		return c.challenge(stage, req.Auth.Session, fail(0, "M_UNRECOGNIZED", "stage %q is not offered", req.Auth.Type))
	}
	if err := check(*req.Auth); err != nil {
		return c.challenge(stage, req.Auth.Session, err)
	}
	delete(c.s.uiaFlows, req.Auth.Session)
	return nil
}

func (c *call) userID() id.UserID {
	if c.user == nil {
		return ""
	}
	return c.user.id
}

func (c *call) newSession() string {
	session := c.s.nextID("uia")
	c.s.uiaFlows[session] = &uiaSession{pattern: c.route.pattern, user: c.userID()}
	return session
}

func (c *call) challenge(stage, session string, cause error) error {
	extra := map[string]any{
		"flows":     []any{map[string]any{"stages": []string{stage}}},
		"params":    empty{},
		"session":   session,
		"completed": []string{},
	}
	err := &apiError{status: http.StatusUnauthorized, extra: extra}
	var known *apiError
	if errors.As(cause, &known) {
		err.code, err.reason = known.code, known.reason
	}
	return err
}

// authenticateAgain asks the caller for the password.
func (c *call) authenticateAgain() error {
	return c.interactive("m.login.password", func(auth uiaAuth) error {
		u := c.s.findLogin(auth.Identifier, auth.User)
		if u != c.user || u.password == "" || auth.Password != u.password {
			return forbidden("wrong password")
		}
		return nil
	})
}

// findLogin returns the user whom an identifier or the older user field means, or nil.
func (s *Server) findLogin(identifier json.RawMessage, plain string) *user {
	var ident struct {
		Type string `json:"type"`
		User string `json:"user"`
	}
	if json.Unmarshal(identifier, &ident) == nil && ident.Type == "m.id.user" {
		plain = ident.User
	}
	if !strings.HasPrefix(plain, "@") {
		return s.users[s.UserID(plain)]
	}
	return s.users[id.UserID(plain)]
}
