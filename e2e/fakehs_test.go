//go:build e2e

package e2e

import (
	"crypto/rand"
	"testing"

	"github.com/niobot/niobot/internal/fakehs"
)

// fake is the homeserver of niobottest, reached over loopback HTTP like any other.
type fake struct {
	server *fakehs.Server
	url    string
	secret string
}

var _ Homeserver = (*fake)(nil)

func startFake(t testing.TB) Homeserver {
	t.Helper()
	hs := &fake{secret: rand.Text()}
	hs.server = fakehs.New(fakehs.Options{ServerName: "localhost", RegistrationSecret: hs.secret})
	t.Cleanup(func() {
		if err := hs.server.Close(); err != nil {
			t.Errorf("close the fake: %v", err)
		}
	})
	var err error
	if hs.url, err = hs.server.Listen(); err != nil {
		t.Fatalf("start the fake: %v", err)
	}
	return hs
}

func (hs *fake) Name() string { return "fakehs" }

func (hs *fake) URL() string { return hs.url }

func (hs *fake) Register(t testing.TB, localpart string) Account {
	t.Helper()
	return sharedSecretRegister(t, hs.url, hs.secret, localpart)
}

func (hs *fake) Restart(t testing.TB) {
	t.Helper()
	if err := hs.server.Restart(t.Context()); err != nil {
		t.Fatalf("restart the fake: %v", err)
	}
}
