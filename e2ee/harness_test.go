//go:build goolm

package e2ee_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/internal/leak"
	"github.com/niobot/niobot/store/postgres"
	"github.com/niobot/niobot/store/sqlite"
)

// limit ends what would wait for ever; no test comes near it.
const limit = time.Minute

func TestMain(m *testing.M) { leak.Main(m) }

func newServer(t testing.TB) *fakehs.Server {
	t.Helper()
	hs := fakehs.New(fakehs.Options{})
	if _, err := hs.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hs.Close(); err != nil {
			t.Error(err)
		}
	})
	return hs
}

func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// disk is what of a bot survives its process: its store, with the keys in it.
type disk struct {
	niobot.Store
	db *dbutil.Database
}

func (d *disk) Database() *dbutil.Database { return d.db }

// newDisk is a store in a new file, or a new schema of the server that NIOBOT_TEST_POSTGRES names.
func newDisk(t testing.TB, owner niobot.Account) *disk {
	t.Helper()
	var store interface {
		niobot.Store
		e2ee.Database
		Close() error
	}
	var err error
	if server := os.Getenv("NIOBOT_TEST_POSTGRES"); server != "" {
		store, err = postgres.Open(server, postgres.WithSchema("e2ee_"+strings.ToLower(rand.Text())))
	} else {
		store, err = sqlite.Open(filepath.Join(t.TempDir(), "bot.db"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := store.Claim(deadline(t), owner); err != nil {
		t.Fatal(err)
	}
	return &disk{Store: store, db: store.Database()}
}

// bot is a client with encryption, and its host: it does what a bot's loop does, a step at a time.
type bot struct {
	t      testing.TB
	hs     *fakehs.Server
	client *mautrix.Client
	disk   *disk
	enc    *e2ee.Encryption
	since  string
	log    *slog.Logger

	mu      sync.Mutex
	read    map[id.EventID]niobot.Decrypted
	failed  map[id.EventID]error
	waiting []*event.Event
	arrived chan struct{}
	keys    []string // Recovery keys that were handed over
}

func (b *bot) Bot() *niobot.Bot        { return nil }
func (b *bot) Client() *mautrix.Client { return b.client }
func (b *bot) Account() niobot.Account {
	return niobot.Account{UserID: b.client.UserID, DeviceID: b.client.DeviceID}
}
func (b *bot) Logger() *slog.Logger       { return b.log }
func (b *bot) Store() niobot.Store        { return b.disk }
func (b *bot) IsOwner(id.UserID) bool     { return false }
func (b *bot) Go(f func(context.Context)) { f(b.t.Context()) }
func (b *bot) SharedRooms(context.Context, id.UserID) ([]id.RoomID, error) {
	return nil, errors.New("not needed")
}

func (b *bot) RoomEncryption(ctx context.Context, room id.RoomID) (*event.EncryptionEventContent, error) {
	var content event.EncryptionEventContent
	err := b.client.StateEvent(ctx, room, event.StateEncryption, "", &content)
	if errors.Is(err, mautrix.MNotFound) {
		return nil, nil
	}
	return &content, err
}

func (b *bot) HistoryVisibility(ctx context.Context, room id.RoomID) (event.HistoryVisibility, error) {
	var content event.HistoryVisibilityEventContent
	err := b.client.StateEvent(ctx, room, event.StateHistoryVisibility, "", &content)
	if errors.Is(err, mautrix.MNotFound) {
		err = nil
	}
	return cmp.Or(content.HistoryVisibility, event.HistoryVisibilityShared), err
}

func (b *bot) Readers(ctx context.Context, room id.RoomID) ([]id.UserID, error) {
	members, err := b.client.JoinedMembers(ctx, room)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(members.Joined)), nil
}

func (b *bot) SendPlain(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage, txn string,
) (id.EventID, error) {
	sent, err := b.client.SendMessageEvent(ctx, room, typ, content, mautrix.ReqSendEvent{TransactionID: txn})
	if err != nil {
		return "", err
	}
	return sent.EventID, nil
}

func (b *bot) KeyArrived(id.RoomID, id.SessionID) {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	for _, evt := range waiting {
		b.decrypt(evt)
	}
	select {
	case b.arrived <- struct{}{}:
	default:
	}
}

func (b *bot) decrypt(evt *event.Event) {
	open, err := b.enc.Decrypt(b.t.Context(), evt)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.read[evt.ID] = open
		delete(b.failed, evt.ID)
		return
	}
	b.failed[evt.ID] = err
	if errors.Is(err, niobot.ErrKeyMissing) {
		b.waiting = append(b.waiting, evt)
	}
}

// newBot registers a user, where the user is not there yet, logs a new device in, and starts it with a first sync.
func newBot(t testing.TB, hs *fakehs.Server, name string, opts ...e2ee.Option) *bot {
	t.Helper()
	b := logIn(t, hs, name, opts...)
	b.start()
	b.sync()
	return b
}

// logIn makes a bot of a new device with an empty disk, which is not started.
func logIn(t testing.TB, hs *fakehs.Server, name string, opts ...e2ee.Option) *bot {
	t.Helper()
	userID := hs.UserID(name)
	if _, err := hs.Register(name, name+" password"); err != nil && !strings.Contains(err.Error(), "taken") {
		t.Fatal(err)
	}
	session, err := hs.LogIn(userID, "")
	if err != nil {
		t.Fatal(err)
	}
	client, err := mautrix.NewClient(hs.URL(), session.UserID, session.Token)
	if err != nil {
		t.Fatal(err)
	}
	client.DeviceID = session.DeviceID
	b := &bot{t: t, hs: hs, client: client}
	b.disk = newDisk(t, b.Account())
	b.reset(opts...)
	return b
}

// reset makes a process of the bot, with what is on its disk.
func (b *bot) reset(opts ...e2ee.Option) {
	b.log = slog.New(slog.DiscardHandler)
	b.read, b.failed = make(map[id.EventID]niobot.Decrypted), make(map[id.EventID]error)
	b.arrived = make(chan struct{}, 1000)
	opts = append([]e2ee.Option{e2ee.OnRecoveryKey(func(_ context.Context, key string) error {
		b.keys = append(b.keys, key)
		return nil
	})}, opts...)
	b.enc = e2ee.New(b.disk, opts...)
	b.t.Cleanup(b.stop)
}

func (b *bot) start() {
	b.t.Helper()
	if err := b.enc.Start(deadline(b.t), b); err != nil {
		b.t.Fatalf("start of %s: %v", b.client.UserID, err)
	}
}

func (b *bot) stop() {
	if err := b.enc.Stop(context.WithoutCancel(b.t.Context())); err != nil {
		b.t.Error(err)
	}
}

// restart ends the process and begins another.
func (b *bot) restart(opts ...e2ee.Option) {
	b.t.Helper()
	b.stop()
	b.reset(opts...)
	b.start()
}

func (b *bot) update(resp *mautrix.RespSync) niobot.DeviceUpdate {
	return niobot.DeviceUpdate{
		ToDevice:     resp.ToDevice.Events,
		Changed:      resp.DeviceLists.Changed,
		Left:         resp.DeviceLists.Left,
		OneTimeKeys:  map[id.KeyAlgorithm]int{id.KeyAlgorithmSignedCurve25519: resp.DeviceOTKCount.SignedCurve25519},
		HasKeyCounts: true,
		FallbackKeys: resp.FallbackKeys,
		First:        b.since == "",
	}
}

// sync asks for what is new, takes it in, and reads it.
func (b *bot) sync() {
	b.t.Helper()
	resp, err := b.client.SyncRequest(deadline(b.t), 0, b.since, "", true, "")
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.enc.Receive(b.t.Context(), b.update(resp)); err != nil {
		b.t.Fatalf("receive of %s: %v", b.client.UserID, err)
	}
	for room, joined := range resp.Rooms.Join {
		for _, evt := range joined.Timeline.Events {
			evt.RoomID = room
			switch evt.Type.Type {
			case event.StateMember.Type, event.StateHistoryVisibility.Type:
				if err := b.enc.Changed(b.t.Context(), room, evt); err != nil {
					b.t.Fatal(err)
				}
			case event.EventEncrypted.Type:
				if evt.Sender != b.client.UserID {
					b.decrypt(evt)
				}
			}
		}
	}
	b.since = resp.NextBatch
}

// encryptText encrypts a message.
func (b *bot) encryptText(room id.RoomID, text string) (json.RawMessage, error) {
	content, err := json.Marshal(map[string]string{"msgtype": "m.text", "body": text})
	if err != nil {
		return nil, err
	}
	return b.enc.Encrypt(deadline(b.t), room, event.EventMessage, content)
}

// say encrypts a message and sends it.
func (b *bot) say(room id.RoomID, text string) id.EventID {
	b.t.Helper()
	content, err := b.encryptText(room, text)
	if err != nil {
		b.t.Fatalf("encrypt for %s: %v", b.client.UserID, err)
	}
	return b.send(room, content)
}

func (b *bot) send(room id.RoomID, content json.RawMessage) id.EventID {
	b.t.Helper()
	sent, err := b.client.SendMessageEvent(deadline(b.t), room, event.EventEncrypted, content)
	if err != nil {
		b.t.Fatal(err)
	}
	return sent.EventID
}

func bodyOf(d niobot.Decrypted) string {
	var content struct {
		Body string `json:"body"`
	}
	_ = json.Unmarshal(d.Content, &content)
	return content.Body
}

// heard syncs and wants the message to be read.
func (b *bot) heard(event id.EventID, text string) niobot.Decrypted {
	b.t.Helper()
	b.sync()
	return b.knows(event, text)
}

// knows waits until the message is read.
func (b *bot) knows(event id.EventID, text string) niobot.Decrypted {
	b.t.Helper()
	ctx := deadline(b.t)
	for {
		b.mu.Lock()
		got, ok := b.read[event]
		err := b.failed[event]
		b.mu.Unlock()
		if ok {
			if bodyOf(got) != text {
				b.t.Fatalf("%s reads %q, want %q", b.client.UserID, bodyOf(got), text)
			}
			return got
		}
		if err != nil && !errors.Is(err, niobot.ErrKeyMissing) {
			b.t.Fatalf("%s can't read %q: %v", b.client.UserID, text, err)
		}
		select {
		case <-b.arrived:
		case <-ctx.Done():
			b.t.Fatalf("%s can't read %q: %v", b.client.UserID, text, err)
		}
	}
}

// encryptedRoom makes an encrypted room of the bots, the first of whom creates it.
func encryptedRoom(t testing.TB, bots ...*bot) id.RoomID {
	t.Helper()
	created, err := bots[0].client.CreateRoom(deadline(t), &mautrix.ReqCreateRoom{
		Preset: "public_chat",
		InitialState: []*event.Event{{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bots[1:] {
		b.join(created.RoomID)
	}
	for _, b := range bots {
		b.sync()
	}
	return created.RoomID
}

func (b *bot) join(room id.RoomID) {
	b.t.Helper()
	if _, err := b.client.JoinRoomByID(deadline(b.t), room); err != nil {
		b.t.Fatal(err)
	}
}
