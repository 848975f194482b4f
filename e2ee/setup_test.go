//go:build goolm

package e2ee_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/internal/fakehs"
)

func TestFirstStartSignsTheDevice(t *testing.T) {
	hs := newServer(t)
	alice, carol := newBot(t, hs, "alice"), newBot(t, hs, "carol")
	if !crossSigned(t, carol.client, alice.client.UserID, alice.client.DeviceID) {
		t.Error("the device is not cross-signed")
	}
	master := askKeys(t, carol.client, alice.client.UserID).Master[alice.client.UserID]
	device := askKeys(t, carol.client, alice.client.UserID).Devices[alice.client.UserID][alice.client.DeviceID]
	keys, _ := device["keys"].(map[string]any)
	own, _ := keys["ed25519:"+string(alice.client.DeviceID)].(string)
	if !master.signed(alice.client.UserID, string(alice.client.DeviceID), own) {
		t.Error("the master key is not signed by the device")
	}
	for _, name := range []string{
		"m.secret_storage.default_key", "m.cross_signing.master", "m.cross_signing.self_signing",
		"m.cross_signing.user_signing", "m.megolm_backup.v1",
	} {
		if hs.AccountData(alice.client.UserID, "", name) == nil {
			t.Errorf("%s is not in the account data", name)
		}
	}
	if identity, err := alice.enc.Identity(deadline(t)); err != nil || identity.BackupVersion != "1" ||
		string(identity.MasterKey) != masterKey(t, carol.client, alice.client.UserID) {
		t.Errorf("got %+v, %v", identity, err)
	}
}

func TestLaterStartsChangeNothing(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	alice.stop()
	before := len(hs.Requests())
	alice.reset()
	alice.start()
	alice.stop()
	for _, r := range hs.Requests()[before:] {
		if r.User == alice.client.UserID && r.Method != "GET" &&
			!strings.Contains(r.Path, "keys/query") && !strings.Contains(r.Path, "keys/upload") {
			t.Errorf("a later start sends %s %s", r.Method, r.Path)
		}
	}
	if len(alice.keys) != 1 {
		t.Errorf("%d recovery keys were handed over", len(alice.keys))
	}
}

func TestRecoveryKeyFile(t *testing.T) {
	hs := newServer(t)
	path := filepath.Join(t.TempDir(), "recovery.key")
	alice := newBot(t, hs, "alice", e2ee.RecoveryKeyFile(path))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(data)); got != alice.keys[0] {
		t.Errorf("the file holds %q, want %q", got, alice.keys[0])
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	again := logIn(t, hs, "alice", e2ee.RecoveryKeyFile(path))
	again.start()
	if !crossSigned(t, alice.client, alice.client.UserID, again.client.DeviceID) {
		t.Error("the new device is not cross-signed")
	}
	if len(again.keys) != 0 {
		t.Error("a second recovery key was handed over")
	}
}

func TestNewDeviceReadsOldMessages(t *testing.T) {
	hs := newServer(t)
	alice, bob, carol := newBot(t, hs, "alice"), newBot(t, hs, "bob"), newBot(t, hs, "carol")
	room := encryptedRoom(t, alice, bob)
	said := alice.say(room, "old news")
	bob.heard(said, "old news")
	bob.backedUp()
	bob.stop()

	again := logIn(t, hs, "bob", e2ee.RecoveryKey(bob.keys[0]))
	again.start()
	if !crossSigned(t, carol.client, again.client.UserID, again.client.DeviceID) {
		t.Error("the new device is not cross-signed")
	}
	got := again.heard(said, "old news")
	if !got.Origin.Forwarded || got.Origin.Trust != id.TrustStateBackup {
		t.Errorf("a key of the backup has the origin %+v", got.Origin)
	}
	if identity, err := again.enc.Identity(deadline(t)); err != nil || identity.BackupVersion != "1" {
		t.Errorf("got %+v, %v", identity, err)
	}
	alice.sync()
	again.heard(alice.say(room, "fresh news"), "fresh news")
}

func TestStartWithoutTheRecoveryKeyIsRefused(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	before := masterKey(t, alice.client, alice.client.UserID)
	again := logIn(t, hs, "alice")
	if err := again.enc.Start(deadline(t), again); !errors.Is(err, e2ee.ErrRecoveryKeyNeeded) {
		t.Errorf("got %v", err)
	}
	again.reset(e2ee.RecoveryKey("EsTb 1111 2222 3333"))
	if err := again.enc.Start(deadline(t), again); !errors.Is(err, e2ee.ErrRecoveryKeyWrong) {
		t.Errorf("with a wrong key: %v", err)
	}
	again.reset(e2ee.AllowReset())
	if err := again.enc.Start(deadline(t), again); !errors.Is(err, e2ee.ErrPasswordNeeded) {
		t.Errorf("without a password: %v", err)
	}
	again.reset(e2ee.AllowReset(), e2ee.Password("wrong password"))
	if err := again.enc.Start(deadline(t), again); !errors.Is(err, e2ee.ErrPasswordWrong) {
		t.Errorf("with a wrong password: %v", err)
	}
	if masterKey(t, alice.client, alice.client.UserID) != before {
		t.Error("the identity was replaced")
	}
	// What the failed resets left behind must not keep the recovery key from being used.
	again.reset(e2ee.RecoveryKey(alice.keys[0]))
	again.start()
	if !crossSigned(t, alice.client, again.client.UserID, again.client.DeviceID) {
		t.Error("the device is not cross-signed")
	}
}

func TestAllowedResetMakesANewIdentity(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	before := masterKey(t, alice.client, alice.client.UserID)
	again := logIn(t, hs, "alice", e2ee.AllowReset(), e2ee.Password("alice password"))
	again.start()
	if masterKey(t, alice.client, alice.client.UserID) == before {
		t.Error("the identity was not replaced")
	}
	if !crossSigned(t, alice.client, again.client.UserID, again.client.DeviceID) {
		t.Error("the device is not cross-signed")
	}
	identity, err := again.enc.Identity(deadline(t))
	if err != nil || identity.BackupVersion != "2" {
		t.Errorf("got %+v, %v", identity, err)
	}
	third := logIn(t, hs, "alice", e2ee.RecoveryKey(again.keys[0]))
	third.start()
}

func TestStoreOfAnotherDeviceIsRefused(t *testing.T) {
	hs := newServer(t)
	alice := newBot(t, hs, "alice")
	alice.stop()
	lost := &bot{t: t, hs: hs, client: alice.client, disk: newDisk(t, alice.Account())}
	lost.reset()
	if err := lost.enc.Start(deadline(t), lost); !errors.Is(err, e2ee.ErrDeviceMismatch) {
		t.Errorf("with a lost store: %v", err)
	}
	other := logIn(t, hs, "alice", e2ee.RecoveryKey(alice.keys[0]))
	other.disk = alice.disk
	other.reset()
	if err := other.enc.Start(deadline(t), other); !errors.Is(err, e2ee.ErrDeviceMismatch) {
		t.Errorf("with another device's store: %v", err)
	}
}

func TestNowhereToPutTheRecoveryKey(t *testing.T) {
	hs := newServer(t)
	b := logIn(t, hs, "alice")
	b.enc = e2ee.New(b.disk)
	if err := b.enc.Start(deadline(t), b); !errors.Is(err, e2ee.ErrNoKeyPlace) {
		t.Errorf("got %v", err)
	}
}

// TestFirstStartCutShortAnywhere has each request of a first start fail, before and after the server has processed it,
// and wants the next start to finish it, with a recovery key that opens what is on the server.
func TestFirstStartCutShortAnywhere(t *testing.T) {
	hs := newServer(t)
	before := len(hs.Requests())
	whole := newBot(t, hs, "whole")
	whole.stop()
	requests := len(hs.Requests()) - before
	if requests < 10 {
		t.Fatalf("a first start takes %d requests only", requests)
	}
	for n := range requests {
		for _, cut := range []fakehs.CutPoint{fakehs.CutBefore, fakehs.CutAfter} {
			name := "bot" + string(rune('a'+n/26)) + string(rune('a'+n%26)) + string(rune('0'+int(cut)))
			b := logIn(t, hs, name)
			fault := hs.Fail(fakehs.Fault{User: b.client.UserID, Skip: n, Count: 1, Cut: cut})
			err := b.enc.Start(deadline(t), b)
			fault.Remove()
			if err != nil {
				b.reset()
				b.start()
			}
			if !crossSigned(t, whole.client, b.client.UserID, b.client.DeviceID) {
				t.Errorf("cut at request %d: the device is not cross-signed", n)
			}
			b.stop()
			second := logIn(t, hs, name, e2ee.RecoveryKey(b.keys[len(b.keys)-1]))
			second.start()
			if identity, err := second.enc.Identity(deadline(t)); err != nil || identity.BackupVersion == "" {
				t.Errorf("cut at request %d: %+v, %v", n, identity, err)
			}
			second.stop()
			for _, key := range b.keys {
				if key != b.keys[0] {
					t.Errorf("cut at request %d: two recovery keys were handed over", n)
				}
			}
		}
	}
}

func TestHandingOverIsRepeatedUntilItWorks(t *testing.T) {
	hs := newServer(t)
	b := logIn(t, hs, "alice")
	var got []string
	refused := errors.New("the safe is closed")
	hand := func(_ context.Context, key string) error {
		got = append(got, key)
		if len(got) < 3 {
			return refused
		}
		return nil
	}
	for range 2 {
		b.enc = e2ee.New(b.disk, e2ee.OnRecoveryKey(hand))
		if err := b.enc.Start(deadline(t), b); !errors.Is(err, refused) {
			t.Fatalf("got %v", err)
		}
		if hs.AccountData(b.client.UserID, "", "m.cross_signing.master") != nil ||
			masterKey(t, b.client, b.client.UserID) != "" {
			t.Fatal("something is on the server that nobody has the key of")
		}
	}
	b.enc = e2ee.New(b.disk, e2ee.OnRecoveryKey(hand))
	b.start()
	b.stop()
	if len(got) != 3 || got[0] != got[1] || got[1] != got[2] {
		t.Errorf("handed over were %d keys, not all the same", len(got))
	}
}

func TestApprovalInABrowser(t *testing.T) {
	hs := newServer(t)
	ask := func(user id.UserID) *fakehs.ActiveFault {
		return hs.Fail(fakehs.Fault{
			User: user, Path: "/keys/device_signing/upload", Count: 1, Status: 401,
			Response: []byte(`{"session":"s","flows":[{"stages":["m.oauth"]}],` +
				`"params":{"m.oauth":{"url":"https://auth.example/x"}}}`),
		})
	}
	b := logIn(t, hs, "alice")
	ask(b.client.UserID)
	var approval *e2ee.ApprovalError
	if err := b.enc.Start(deadline(t), b); !errors.As(err, &approval) || approval.URL != "https://auth.example/x" {
		t.Fatalf("got %v", err)
	}
	ask(b.client.UserID)
	var opened string
	b.reset(e2ee.OnApproval(func(_ context.Context, url string) error {
		opened = url
		return nil
	}))
	b.start()
	if opened != "https://auth.example/x" || !crossSigned(t, b.client, b.client.UserID, b.client.DeviceID) {
		t.Errorf("opened %q, and the device may not be signed", opened)
	}
}

// backedUp waits until all keys are in the backup.
func (b *bot) backedUp() {
	b.t.Helper()
	ctx := deadline(b.t)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		identity, err := b.enc.Identity(ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		if identity.WaitingKeys == 0 {
			return
		}
		<-poll.C
	}
}

func TestNoSecretGoesIntoTheLog(t *testing.T) {
	hs := newServer(t)
	var out bytes.Buffer
	b := logIn(t, hs, "alice", e2ee.Password("alice password"))
	b.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.start()
	b.sync()
	room := encryptedRoom(t, b)
	b.sealText(room, "a secret text")
	if err := b.enc.ResetIdentity(deadline(t)); err != nil {
		t.Fatal(err)
	}
	b.backedUp()
	b.stop()
	if out.Len() == 0 {
		t.Fatal("nothing is logged")
	}
	for _, secret := range append(b.keys, "alice password", "a secret text") {
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), strings.ReplaceAll(secret, " ", "")) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
