package fakehs_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

func TestCreateRoomFollowsTheRequest(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	key := ""
	created := must(alice.CreateRoom(deadline(t), &mautrix.ReqCreateRoom{
		Preset: "trusted_private_chat", RoomAliasName: "den", Name: "Den", Topic: "Talk", IsDirect: true,
		Invite:          []id.UserID{bob.UserID},
		CreationContent: map[string]any{"type": "m.space"},
		InitialState: []*event.Event{
			{Type: event.StateHistoryVisibility, StateKey: &key,
				Content: event.Content{Raw: map[string]any{"history_visibility": "joined"}}},
			{Type: event.StateEncryption, StateKey: &key,
				Content: event.Content{Raw: map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}}},
		},
		PowerLevelOverride: &event.PowerLevelsEventContent{EventsDefault: 5},
	}))(t)
	room := created.RoomID
	want := []string{
		"m.room.create", "m.room.member", "m.room.power_levels", "m.room.canonical_alias", "m.room.join_rules",
		"m.room.guest_access", "m.room.history_visibility", "m.room.encryption", "m.room.name", "m.room.topic",
		"m.room.member",
	}
	if got := types(hs.Timeline(room)); !slices.Equal(got, want) {
		t.Errorf("the room begins with %v", got)
	}
	levels := hs.State(room, event.StatePowerLevels, "").Content.AsPowerLevels()
	if levels.EventsDefault != 5 || levels.GetUserLevel(bob.UserID) != 100 || levels.GetUserLevel(alice.UserID) != 100 {
		t.Errorf("got power levels %+v", levels)
	}
	invite := hs.State(room, event.StateMember, bob.UserID.String()).Content.AsMember()
	if invite.Membership != event.MembershipInvite || !invite.IsDirect || invite.Displayname != "bob" {
		t.Errorf("got invite %+v", invite)
	}
	if got := must(alice.ResolveAlias(deadline(t), "#den:localhost"))(t); got.RoomID != room {
		t.Errorf("the alias points to %s", got.RoomID)
	}
	create := hs.State(room, event.StateCreate, "").Content.Raw
	if create["type"] != "m.space" || create["room_version"] != "11" {
		t.Errorf("got create event %v", create)
	}
}

func TestCreateRoomRefusals(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	must(alice.CreateRoom(deadline(t), &mautrix.ReqCreateRoom{RoomAliasName: "taken"}))(t)
	rooms := len(hs.Rooms(alice.UserID))
	tests := []struct {
		name string
		req  mautrix.ReqCreateRoom
		code string
	}{
		{"version", mautrix.ReqCreateRoom{RoomVersion: "99"}, "M_UNSUPPORTED_ROOM_VERSION"},
		{"alias", mautrix.ReqCreateRoom{RoomAliasName: "taken"}, "M_ROOM_IN_USE"},
		{"invitee", mautrix.ReqCreateRoom{Invite: []id.UserID{"nobody"}}, "M_INVALID_PARAM"},
		{"state", mautrix.ReqCreateRoom{InitialState: []*event.Event{{
			Content: event.Content{Raw: map[string]any{}}}}}, "M_BAD_JSON"},
	}
	for _, tc := range tests {
		_, err := alice.CreateRoom(deadline(t), &tc.req)
		wantCode(t, err, 400, tc.code)
	}
	if got := len(hs.Rooms(alice.UserID)); got != rooms {
		t.Errorf("refused requests left %d rooms behind", got-rooms)
	}
}

func TestJoinByAliasAndJoinedRooms(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	ctx := deadline(t)
	room := must(hs.NewRoom(alice.UserID, "public_chat"))(t)
	must(alice.CreateAlias(ctx, "#hall:localhost", room))(t)
	joined := must(bob.JoinRoom(ctx, "#hall:localhost", &mautrix.ReqJoinRoom{Via: []string{"localhost"}}))(t)
	if joined.RoomID != room {
		t.Errorf("joined %s, want %s", joined.RoomID, room)
	}
	if got := must(bob.JoinedRooms(ctx))(t).JoinedRooms; !slices.Equal(got, []id.RoomID{room}) {
		t.Errorf("joined rooms: %v", got)
	}
	before := len(hs.Timeline(room))
	must(bob.JoinRoomByID(ctx, room))(t)
	if got := len(hs.Timeline(room)); got != before {
		t.Error("joining twice made another event")
	}
	_, err := bob.JoinRoom(ctx, "#nowhere:localhost", nil)
	wantCode(t, err, 404, "M_NOT_FOUND")
	must(bob.LeaveRoom(ctx, room))(t)
	must(bob.ForgetRoom(ctx, room))(t)
	if syncFilter(t, bob, "", `{"room":{"include_leave":true}}`).Rooms.Leave[room] != nil {
		t.Error("the forgotten room comes back")
	}
}

func TestAliases(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	must(bob.CreateAlias(ctx, "#b:localhost", room))(t)
	_, err := alice.CreateAlias(ctx, "#b:localhost", room)
	wantCode(t, err, 409, "M_UNKNOWN")
	_, err = alice.CreateAlias(ctx, "#b:elsewhere", room)
	wantCode(t, err, 400, "M_INVALID_PARAM")
	if got := must(alice.GetAliases(ctx, room))(t).Aliases; !slices.Equal(got, []id.RoomAlias{"#b:localhost"}) {
		t.Errorf("got %v", got)
	}
	_, err = alice.SendStateEvent(ctx, room, event.StateCanonicalAlias, "",
		&event.CanonicalAliasEventContent{Alias: "#none:localhost"})
	wantCode(t, err, 400, "M_BAD_ALIAS")
	must(alice.SendStateEvent(ctx, room, event.StateCanonicalAlias, "",
		&event.CanonicalAliasEventContent{Alias: "#b:localhost"}))(t)
	must(alice.DeleteAlias(ctx, "#b:localhost"))(t)
	_, err = bob.ResolveAlias(ctx, "#b:localhost")
	wantCode(t, err, 404, "M_NOT_FOUND")
}

func TestStateEndpoints(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	custom := event.NewEventType("org.example/slash")
	custom.Class = event.StateEventType
	first := must(alice.SendStateEvent(ctx, room, custom, "a/b c", map[string]string{"v": "1"}))(t)
	again := must(alice.SendStateEvent(ctx, room, custom, "a/b c", map[string]string{"v": "1"}))(t)
	if again.EventID != first.EventID {
		t.Error("state that changes nothing made another event")
	}
	var content map[string]string
	if err := bob.StateEvent(ctx, room, custom, "a/b c", &content); err != nil || content["v"] != "1" {
		t.Errorf("got %v, %v", content, err)
	}
	full := must(bob.FullStateEvent(ctx, room, custom, "a/b c"))(t)
	if full.ID != first.EventID || full.RoomID != room || *full.StateKey != "a/b c" {
		t.Errorf("got %+v", full)
	}
	wantCode(t, bob.StateEvent(ctx, room, event.StateTopic, "", &content), 404, "M_NOT_FOUND")
	if all := must(bob.State(ctx, room))(t); len(all[event.StateMember]) != 2 || all[event.StateCreate][""] == nil {
		t.Errorf("got state %v", slices.Collect(maps.Keys(all)))
	}
	for _, path := range []string{"/state/m.room.join_rules", "/state/m.room.join_rules/"} {
		status, body := do(t, hs, bob.AccessToken, "GET", "/_matrix/client/v3/rooms/"+room.String()+path, "")
		if status != 200 || body != `{"join_rule":"public"}` {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	carol := person(t, hs, "carol")
	_, err := carol.State(ctx, room)
	wantCode(t, err, 403, "M_FORBIDDEN")
}

func TestMemberLists(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	at := syncOnce(t, alice, "").NextBatch
	must(bob.LeaveRoom(ctx, room))(t)
	list := func(req mautrix.ReqMembers) []string {
		return memberKeys(must(alice.Members(ctx, room, req))(t).Chunk)
	}
	if got := list(mautrix.ReqMembers{Membership: event.MembershipJoin}); !slices.Equal(got, []string{"@alice:localhost"}) {
		t.Errorf("joined: %v", got)
	}
	if got := list(mautrix.ReqMembers{NotMembership: event.MembershipJoin}); !slices.Equal(got, []string{"@bob:localhost"}) {
		t.Errorf("not joined: %v", got)
	}
	if got := list(mautrix.ReqMembers{At: at, Membership: event.MembershipJoin}); len(got) != 2 {
		t.Errorf("joined at the time of the sync: %v", got)
	}
	joined := must(alice.JoinedMembers(ctx, room))(t).Joined
	if len(joined) != 1 || joined[alice.UserID].DisplayName != "alice" {
		t.Errorf("joined members: %v", joined)
	}
}

func TestProfileReachesMemberEvents(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	since := syncOnce(t, bob, "").NextBatch
	if err := alice.SetDisplayName(ctx, "Alice L."); err != nil {
		t.Fatal(err)
	}
	if err := alice.SetAvatarURL(ctx, id.MustParseContentURI("mxc://localhost/cat")); err != nil {
		t.Fatal(err)
	}
	profile := must(bob.GetProfile(ctx, alice.UserID))(t)
	if profile.DisplayName != "Alice L." || profile.AvatarURL.FileID != "cat" {
		t.Errorf("got %+v", profile)
	}
	events := syncOnce(t, bob, since).Rooms.Join[room].Timeline.Events
	last := events[len(events)-1]
	if last.Content.Raw["displayname"] != "Alice L." || last.Content.Raw["avatar_url"] != "mxc://localhost/cat" {
		t.Errorf("the room was told %v", last.Content.Raw)
	}
	if _, err := bob.GetProfile(ctx, "@nobody:localhost"); err == nil {
		t.Error("a stranger has a profile")
	}
}

func TestTags(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	ctx := deadline(t)
	if err := alice.AddTag(ctx, room, event.RoomTagFavourite, 0.5); err != nil {
		t.Fatal(err)
	}
	tags := must(alice.GetTags(ctx, room))(t)
	if order := must(tags.Tags[event.RoomTagFavourite].Order.Float64())(t); order != 0.5 {
		t.Errorf("got %+v", tags)
	}
	if err := alice.RemoveTag(ctx, room, event.RoomTagFavourite); err != nil {
		t.Fatal(err)
	}
	if raw := hs.AccountData(alice.UserID, room, "m.tag"); string(raw) != `{"tags":{}}` {
		t.Errorf("got %s", raw)
	}
}

func TestUpgradeCarriesTheRoomOver(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	must(hs.SendState(alice.UserID, room, event.StateRoomName, "", map[string]string{"name": "Old"}))(t)
	must(alice.CreateAlias(deadline(t), "#it:localhost", room))(t)
	path := "/_matrix/client/v3/rooms/" + room.String() + "/upgrade"
	if status, body := do(t, hs, bob.AccessToken, "POST", path, `{"new_version":"12"}`); status != 403 {
		t.Errorf("a member's upgrade: %d %s", status, body)
	}
	status, body := do(t, hs, alice.AccessToken, "POST", path, `{"new_version":"12"}`)
	var reply struct {
		Room id.RoomID `json:"replacement_room"`
	}
	if err := json.Unmarshal([]byte(body), &reply); err != nil || status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if got := hs.State(room, event.StateTombstone, "").Content.Raw["replacement_room"]; got != reply.Room.String() {
		t.Errorf("the tombstone names %v", got)
	}
	if got := hs.State(reply.Room, event.StateRoomName, "").Content.Raw["name"]; got != "Old" {
		t.Errorf("the new room's name is %v", got)
	}
	before := hs.State(reply.Room, event.StateCreate, "").Content.Raw["predecessor"].(map[string]any)
	if before["room_id"] != room.String() {
		t.Errorf("the new room follows %v", before)
	}
	if got := must(alice.ResolveAlias(deadline(t), "#it:localhost"))(t).RoomID; got != reply.Room {
		t.Errorf("the alias points to %s", got)
	}
	_, err := hs.SendText(bob.UserID, room, "still here")
	refused(t, "talking in the old room", err, true)
}

func TestSpacesAndThePublicDirectory(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	ctx := deadline(t)
	space := must(alice.CreateRoom(ctx, &mautrix.ReqCreateRoom{
		Name: "Space", CreationContent: map[string]any{"type": "m.space"}, Preset: "public_chat", Visibility: "public",
	}))(t).RoomID
	child := must(alice.CreateRoom(ctx, &mautrix.ReqCreateRoom{Name: "Child", Preset: "public_chat"}))(t).RoomID
	must(hs.SendState(alice.UserID, space, event.StateSpaceChild, child.String(),
		map[string]any{"via": []string{"localhost"}}))(t)
	rooms := must(alice.Hierarchy(ctx, space, nil))(t).Rooms
	if len(rooms) != 2 || rooms[0].RoomID != space || rooms[1].RoomID != child || len(rooms[0].ChildrenState) != 1 {
		t.Errorf("got %+v", rooms)
	}
	public := must(alice.PublicRooms(ctx, &mautrix.ReqPublicRooms{}))(t)
	if len(public.Chunk) != 1 || public.Chunk[0].Name != "Space" || public.Chunk[0].RoomType != "m.space" {
		t.Errorf("got %+v", public.Chunk)
	}
}

func TestPresence(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, _ := pair(t, hs)
	ctx := deadline(t)
	since := syncOnce(t, bob, "").NextBatch
	if err := alice.SetPresence(ctx, mautrix.ReqPresence{Presence: event.PresenceOnline, StatusMsg: "here"}); err != nil {
		t.Fatal(err)
	}
	got := must(bob.GetPresence(ctx, alice.UserID))(t)
	if got.Presence != event.PresenceOnline || got.StatusMsg != "here" {
		t.Errorf("got %+v", got)
	}
	if events := syncOnce(t, bob, since).Presence.Events; len(events) != 1 || events[0].Sender != alice.UserID {
		t.Errorf("got presence events %v", events)
	}
	quiet := syncOnce(t, alice, "").NextBatch
	must(bob.SyncRequest(ctx, 0, since, "", false, event.PresenceOffline))(t)
	if events := syncOnce(t, alice, quiet).Presence.Events; len(events) != 0 {
		t.Errorf("staying offline is told: %v", events)
	}
	carol := person(t, hs, "carol")
	_, err := carol.GetPresence(ctx, alice.UserID)
	wantCode(t, err, 403, "M_FORBIDDEN")
}

func TestReceipts(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	ctx := deadline(t)
	first := must(hs.SendText(alice.UserID, room, "one"))(t)
	second := must(hs.SendText(alice.UserID, room, "two"))(t)
	since := syncOnce(t, alice, "").NextBatch
	if err := bob.SendReceipt(ctx, room, second, event.ReceiptTypeReadPrivate, nil); err != nil {
		t.Fatal(err)
	}
	if resp := syncOnce(t, alice, since); resp.Rooms.Join[room] != nil {
		t.Errorf("a private receipt is told to others: %+v", resp.Rooms.Join[room].Ephemeral)
	}
	if err := bob.SendReceipt(ctx, room, first, event.ReceiptTypeRead, map[string]string{"thread_id": "main"}); err != nil {
		t.Fatal(err)
	}
	events := syncOnce(t, alice, since).Rooms.Join[room].Ephemeral.Events
	if len(events) != 1 || events[0].Content.Raw[first.String()] == nil {
		t.Errorf("got %v", events)
	}
	if err := bob.SetReadMarkers(ctx, room, map[string]id.EventID{"m.fully_read": first, "m.read": second}); err != nil {
		t.Fatal(err)
	}
	if got := hs.ReadUpTo(room, bob.UserID, event.ReceiptTypeRead); got != second {
		t.Errorf("read up to %s", got)
	}
	if err := bob.MarkRead(ctx, room, first); err != nil {
		t.Fatal(err)
	}
	if got := hs.ReadUpTo(room, bob.UserID, event.ReceiptTypeRead); got != second {
		t.Error("a receipt moved backwards")
	}
	if raw := hs.AccountData(bob.UserID, room, "m.fully_read"); string(raw) != `{"event_id":"`+first.String()+`"}` {
		t.Errorf("fully read: %s", raw)
	}
	wantCode(t, bob.MarkRead(ctx, room, "$none"), 404, "M_NOT_FOUND")
}
