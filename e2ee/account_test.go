//go:build goolm

package e2ee_test

import (
	"encoding/binary"
	"net/http"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

func (b *bot) postKeys(body any) (int, error) {
	b.t.Helper()
	var answer mautrix.RespUploadKeys
	_, err := b.client.MakeRequest(deadline(b.t), http.MethodPost, b.client.BuildClientURL("v3", "keys", "upload"), body,
		&answer)
	return answer.OneTimeKeyCounts.SignedCurve25519, err
}

// TestOneTimeKeysAfterAStoreWasSetBack has the server know keys by the ids that the bot will use next, as when its store
// was restored from a copy.
func TestOneTimeKeysAfterAStoreWasSetBack(t *testing.T) {
	hs := newServer(t)
	alice, bob := newBot(t, hs, "alice"), newBot(t, hs, "bob")
	taken := 0
	for n := range uint32(70) {
		key := "signed_curve25519:" + encode64(binary.BigEndian.AppendUint32(nil, n))
		_, err := bob.postKeys(map[string]any{"one_time_keys": map[string]any{key: map[string]string{"key": "unknown"}}})
		if err == nil {
			taken++
		}
	}
	if taken < 10 {
		t.Fatalf("%d ids were taken only", taken)
	}
	for range 50 {
		_, err := alice.client.ClaimKeys(deadline(t), &mautrix.ReqClaimKeys{OneTimeKeys: mautrix.OneTimeKeysRequest{
			bob.client.UserID: {bob.client.DeviceID: id.KeyAlgorithmSignedCurve25519},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	bob.sync()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for ctx := deadline(t); ; <-poll.C {
		if count, err := bob.postKeys(struct{}{}); err != nil || ctx.Err() != nil {
			t.Fatalf("no keys are made that the server takes: %d, %v", count, err)
		} else if count >= 50 {
			break
		}
	}
}
