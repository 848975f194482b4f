package fakehs_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/synapseadmin"

	"github.com/niobot/niobot/internal/fakehs"
)

func anonymous(t *testing.T, hs *fakehs.Server) *mautrix.Client {
	t.Helper()
	return must(mautrix.NewClient(hs.URL(), "", ""))(t)
}

func passwordLogin(user, password string) *mautrix.ReqLogin {
	return &mautrix.ReqLogin{
		Type:       mautrix.AuthTypePassword,
		Identifier: mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: user},
		Password:   password, StoreCredentials: true,
	}
}

func TestLogInWhoamiLogOut(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := must(hs.Register("alice", "wonderland"))(t)
	c := anonymous(t, hs)
	ctx := deadline(t)

	if flows := must(c.GetLoginFlows(ctx))(t); !flows.HasFlow(mautrix.AuthTypePassword) {
		t.Errorf("no password flow in %+v", flows)
	}
	_, err := c.Login(ctx, passwordLogin("alice", "wrong"))
	wantCode(t, err, 403, "M_FORBIDDEN")
	_, err = c.Login(ctx, passwordLogin("nobody", "wonderland"))
	wantCode(t, err, 403, "M_FORBIDDEN")
	resp := must(c.Login(ctx, passwordLogin("alice", "wonderland")))(t)
	who := must(c.Whoami(ctx))(t)
	if who.UserID != alice || who.DeviceID != resp.DeviceID || who.DeviceID == "" {
		t.Errorf("whoami: %+v, logged in as %+v", who, resp)
	}
	must(c.Logout(ctx))(t)
	c.AccessToken = resp.AccessToken
	_, err = c.Whoami(ctx)
	wantCode(t, err, 401, "M_UNKNOWN_TOKEN")
	c.AccessToken = ""
	_, err = c.Whoami(ctx)
	wantCode(t, err, 401, "M_MISSING_TOKEN")
	if n := len(hs.Devices(alice)); n != 0 {
		t.Errorf("%d devices are left", n)
	}
}

func TestLogInToAKnownDeviceEndsItsOldToken(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	since := syncOnce(t, alice, "").NextBatch
	poll := make(chan error)
	go func() {
		_, err := alice.SyncRequest(deadline(t), 50_000, since, "", false, "")
		poll <- err
	}()
	if err := hs.WaitRequests(deadline(t), 2, "GET", "/sync"); err != nil {
		t.Fatal(err)
	}
	next := must(hs.LogIn(alice.UserID, alice.DeviceID))(t)
	wantCode(t, <-poll, 401, "M_UNKNOWN_TOKEN")
	if next.DeviceID != alice.DeviceID || next.Token == alice.AccessToken {
		t.Errorf("got %+v", next)
	}
	_, err := alice.Whoami(deadline(t))
	wantCode(t, err, 401, "M_UNKNOWN_TOKEN")
}

func TestRevokedTokenEndsTheLongPoll(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	since := syncOnce(t, alice, "").NextBatch
	poll := make(chan error)
	go func() {
		_, err := alice.SyncRequest(deadline(t), 60_000, since, "", false, "")
		poll <- err
	}()
	if err := hs.WaitRequests(deadline(t), 2, "GET", "/sync"); err != nil {
		t.Fatal(err)
	}
	if !hs.Revoke(alice.AccessToken, true) || hs.Revoke(alice.AccessToken, true) {
		t.Error("Revoke does not tell a valid token from another")
	}
	err := <-poll
	wantCode(t, err, 401, "M_UNKNOWN_TOKEN")
	if !strings.Contains(err.Error(), "M_UNKNOWN_TOKEN") {
		t.Errorf("got %v", err)
	}
	_, body := do(t, hs, alice.AccessToken, "GET", "/_matrix/client/v3/account/whoami", "")
	if !strings.Contains(body, `"soft_logout":true`) {
		t.Errorf("got %s", body)
	}
	if n := len(hs.Devices(alice.UserID)); n != 1 {
		t.Errorf("%d devices are left, want 1", n)
	}
}

func TestRegisterAsksForAStage(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	c := anonymous(t, hs)
	ctx := deadline(t)
	resp := must(c.RegisterDummy(ctx, &mautrix.ReqRegister[any]{Username: "carol", Password: "pw"}))(t)
	if resp.UserID != "@carol:localhost" || resp.AccessToken == "" || resp.DeviceID == "" {
		t.Errorf("got %+v", resp)
	}
	_, _, err := c.Register(ctx, &mautrix.ReqRegister[any]{Username: "carol", Password: "pw"})
	wantCode(t, err, 400, "M_USER_IN_USE")
	_, err = c.RegisterAvailable(ctx, "carol")
	wantCode(t, err, 400, "M_USER_IN_USE")
	must(c.RegisterAvailable(ctx, "dave"))(t)
	if _, err := hs.Register("No Good", ""); err == nil {
		t.Error("a bad user name is accepted")
	}
}

func TestRegisterWithASharedSecret(t *testing.T) {
	hs := newServer(t, fakehs.Options{RegistrationSecret: "s3cret"})
	admin := &synapseadmin.Client{Client: anonymous(t, hs)}
	ctx := deadline(t)
	resp := must(admin.SharedSecretRegister(ctx, "s3cret",
		synapseadmin.ReqSharedSecretRegister{Username: "bot", Password: "password", UserType: "bot", Admin: true}))(t)
	if resp.UserID != "@bot:localhost" || resp.AccessToken == "" {
		t.Errorf("got %+v", resp)
	}
	_, err := admin.SharedSecretRegister(ctx, "wrong", synapseadmin.ReqSharedSecretRegister{Username: "x", Password: "y"})
	wantCode(t, err, 403, "M_FORBIDDEN")

	closed := newServer(t, fakehs.Options{})
	_, err = (&synapseadmin.Client{Client: anonymous(t, closed)}).GetRegisterNonce(ctx)
	wantCode(t, err, 400, "M_UNKNOWN")
}

func TestDeletingADeviceAsksForThePassword(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	second := must(hs.LogIn(alice.UserID, "SECOND"))(t)
	ctx := deadline(t)
	if err := alice.SetDeviceInfo(ctx, "SECOND", &mautrix.ReqDeviceInfo{DisplayName: "Kitchen"}); err != nil {
		t.Fatal(err)
	}
	if info := must(alice.GetDeviceInfo(ctx, "SECOND"))(t); info.DisplayName != "Kitchen" {
		t.Errorf("got %+v", info)
	}
	path := "/_matrix/client/v3/devices/SECOND"
	status, body := do(t, hs, alice.AccessToken, "DELETE", path, "")
	var challenge mautrix.RespUserInteractive
	if err := json.Unmarshal([]byte(body), &challenge); err != nil {
		t.Fatal(err)
	}
	if status != 401 || challenge.Session == "" || !challenge.HasSingleStageFlow(mautrix.AuthTypePassword) {
		t.Fatalf("got %d %s", status, body)
	}
	auth := func(password string) string {
		return `{"auth":{"type":"m.login.password","identifier":{"type":"m.id.user","user":"alice"},"session":"` +
			challenge.Session + `","password":"` + password + `"}}`
	}
	status, body = do(t, hs, alice.AccessToken, "DELETE", path, auth("wrong"))
	if status != 401 || errCode(body) != "M_FORBIDDEN" {
		t.Errorf("a wrong password: %d %s", status, body)
	}
	if status, body := do(t, hs, alice.AccessToken, "DELETE", path, auth("alice password")); status != 200 {
		t.Errorf("the right password: %d %s", status, body)
	}
	if got := hs.Devices(alice.UserID); !slices.Equal(got, []id.DeviceID{alice.DeviceID}) {
		t.Errorf("left are %v", got)
	}
	if status, _ := do(t, hs, second.Token, "GET", "/_matrix/client/v3/account/whoami", ""); status != 401 {
		t.Errorf("the deleted device's token gives %d", status)
	}
}

func TestServerIntroducesItself(t *testing.T) {
	hs := newServer(t, fakehs.Options{DefaultRoomVersion: id.RoomV12})
	alice := person(t, hs, "alice")
	ctx := deadline(t)
	versions := must(alice.Versions(ctx))(t)
	if !versions.ContainsGreaterOrEqual(mautrix.SpecV111) || versions.Contains(mautrix.MustParseSpecVersion("v1.16")) {
		t.Errorf("got versions %v", versions.Versions)
	}
	if caps := must(alice.Capabilities(ctx))(t); caps.RoomVersions.Default != "12" || !caps.RoomVersions.IsStable("11") {
		t.Errorf("got capabilities %+v", caps.RoomVersions)
	}
	if _, body := do(t, hs, "", "GET", "/.well-known/matrix/client", ""); !strings.Contains(body, `"base_url":"http://`) {
		t.Errorf("got %s", body)
	}
}

func TestWrongPathsAndMethods(t *testing.T) {
	hs := fakehs.New(fakehs.Options{})
	t.Cleanup(func() { _ = hs.Close() })
	tests := []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/_matrix/client/v3/nonsense", 404, "M_UNRECOGNIZED"},
		{"GET", "/", 404, "M_UNRECOGNIZED"},
		{"GET", "/_matrix/client/v3//sync", 404, "M_UNRECOGNIZED"},
		{"DELETE", "/_matrix/client/v3/sync", 405, "M_UNRECOGNIZED"},
		{"GET", "/_matrix/client/v3/createRoom", 405, "M_UNRECOGNIZED"},
		{"GET", "/_matrix/client/v3/sync", 401, "M_MISSING_TOKEN"},
		{"GET", "/_matrix/client/r0/sync?access_token=x", 401, "M_UNKNOWN_TOKEN"},
		{"POST", "/_matrix/client/v3/login", 400, "M_UNKNOWN"},
	}
	for _, tc := range tests {
		if status, body := do(t, hs, "", tc.method, tc.path, ""); status != tc.status || errCode(body) != tc.code {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, status, body)
		}
	}
	if status, _ := do(t, hs, "", "OPTIONS", "/_matrix/client/v3/sync", ""); status != 200 {
		t.Errorf("OPTIONS gives %d", status)
	}
}

func TestRequestLog(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	must(alice.SendText(deadline(t), room, "x"))(t)
	log := hs.Requests()
	last := log[len(log)-1]
	if last.Method != "PUT" || last.User != alice.UserID || last.Status != 200 ||
		last.Pattern != "/_matrix/client/v3/rooms/{room}/send/{type}/{txn}" {
		t.Errorf("got %+v", last)
	}
	if n := hs.CountRequests("PUT", "/send/m.room.message"); n != 1 {
		t.Errorf("counted %d", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hs.WaitRequests(ctx, 2, "PUT", "/send/"); err == nil {
		t.Error("waiting ended well without a request")
	}
}
