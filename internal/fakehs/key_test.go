package fakehs_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

const client = "/_matrix/client/v3"

// ask sends a request in memory, wants 200, and decodes the answer.
func ask[T any](t *testing.T, hs *fakehs.Server, c *mautrix.Client, method, path, body string) T {
	t.Helper()
	var reply T
	status, text := do(t, hs, c.AccessToken, method, client+path, body)
	if status != 200 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if err := json.Unmarshal([]byte(text), &reply); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply
}

func deviceKeys(c *mautrix.Client) string {
	return `{"user_id":"` + c.UserID.String() + `","device_id":"` + c.DeviceID.String() +
		`","algorithms":[],"keys":{"ed25519:` + c.DeviceID.String() + `":"abc"},"signatures":{}}`
}

func TestKeysUploadQueryClaim(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, _ := pair(t, hs)
	since := syncOnce(t, bob, "").NextBatch
	counts := ask[map[string]map[string]int](t, hs, alice, "POST", "/keys/upload", `{"device_keys":`+deviceKeys(alice)+
		`,"one_time_keys":{"signed_curve25519:A":{"key":"a"},"signed_curve25519:B":{"key":"b"}},`+
		`"fallback_keys":{"signed_curve25519:F":{"key":"f","fallback":true}}}`)
	if counts["one_time_key_counts"]["signed_curve25519"] != 2 {
		t.Errorf("got counts %v", counts)
	}
	news := syncOnce(t, bob, since)
	if !slices.Contains(news.DeviceLists.Changed, alice.UserID) {
		t.Errorf("bob is told of %v", news.DeviceLists)
	}
	found := must(bob.QueryKeys(deadline(t), &mautrix.ReqQueryKeys{
		DeviceKeys: mautrix.DeviceKeysRequest{alice.UserID: {}},
	}))(t)
	if keys := found.DeviceKeys[alice.UserID][alice.DeviceID].Keys; len(keys) != 1 {
		t.Errorf("got keys %v", keys)
	}
	var got []string
	for range 4 {
		claimed := must(bob.ClaimKeys(deadline(t), &mautrix.ReqClaimKeys{
			OneTimeKeys: mautrix.OneTimeKeysRequest{alice.UserID: {alice.DeviceID: id.KeyAlgorithmSignedCurve25519}},
		}))(t)
		for keyID := range claimed.OneTimeKeys[alice.UserID][alice.DeviceID] {
			got = append(got, keyID.String())
		}
	}
	want := []string{"signed_curve25519:A", "signed_curve25519:B", "signed_curve25519:F", "signed_curve25519:F"}
	if !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
	resp := syncOnce(t, alice, "")
	if resp.DeviceOTKCount.SignedCurve25519 != 0 || len(resp.FallbackKeys) != 0 {
		t.Errorf("left are %+v and fallbacks %v", resp.DeviceOTKCount, resp.FallbackKeys)
	}
	wrong := strings.ReplaceAll(deviceKeys(alice), alice.DeviceID.String(), "OTHER")
	if status, _ := do(t, hs, alice.AccessToken, "POST", client+"/keys/upload", `{"device_keys":`+wrong+`}`); status != 400 {
		t.Errorf("another device's keys are accepted: %d", status)
	}
}

func TestDeviceListsFollowSharedRooms(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, room := pair(t, hs)
	carol := person(t, hs, "carol")
	since := syncOnce(t, alice, "").NextBatch
	must(carol.JoinRoomByID(deadline(t), room))(t)
	joined := syncOnce(t, alice, since)
	if got := joined.DeviceLists.Changed; !slices.Equal(got, []id.UserID{carol.UserID}) {
		t.Errorf("after the join: %v", got)
	}
	must(bob.LeaveRoom(deadline(t), room))(t)
	left := syncOnce(t, alice, joined.NextBatch)
	if got := left.DeviceLists.Left; !slices.Equal(got, []id.UserID{bob.UserID}) {
		t.Errorf("after the leave: %v", got)
	}
	// mautrix asks with POST, which no server takes.
	changes := ask[map[string][]id.UserID](t, hs, alice, "GET", "/keys/changes?from="+since+"&to="+left.NextBatch, "")
	if !slices.Equal(changes["changed"], []id.UserID{carol.UserID}) ||
		!slices.Equal(changes["left"], []id.UserID{bob.UserID}) {
		t.Errorf("keys/changes says %+v", changes)
	}
}

func TestToDeviceMessagesComeUntilAcknowledged(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, _ := pair(t, hs)
	typ := event.Type{Type: "org.example.ping", Class: event.ToDeviceEventType}
	must(alice.SendToDevice(deadline(t), typ, &mautrix.ReqSendToDevice{
		Messages: map[id.UserID]map[id.DeviceID]*event.Content{
			bob.UserID: {"*": {Raw: map[string]any{"n": 1}}},
		},
	}))(t)
	first := syncOnce(t, bob, "")
	if len(first.ToDevice.Events) != 1 || first.ToDevice.Events[0].Sender != alice.UserID {
		t.Fatalf("got %v", first.ToDevice.Events)
	}
	if again := syncOnce(t, bob, ""); len(again.ToDevice.Events) != 1 {
		t.Error("a message that was not acknowledged is gone")
	}
	if after := syncOnce(t, bob, first.NextBatch); len(after.ToDevice.Events) != 0 {
		t.Error("an acknowledged message comes again")
	}
	path := "/sendToDevice/org.example.ping/same"
	body := `{"messages":{"@bob:localhost":{"` + bob.DeviceID.String() + `":{}}}}`
	for range 2 {
		ask[struct{}](t, hs, alice, "PUT", path, body)
	}
	if got := syncOnce(t, bob, first.NextBatch); len(got.ToDevice.Events) != 1 {
		t.Errorf("one transaction gave %d messages", len(got.ToDevice.Events))
	}
}

func TestCrossSigning(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, _ := pair(t, hs)
	ask[struct{}](t, hs, alice, "POST", "/keys/upload", `{"device_keys":`+deviceKeys(alice)+`}`)
	upload := func(master string) string {
		return `{"master_key":{"user_id":"@alice:localhost","keys":{"ed25519:` + master + `":"` + master + `"}},
			"self_signing_key":{"keys":{"ed25519:S":"S"}},"user_signing_key":{"keys":{"ed25519:U":"U"}}`
	}
	ask[struct{}](t, hs, alice, "POST", "/keys/device_signing/upload", upload("M")+`}`)
	status, body := do(t, hs, alice.AccessToken, "POST", client+"/keys/device_signing/upload", upload("N")+`}`)
	if status != 401 {
		t.Errorf("replacing the keys without a password: %d %s", status, body)
	}
	ask[struct{}](t, hs, alice, "POST", "/keys/device_signing/upload",
		upload("N")+`,"auth":{"type":"m.login.password","user":"alice","password":"alice password"}}`)

	failures := ask[map[string]map[string]any](t, hs, alice, "POST", "/keys/signatures/upload", `{"@alice:localhost":{"`+
		alice.DeviceID.String()+`":{"signatures":{"@alice:localhost":{"ed25519:S":"sig"}}},
		"N":{"signatures":{"@alice:localhost":{"ed25519:D":"sig"}}},"NOPE":{}}}`)
	if len(failures["failures"]["@alice:localhost"].(map[string]any)) != 1 {
		t.Errorf("got %v", failures)
	}
	type keyMap map[string]map[string]any
	query := func(c *mautrix.Client) map[string]keyMap {
		return ask[map[string]keyMap](t, hs, c, "POST", "/keys/query", `{"device_keys":{"@alice:localhost":[]}}`)
	}
	own, foreign := query(alice), query(bob)
	if own["user_signing_keys"]["@alice:localhost"] == nil || foreign["user_signing_keys"]["@alice:localhost"] != nil {
		t.Error("the user-signing key is for its owner only")
	}
	master := foreign["master_keys"]["@alice:localhost"]
	if _, replaced := master["keys"].(map[string]any)["ed25519:N"]; !replaced || master["signatures"] == nil {
		t.Errorf("got master key %v", master)
	}
	device := foreign["device_keys"]["@alice:localhost"][alice.DeviceID.String()].(map[string]any)
	if device["signatures"].(map[string]any)["@alice:localhost"] == nil {
		t.Errorf("got device %v", device)
	}
}

func TestKeyBackup(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice := person(t, hs, "alice")
	if status, _ := do(t, hs, alice.AccessToken, "GET", client+"/room_keys/version", ""); status != 404 {
		t.Errorf("without a backup: %d", status)
	}
	create := `{"algorithm":"m.megolm_backup.v1.curve25519-aes-sha2","auth_data":{"public_key":"k"}}`
	version := ask[map[string]string](t, hs, alice, "POST", "/room_keys/version", create)["version"]
	key := func(first string) string {
		return `{"first_message_index":` + first + `,"forwarded_count":0,"is_verified":true,"session_data":{}}`
	}
	path := "/room_keys/keys/!r/s?version=" + version
	ask[map[string]any](t, hs, alice, "PUT", path, key("5"))
	ask[map[string]any](t, hs, alice, "PUT", path, key("9"))
	if got := ask[map[string]any](t, hs, alice, "GET", path, ""); got["first_message_index"] != 5.0 {
		t.Errorf("the worse key was kept: %v", got)
	}
	ask[map[string]any](t, hs, alice, "PUT", "/room_keys/keys?version="+version,
		`{"rooms":{"!r":{"sessions":{"s":`+key("1")+`,"t":`+key("0")+`}}}}`)
	info := ask[map[string]any](t, hs, alice, "GET", "/room_keys/version", "")
	if info["count"] != 2.0 || info["version"] != version {
		t.Errorf("got %v", info)
	}
	type sessions map[string]map[string]map[string]any
	all := ask[map[string]map[string]sessions](t, hs, alice, "GET", "/room_keys/keys?version="+version, "")
	if all["rooms"]["!r"]["sessions"]["s"]["first_message_index"] != 1.0 {
		t.Errorf("got %v", all)
	}
	newer := ask[map[string]string](t, hs, alice, "POST", "/room_keys/version", create)["version"]
	status, body := do(t, hs, alice.AccessToken, "PUT", client+path, key("0"))
	if status != 403 || errCode(body) != "M_WRONG_ROOM_KEYS_VERSION" ||
		!strings.Contains(body, `"current_version":"`+newer) {
		t.Errorf("writing to an old version: %d %s", status, body)
	}
	ask[struct{}](t, hs, alice, "DELETE", "/room_keys/version/"+newer, "")
	ask[map[string]any](t, hs, alice, "DELETE", path, "")
	if status, _ := do(t, hs, alice.AccessToken, "GET", client+path, ""); status != 404 {
		t.Errorf("the deleted key gives %d", status)
	}
}
