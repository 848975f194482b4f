package fakehs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// device is one log-in of a user, with what is kept for each.
type device struct {
	id       id.DeviceID
	user     *user
	name     string
	token    string
	lastSeen int64

	txns  map[string]id.EventID // method and path of a request with a transaction id → the event that it made
	inbox []queued              // to-device messages that no sync has acknowledged
	sent  map[string]bool       // transaction ids of sendToDevice
	lazy  map[id.RoomID]map[id.UserID]lazyMark

	keys     json.RawMessage
	oneTime  map[string]json.RawMessage // by "algorithm:id"
	fallback map[string]fallbackKey     // by algorithm
}

// Session is what a client needs to act as a device.
type Session struct {
	UserID   id.UserID
	DeviceID id.DeviceID
	Token    string
}

var deviceRoutes = []route{
	{method: "GET", path: "/devices", handle: (*call).listDevices},
	{method: "GET", path: "/devices/{device}", handle: (*call).getDevice},
	{method: "PUT", path: "/devices/{device}", handle: (*call).renameDevice},
	{method: "DELETE", path: "/devices/{device}", handle: (*call).deleteDevice},
	{method: "POST", path: "/delete_devices", handle: (*call).deleteDevices},
}

// LogIn gives the user a new access token without HTTP. An empty device id makes a new device; a known one keeps its
// keys, its queue and its transaction ids, while its old token ends.
func (s *Server) LogIn(userID id.UserID, deviceID id.DeviceID) (Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.lookup(userID)
	if err != nil {
		return Session{}, fmt.Errorf("log in: %w", err)
	}
	d := s.logIn(u, deviceID, "")
	return Session{UserID: u.id, DeviceID: d.id, Token: d.token}, nil
}

// LogOut ends the token's device, as the client's own log-out does. It reports whether the token was valid.
func (s *Server) LogOut(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tokens[token]
	if d == nil {
		return false
	}
	s.removeDevice(d)
	return true
}

// Revoke makes the token unknown while its device and keys stay, as an administrator or an expiry does. With soft set
// the error says soft_logout. It reports whether the token was valid.
func (s *Server) Revoke(token string, soft bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.tokens[token]
	if d == nil {
		return false
	}
	delete(s.tokens, token)
	s.revoked[token] = soft
	d.user.bell.ring()
	return true
}

func (s *Server) logIn(u *user, deviceID id.DeviceID, name string) *device {
	if deviceID == "" {
		deviceID = id.DeviceID(strings.ToUpper(s.nextID("")[:10]))
	}
	d := u.devices[deviceID]
	if d == nil {
		d = &device{
			id:       deviceID,
			user:     u,
			name:     name,
			txns:     make(map[string]id.EventID),
			lazy:     make(map[id.RoomID]map[id.UserID]lazyMark),
			sent:     make(map[string]bool),
			oneTime:  make(map[string]json.RawMessage),
			fallback: make(map[string]fallbackKey),
		}
		u.devices[deviceID] = d
		s.keysChanged(u)
	}
	delete(s.tokens, d.token)
	u.bell.ring() // what polls with the old token ends
	d.token = s.nextID("fake_")
	d.lastSeen = s.nowMilli()
	s.tokens[d.token] = d
	return d
}

func (s *Server) removeDevice(d *device) {
	delete(s.tokens, d.token)
	delete(d.user.devices, d.id)
	s.revoked[d.token] = false
	s.keysChanged(d.user)
	d.user.bell.ring()
}

type deviceInfo struct {
	ID       id.DeviceID `json:"device_id"`
	Name     string      `json:"display_name,omitempty"`
	LastSeen int64       `json:"last_seen_ts,omitempty"`
	IP       string      `json:"last_seen_ip,omitempty"`
}

func (d *device) info() deviceInfo {
	return deviceInfo{ID: d.id, Name: d.name, LastSeen: d.lastSeen, IP: "127.0.0.1"}
}

func (c *call) listDevices() (any, error) {
	list := []deviceInfo{}
	for _, d := range c.user.devices {
		list = append(list, d.info())
	}
	slices.SortFunc(list, func(a, b deviceInfo) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return map[string]any{"devices": list}, nil
}

func (c *call) ownDevice() (*device, error) {
	d := c.user.devices[id.DeviceID(c.path("device"))]
	if d == nil {
		return nil, notFound("no such device")
	}
	return d, nil
}

func (c *call) getDevice() (any, error) {
	d, err := c.ownDevice()
	if err != nil {
		return nil, err
	}
	return d.info(), nil
}

func (c *call) renameDevice() (any, error) {
	d, err := c.ownDevice()
	if err != nil {
		return nil, err
	}
	var req struct {
		Name *string `json:"display_name"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Name != nil {
		d.name = *req.Name
		c.s.keysChanged(c.user)
	}
	return empty{}, nil
}

func (c *call) deleteDevice() (any, error) {
	if err := c.authenticateAgain(); err != nil {
		return nil, err
	}
	if d := c.user.devices[id.DeviceID(c.path("device"))]; d != nil {
		c.s.removeDevice(d)
	}
	return empty{}, nil
}

func (c *call) deleteDevices() (any, error) {
	var req struct {
		Devices []id.DeviceID `json:"devices"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Devices == nil {
		return nil, fail(http.StatusBadRequest, "M_MISSING_PARAM", "devices is missing")
	}
	if err := c.authenticateAgain(); err != nil {
		return nil, err
	}
	for _, deviceID := range req.Devices {
		if d := c.user.devices[deviceID]; d != nil {
			c.s.removeDevice(d)
		}
	}
	return empty{}, nil
}
