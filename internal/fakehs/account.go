package fakehs

import (
	"fmt"

	"maunium.net/go/mautrix/id"
)

// latestSpec is the minor version of the newest v1 release of the spec that the server claims.
const latestSpec = 15

var accountRoutes = []route{
	{method: "GET", path: "/_matrix/client/versions", access: open, handle: (*call).versions},
	{method: "GET", path: "/.well-known/matrix/client", access: open, handle: (*call).wellKnown},
	{method: "GET", path: "/capabilities", handle: (*call).capabilities},
	{method: "GET", path: "/account/whoami", handle: (*call).whoami},
}

func (c *call) versions() (any, error) {
	list := []string{"r0.5.0", "r0.6.0", "r0.6.1"}
	for minor := 1; minor <= latestSpec; minor++ {
		list = append(list, fmt.Sprintf("v1.%d", minor))
	}
	return map[string]any{"versions": list, "unstable_features": map[string]bool{}}, nil
}

func (c *call) wellKnown() (any, error) {
	return map[string]any{"m.homeserver": map[string]string{"base_url": "http://" + c.r.Host}}, nil
}

func (c *call) capabilities() (any, error) {
	available := make(map[id.RoomVersion]string)
	for _, version := range roomVersions {
		available[version] = "stable"
	}
	return map[string]any{"capabilities": map[string]any{
		"m.room_versions":   map[string]any{"default": c.s.opts.DefaultRoomVersion, "available": available},
		"m.change_password": map[string]bool{"enabled": false},
		"m.set_displayname": map[string]bool{"enabled": true},
		"m.set_avatar_url":  map[string]bool{"enabled": true},
		"m.3pid_changes":    map[string]bool{"enabled": false},
		"m.profile_fields":  map[string]bool{"enabled": true},
	}}, nil
}

func (c *call) whoami() (any, error) {
	return map[string]any{"user_id": c.user.id, "device_id": c.device.id, "is_guest": false}, nil
}
