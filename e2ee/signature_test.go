//go:build goolm

package e2ee_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// keyAnswer is an answer to /keys/query, read by nothing but encoding/json.
type keyAnswer struct {
	Devices     map[id.UserID]map[id.DeviceID]signedObject `json:"device_keys"`
	Master      map[id.UserID]signedObject                 `json:"master_keys"`
	SelfSigning map[id.UserID]signedObject                 `json:"self_signing_keys"`
}

type signedObject map[string]any

func askKeys(t testing.TB, client *mautrix.Client, user id.UserID) keyAnswer {
	t.Helper()
	var answer keyAnswer
	_, err := client.MakeRequest(deadline(t), http.MethodPost, client.BuildClientURL("v3", "keys", "query"),
		map[string]any{"device_keys": map[id.UserID][]string{user: {}}}, &answer)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// signed checks a signature with crypto/ed25519 over canonical JSON, without a line of mautrix.
func (o signedObject) signed(user id.UserID, name, key string) bool {
	all, _ := o["signatures"].(map[string]any)
	list, _ := all[string(user)].(map[string]any)
	text, _ := list["ed25519:"+name].(string)
	signature, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(signature) != ed25519.SignatureSize {
		return false
	}
	public, err := base64.RawStdEncoding.DecodeString(key)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return false
	}
	bare := make(map[string]any)
	for field, value := range o {
		if field != "signatures" && field != "unsigned" {
			bare[field] = value
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(bare) != nil {
		return false
	}
	return ed25519.Verify(public, bytes.TrimSpace(out.Bytes()), signature)
}

// key is the one key of a cross-signing key.
func (o signedObject) key() string {
	keys, _ := o["keys"].(map[string]any)
	for _, value := range keys {
		text, _ := value.(string)
		return text
	}
	return ""
}

// crossSigned reports whether the device is signed by its user's identity, as client sees it.
func crossSigned(t testing.TB, client *mautrix.Client, user id.UserID, device id.DeviceID) bool {
	t.Helper()
	answer := askKeys(t, client, user)
	master, self := answer.Master[user], answer.SelfSigning[user]
	return self.signed(user, master.key(), master.key()) &&
		answer.Devices[user][device].signed(user, self.key(), self.key())
}

func masterKey(t testing.TB, client *mautrix.Client, user id.UserID) string {
	t.Helper()
	return askKeys(t, client, user).Master[user].key()
}
