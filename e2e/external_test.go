//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

const (
	externalURLVariable    = "NIOBOT_E2E_HOMESERVER"
	externalSecretVariable = "NIOBOT_E2E_REGISTRATION_SECRET"
)

// external is a homeserver that someone else runs.
type external struct {
	url, secret string
}

var _ Homeserver = (*external)(nil)

func openExternal(t testing.TB) Homeserver {
	t.Helper()
	secret := os.Getenv(externalSecretVariable)
	if secret == "" {
		t.Fatalf("%s is set; set %s too, or no accounts can be made", externalURLVariable, externalSecretVariable)
	}
	hs := &external{url: strings.TrimRight(os.Getenv(externalURLVariable), "/"), secret: secret}
	if err := waitUntilReady(t.Context(), hs.url, nil); err != nil {
		t.Fatalf("%s: %v", hs.url, err)
	}
	return hs
}

func (hs *external) Name() string { return "external" }

func (hs *external) URL() string { return hs.url }

func (hs *external) Register(t testing.TB, localpart string) Account {
	t.Helper()
	return sharedSecretRegister(t, hs.url, hs.secret, localpart)
}

func (hs *external) Restart(t testing.TB) {
	t.Helper()
	t.Skipf("the server at %s is not ours to restart", hs.url)
}
