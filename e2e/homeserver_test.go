//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/synapseadmin"
)

// Limits of waiting. They are far above what a scenario needs, so that only a fault reaches them.
const (
	startLimit    = 2 * time.Minute // from exec to the first answer on /versions
	scenarioLimit = 2 * time.Minute // all requests of one user in one scenario
)

// Homeserver is a server that scenarios run against. Its methods may be called by several scenarios at once, except
// Restart, which only a scenario that has the server to itself may call.
type Homeserver interface {
	// Name is the server's name in the names of subtests.
	Name() string
	// URL is the base URL of the client-server API, without a slash at its end. A restart does not change it.
	URL() string
	// Register makes an account whose localpart begins with the given one; the rest makes it unique on the server.
	Register(t testing.TB, localpart string) Account
	// Restart stops the server as a crash would, and returns when it answers again on the same URL with the same
	// data. Where that is out of reach the test is skipped, with the reason.
	Restart(t testing.TB)
}

// Account is a registered user with one logged-in device.
type Account struct {
	UserID   id.UserID
	DeviceID id.DeviceID
	Token    string
	Password string
}

// starters make the homeservers of a run. A started server ends with the test it was started for.
func starters() map[string]func(testing.TB) Homeserver {
	all := map[string]func(testing.TB) Homeserver{"fakehs": startFake}
	if os.Getenv(externalURLVariable) != "" {
		all["external"] = openExternal
	} else {
		all["dendrite"] = startDendrite
	}
	return all
}

// sharedSecretRegister makes an account through the registration API that Synapse and Dendrite share, so that every
// homeserver is treated alike. See https://element-hq.github.io/synapse/latest/admin_api/register_api.html.
func sharedSecretRegister(t testing.TB, baseURL, secret, localpart string) Account {
	t.Helper()
	client, err := mautrix.NewClient(baseURL, "", "")
	if err != nil {
		t.Fatalf("make client for %s: %v", baseURL, err)
	}
	admin := synapseadmin.Client{Client: client}
	username := localpart + "-" + strings.ToLower(rand.Text()[:10])
	password := rand.Text()
	resp, err := admin.SharedSecretRegister(t.Context(), secret, synapseadmin.ReqSharedSecretRegister{
		Username: username,
		Password: password,
	})
	if err != nil {
		t.Fatalf("register %s: %v", username, err)
	}
	return Account{UserID: resp.UserID, DeviceID: resp.DeviceID, Token: resp.AccessToken, Password: password}
}

// waitUntilReady asks for /versions until the server answers, ctx ends, or gone is closed.
func waitUntilReady(ctx context.Context, baseURL string, gone <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/_matrix/client/versions", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-gone:
			return errors.New("the server ended before it was ready")
		case <-ctx.Done():
			return fmt.Errorf("no answer on /versions: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}
