package niobot

import (
	"sync"

	"maunium.net/go/mautrix/id"
)

// DefaultMessageCache is how many messages a bot remembers where [WithMessageCache] does not say.
const DefaultMessageCache = 1000

// messageCache remembers the latest messages, with the text of their latest edit.
type messageCache struct {
	size int

	mu    sync.Mutex
	all   map[id.EventID]*Message
	order fifo[id.EventID]
}

func (c *messageCache) put(m *Message) {
	if c.size == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Replaces != "" {
		if original, ok := c.all[m.Replaces]; ok && original.Sender == m.Sender && original.RoomID == m.RoomID {
			c.all[m.Replaces] = original.edited(m)
		}
		return
	}
	if c.all == nil {
		c.all = make(map[id.EventID]*Message)
	}
	if _, known := c.all[m.ID]; !known {
		c.order.push(m.ID)
	}
	c.all[m.ID] = m
	for c.order.len() > c.size {
		oldest, _ := c.order.pop()
		delete(c.all, oldest)
	}
}

func (c *messageCache) find(room id.RoomID, message id.EventID) (*Message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.all[message]
	if !ok || m.RoomID != room {
		return nil, false
	}
	return m, true
}

// remove forgets a message. Its place in the order is left, and passed over later.
func (c *messageCache) remove(room id.RoomID, message id.EventID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.all[message]; ok && m.RoomID == room {
		delete(c.all, message)
	}
}

// edited is m with the text of its edit.
func (m *Message) edited(edit *Message) *Message {
	return &Message{
		Event: m.Event, MsgType: edit.MsgType, Body: edit.Body, FormattedBody: edit.FormattedBody, FileName: edit.FileName,
		ReplyTo: m.ReplyTo, Thread: m.Thread,
		MentionsUsers: edit.MentionsUsers, MentionsRoom: edit.MentionsRoom,
		edit: edit.Event,
	}
}
