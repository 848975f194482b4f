package niobottest

import (
	"context"
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/render"
)

// User is somebody who talks to the bot.
type User struct {
	*person
	s *Server // As whose bot's tests see it
}

// person is a user on the homeserver.
type person struct {
	name   string
	client *mautrix.Client
	last   *Message // What the user said last
	token  string
	device *device // Nil where nothing is encrypted
}

// User is the user with that localpart, who is registered at the first call.
func (s *Server) User(localpart string) *User {
	s.t.Helper()
	if u, ok := s.users[localpart]; ok {
		return u
	}
	known, ok := s.people[localpart]
	if !ok {
		session := s.register(localpart)
		known = &person{name: localpart, token: session.Token, client: &mautrix.Client{
			HomeserverURL: s.homeserver(), UserID: session.UserID, DeviceID: session.DeviceID,
			AccessToken: session.Token, Client: s.httpClient(),
		}}
		s.people[localpart] = known
	}
	u := &User{s: s, person: known}
	s.users[localpart] = u
	if !ok {
		s.equip(u)
	}
	return u
}

// ID is the user's id.
func (u *User) ID() id.UserID { return u.client.UserID }

// Client is a client that is logged in as the user, for what User has no method for.
func (u *User) Client() *mautrix.Client { return u.client }

// Message is a message in a room of the test.
type Message struct {
	ID     id.EventID
	RoomID id.RoomID
	Sender id.UserID
	Body   string
	HTML   string
	Event  *event.Event
}

// NewRoom makes a room, invites the bot, and returns when the bot has joined. Others join as well. Where there are several
// bots, all that run are invited.
func (u *User) NewRoom(others ...*User) id.RoomID {
	u.s.t.Helper()
	return u.newRoom(&mautrix.ReqCreateRoom{Preset: "private_chat"}, others)
}

// NewDirectRoom makes a direct room with the bot alone, and returns when the bot has joined and marked it.
func (u *User) NewDirectRoom() id.RoomID {
	u.s.t.Helper()
	room := u.newRoom(&mautrix.ReqCreateRoom{Preset: "trusted_private_chat", IsDirect: true}, nil)
	u.s.Settle()
	u.s.until("mark the direct room", func(ctx context.Context) bool {
		r, ok := u.s.bot.Room(room)
		return ok && r.Direct()
	})
	return room
}

func (u *User) newRoom(req *mautrix.ReqCreateRoom, others []*User) id.RoomID {
	u.s.t.Helper()
	ctx := u.s.deadline()
	if u.device != nil {
		req.InitialState = append(req.InitialState, &event.Event{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		})
	}
	bots := slices.DeleteFunc(slices.Clone(u.s.bots), func(each *Server) bool {
		return each != u.s && (req.IsDirect || !each.runs())
	})
	for _, each := range bots {
		req.Invite = append(req.Invite, each.botID)
	}
	for _, other := range others {
		req.Invite = append(req.Invite, other.ID())
	}
	resp, err := u.client.CreateRoom(ctx, req)
	u.must("make a room", err)
	for _, other := range others {
		_, err := other.client.JoinRoomByID(ctx, resp.RoomID)
		other.must("join the room", err)
	}
	for _, each := range bots {
		each.joined(ctx, resp.RoomID)
	}
	return resp.RoomID
}

// Invite invites the bot into a room.
func (u *User) Invite(room id.RoomID) {
	u.s.t.Helper()
	_, err := u.client.InviteUser(u.s.deadline(), room, &mautrix.ReqInviteUser{UserID: u.s.botID})
	u.must("invite the bot", err)
}

// joined waits until the bot is in the room and knows it.
func (s *Server) joined(ctx context.Context, room id.RoomID) {
	s.t.Helper()
	_, err := s.hs.WaitFor(ctx, room, func(e *event.Event) bool {
		return e.Type == event.StateMember && e.GetStateKey() == string(s.botID) &&
			e.Content.AsMember().Membership == event.MembershipJoin
	})
	if err != nil {
		s.t.Fatalf("niobottest: the bot did not join %s within %s", room, s.timeout)
	}
	s.Settle()
}

// Say sends a text into a room.
func (u *User) Say(room id.RoomID, text string) *Message {
	u.s.t.Helper()
	return u.send(room, &event.MessageEventContent{MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{}})
}

// SayBody sends a body with its HTML and its mentions, as clients send what was written with markup or pills.
func (u *User) SayBody(room id.RoomID, body render.Body) *Message {
	u.s.t.Helper()
	return u.send(room, body.Content(event.MsgText))
}

// SayIn sends a text into a thread; root is its first message.
func (u *User) SayIn(root *Message, text string) *Message {
	u.s.t.Helper()
	return u.send(root.RoomID, &event.MessageEventContent{
		MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{},
		RelatesTo: &event.RelatesTo{Type: event.RelThread, EventID: root.ID, IsFallingBack: true,
			InReplyTo: &event.InReplyTo{EventID: root.ID}},
	})
}

// Reply sends a text as a reply to a message.
func (u *User) Reply(to *Message, text string) *Message {
	u.s.t.Helper()
	return u.send(to.RoomID, &event.MessageEventContent{
		MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{},
		RelatesTo: &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: to.ID}},
	})
}

// Edit replaces the text of one of the user's messages. What is expected next of the bot belongs to the edited message.
func (u *User) Edit(m *Message, text string) {
	u.s.t.Helper()
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text, Mentions: &event.Mentions{}}
	content.SetEdit(m.ID)
	u.send(m.RoomID, content)
	u.last = m
}

// Send sends any event into a room, and returns its id.
func (u *User) Send(room id.RoomID, typ event.Type, content any) id.EventID {
	u.s.t.Helper()
	ctx := u.s.deadline()
	as, sealed := u.seal(ctx, room, typ, content)
	resp, err := u.client.SendMessageEvent(ctx, room, as, sealed)
	u.must("send "+typ.Type, err)
	return resp.EventID
}

// SetState sets a piece of a room's state.
func (u *User) SetState(room id.RoomID, typ event.Type, key string, content any) {
	u.s.t.Helper()
	_, err := u.client.SendStateEvent(u.s.deadline(), room, typ, key, content)
	u.must("set "+typ.Type, err)
}

// React puts a reaction on a message.
func (u *User) React(m *Message, key string) id.EventID {
	u.s.t.Helper()
	return u.Send(m.RoomID, event.EventReaction, &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: m.ID, Key: key},
	})
}

// Redact removes a message.
func (u *User) Redact(m *Message) {
	u.s.t.Helper()
	_, err := u.client.RedactEvent(u.s.deadline(), m.RoomID, m.ID)
	u.must("redact a message", err)
}

// SetPower sets a user's power level in a room.
func (u *User) SetPower(room id.RoomID, user id.UserID, level int) {
	u.s.t.Helper()
	ctx := u.s.deadline()
	var levels map[string]json.RawMessage
	u.must("read power levels", u.client.StateEvent(ctx, room, event.StatePowerLevels, "", &levels))
	users := make(map[id.UserID]int)
	u.must("read power levels", json.Unmarshal(levels["users"], &users))
	users[user] = level
	raw, err := json.Marshal(users)
	u.must("set power levels", err)
	levels["users"] = raw
	u.SetState(room, event.StatePowerLevels, "", levels)
}

func (u *User) send(room id.RoomID, content *event.MessageEventContent) *Message {
	u.s.t.Helper()
	sent := u.Send(room, event.EventMessage, content)
	u.last = &Message{ID: sent, RoomID: room, Sender: u.ID(), Body: content.Body, HTML: content.FormattedBody}
	return u.last
}

func (u *User) must(what string, err error) {
	u.s.t.Helper()
	if err != nil {
		u.s.t.Fatalf("niobottest: %s could not %s: %v", u.name, what, err)
	}
}
