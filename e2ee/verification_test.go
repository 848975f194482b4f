//go:build goolm

package e2ee_test

import (
	"context"
	"testing"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
)

func admitAll() e2ee.Option {
	return e2ee.Verification(verify.Policy{Admit: func(verify.Peer) verify.Decision { return verify.Accept }},
		verify.HookFunc(func(ctx context.Context, s *verify.Session, state verify.State) {
			switch state {
			case verify.StateReady:
				if s.Ours() {
					_ = s.StartSAS(ctx)
				}
			case verify.StateComparing:
				_ = s.Confirm(ctx)
			}
		}))
}

// verified has the two sync until the verification has ended.
func verified(t testing.TB, s *verify.Session, bots ...*bot) {
	t.Helper()
	ctx := deadline(t)
	for {
		select {
		case <-s.Ended():
			if err := s.Err(); err != nil {
				t.Fatal(err)
			}
			return
		case <-ctx.Done():
			t.Fatalf("the verification stays %v", s.State())
		default:
			for _, b := range bots {
				b.sync()
			}
		}
	}
}

func TestVerifiedUsersAreTrusted(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice", admitAll()), newBot(t, hs, "bob", admitAll())
	room := encryptedRoom(t, alice, bob)
	got := bob.heard(alice.say(room, "before"), "before")
	if got.Origin.Trust != id.TrustStateCrossSignedTOFU {
		t.Fatalf("before, the trust is %s", got.Origin.Trust)
	}
	s, err := bob.enc.Verifier().Request(deadline(t), alice.client.UserID)
	if err != nil {
		t.Fatal(err)
	}
	verified(t, s, alice, bob)
	got = bob.heard(alice.say(room, "after"), "after")
	if got.Origin.Trust != id.TrustStateCrossSignedVerified {
		t.Errorf("after, the trust is %s", got.Origin.Trust)
	}
	bob.restart(admitAll())
	if got = bob.heard(alice.say(room, "later"), "later"); got.Origin.Trust != id.TrustStateCrossSignedVerified {
		t.Errorf("after a restart, the trust is %s", got.Origin.Trust)
	}
}

func TestStrangersAreDeclined(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob", admitAll())
	s, err := bob.enc.Verifier().Request(deadline(t), alice.client.UserID)
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	for s.Err() == nil && ctx.Err() == nil {
		alice.sync()
		bob.sync()
	}
	if s.State() != verify.StateCancelled {
		t.Errorf("the verification is %v", s.State())
	}
}
