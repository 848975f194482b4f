package niobottest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// device is a user's device, as its encryption sees it. It syncs when the user writes or reads.
type device struct {
	user  *User
	enc   niobot.Encryption
	store niobot.Store
	since string
}

var _ niobot.EncryptionHost = (*device)(nil)

// Bot implements [niobot.EncryptionHost]: a user is none.
func (d *device) Bot() *niobot.Bot { return nil }

// Client implements [niobot.EncryptionHost].
func (d *device) Client() *mautrix.Client { return d.user.client }

// Account implements [niobot.EncryptionHost].
func (d *device) Account() niobot.Account {
	return niobot.Account{UserID: d.user.client.UserID, DeviceID: d.user.client.DeviceID}
}

// Logger implements [niobot.EncryptionHost].
func (d *device) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Store implements [niobot.EncryptionHost].
func (d *device) Store() niobot.Store { return d.store }

// IsOwner implements [niobot.EncryptionHost].
func (d *device) IsOwner(id.UserID) bool { return false }

// Go implements [niobot.EncryptionHost].
func (d *device) Go(f func(context.Context)) {
	ctx := d.user.s.t.Context()
	d.user.s.secrets.wg.Go(func() { f(ctx) })
}

// RoomEncryption implements [niobot.EncryptionHost].
func (d *device) RoomEncryption(_ context.Context, room id.RoomID) (*event.EncryptionEventContent, error) {
	e := d.user.s.hs.State(room, event.StateEncryption, "")
	if e == nil {
		return nil, nil
	}
	return e.Content.AsEncryption(), nil
}

// HistoryVisibility implements [niobot.EncryptionHost].
func (d *device) HistoryVisibility(_ context.Context, room id.RoomID) (event.HistoryVisibility, error) {
	if e := d.user.s.hs.State(room, event.StateHistoryVisibility, ""); e != nil {
		return e.Content.AsHistoryVisibility().HistoryVisibility, nil
	}
	return event.HistoryVisibilityShared, nil
}

// Readers implements [niobot.EncryptionHost].
func (d *device) Readers(ctx context.Context, room id.RoomID) ([]id.UserID, error) {
	visibility, err := d.HistoryVisibility(ctx, room)
	if err != nil {
		return nil, err
	}
	var readers []id.UserID
	for user, membership := range d.user.s.hs.Members(room) {
		invited := membership == event.MembershipInvite && visibility != event.HistoryVisibilityJoined
		if membership == event.MembershipJoin || invited {
			readers = append(readers, user)
		}
	}
	return readers, nil
}

// SharedRooms implements [niobot.EncryptionHost].
func (d *device) SharedRooms(_ context.Context, user id.UserID) ([]id.RoomID, error) {
	var shared []id.RoomID
	for _, room := range d.user.s.hs.Rooms(d.user.ID()) {
		encrypted := d.user.s.hs.State(room, event.StateEncryption, "") != nil
		if encrypted && d.user.s.hs.Members(room)[user] == event.MembershipJoin {
			shared = append(shared, room)
		}
	}
	return shared, nil
}

// SendPlain implements [niobot.EncryptionHost].
func (d *device) SendPlain(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage, txn string,
) (id.EventID, error) {
	sent, err := d.user.client.SendMessageEvent(ctx, room, typ, content, mautrix.ReqSendEvent{TransactionID: txn})
	if err != nil {
		return "", err
	}
	return sent.EventID, nil
}

// KeyArrived implements [niobot.EncryptionHost]: what a test waits for is looked at again anyway.
func (d *device) KeyArrived(id.RoomID, id.SessionID) {}

// sync takes in what is new, without waiting.
func (d *device) sync(ctx context.Context) error {
	resp, err := d.user.client.SyncRequest(ctx, 0, d.since, "", true, "")
	if err != nil {
		return err
	}
	err = d.enc.Receive(ctx, niobot.DeviceUpdate{
		ToDevice:     resp.ToDevice.Events,
		Changed:      resp.DeviceLists.Changed,
		Left:         resp.DeviceLists.Left,
		OneTimeKeys:  map[id.KeyAlgorithm]int{id.KeyAlgorithmSignedCurve25519: resp.DeviceOTKCount.SignedCurve25519},
		HasKeyCounts: true,
		FallbackKeys: resp.FallbackKeys,
		First:        d.since == "",
	})
	for room, joined := range resp.Rooms.Join {
		for _, e := range joined.Timeline.Events {
			if e.Type != event.StateMember && e.Type != event.StateHistoryVisibility || e.StateKey == nil {
				continue
			}
			e.RoomID, e.Type.Class = room, event.StateEventType
			if parsed := e.Content.ParseRaw(e.Type); parsed == nil || errors.Is(parsed, event.ErrContentAlreadyParsed) {
				err = errors.Join(err, d.enc.Changed(ctx, room, e))
			}
		}
	}
	if err == nil {
		d.since = resp.NextBatch
	}
	return err
}
