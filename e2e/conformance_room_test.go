//go:build e2e

package e2e

import (
	"net/http"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func createRoom(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	joinedOnly := &event.HistoryVisibilityEventContent{HistoryVisibility: event.HistoryVisibilityJoined}
	created, err := alice.CreateRoom(alice.ctx, &mautrix.ReqCreateRoom{
		Preset: "public_chat",
		Name:   "The Room",
		Topic:  "Where it all happens",
		InitialState: []*event.Event{{
			Type:    event.StateHistoryVisibility,
			Content: event.Content{Parsed: joinedOnly},
		}},
		PowerLevelOverride: &event.PowerLevelsEventContent{
			Users:  map[id.UserID]int{alice.UserID: 100},
			Events: map[string]int{event.StateTopic.Type: 0},
		},
	})
	check(t, "create", err)
	rooms, err := alice.JoinedRooms(alice.ctx)
	check(t, "joined rooms", err)
	if len(rooms.JoinedRooms) != 1 || rooms.JoinedRooms[0] != created.RoomID {
		t.Errorf("joined rooms = %v, want %s", rooms.JoinedRooms, created.RoomID)
	}

	all, err := alice.State(alice.ctx, created.RoomID)
	check(t, "state", err)
	if got := all[event.StateRoomName][""]; got == nil || got.Content.AsRoomName().Name != "The Room" {
		t.Errorf("name = %+v", got)
	}
	if got := all[event.StateTopic][""]; got == nil || got.Content.AsTopic().Topic != "Where it all happens" {
		t.Errorf("topic = %+v", got)
	}
	if got := all[event.StateJoinRules][""]; got == nil || got.Content.AsJoinRules().JoinRule != event.JoinRulePublic {
		t.Errorf("join rule = %+v, want public", got)
	}
	// Initial state wins over the preset.
	got := all[event.StateHistoryVisibility][""]
	if got == nil || got.Content.AsHistoryVisibility().HistoryVisibility != event.HistoryVisibilityJoined {
		t.Errorf("history visibility = %+v, want joined", got)
	}
	levels := all[event.StatePowerLevels][""]
	if levels == nil {
		t.Fatal("no power levels")
	}
	if got := levels.Content.AsPowerLevels().GetEventLevel(event.StateTopic); got != 0 {
		t.Errorf("level for topics = %d, want 0", got)
	}
}

func inviteAndJoin(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoomAs(&mautrix.ReqCreateRoom{Preset: "private_chat", Name: "Invited"})
	_, err := bob.JoinRoomByID(bob.ctx, room)
	checkRefused(t, "join without an invite", err, mautrix.MForbidden, http.StatusForbidden)

	bob.poll(0)
	_, err = alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: bob.UserID, Reason: "come in"})
	check(t, "invite", err)
	resp := bob.await("the invite", func(resp *mautrix.RespSync) bool { return resp.Rooms.Invite[room] != nil })
	if resp.Rooms.Join[room] != nil {
		t.Error("the room is invited to and joined at once")
	}
	stripped := resp.Rooms.Invite[room].State.Events
	invite := findState(stripped, event.StateMember, bob.UserID.String())
	if invite == nil {
		t.Fatal("invite_state lacks the invite itself")
	}
	member := parse(t, invite).Content.AsMember()
	if invite.Sender != alice.UserID || member.Membership != event.MembershipInvite || member.Reason != "come in" {
		t.Errorf("invite = %+v by %s, want one by %s with its reason", member, invite.Sender, alice.UserID)
	}
	name := findState(stripped, event.StateRoomName, "")
	if name == nil || parse(t, name).Content.AsRoomName().Name != "Invited" {
		t.Errorf("invite_state's name = %+v, want the room's", name)
	}
	if findState(stripped, event.StateJoinRules, "") == nil {
		t.Error("invite_state lacks the join rules")
	}
	if findState(stripped, event.StateCreate, "") == nil {
		t.Error("invite_state lacks the create event")
	}

	bob.join(room)
	resp = bob.await("the room", func(resp *mautrix.RespSync) bool { return resp.Rooms.Join[room] != nil })
	if resp.Rooms.Invite[room] != nil {
		t.Error("the room is still among the invites")
	}
	joined := resp.Rooms.Join[room]
	both := append(joined.State.Events, joined.Timeline.Events...)
	for _, kind := range []event.Type{event.StateCreate, event.StatePowerLevels, event.StateRoomName} {
		if findState(both, kind, "") == nil {
			t.Errorf("the joined room's state lacks %s", kind.Type)
		}
	}
	own := findState(both, event.StateMember, bob.UserID.String())
	if own == nil || parse(t, own).Content.AsMember().Membership != event.MembershipJoin {
		t.Errorf("own member event = %+v, want a join", own)
	}
}

func joinByAlias(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	local := "room-of-" + alice.UserID.Localpart()
	room := alice.createRoomAs(&mautrix.ReqCreateRoom{Preset: "public_chat", RoomAliasName: local})
	alias := id.NewRoomAlias(local, alice.UserID.Homeserver())

	resolved, err := bob.ResolveAlias(bob.ctx, alias)
	check(t, "resolve", err)
	if resolved.RoomID != room {
		t.Errorf("%s is %s, want %s", alias, resolved.RoomID, room)
	}
	joined, err := bob.JoinRoom(bob.ctx, alias.String(), nil)
	check(t, "join", err)
	if joined.RoomID != room {
		t.Errorf("joined %s, want %s", joined.RoomID, room)
	}
	_, err = bob.ResolveAlias(bob.ctx, id.NewRoomAlias("not-"+local, alice.UserID.Homeserver()))
	checkRefused(t, "resolve an alias of no room", err, mautrix.MNotFound, http.StatusNotFound)
}

func rejectInvite(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom()
	bob.poll(0)
	_, err := alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: bob.UserID})
	check(t, "invite", err)
	bob.await("the invite", func(resp *mautrix.RespSync) bool { return resp.Rooms.Invite[room] != nil })
	_, err = bob.LeaveRoom(bob.ctx, room)
	check(t, "reject", err)
	alice.await("the rejection", func(resp *mautrix.RespSync) bool {
		return membership(t, timeline(resp, room), bob.UserID) == event.MembershipLeave
	})
	_, err = bob.JoinRoomByID(bob.ctx, room)
	checkRefused(t, "join after rejecting", err, mautrix.MForbidden, http.StatusForbidden)
}

func leave(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createPublicRoom(bob)
	_, err := bob.LeaveRoom(bob.ctx, room, &mautrix.ReqLeave{Reason: "bye"})
	check(t, "leave", err)
	resp := bob.await("the left room", func(resp *mautrix.RespSync) bool { return resp.Rooms.Leave[room] != nil })
	if resp.Rooms.Join[room] != nil {
		t.Error("the room is left and joined at once")
	}
	if got := membership(t, resp.Rooms.Leave[room].Timeline.Events, bob.UserID); got != event.MembershipLeave {
		t.Errorf("last membership in the left room = %q, want leave", got)
	}
	alice.await("the leave", func(resp *mautrix.RespSync) bool {
		return membership(t, timeline(resp, room), bob.UserID) == event.MembershipLeave
	})

	missed := alice.say(room, "you can't hear this")
	_, err = bob.SendText(bob.ctx, room, "nor can you hear this")
	checkRefused(t, "send to a left room", err, mautrix.MForbidden, http.StatusForbidden)
	if resp := bob.poll(0); findEvent(timeline(resp, room), missed) != nil {
		t.Error("a message that came after leaving was delivered")
	}
}

func kick(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createPublicRoom(bob)
	_, err := bob.KickUser(bob.ctx, room, &mautrix.ReqKickUser{UserID: alice.UserID})
	checkRefused(t, "kick the admin", err, mautrix.MForbidden, http.StatusForbidden)

	_, err = alice.KickUser(alice.ctx, room, &mautrix.ReqKickUser{UserID: bob.UserID, Reason: "spam"})
	check(t, "kick", err)
	resp := bob.await("the kick", func(resp *mautrix.RespSync) bool { return resp.Rooms.Leave[room] != nil })
	got := findState(resp.Rooms.Leave[room].Timeline.Events, event.StateMember, bob.UserID.String())
	if got == nil {
		t.Fatal("the left room's timeline lacks the kick")
	}
	member := parse(t, got).Content.AsMember()
	if got.Sender != alice.UserID || member.Membership != event.MembershipLeave || member.Reason != "spam" {
		t.Errorf("kick = %+v by %s, want a leave by %s with its reason", member, got.Sender, alice.UserID)
	}

	// A kick is not a ban: the next invite lets one in again.
	_, err = alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: bob.UserID})
	check(t, "invite again", err)
	bob.join(room)
	bob.await("the room again", func(resp *mautrix.RespSync) bool { return resp.Rooms.Join[room] != nil })
}

func ban(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createPublicRoom(bob)
	_, err := alice.BanUser(alice.ctx, room, &mautrix.ReqBanUser{UserID: bob.UserID, Reason: "more spam"})
	check(t, "ban", err)
	resp := bob.await("the ban", func(resp *mautrix.RespSync) bool { return resp.Rooms.Leave[room] != nil })
	if got := membership(t, resp.Rooms.Leave[room].Timeline.Events, bob.UserID); got != event.MembershipBan {
		t.Errorf("last membership in the left room = %q, want ban", got)
	}
	_, err = bob.JoinRoomByID(bob.ctx, room)
	checkRefused(t, "join while banned", err, mautrix.MForbidden, http.StatusForbidden)
	_, err = alice.InviteUser(alice.ctx, room, &mautrix.ReqInviteUser{UserID: bob.UserID})
	checkRefused(t, "invite the banned", err, mautrix.MForbidden, http.StatusForbidden)

	_, err = alice.UnbanUser(alice.ctx, room, &mautrix.ReqUnbanUser{UserID: bob.UserID})
	check(t, "unban", err)
	bob.join(room)
}

func powerLevels(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	_, err := bob.SendStateEvent(bob.ctx, room, event.StateTopic, "", &event.TopicEventContent{Topic: "mine"})
	checkRefused(t, "set the topic without power", err, mautrix.MForbidden, http.StatusForbidden)
	_, err = bob.RedactEvent(bob.ctx, room, alice.say(room, "keep this"))
	checkRefused(t, "redact another's message without power", err, mautrix.MForbidden, http.StatusForbidden)

	var levels event.PowerLevelsEventContent
	check(t, "get levels", alice.StateEvent(alice.ctx, room, event.StatePowerLevels, "", &levels))
	own := levels.Clone()
	own.SetUserLevel(bob.UserID, 100)
	_, err = bob.SendStateEvent(bob.ctx, room, event.StatePowerLevels, "", own)
	checkRefused(t, "raise oneself", err, mautrix.MForbidden, http.StatusForbidden)

	levels.SetUserLevel(bob.UserID, 50)
	_, err = alice.SendStateEvent(alice.ctx, room, event.StatePowerLevels, "", &levels)
	check(t, "raise bob", err)
	_, err = bob.SendStateEvent(bob.ctx, room, event.StateTopic, "", &event.TopicEventContent{Topic: "mine"})
	check(t, "set the topic with power", err)

	levels.EventsDefault = 60
	_, err = alice.SendStateEvent(alice.ctx, room, event.StatePowerLevels, "", &levels)
	check(t, "silence the room", err)
	_, err = bob.SendText(bob.ctx, room, "may I?")
	checkRefused(t, "send without power", err, mautrix.MForbidden, http.StatusForbidden)
}

func state(t *testing.T, hs Homeserver) {
	kind := event.Type{Type: "dev.niobot.e2e.setting", Class: event.StateEventType}
	alice, bob, carol := newUser(t, hs, "alice"), newUser(t, hs, "bob"), newUser(t, hs, "carol")
	room := alice.createRoom(bob)
	for _, value := range []string{"first", "second"} {
		_, err := alice.SendStateEvent(alice.ctx, room, kind, "a/key", map[string]string{"value": value})
		check(t, "put state", err)
	}
	var got struct{ Value string }
	check(t, "get state", bob.StateEvent(bob.ctx, room, kind, "a/key", &got))
	if got.Value != "second" {
		t.Errorf("value = %q, want second", got.Value)
	}
	bob.await("the second value", func(resp *mautrix.RespSync) bool {
		seen := findState(timeline(resp, room), kind, "a/key")
		return seen != nil && seen.Content.Raw["value"] == "second"
	})

	err := bob.StateEvent(bob.ctx, room, kind, "another key", &got)
	checkRefused(t, "get state that is not there", err, mautrix.MNotFound, http.StatusNotFound)
	err = carol.StateEvent(carol.ctx, room, kind, "a/key", &got)
	checkRefused(t, "get state from outside", err, mautrix.MForbidden, http.StatusForbidden)
}

func previousContent(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	// The key is the empty one or a user's: for others Dendrite gives no previous content.
	for _, topic := range []string{"first", "second"} {
		_, err := alice.SendStateEvent(alice.ctx, room, event.StateTopic, "", &event.TopicEventContent{Topic: topic})
		check(t, "set the topic", err)
	}
	var seen *event.Event
	bob.await("the second topic", func(resp *mautrix.RespSync) bool {
		seen = findState(timeline(resp, room), event.StateTopic, "")
		return seen != nil && seen.Content.Raw["topic"] == "second"
	})
	if prev := seen.Unsigned.PrevContent; prev == nil || prev.Raw["topic"] != "first" {
		t.Errorf("prev_content = %+v, want the first topic", prev)
	}
	_, err := bob.LeaveRoom(bob.ctx, room)
	check(t, "leave", err)
	var left *event.Event
	alice.await("the leave", func(resp *mautrix.RespSync) bool {
		left = findState(timeline(resp, room), event.StateMember, bob.UserID.String())
		return left != nil && left.Content.Raw["membership"] == "leave"
	})
	if prev := left.Unsigned.PrevContent; prev == nil || prev.Raw["membership"] != "join" {
		t.Errorf("prev_content = %+v, want the membership join", prev)
	}
}

// membership gives the last membership that the events say the user has, or "".
func membership(t *testing.T, events []*event.Event, of id.UserID) event.Membership {
	t.Helper()
	member := findState(events, event.StateMember, of.String())
	if member == nil {
		return ""
	}
	return parse(t, member).Content.AsMember().Membership
}
