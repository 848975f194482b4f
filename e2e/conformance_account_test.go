//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

func registerAndLogIn(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	who, err := alice.Whoami(alice.ctx)
	check(t, "whoami", err)
	if who.UserID != alice.UserID || who.DeviceID != alice.account.DeviceID {
		t.Errorf("whoami = %s %s, want %s %s", who.UserID, who.DeviceID, alice.UserID, alice.account.DeviceID)
	}

	flows, err := alice.GetLoginFlows(alice.ctx)
	check(t, "login flows", err)
	if !flows.HasFlow(mautrix.AuthTypePassword) {
		t.Errorf("login flows %v lack %s", flows.Flows, mautrix.AuthTypePassword)
	}

	login := func(password string) (*mautrix.RespLogin, error) {
		return alice.Login(alice.ctx, &mautrix.ReqLogin{
			Type:       mautrix.AuthTypePassword,
			Identifier: mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: alice.UserID.Localpart()},
			Password:   password,
			DeviceID:   "SECONDDEVICE",
		})
	}
	_, err = login("not " + alice.account.Password)
	checkRefused(t, "log in with a wrong password", err, mautrix.MForbidden, http.StatusForbidden)

	got, err := login(alice.account.Password)
	check(t, "log in", err)
	if got.UserID != alice.UserID || got.DeviceID != "SECONDDEVICE" || got.AccessToken == alice.account.Token {
		t.Errorf("login = %s on %s, want %s on SECONDDEVICE and a new token", got.UserID, got.DeviceID, alice.UserID)
	}
	second := newDevice(t, hs, Account{UserID: got.UserID, DeviceID: got.DeviceID, Token: got.AccessToken})
	who, err = second.Whoami(second.ctx)
	check(t, "whoami of the second device", err)
	if who.DeviceID != "SECONDDEVICE" {
		t.Errorf("second device is %s, want SECONDDEVICE", who.DeviceID)
	}
}

func logOut(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	alice.poll(0)
	_, err := alice.Logout(alice.ctx)
	check(t, "log out", err)
	// Logout clears the client; what the server makes of the old token is the question.
	alice.AccessToken = alice.account.Token
	_, err = alice.SyncRequest(alice.ctx, 0, alice.since, "", false, "")
	checkRefused(t, "sync after logging out", err, mautrix.MUnknownToken, http.StatusUnauthorized)
}

func unknownToken(t *testing.T, hs Homeserver) {
	account := hs.Register(t, "alice")
	account.Token = "made-up"
	stranger := newDevice(t, hs, account)
	_, err := stranger.Whoami(stranger.ctx)
	checkRefused(t, "whoami with a made-up token", err, mautrix.MUnknownToken, http.StatusUnauthorized)
	_, err = stranger.SyncRequest(stranger.ctx, 0, "", "", false, "")
	checkRefused(t, "sync with a made-up token", err, mautrix.MUnknownToken, http.StatusUnauthorized)

	stranger.AccessToken = ""
	_, err = stranger.Whoami(stranger.ctx)
	checkRefused(t, "whoami without a token", err, mautrix.MMissingToken, http.StatusUnauthorized)
}

func unknownEndpoint(t *testing.T, hs Homeserver) {
	alice := newUser(t, hs, "alice")
	url := alice.BuildClientURL("v3", "no", "such", "endpoint")
	_, err := alice.MakeRequest(alice.ctx, http.MethodGet, url, nil, nil)
	checkRefused(t, "ask for an unknown endpoint", err, mautrix.MUnrecognized, http.StatusNotFound)
}

func profile(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)

	check(t, "set name", alice.SetDisplayName(alice.ctx, "Alice in Chains"))
	// It reaches the rooms as a member event, which is how a bot learns of it.
	bob.await("the new name", func(resp *mautrix.RespSync) bool {
		member := findState(timeline(resp, room), event.StateMember, alice.UserID.String())
		return member != nil && parse(t, member).Content.AsMember().Displayname == "Alice in Chains"
	})
	avatar := id.ContentURI{Homeserver: alice.UserID.Homeserver(), FileID: "avatar"}
	check(t, "set avatar", alice.SetAvatarURL(alice.ctx, avatar))
	got, err := bob.GetProfile(bob.ctx, alice.UserID)
	check(t, "get profile", err)
	if got.DisplayName != "Alice in Chains" || got.AvatarURL != avatar {
		t.Errorf("profile = %q %s, want the name and %s", got.DisplayName, got.AvatarURL, avatar)
	}

	_, err = bob.GetProfile(bob.ctx, id.NewUserID("nobody-of-this-name", alice.UserID.Homeserver()))
	checkRefused(t, "profile of nobody", err, mautrix.MNotFound, http.StatusNotFound)
}

func directChats(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	var got event.DirectChatsEventContent
	err := alice.GetAccountData(alice.ctx, event.AccountDataDirectChats.Type, &got)
	checkRefused(t, "account data that is not there", err, mautrix.MNotFound, http.StatusNotFound)

	alice.poll(0)
	room := alice.createRoomAs(&mautrix.ReqCreateRoom{
		Preset: "trusted_private_chat", IsDirect: true, Invite: []id.UserID{bob.UserID},
	}, bob)
	want := event.DirectChatsEventContent{bob.UserID: {room}}
	check(t, "set m.direct", alice.SetAccountData(alice.ctx, event.AccountDataDirectChats.Type, want))
	alice.await("m.direct", func(resp *mautrix.RespSync) bool {
		direct := findType(resp.AccountData.Events, event.AccountDataDirectChats)
		if direct == nil {
			return false
		}
		direct.Type.Class = event.AccountDataEventType
		chats := *parse(t, direct).Content.AsDirectChats()
		return len(chats[bob.UserID]) == 1 && chats[bob.UserID][0] == room
	})
	check(t, "get m.direct", alice.GetAccountData(alice.ctx, event.AccountDataDirectChats.Type, &got))
	if len(got[bob.UserID]) != 1 || got[bob.UserID][0] != room {
		t.Errorf("m.direct = %v, want %v", got, want)
	}
}

func roomAccountData(t *testing.T, hs Homeserver) {
	const kind = "dev.niobot.e2e.note"
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.createRoom(bob)
	check(t, "set", alice.SetRoomAccountData(alice.ctx, room, kind, map[string]string{"note": "mine"}))
	alice.await("the note", func(resp *mautrix.RespSync) bool {
		joined := resp.Rooms.Join[room]
		return joined != nil && findType(joined.AccountData.Events, event.Type{Type: kind}) != nil
	})
	var got struct{ Note string }
	check(t, "get", alice.GetRoomAccountData(alice.ctx, room, kind, &got))
	if got.Note != "mine" {
		t.Errorf("note = %q, want %q", got.Note, "mine")
	}
	err := bob.GetRoomAccountData(bob.ctx, room, kind, &got)
	checkRefused(t, "get what another has set", err, mautrix.MNotFound, http.StatusNotFound)
}

func toDevice(t *testing.T, hs Homeserver) {
	kind := event.Type{Type: "dev.niobot.e2e.knock", Class: event.ToDeviceEventType}
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	bob.poll(0)
	_, err := alice.SendToDevice(alice.ctx, kind, &mautrix.ReqSendToDevice{
		Messages: map[id.UserID]map[id.DeviceID]*event.Content{
			bob.UserID: {bob.account.DeviceID: {Raw: map[string]any{"who": "alice"}}},
		},
	})
	check(t, "send", err)

	before := bob.since
	received := func(resp *mautrix.RespSync) bool {
		e := findType(resp.ToDevice.Events, kind)
		return e != nil && e.Sender == alice.UserID && e.Content.Raw["who"] == "alice"
	}
	bob.await("the to-device message", received)
	after := bob.since
	// A client that has lost the answer asks again with the old token, and must not miss the message.
	bob.since = before
	if !received(bob.poll(0)) {
		t.Error("the message is gone though its sync token was never used")
	}
	bob.since = after
	if received(bob.poll(0)) {
		t.Error("the message came again after its sync token was used")
	}
}

func media(t *testing.T, hs Homeserver) {
	alice, bob := newUser(t, hs, "alice"), newUser(t, hs, "bob")
	data := bytes.Repeat([]byte("\x00\xffnot text\r\n"), 1000)
	uploaded, err := alice.UploadBytesWithName(alice.ctx, data, "application/x-e2e", "a file.bin")
	check(t, "upload", err)
	if uploaded.ContentURI.Homeserver != alice.UserID.Homeserver() {
		t.Errorf("uploaded to %s, want server %s", uploaded.ContentURI, alice.UserID.Homeserver())
	}
	got, err := bob.DownloadBytes(bob.ctx, uploaded.ContentURI)
	check(t, "download", err)
	if !bytes.Equal(got, data) {
		t.Errorf("downloaded %d bytes that are not the %d uploaded ones", len(got), len(data))
	}
	resp, err := bob.Download(bob.ctx, uploaded.ContentURI)
	check(t, "download", err)
	resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "application/x-e2e" {
		t.Errorf("content type = %q, want that of the upload", kind)
	}

	missing := id.ContentURI{Homeserver: alice.UserID.Homeserver(), FileID: "nosuchfile"}
	_, err = bob.DownloadBytes(bob.ctx, missing)
	checkRefused(t, "download what is not there", err, mautrix.MNotFound, http.StatusNotFound)
	if config, err := bob.GetMediaConfig(bob.ctx); err != nil || config.UploadSize <= 0 {
		t.Errorf("media config = %+v, %v; want a limit", config, err)
	}
	bob.AccessToken = ""
	_, err = bob.DownloadBytes(bob.ctx, uploaded.ContentURI)
	checkRefused(t, "download without a token", err, mautrix.MMissingToken, http.StatusUnauthorized)
}
