//go:build e2e

package e2e

import (
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/e2ee/verify"
)

// verificationsVariable sets how often two bots verify each other in each way, on every homeserver.
const verificationsVariable = "NIOBOT_E2E_VERIFICATIONS"

// verifications is how often that is on a homeserver where the variable is not set. Dendrite takes long over each
// message.
func verifications(t *testing.T, hs Homeserver) int {
	t.Helper()
	if set := os.Getenv(verificationsVariable); set != "" {
		n, err := strconv.Atoi(set)
		check(t, "read "+verificationsVariable, err)
		return n
	}
	if hs.Name() == "fakehs" {
		return 100
	}
	return 5
}

// TestVerification has two bots verify each other by emoji, to-device and in a room, begun by either side.
func TestVerification(t *testing.T) {
	way := func(inRoom, botAsks bool) func(*testing.T, Homeserver) {
		return func(t *testing.T, hs Homeserver) { verifyOften(t, hs, inRoom, botAsks) }
	}
	runEverywhere(t, []scenario{
		{name: "to-device, by the user", run: way(false, false)},
		{name: "to-device, by the bot", run: way(false, true)},
		{name: "in a room, by the user", run: way(true, false)},
		{name: "in a room, by the bot", run: way(true, true)},
	})
}

// comparer is an option that admits everybody, and the sessions whose emoji can be compared.
func comparer() (e2ee.Option, <-chan *verify.Session) {
	comparing := make(chan *verify.Session, 1)
	return e2ee.Verification(
		verify.Policy{Admit: func(verify.Peer) verify.Decision { return verify.Accept }},
		verify.HookFunc(func(_ context.Context, s *verify.Session, state verify.State) {
			if state == verify.StateComparing {
				comparing <- s
			}
		}),
	), comparing
}

func verifyOften(t *testing.T, hs Homeserver, inRoom, botAsks bool) {
	aliceOption, aliceCompares := comparer()
	botOption, botCompares := comparer()
	alice, bot := newSecretBot(t, hs, "alice", aliceOption), newSecretBot(t, hs, "bot", botOption)
	room := secretRoom(alice, bot)
	bot.hears(alice.says(room, "hello"), "hello")
	asking, asked := alice, bot
	if botAsks {
		asking, asked = bot, alice
	}
	for i := range verifications(t, hs) {
		ctx, cancel := context.WithTimeout(t.Context(), scenarioLimit)
		var err error
		if inRoom {
			_, err = asking.enc.Verifier().RequestInRoom(ctx, room, asked.account.UserID)
		} else {
			_, err = asking.enc.Verifier().Request(ctx, asked.account.UserID)
		}
		check(t, "ask to verify", err)
		pair := []*verify.Session{nextSession(ctx, t, aliceCompares), nextSession(ctx, t, botCompares)}
		if a, b := pair[0].Emoji(), pair[1].Emoji(); len(a) != 7 || !slices.Equal(a, b) {
			t.Fatalf("run %d: the emoji are %v and %v", i, a, b)
		}
		if i%2 == 1 {
			slices.Reverse(pair) // Who confirms late has the other's MAC already.
		}
		for _, s := range pair {
			check(t, "confirm", s.Confirm(ctx))
		}
		for _, s := range pair {
			select {
			case <-s.Ended():
				check(t, "verify", s.Err())
			case <-ctx.Done():
				t.Fatalf("run %d: a side stays %v", i, s.State())
			}
		}
		cancel()
	}
	for _, pair := range [][2]*secretBot{{alice, bot}, {bot, alice}} {
		m := pair[1].hears(pair[0].says(room, "verified"), "verified")
		if o, _ := m.Origin(); o.Trust != id.TrustStateCrossSignedVerified {
			t.Errorf("after the verification the origin is %+v", o)
		}
	}
}

func nextSession(ctx context.Context, t *testing.T, comparing <-chan *verify.Session) *verify.Session {
	t.Helper()
	select {
	case s := <-comparing:
		return s
	case <-ctx.Done():
		t.Fatalf("a side has no emoji to show after %v", time.Duration(scenarioLimit))
		return nil
	}
}
