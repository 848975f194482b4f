//go:build goolm

package verify_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/canonicaljson"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
	"github.com/niobot/niobot/internal/fakehs"
)

// olmDevice is a device with a real Olm machine on a homeserver, and an engine over the two. It syncs when told to.
type olmDevice struct {
	t      *testing.T
	client *mautrix.Client
	mach   *crypto.OlmMachine
	engine *verify.Engine
	since  string
	last   *verify.Session
	hook   verify.HookFunc
	others []id.UserID // Who else is in the room
	before string      // The since of the sync that is being processed
}

// newOlmDevice logs in; own is whether the device makes the user's cross-signing keys.
func newOlmDevice(t *testing.T, hs *fakehs.Server, user id.UserID, own bool, policy verify.Policy) *olmDevice {
	t.Helper()
	login, err := hs.LogIn(user, "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := mautrix.NewClient("http://fakehs", user, login.Token)
	if err != nil {
		t.Fatal(err)
	}
	client.Client = &http.Client{Transport: hs.Transport()}
	client.DeviceID = login.DeviceID
	log := zerolog.Nop()
	d := &olmDevice{t: t, client: client}
	d.mach = crypto.NewOlmMachine(client, &log, crypto.NewMemoryStore(nil), olmRooms{})
	if err := d.mach.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.mach.ShareKeys(t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	if own {
		keys, err := d.mach.GenerateCrossSigningKeys()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.mach.PublishCrossSigningKeys(t.Context(), keys, nil); err != nil {
			t.Fatal(err)
		}
		if err := d.mach.SignOwnDevice(t.Context(), d.mach.OwnIdentity()); err != nil {
			t.Fatal(err)
		}
	}
	d.engine, err = verify.New(verify.Config{
		User: user, Device: login.DeviceID, Transport: d, Keys: d, Policy: policy,
		Hook: verify.HookFunc(func(ctx context.Context, s *verify.Session, state verify.State) {
			d.last = s
			if d.hook != nil {
				d.hook(ctx, s, state)
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *olmDevice) ToDevice(
	ctx context.Context, user id.UserID, to id.DeviceID, typ event.Type, content json.RawMessage,
) error {
	_, err := d.client.SendToDevice(ctx, typ, &mautrix.ReqSendToDevice{
		Messages: map[id.UserID]map[id.DeviceID]*event.Content{user: {to: {VeryRaw: content}}},
	})
	return err
}

func (d *olmDevice) InRoom(
	ctx context.Context, in id.RoomID, typ event.Type, content json.RawMessage,
) (id.EventID, error) {
	if err := d.mach.ShareGroupSession(ctx, in, d.others); err != nil {
		return "", err
	}
	encrypted, err := d.mach.EncryptMegolmEvent(ctx, in, typ, content)
	if err != nil {
		return "", err
	}
	sent, err := d.client.SendMessageEvent(ctx, in, event.EventEncrypted, encrypted)
	if err != nil {
		return "", err
	}
	return sent.EventID, nil
}

func (d *olmDevice) Own(ctx context.Context) (verify.OwnKeys, error) {
	keys := verify.OwnKeys{Device: d.mach.OwnIdentity().SigningKey}
	if _, err := d.mach.FetchKeys(ctx, []id.UserID{d.client.UserID}, true); err != nil {
		return keys, err
	}
	public, err := d.mach.GetOwnCrossSigningPublicKeys(ctx)
	if err != nil || public == nil {
		return keys, err
	}
	keys.Master = public.MasterKey
	keys.MasterTrusted, _, _, err = d.mach.GetOwnCrossSigningVerificationStatus(ctx)
	return keys, err
}

func (d *olmDevice) Peer(ctx context.Context, user id.UserID, name id.DeviceID) (verify.PeerKeys, error) {
	devices, err := d.mach.FetchKeys(ctx, []id.UserID{user}, true)
	if err != nil {
		return verify.PeerKeys{}, err
	}
	device := devices[user][name]
	if device == nil {
		return verify.PeerKeys{}, verify.ErrNoDevice
	}
	keys := verify.PeerKeys{Device: device.SigningKey}
	public, err := d.mach.GetCrossSigningPublicKeys(ctx, user)
	if err == nil && public != nil {
		keys.Master = public.MasterKey
	}
	return keys, err
}

func (d *olmDevice) Devices(ctx context.Context, user id.UserID) ([]id.DeviceID, error) {
	devices, err := d.mach.FetchKeys(ctx, []id.UserID{user}, true)
	var list []id.DeviceID
	for name := range devices[user] {
		list = append(list, name)
	}
	slices.Sort(list)
	return list, err
}

func (d *olmDevice) Trust(ctx context.Context, proof verify.Proof) error {
	if proof.User != d.client.UserID {
		return d.mach.SignUser(ctx, proof.User, proof.MasterKey)
	}
	if d.mach.CrossSigningKeys == nil {
		return d.mach.SignOwnMasterKey(ctx)
	}
	device, err := d.mach.GetOrFetchDevice(ctx, proof.User, proof.Device)
	if err != nil {
		return err
	}
	return d.mach.SignOwnDevice(ctx, device)
}

// sync takes what the server has, and says whether that was anything of a verification.
func (d *olmDevice) sync() bool {
	d.t.Helper()
	resp, err := d.client.SyncRequest(d.t.Context(), 0, d.since, "", false, "")
	if err != nil {
		d.t.Fatal(err)
	}
	d.before, d.since = d.since, resp.NextBatch
	var events []verify.Event
	for _, evt := range resp.ToDevice.Events {
		events = append(events, verify.Event{Type: evt.Type, Sender: evt.Sender, Content: evt.Content.VeryRaw})
	}
	d.mach.ProcessSyncResponse(d.t.Context(), resp, d.before)
	for in, joined := range resp.Rooms.Join {
		for _, evt := range joined.Timeline.Events {
			if evt.Type.Type != event.EventEncrypted.Type {
				continue
			}
			evt.RoomID, evt.Type.Class = in, event.MessageEventType
			if err := evt.Content.ParseRaw(evt.Type); err != nil {
				d.t.Fatal(err)
			}
			clear, err := d.mach.DecryptMegolmEvent(d.t.Context(), evt)
			if err != nil {
				d.t.Fatal(err)
			}
			events = append(events, verify.Event{
				Type: clear.Type, Sender: clear.Sender, Room: in, ID: clear.ID, Time: time.UnixMilli(clear.Timestamp),
				Content: clear.Content.VeryRaw,
			})
		}
	}
	some := false
	for _, evt := range events {
		if !verify.Concerns(evt.Type, evt.Content) {
			continue
		}
		some = true
		if err := d.engine.Handle(d.t.Context(), evt); err != nil {
			d.t.Errorf("%s: %v", evt.Type.Type, err)
		}
	}
	return some
}

// olmRooms has one encrypted room for all.
type olmRooms struct{}

func (olmRooms) IsEncrypted(context.Context, id.RoomID) (bool, error) { return true, nil }

func (olmRooms) GetEncryptionEvent(context.Context, id.RoomID) (*event.EncryptionEventContent, error) {
	return &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}, nil
}

func (olmRooms) GetHistoryVisibility(
	context.Context, id.RoomID,
) (*event.HistoryVisibilityEventContent, error) {
	return &event.HistoryVisibilityEventContent{HistoryVisibility: event.HistoryVisibilityShared}, nil
}

func (olmRooms) FindSharedRooms(context.Context, id.UserID) ([]id.RoomID, error) { return nil, nil }

// keysOf asks the server for a user's keys, as the client sees them.
func keysOf(t *testing.T, client *mautrix.Client, user id.UserID) map[string]json.RawMessage {
	t.Helper()
	var resp map[string]map[id.UserID]json.RawMessage
	body := map[string]any{"device_keys": map[id.UserID][]string{user: {}}}
	if _, err := client.MakeRequest(
		t.Context(), http.MethodPost, client.BuildClientURL("v3", "keys", "query"), body, &resp,
	); err != nil {
		t.Fatal(err)
	}
	keys := map[string]json.RawMessage{}
	for name, users := range resp {
		keys[name] = users[user]
	}
	return keys
}

// publicKey reads the one key of a cross-signing key.
func publicKey(t *testing.T, object json.RawMessage) string {
	t.Helper()
	var parsed struct {
		Keys map[string]string `json:"keys"`
	}
	if err := json.Unmarshal(object, &parsed); err != nil || len(parsed.Keys) != 1 {
		t.Fatalf("not a cross-signing key: %s", object)
	}
	for _, key := range parsed.Keys {
		return key
	}
	return ""
}

// signedBy checks a signature with ed25519 alone, over the object's canonical JSON.
func signedBy(t *testing.T, object json.RawMessage, signer id.UserID, keyName, key string) bool {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	var signatures map[id.UserID]map[string]string
	if err := json.Unmarshal(fields["signatures"], &signatures); err != nil {
		return false
	}
	delete(fields, "signatures")
	delete(fields, "unsigned")
	text, err := canonicaljson.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	signature, errSignature := base64.RawStdEncoding.DecodeString(signatures[signer]["ed25519:"+keyName])
	public, errKey := base64.RawStdEncoding.DecodeString(key)
	return errSignature == nil && errKey == nil && len(public) == ed25519.PublicKeySize &&
		ed25519.Verify(public, text, signature)
}

// hasSignedMaster says whether one user has signed another's master key, by what the server has.
func hasSignedMaster(t *testing.T, by *mautrix.Client, of id.UserID) bool {
	t.Helper()
	signing := publicKey(t, keysOf(t, by, by.UserID)["user_signing_keys"])
	return signedBy(t, keysOf(t, by, of)["master_keys"], by.UserID, signing, signing)
}

// hasSignedDevice says whether a user's self-signing key has signed a device of theirs.
func hasSignedDevice(t *testing.T, by *mautrix.Client, device id.DeviceID) bool {
	t.Helper()
	keys := keysOf(t, by, by.UserID)
	signing := publicKey(t, keys["self_signing_keys"])
	var devices map[id.DeviceID]json.RawMessage
	if err := json.Unmarshal(keys["device_keys"], &devices); err != nil {
		t.Fatal(err)
	}
	return signedBy(t, devices[device], by.UserID, signing, signing)
}

// newOlmPair makes the bot, and alice or another own device, on one homeserver with a room.
func newOlmPair(t *testing.T, self bool, policy verify.Policy) (bot, other *olmDevice, in id.RoomID) {
	t.Helper()
	hs := fakehs.New(fakehs.Options{})
	t.Cleanup(func() { hs.Close() })
	robot, errRobot := hs.Register("robot", "")
	alice, errAlice := hs.Register("alice", "")
	if errRobot != nil || errAlice != nil {
		t.Fatal(errRobot, errAlice)
	}
	in, err := hs.NewRoom(alice, "private_chat", robot)
	if err != nil {
		t.Fatal(err)
	}
	bot = newOlmDevice(t, hs, robot, true, policy)
	if self {
		other = newOlmDevice(t, hs, robot, false, policy)
	} else {
		other = newOlmDevice(t, hs, alice, true, policy)
	}
	for _, d := range []*olmDevice{bot, other} {
		d.others = []id.UserID{robot, alice}
		d.sync()
	}
	return bot, other, in
}

// TestSignaturesOnAServer verifies over real Olm machines, in an encrypted room and by to-device messages: the result
// is a signature of each on the other, that anyone can check.
func TestSignaturesOnAServer(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			bot, other, in := newOlmPair(t, way.self, verify.Policy{Admit: open})
			for _, d := range []*olmDevice{bot, other} {
				d.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
					if state == verify.StateComparing {
						if err := s.Confirm(ctx); err != nil {
							t.Error(err)
						}
					}
				}
			}
			from, to := other, bot
			if way.name[len(way.name)-len("bot asks"):] == "bot asks" {
				from, to = bot, other
			}
			var err error
			if way.inRoom {
				_, err = from.engine.RequestInRoom(t.Context(), in, to.client.UserID)
			} else {
				_, err = from.engine.Request(t.Context(), to.client.UserID)
			}
			if err != nil {
				t.Fatal(err)
			}
			for idle := 0; idle < 3; {
				if a, b := to.sync(), from.sync(); a || b {
					idle = 0
				} else {
					idle++
				}
			}
			for _, d := range []*olmDevice{bot, other} {
				if d.last == nil || d.last.State() != verify.StateDone {
					t.Fatalf("%s has %+v", d.client.UserID, d.last.Err())
				}
			}
			if way.self {
				if !hasSignedDevice(t, bot.client, other.client.DeviceID) {
					t.Error("the other device is not signed")
				}
				master := keysOf(t, bot.client, bot.client.UserID)["master_keys"]
				key := other.mach.OwnIdentity().SigningKey.String()
				if !signedBy(t, master, bot.client.UserID, other.client.DeviceID.String(), key) {
					t.Error("the other device has not signed the master key")
				}
				return
			}
			if !hasSignedMaster(t, bot.client, other.client.UserID) || !hasSignedMaster(t, other.client, bot.client.UserID) {
				t.Error("the users have not signed each other")
			}
		})
	}
}
