//go:build goolm

package verify_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto/verificationhelper"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// helper is the verification of mautrix, an implementation by others. It works by to-device messages, if nothing is
// called from within its callbacks, and it confirms before the other side does.
type helper struct {
	*olmDevice
	vh        *verificationhelper.VerificationHelper
	later     []func() error
	emoji     string
	ended     string
	showing   *verificationhelper.QRCode
	startsSAS bool
}

// noRooms stands for the part of mautrix that encrypts for rooms, which is not used.
type noRooms struct{ mautrix.CryptoHelper }

func newHelper(t *testing.T, d *olmDevice) *helper {
	t.Helper()
	h := &helper{olmDevice: d}
	d.client.Crypto = noRooms{}
	h.vh = verificationhelper.NewVerificationHelper(d.client, d.mach, nil, h, true, true, true)
	syncer := d.client.Syncer.(mautrix.ExtensibleSyncer)
	syncer.OnSync(d.mach.ProcessSyncResponse)
	if err := h.vh.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *helper) VerificationRequested(
	ctx context.Context, txn id.VerificationTransactionID, _ id.UserID, _ id.DeviceID,
) {
	h.later = append(h.later, func() error { return h.vh.AcceptVerification(ctx, txn) })
}

func (h *helper) VerificationReady(
	ctx context.Context, txn id.VerificationTransactionID, _ id.DeviceID, _, _ bool, code *verificationhelper.QRCode,
) {
	h.showing = code
	if h.startsSAS {
		h.later = append(h.later, func() error { return h.vh.StartSAS(ctx, txn) })
	}
}

func (h *helper) VerificationCancelled(
	_ context.Context, _ id.VerificationTransactionID, code event.VerificationCancelCode, reason string,
) {
	h.ended = fmt.Sprint("cancelled: ", code, " ", reason)
}

func (h *helper) VerificationDone(_ context.Context, _ id.VerificationTransactionID, _ event.VerificationMethod) {
	h.ended = "done"
}

func (h *helper) ShowSAS(
	ctx context.Context, txn id.VerificationTransactionID, symbols []rune, names []string, decimals []int,
) {
	h.emoji = fmt.Sprint(names, decimals)
	h.later = append(h.later, func() error { return h.vh.ConfirmSAS(ctx, txn) })
}

func (h *helper) QRCodeScanned(ctx context.Context, txn id.VerificationTransactionID) {
	h.later = append(h.later, func() error { return h.vh.ConfirmQRCodeScanned(ctx, txn) })
}

func (h *helper) sync() {
	h.t.Helper()
	resp, err := h.client.SyncRequest(h.t.Context(), 0, h.since, "", false, "")
	if err != nil {
		h.t.Fatal(err)
	}
	before := h.since
	h.since = resp.NextBatch
	if err := h.client.Syncer.ProcessResponse(h.t.Context(), resp, before); err != nil {
		h.t.Fatal(err)
	}
	later := h.later
	h.later = nil
	for _, f := range later {
		if err := f(); err != nil {
			h.t.Error(err)
		}
	}
}

func TestEmojiWithMautrix(t *testing.T) {
	for _, self := range []bool{false, true} {
		for _, botAsks := range []bool{true, false} {
			for _, botStarts := range []bool{true, false} {
				t.Run(fmt.Sprintf("self=%t botAsks=%t botStarts=%t", self, botAsks, botStarts), func(t *testing.T) {
					// A code to show keeps the bot from starting by itself.
					bot, other, _ := newOlmPair(t, self, verify.Policy{Admit: open, ShowQR: !botStarts})
					peer := newHelper(t, other)
					peer.startsSAS = !botStarts
					var comparing *verify.Session
					bot.hook = func(ctx context.Context, s *verify.Session, state verify.State) {
						switch {
						case state == verify.StateComparing:
							comparing = s
						case state == verify.StateReady && botStarts && !botAsks:
							if err := s.StartSAS(ctx); err != nil {
								t.Error(err)
							}
						}
					}
					begin(t, bot, peer, botAsks)
					for range 8 {
						peer.sync()
						bot.sync()
					}
					if comparing == nil {
						t.Fatalf("there is nothing to compare: %v", bot.last.State())
					}
					var names []string
					for _, e := range comparing.Emoji() {
						names = append(names, e.Name)
					}
					decimals, _ := comparing.Decimals()
					if want := fmt.Sprint(names, decimals); peer.emoji != want {
						t.Errorf("we show %s, mautrix shows %s", want, peer.emoji)
					}
					if err := comparing.Confirm(t.Context()); err != nil {
						t.Fatal(err)
					}
					for range 4 {
						peer.sync()
						bot.sync()
					}
					wantBothSigned(t, bot, peer, self)
				})
			}
		}
	}
}

func begin(t *testing.T, bot *olmDevice, peer *helper, botAsks bool) {
	t.Helper()
	var err error
	if botAsks {
		_, err = bot.engine.Request(t.Context(), peer.client.UserID)
	} else {
		// It only asks the devices that it knows.
		if _, err := peer.mach.FetchKeys(t.Context(), []id.UserID{bot.client.UserID}, true); err != nil {
			t.Fatal(err)
		}
		_, err = peer.vh.StartVerification(t.Context(), bot.client.UserID)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantBothSigned(t *testing.T, bot *olmDevice, peer *helper, self bool) {
	t.Helper()
	if bot.last.State() != verify.StateDone || peer.ended != "done" {
		t.Fatalf("the bot is %v with %v, mautrix is %s", bot.last.State(), bot.last.Err(), peer.ended)
	}
	if self {
		if !hasSignedDevice(t, bot.client, peer.client.DeviceID) {
			t.Error("the other device is not signed")
		}
		return
	}
	if !hasSignedMaster(t, bot.client, peer.client.UserID) || !hasSignedMaster(t, peer.client, bot.client.UserID) {
		t.Error("the users have not signed each other")
	}
}

func TestCodesWithMautrix(t *testing.T) {
	for _, self := range []bool{false, true} {
		for _, botShows := range []bool{true, false} {
			for _, botAsks := range []bool{true, false} {
				t.Run(fmt.Sprintf("self=%t botShows=%t botAsks=%t", self, botShows, botAsks), func(t *testing.T) {
					bot, other, _ := newOlmPair(t, self, verify.Policy{Admit: open, ShowQR: true, ScanQR: true})
					peer := newHelper(t, other)
					begin(t, bot, peer, botAsks)
					for range 4 {
						peer.sync()
						bot.sync()
					}
					if botShows {
						payload, err := bot.last.QR().Payload()
						if err != nil {
							t.Fatal(err)
						}
						if err := peer.vh.HandleScannedQRData(t.Context(), payload); err != nil {
							t.Fatal(err)
						}
						bot.sync()
						if err := bot.last.Confirm(t.Context()); err != nil {
							t.Fatal(err)
						}
					} else if err := bot.last.Scan(t.Context(), peer.showing.Bytes()); err != nil {
						t.Fatal(err)
					}
					for range 4 {
						peer.sync()
						bot.sync()
					}
					wantBothSigned(t, bot, peer, self)
				})
			}
		}
	}
}

// TestMautrixIsToldWhy has the bot decline, and find that the emoji differ.
func TestMautrixIsToldWhy(t *testing.T) {
	bot, other, _ := newOlmPair(t, false, verify.Policy{})
	peer := newHelper(t, other)
	begin(t, bot, peer, false)
	bot.sync()
	peer.sync()
	if want := "cancelled: m.user the bot does not verify with this user"; peer.ended != want {
		t.Errorf("mautrix says %q, want %q", peer.ended, want)
	}

	bot, other, _ = newOlmPair(t, false, verify.Policy{Admit: open})
	peer = newHelper(t, other)
	begin(t, bot, peer, true)
	for deadline := time.Now().Add(time.Minute); bot.last.State() != verify.StateComparing; {
		if time.Now().After(deadline) {
			t.Fatalf("the bot is %v", bot.last.State())
		}
		peer.sync()
		bot.sync()
	}
	if err := bot.last.Mismatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	peer.sync()
	if want := "cancelled: m.mismatched_sas the short strings differ"; peer.ended != want {
		t.Errorf("mautrix says %q, want %q", peer.ended, want)
	}
}
