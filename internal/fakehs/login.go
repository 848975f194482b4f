package fakehs

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"maunium.net/go/mautrix/id"
)

var loginRoutes = []route{
	{method: "GET", path: "/login", access: open, handle: (*call).loginFlows},
	{method: "POST", path: "/login", access: open, handle: (*call).login},
	{method: "POST", path: "/logout", handle: (*call).logout},
	{method: "POST", path: "/logout/all", handle: (*call).logoutAll},
	{method: "POST", path: "/register", access: open, handle: (*call).register},
	{method: "GET", path: "/register/available", access: open, handle: (*call).nameAvailable},
	{method: "GET", path: "/_synapse/admin/v1/register", access: open, handle: (*call).registerNonce},
	{method: "POST", path: "/_synapse/admin/v1/register", access: open, handle: (*call).registerWithSecret},
}

func (c *call) loginFlows() (any, error) {
	return map[string]any{"flows": []any{map[string]string{"type": "m.login.password"}}}, nil
}

type sessionReply struct {
	UserID      id.UserID   `json:"user_id"`
	AccessToken string      `json:"access_token,omitempty"`
	DeviceID    id.DeviceID `json:"device_id,omitempty"`
	HomeServer  string      `json:"home_server,omitempty"`
}

func (c *call) login() (any, error) {
	var req struct {
		Type       string          `json:"type"`
		Identifier json.RawMessage `json:"identifier"`
		User       string          `json:"user"`
		Password   string          `json:"password"`
		DeviceID   id.DeviceID     `json:"device_id"`
		Name       string          `json:"initial_device_display_name"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Type != "m.login.password" {
		return nil, fail(http.StatusBadRequest, "M_UNKNOWN", "unknown login type %q", req.Type)
	}
	u := c.s.findLogin(req.Identifier, req.User)
	if u == nil || u.password == "" || u.password != req.Password {
		return nil, forbidden("invalid user name or password")
	}
	d := c.s.logIn(u, req.DeviceID, req.Name)
	return sessionReply{UserID: u.id, AccessToken: d.token, DeviceID: d.id, HomeServer: c.s.Name()}, nil
}

func (c *call) logout() (any, error) {
	c.s.removeDevice(c.device)
	return empty{}, nil
}

func (c *call) logoutAll() (any, error) {
	for _, d := range c.user.devices {
		c.s.removeDevice(d)
	}
	return empty{}, nil
}

func (c *call) register() (any, error) {
	var req struct {
		Username     string      `json:"username"`
		Password     string      `json:"password"`
		DeviceID     id.DeviceID `json:"device_id"`
		Name         string      `json:"initial_device_display_name"`
		InhibitLogin bool        `json:"inhibit_login"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if kind := c.query("kind"); kind != "" && kind != "user" {
		return nil, forbidden("guests are not allowed")
	}
	if req.Username != "" && c.s.users[c.s.UserID(req.Username)] != nil {
		return nil, fail(http.StatusBadRequest, "M_USER_IN_USE", "user id is taken")
	}
	if err := c.interactive("m.login.dummy", func(uiaAuth) error { return nil }); err != nil {
		return nil, err
	}
	if req.Username == "" {
		req.Username = c.s.nextID("user")
	}
	u, err := c.s.addUser(req.Username, req.Password)
	if err != nil {
		return nil, err
	}
	return c.registered(u, req.DeviceID, req.Name, req.InhibitLogin), nil
}

func (c *call) registered(u *user, deviceID id.DeviceID, name string, inhibit bool) sessionReply {
	reply := sessionReply{UserID: u.id, HomeServer: c.s.Name()}
	if !inhibit {
		d := c.s.logIn(u, deviceID, name)
		reply.AccessToken, reply.DeviceID = d.token, d.id
	}
	return reply
}

func (c *call) nameAvailable() (any, error) {
	name := c.query("username")
	if c.s.users[c.s.UserID(name)] != nil {
		return nil, fail(http.StatusBadRequest, "M_USER_IN_USE", "user id is taken")
	}
	return map[string]bool{"available": true}, nil
}

// errNoSecret is what servers answer whose shared secret is not set.
func errNoSecret() error {
	return fail(http.StatusBadRequest, "M_UNKNOWN", "shared secret registration is not enabled")
}

func (c *call) registerNonce() (any, error) {
	if c.s.opts.RegistrationSecret == "" {
		return nil, errNoSecret()
	}
	nonce := c.s.nextID("nonce")
	c.s.nonces[nonce] = true
	return map[string]string{"nonce": nonce}, nil
}

// registerWithSecret follows Synapse's administration API, which Dendrite shares.
//
// https://element-hq.github.io/synapse/latest/admin_api/register_api.html
func (c *call) registerWithSecret() (any, error) {
	var req struct {
		Nonce        string `json:"nonce"`
		Username     string `json:"username"`
		DisplayName  string `json:"displayname"`
		Password     string `json:"password"`
		Admin        bool   `json:"admin"`
		UserType     string `json:"user_type"`
		MAC          string `json:"mac"`
		InhibitLogin bool   `json:"inhibit_login"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	secret := c.s.opts.RegistrationSecret
	switch {
	case secret == "":
		return nil, errNoSecret()
	case !c.s.nonces[req.Nonce]:
		return nil, fail(http.StatusBadRequest, "M_UNKNOWN", "unrecognised nonce")
	}
	delete(c.s.nonces, req.Nonce)
	role := "notadmin"
	if req.Admin {
		role = "admin"
	}
	parts := []string{req.Nonce, req.Username, req.Password, role}
	if req.UserType != "" {
		parts = append(parts, req.UserType)
	}
	signer := hmac.New(sha1.New, []byte(secret))
	signer.Write([]byte(strings.Join(parts, "\x00")))
	given, err := hex.DecodeString(req.MAC)
	if err != nil || !hmac.Equal(given, signer.Sum(nil)) {
		return nil, forbidden("HMAC incorrect")
	}
	u, err := c.s.addUser(strings.ToLower(req.Username), req.Password)
	if err != nil {
		return nil, err
	}
	if req.DisplayName != "" {
		u.profile["displayname"] = mustEncode(req.DisplayName)
	}
	return c.registered(u, "", "", req.InhibitLogin), nil
}
