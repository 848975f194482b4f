//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// How long one long poll may last. A scenario that waits for something asks again until its own limit.
const pollTimeout = 5 * time.Second

// user is a person at a plain Matrix client, the counterpart of whatever is tested. It belongs to one test and to one
// goroutine of it.
type user struct {
	*mautrix.Client

	t       *testing.T
	ctx     context.Context // the test's, with a limit
	account Account
	filter  string // id or inline JSON; empty means none
	since   string
}

// newUser registers an account and gives the client of its device.
func newUser(t *testing.T, hs Homeserver, localpart string) *user {
	t.Helper()
	return newDevice(t, hs, hs.Register(t, localpart))
}

// newDevice gives a client for a device that is logged in.
func newDevice(t *testing.T, hs Homeserver, account Account) *user {
	t.Helper()
	client, err := mautrix.NewClient(hs.URL(), account.UserID, account.Token)
	if err != nil {
		t.Fatalf("make client: %v", err)
	}
	client.DeviceID = account.DeviceID
	ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
	t.Cleanup(cancel)
	return &user{Client: client, t: t, ctx: ctx, account: account}
}

// poll asks for what came since the last time, and waits up to timeout for it.
func (u *user) poll(timeout time.Duration) *mautrix.RespSync {
	u.t.Helper()
	resp, err := u.SyncRequest(u.ctx, int(timeout.Milliseconds()), u.since, u.filter, false, event.PresenceOnline)
	if err != nil {
		u.t.Fatalf("%s syncs: %v", u.UserID, err)
	}
	u.since = resp.NextBatch
	return resp
}

// await polls until a response satisfies found. Responses before it are used up.
func (u *user) await(what string, found func(*mautrix.RespSync) bool) *mautrix.RespSync {
	u.t.Helper()
	for {
		resp, err := u.SyncRequest(u.ctx, int(pollTimeout.Milliseconds()), u.since, u.filter, false, event.PresenceOnline)
		if err != nil {
			u.t.Fatalf("%s waits for %s: %v", u.UserID, what, err)
		}
		u.since = resp.NextBatch
		if found(resp) {
			return resp
		}
	}
}

// awaitEvent polls until the room's timeline holds the event.
func (u *user) awaitEvent(room id.RoomID, want id.EventID) *event.Event {
	u.t.Helper()
	var got *event.Event
	u.await("event "+want.String(), func(resp *mautrix.RespSync) bool {
		got = findEvent(timeline(resp, room), want)
		return got != nil
	})
	return parse(u.t, got)
}

// createRoom makes a private room that the others are in too. All of them have synced past its making.
func (u *user) createRoom(others ...*user) id.RoomID {
	u.t.Helper()
	req := &mautrix.ReqCreateRoom{Preset: "private_chat"}
	for _, other := range others {
		req.Invite = append(req.Invite, other.UserID)
	}
	return u.createRoomAs(req, others...)
}

// createPublicRoom makes a room that the others join without an invite. Who leaves a room that they were invited to
// may get, on Dendrite, a made-up leave event in place of the real one, with neither its sender nor its reason.
func (u *user) createPublicRoom(others ...*user) id.RoomID {
	u.t.Helper()
	return u.createRoomAs(&mautrix.ReqCreateRoom{Preset: "public_chat"}, others...)
}

// createRoomAs makes a room as asked, and has the others, whom it has to let in, join.
func (u *user) createRoomAs(req *mautrix.ReqCreateRoom, others ...*user) id.RoomID {
	u.t.Helper()
	created, err := u.CreateRoom(u.ctx, req)
	if err != nil {
		u.t.Fatalf("%s creates a room: %v", u.UserID, err)
	}
	for _, other := range others {
		other.join(created.RoomID)
	}
	for _, member := range append(others, u) {
		member.settle(created.RoomID)
	}
	return created.RoomID
}

func (u *user) join(room id.RoomID) {
	u.t.Helper()
	if _, err := u.JoinRoomByID(u.ctx, room); err != nil {
		u.t.Fatalf("%s joins %s: %v", u.UserID, room, err)
	}
}

// settle sends a marker and syncs up to it, so that what comes afterwards is new.
func (u *user) settle(room id.RoomID) {
	u.t.Helper()
	resp, err := u.SendMessageEvent(u.ctx, room, settleEvent, map[string]any{})
	if err != nil {
		u.t.Fatalf("%s sends a marker: %v", u.UserID, err)
	}
	u.awaitEvent(room, resp.EventID)
}

var settleEvent = event.Type{Type: "dev.niobot.e2e.settle", Class: event.MessageEventType}

// say sends a text message.
func (u *user) say(room id.RoomID, text string) id.EventID {
	u.t.Helper()
	return u.send(room, &event.MessageEventContent{MsgType: event.MsgText, Body: text})
}

// send sends an m.room.message.
func (u *user) send(room id.RoomID, content *event.MessageEventContent) id.EventID {
	u.t.Helper()
	resp, err := u.SendMessageEvent(u.ctx, room, event.EventMessage, content)
	if err != nil {
		u.t.Fatalf("%s sends to %s: %v", u.UserID, room, err)
	}
	return resp.EventID
}

// sayMany sends n numbered messages and gives their ids in order.
func (u *user) sayMany(room id.RoomID, n int) []id.EventID {
	u.t.Helper()
	ids := make([]id.EventID, n)
	for i := range ids {
		ids[i] = u.say(room, fmt.Sprintf("message %d", i))
	}
	return ids
}

// filterBy sets the filter of the syncs that follow.
func (u *user) filterBy(filter *mautrix.Filter) {
	u.t.Helper()
	raw, err := json.Marshal(filter)
	if err != nil {
		u.t.Fatalf("encode filter: %v", err)
	}
	u.filter = string(raw)
}

// timeline gives the events of a room's timeline, whether the room is joined or left.
func timeline(resp *mautrix.RespSync, room id.RoomID) []*event.Event {
	if joined := resp.Rooms.Join[room]; joined != nil {
		return joined.Timeline.Events
	}
	if left := resp.Rooms.Leave[room]; left != nil {
		return left.Timeline.Events
	}
	return nil
}

func findEvent(events []*event.Event, want id.EventID) *event.Event {
	if i := slices.IndexFunc(events, func(e *event.Event) bool { return e.ID == want }); i >= 0 {
		return events[i]
	}
	return nil
}

// findState gives the last event of a type and state key, and nil where there is none.
func findState(events []*event.Event, kind event.Type, key string) *event.Event {
	for _, e := range slices.Backward(events) {
		if e.Type.Type == kind.Type && e.StateKey != nil && *e.StateKey == key {
			return e
		}
	}
	return nil
}

// findType gives the first event of a type, and nil where there is none.
func findType(events []*event.Event, kind event.Type) *event.Event {
	if i := slices.IndexFunc(events, func(e *event.Event) bool { return e.Type.Type == kind.Type }); i >= 0 {
		return events[i]
	}
	return nil
}

func eventIDs(events []*event.Event) []id.EventID {
	ids := make([]id.EventID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

// messageIDs gives the ids of the m.room.message events, in their order.
func messageIDs(events []*event.Event) []id.EventID {
	return eventIDs(slices.DeleteFunc(slices.Clone(events), func(e *event.Event) bool {
		return e.Type.Type != event.EventMessage.Type
	}))
}

// parse decodes an event's content into the type that its event type has.
func parse(t *testing.T, e *event.Event) *event.Event {
	t.Helper()
	err := e.Content.ParseRaw(e.Type)
	if err != nil && !errors.Is(err, event.ErrContentAlreadyParsed) && !errors.Is(err, event.ErrUnsupportedContentType) {
		t.Fatalf("content of %s %s: %v", e.Type.Type, e.ID, err)
	}
	return e
}

// check ends the test on an error.
func check(t *testing.T, doing string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", doing, err)
	}
}

// checkRefused wants an error with the given code and HTTP status.
func checkRefused(t *testing.T, doing string, err error, code mautrix.RespError, status int) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s went well, want %s", doing, code.ErrCode)
	}
	httpErr, ok := errors.AsType[mautrix.HTTPError](err)
	if !ok || httpErr.RespError == nil {
		t.Fatalf("%s: got %v, want %s from the server", doing, err, code.ErrCode)
	}
	if httpErr.RespError.ErrCode != code.ErrCode || !httpErr.IsStatus(status) {
		t.Fatalf("%s: got %v, want %s with status %d %s", doing, err, code.ErrCode, status, http.StatusText(status))
	}
}
