//go:build goolm

package e2ee

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

var errNoSuchDevice = errors.New("the device is not known")

// deviceOf is a device that wrote, asked for from the server where it is not known.
func (g *engine) deviceOf(ctx context.Context, user id.UserID, deviceID id.DeviceID) (*id.Device, error) {
	for asked := false; ; asked = true {
		devices, err := g.devices.of(ctx, user)
		if err != nil {
			return nil, err
		}
		if device := devices[deviceID]; device != nil {
			return device, nil
		}
		if asked || !g.mail.firstMeeting(user, id.SenderKey(deviceID)) {
			return nil, errNoSuchDevice
		}
		if _, err := g.devices.query(ctx, []id.UserID{user}); err != nil {
			return nil, err
		}
	}
}

// keyRequest answers a request for the key of a session (spec: Client-Server API, "Key requests"): one of the bot's own
// sessions for a device that was given it, and any for a verified device of the bot's account.
func (m *mailbox) keyRequest(sender id.UserID, request event.RoomKeyRequestEventContent) {
	own := sender == m.g.account.UserID
	if request.Action != event.KeyRequestActionRequest || request.RequestingDeviceID == "" ||
		own && request.RequestingDeviceID == m.g.account.DeviceID || !m.mayAsk(sender) {
		return
	}
	m.post("a requested key", func(ctx context.Context) error {
		device, err := m.g.deviceOf(ctx, sender, request.RequestingDeviceID)
		if err != nil {
			return err
		}
		allowed, err := m.g.mayHave(ctx, device, request.Body.SessionID)
		if err != nil || !allowed {
			return err
		}
		session, err := m.g.store.GetGroupSession(ctx, request.Body.RoomID, request.Body.SessionID)
		if err != nil || session == nil {
			return err
		}
		key, err := session.Internal.Export(session.Internal.FirstKnownIndex())
		if err != nil {
			return fmt.Errorf("export a session: %w", err)
		}
		return m.g.sendTo(ctx, device, event.ToDeviceForwardedRoomKey, &event.ForwardedRoomKeyEventContent{
			RoomKeyEventContent: event.RoomKeyEventContent{
				Algorithm: id.AlgorithmMegolmV1, RoomID: session.RoomID, SessionID: session.ID(),
				SessionKey: string(key), SharedHistory: session.SharedHistory,
			},
			SenderKey: session.SenderKey, ForwardingKeyChain: session.ForwardingChains, SenderClaimedKey: session.SigningKey,
		})
	})
}

// mayHave reports whether a device gets a session's key when it asks.
func (g *engine) mayHave(ctx context.Context, device *id.Device, session id.SessionID) (bool, error) {
	if device.UserID != g.account.UserID {
		return g.store.IsOutboundGroupSessionShared(ctx, device.UserID, device.IdentityKey, session)
	}
	trust, err := g.devices.trustOf(ctx, device)
	return trust >= id.TrustStateCrossSignedVerified, err
}

// secretRequest gives a secret of the identity to a verified device of the bot's account (spec: Client-Server API,
// "Sharing").
func (m *mailbox) secretRequest(sender id.UserID, request event.SecretRequestEventContent) {
	if sender != m.g.account.UserID || request.Action != event.SecretRequestRequest ||
		request.RequestingDeviceID == "" || request.RequestingDeviceID == m.g.account.DeviceID || !m.mayAsk(sender) {
		return
	}
	switch request.Name {
	case id.SecretXSMaster, id.SecretXSSelfSigning, id.SecretXSUserSigning, id.SecretMegolmBackupV1:
	default:
		return
	}
	m.post("a requested secret", func(ctx context.Context) error {
		device, err := m.g.deviceOf(ctx, sender, request.RequestingDeviceID)
		if err != nil {
			return err
		}
		trust, err := m.g.devices.trustOf(ctx, device)
		if err != nil || trust < id.TrustStateCrossSignedVerified {
			return err
		}
		secret, err := m.g.store.GetSecret(ctx, request.Name)
		if err != nil || secret == "" {
			return err
		}
		return m.g.sendTo(ctx, device, event.ToDeviceSecretSend, &event.SecretSendEventContent{
			RequestID: request.RequestID, Secret: secret,
		})
	})
}
