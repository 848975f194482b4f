//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee/verify"
)

const (
	maxVerifyEvents  = 256             // Messages of verifications that wait; those beyond are dropped
	verifyTimeout    = time.Minute     // Of what one message brings about
	verifyGoodbye    = 5 * time.Second // For telling the other sides at the end
	verifyTries      = 3               // How often a message is sent before it is given up
	verifyPause      = time.Second     // Between two tries
	verifyTypePrefix = "m.key.verification."
)

// verificationRecord is where open verifications are kept, so that the next start can call them off.
const verificationRecord = "verifications"

// verifications joins the engine of verifications to the bot: messages come by to-device and by rooms, one after the
// other, and are dealt with on a goroutine of their own, as answering takes the server's time.
type verifications struct {
	g      *engine
	engine *verify.Engine
	events chan verify.Event
	remove []func() // Of the listeners
}

func newVerifications(g *engine) (*verifications, error) {
	v := &verifications{g: g, events: make(chan verify.Event, maxVerifyEvents)}
	policy, hook := g.settings.policy, g.settings.verifyHook
	if policy.Admit == nil {
		policy.Admit = v.admitOwners
	}
	if hook == nil {
		hook = verify.HookFunc(v.logEmoji)
	}
	engine, err := verify.New(verify.Config{
		User: g.account.UserID, Device: g.account.DeviceID, Transport: v, Keys: v,
		Policy: policy, Hook: hook, Journal: v, Logger: g.log,
	})
	if err != nil {
		return nil, fmt.Errorf("prepare verification: %w", err)
	}
	v.engine = engine
	return v, nil
}

func (v *verifications) admitOwners(p verify.Peer) verify.Decision {
	if v.g.host.IsOwner(p.User) || p.User == v.g.account.UserID {
		return verify.Accept
	}
	return verify.Decline
}

// logEmoji is the hook where none is given. Emoji are no secret: they tell whether both sides talk to each other.
func (v *verifications) logEmoji(_ context.Context, s *verify.Session, state verify.State) {
	var shown []string
	for _, emoji := range s.Emoji() {
		shown = append(shown, emoji.String())
	}
	v.g.log.Info("verification", "user_id", s.Peer().User, "device_id", s.Peer().Device,
		"transaction", s.Ref().Transaction, "state", state, "emoji", strings.Join(shown, " "))
}

// begin calls off what an earlier run has left open, and listens.
func (v *verifications) begin(ctx context.Context) error {
	data, ok, err := v.g.host.Store().Get(ctx, table, verificationRecord)
	if err != nil {
		return fmt.Errorf("read open verifications: %w", err)
	}
	var lost []verify.Ref
	if ok && json.Unmarshal(data, &lost) == nil && len(lost) > 0 {
		v.g.wg.Go(func() {
			if err := v.engine.Abandon(v.g.ctx, lost); err != nil && v.g.ctx.Err() == nil {
				v.g.log.Debug("a verification can't be called off", "err", err)
			}
		})
	}
	if bot := v.g.host.Bot(); bot != nil {
		v.listen(bot)
	}
	v.g.wg.Go(func() { v.engine.Run(v.g.ctx) })
	v.g.wg.Go(func() { v.run(v.g.ctx) })
	return nil
}

// listen takes verifications out of rooms: the request is a message, what follows has types of its own.
func (v *verifications) listen(bot *niobot.Bot) {
	take := func(_ context.Context, e *niobot.Event) error {
		v.take(verify.Event{
			Type: e.Type, Sender: e.Sender, Room: e.RoomID, ID: e.ID, Time: e.Time(), Content: e.Content(),
		})
		return nil
	}
	v.remove = append(v.remove, bot.On(event.EventMessage, take))
	for _, name := range []string{"ready", "start", "accept", "key", "mac", "done", "cancel"} {
		typ := event.Type{Type: verifyTypePrefix + name, Class: event.MessageEventType}
		v.remove = append(v.remove, bot.On(typ, take))
	}
}

// take hands a message to the engine where it concerns it.
func (v *verifications) take(evt verify.Event) {
	if !verify.Concerns(evt.Type, evt.Content) {
		return
	}
	select {
	case v.events <- evt:
	default:
		v.g.log.Warn("too many messages of verifications; one is left out", "sender", evt.Sender)
	}
}

func (v *verifications) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case evt := <-v.events:
			func() {
				ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
				defer cancel()
				if err := guarded(func() error { return v.engine.Handle(ctx, evt) }); err != nil && ctx.Err() == nil {
					v.g.log.Warn("a verification was called off", "user_id", evt.Sender, "err", err)
				}
			}()
		}
	}
}

// end tells the other sides that the bot stops.
func (v *verifications) end() {
	for _, remove := range v.remove {
		remove()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.g.ctx), verifyGoodbye)
	defer cancel()
	v.engine.Close(ctx)
}

// Keep implements [verify.Journal].
func (v *verifications) Keep(ctx context.Context, open []verify.Ref) error {
	data, err := json.Marshal(open)
	if err != nil {
		return fmt.Errorf("note open verifications: %w", err)
	}
	return v.g.host.Store().Commit(ctx, []niobot.Change{niobot.Put(table, verificationRecord, data)})
}

// again sends until it works, or was tried often enough.
func again[T any](ctx context.Context, send func() (T, error)) (T, error) {
	for try := 1; ; try++ {
		sent, err := send()
		var httpErr mautrix.HTTPError
		refused := errors.As(err, &httpErr) && httpErr.Response != nil && httpErr.Response.StatusCode < 500
		if err == nil || refused || try == verifyTries || !sleep(ctx, verifyPause) {
			return sent, err
		}
	}
}

// ToDevice implements [verify.Transport].
func (v *verifications) ToDevice(
	ctx context.Context, user id.UserID, device id.DeviceID, typ event.Type, content json.RawMessage,
) error {
	request := &mautrix.ReqSendToDevice{Messages: map[id.UserID]map[id.DeviceID]*event.Content{
		user: {device: {VeryRaw: content}},
	}}
	_, err := again(ctx, func() (*mautrix.RespSendToDevice, error) { return v.g.client.SendToDevice(ctx, typ, request) })
	return err
}

// InRoom implements [verify.Transport].
func (v *verifications) InRoom(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage,
) (id.EventID, error) {
	settings, err := v.g.host.RoomEncryption(ctx, room)
	if err != nil {
		return "", fmt.Errorf("look up the room's encryption: %w", err)
	}
	if settings != nil {
		if content, err = v.g.encrypt(ctx, room, typ, content); err != nil {
			return "", err
		}
		typ = event.EventEncrypted
	}
	txn := v.g.client.TxnID()
	return again(ctx, func() (id.EventID, error) { return v.g.host.SendPlain(ctx, room, typ, content, txn) })
}

// Own implements [verify.Keys].
func (v *verifications) Own(context.Context) (verify.OwnKeys, error) {
	return verify.OwnKeys{
		Device: v.g.signingKey, Master: v.g.identity.Load().MasterKey.PublicKey(), MasterTrusted: true,
	}, nil
}

// Peer implements [verify.Keys].
func (v *verifications) Peer(ctx context.Context, user id.UserID, device id.DeviceID) (verify.PeerKeys, error) {
	if _, err := v.g.devices.query(ctx, []id.UserID{user}); err != nil {
		return verify.PeerKeys{}, err
	}
	devices, err := v.g.devices.of(ctx, user)
	if err != nil {
		return verify.PeerKeys{}, err
	}
	found := devices[device]
	if found == nil || found.Trust == id.TrustStateDeviceKeyMismatch {
		return verify.PeerKeys{}, verify.ErrNoDevice
	}
	keys, err := v.g.store.GetCrossSigningKeys(ctx, user)
	if err != nil {
		return verify.PeerKeys{}, fmt.Errorf("read the identity of %s: %w", user, err)
	}
	return verify.PeerKeys{Device: found.SigningKey, Master: keys[id.XSUsageMaster].Key}, nil
}

// Devices implements [verify.Keys].
func (v *verifications) Devices(ctx context.Context, user id.UserID) ([]id.DeviceID, error) {
	if _, err := v.g.devices.query(ctx, []id.UserID{user}); err != nil {
		return nil, err
	}
	devices, err := v.g.devices.of(ctx, user)
	if err != nil {
		return nil, err
	}
	var list []id.DeviceID
	for device := range devices {
		list = append(list, device)
	}
	slices.Sort(list)
	return list, nil
}

// Trust implements [verify.Keys].
func (v *verifications) Trust(ctx context.Context, proof verify.Proof) error {
	defer v.g.devices.forgetTrust()
	if proof.User != v.g.account.UserID && proof.MasterKey != "" {
		v.g.olm.Lock()
		defer v.g.olm.Unlock()
		return v.g.mach.SignUser(ctx, proof.User, proof.MasterKey)
	}
	devices, err := v.g.devices.of(ctx, proof.User)
	if err != nil {
		return err
	}
	device := devices[proof.Device]
	if proof.DeviceKey == "" {
		return nil // the own master key, which is trusted already
	}
	if device == nil || device.SigningKey != proof.DeviceKey {
		return verify.ErrNoDevice
	}
	if proof.User == v.g.account.UserID {
		v.g.olm.Lock()
		defer v.g.olm.Unlock()
		return guarded(func() error { return v.g.mach.SignOwnDevice(ctx, device) })
	}
	verified := *device
	verified.Trust = id.TrustStateVerified
	return v.g.store.PutDevice(ctx, proof.User, &verified)
}
