//go:build goolm

package e2ee

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"
)

// publish uploads the public keys of an identity (spec: Client-Server API, "Cross-signing"). Keys that are there
// already are accepted without authentication.
func (g *engine) publish(ctx context.Context, keys *crypto.CrossSigningKeysCache) error {
	public := keys.PublicKeys()
	request := mautrix.UploadCrossSigningKeysReq[any]{
		Master:      g.identityKeyObject(id.XSUsageMaster, public.MasterKey),
		SelfSigning: g.identityKeyObject(id.XSUsageSelfSigning, public.SelfSigningKey),
		UserSigning: g.identityKeyObject(id.XSUsageUserSigning, public.UserSigningKey),
	}
	g.olm.Lock()
	byDevice, err := g.mach.GetAccount().SignJSON(request.Master)
	g.olm.Unlock()
	if err != nil {
		return fmt.Errorf("sign the master key: %w", err)
	}
	user := g.account.UserID
	request.Master.Signatures = signatures.NewSingleSignature(
		user, id.KeyAlgorithmEd25519, string(g.account.DeviceID), byDevice)
	for _, key := range []*mautrix.CrossSigningKeys{&request.SelfSigning, &request.UserSigning} {
		byMaster, err := keys.MasterKey.SignJSON(*key)
		if err != nil {
			return fmt.Errorf("sign the identity: %w", err)
		}
		key.Signatures = signatures.NewSingleSignature(
			user, id.KeyAlgorithmEd25519, public.MasterKey.String(), byMaster)
	}
	url := g.client.BuildClientURL("v3", "keys", "device_signing", "upload")
	err = g.authenticated(ctx, url, func(auth any) any {
		request.Auth = auth
		return &request
	})
	if err != nil {
		return fmt.Errorf("publish the identity: %w", err)
	}
	return nil
}

func (g *engine) identityKeyObject(usage id.CrossSigningUsage, key id.Ed25519) mautrix.CrossSigningKeys {
	return mautrix.CrossSigningKeys{
		UserID: g.account.UserID,
		Usage:  []id.CrossSigningUsage{usage},
		Keys:   map[id.KeyID]id.Ed25519{id.NewKeyID(id.KeyAlgorithmEd25519, key.String()): key},
	}
}
