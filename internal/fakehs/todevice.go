package fakehs

import (
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix/id"
)

// queued is a to-device message that waits for its device's next sync.
type queued struct {
	pos  int64
	body json.RawMessage
}

var toDeviceRoutes = []route{
	{method: "PUT", path: "/sendToDevice/{type}/{txn}", handle: (*call).sendToDevice},
}

// sendToDevice puts messages into the queues of devices; "*" means all devices of a user.
//
// https://spec.matrix.org/v1.15/client-server-api/#send-to-device-messaging
func (c *call) sendToDevice() (any, error) {
	var req struct {
		Messages map[id.UserID]map[id.DeviceID]json.RawMessage `json:"messages"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Messages == nil {
		return nil, missingParam("messages")
	}
	key := c.path("type") + "|" + c.path("txn")
	if c.device.sent[key] {
		return empty{}, nil
	}
	c.device.sent[key] = true
	for userID, messages := range req.Messages {
		u := c.s.users[userID]
		if u == nil {
			continue
		}
		for deviceID, content := range messages {
			for _, d := range u.devices {
				if deviceID == "*" || deviceID == d.id {
					c.s.enqueue(d, c.user.id, c.path("type"), compact(content))
				}
			}
		}
	}
	return empty{}, nil
}

func (s *Server) enqueue(d *device, sender id.UserID, typ string, content json.RawMessage) {
	body := mustEncode(map[string]any{"type": typ, "sender": sender, "content": content})
	d.inbox = append(d.inbox, queued{s.nextPos(), body})
	d.user.bell.ring()
}

// acknowledge drops the messages that came with the response that since is from, or before.
func (d *device) acknowledge(since int64) {
	d.inbox = slices.DeleteFunc(d.inbox, func(m queued) bool { return m.pos <= since })
}

// queue returns the messages that wait, or nil.
func (d *device) queue() *eventList {
	if len(d.inbox) == 0 {
		return nil
	}
	list := &eventList{}
	for _, m := range d.inbox {
		list.Events = append(list.Events, m.body)
	}
	return list
}
