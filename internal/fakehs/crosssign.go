package fakehs

import (
	"encoding/json"
	"maps"

	"maunium.net/go/mautrix/id"
)

// crossSigning holds a user's public cross-signing keys.
type crossSigning struct {
	master, selfSigning, userSigning json.RawMessage
}

// uploadCrossSigning stores cross-signing keys. The first upload needs no password (MSC3967), a replacement does.
//
// https://spec.matrix.org/v1.15/client-server-api/#post_matrixclientv3keysdevice_signingupload
func (c *call) uploadCrossSigning() (any, error) {
	var req struct {
		Master      json.RawMessage `json:"master_key"`
		SelfSigning json.RawMessage `json:"self_signing_key"`
		UserSigning json.RawMessage `json:"user_signing_key"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	keys := &c.user.crossSigning
	parts := []struct {
		stored *json.RawMessage
		next   json.RawMessage
	}{{&keys.master, req.Master}, {&keys.selfSigning, req.SelfSigning}, {&keys.userSigning, req.UserSigning}}
	replaces := false
	for _, part := range parts {
		if part.next != nil && fields(part.next)["keys"] == nil {
			return nil, invalidParam("a cross-signing key without keys")
		}
		replaces = replaces || keys.master != nil && part.next != nil && !sameKeys(*part.stored, part.next)
	}
	if replaces {
		if err := c.authenticateAgain(); err != nil {
			return nil, err
		}
	}
	for _, part := range parts {
		if part.next != nil {
			*part.stored = compact(part.next)
		}
	}
	c.s.keysChanged(c.user)
	return empty{}, nil
}

func sameKeys(a, b json.RawMessage) bool {
	return a != nil && sameJSON(fields(a)["keys"], fields(b)["keys"])
}

// addCrossSigning puts the users' keys into the reply of a query; the user-signing key is for its owner only.
func (s *Server) addCrossSigning(reply map[string]any, asker *user, userIDs []id.UserID) {
	master, selfSigning := make(map[id.UserID]json.RawMessage), make(map[id.UserID]json.RawMessage)
	userSigning := make(map[id.UserID]json.RawMessage)
	for _, userID := range userIDs {
		u := s.users[userID]
		if u == nil {
			continue
		}
		if u.crossSigning.master != nil {
			master[userID] = u.crossSigning.master
		}
		if u.crossSigning.selfSigning != nil {
			selfSigning[userID] = u.crossSigning.selfSigning
		}
		if u.crossSigning.userSigning != nil && u == asker {
			userSigning[userID] = u.crossSigning.userSigning
		}
	}
	reply["master_keys"], reply["self_signing_keys"], reply["user_signing_keys"] = master, selfSigning, userSigning
}

// uploadSignatures adds signatures to keys that are there; signatures are not checked.
//
// https://spec.matrix.org/v1.15/client-server-api/#post_matrixclientv3keyssignaturesupload
func (c *call) uploadSignatures() (any, error) {
	var req map[id.UserID]map[string]json.RawMessage
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	failures := make(map[id.UserID]map[string]any)
	for userID, signed := range req {
		for keyID, object := range signed {
			if c.s.addSignatures(userID, keyID, object) {
				continue
			}
			if failures[userID] == nil {
				failures[userID] = make(map[string]any)
			}
			failures[userID][keyID] = notFound("no such key")
		}
		if u := c.s.users[userID]; u != nil {
			c.s.keysChanged(u)
		}
	}
	return map[string]any{"failures": failures}, nil
}

// addSignatures merges the signatures of object into the stored device or master key, and reports whether it is there.
func (s *Server) addSignatures(userID id.UserID, keyID string, object json.RawMessage) bool {
	u := s.users[userID]
	if u == nil {
		return false
	}
	if d := u.devices[id.DeviceID(keyID)]; d != nil && d.keys != nil {
		d.keys = withSignatures(d.keys, object)
		return true
	}
	for _, stored := range []*json.RawMessage{&u.crossSigning.master, &u.crossSigning.selfSigning} {
		if _, has := fields(fields(*stored)["keys"])["ed25519:"+keyID]; has {
			*stored = withSignatures(*stored, object)
			return true
		}
	}
	return false
}

func withSignatures(stored, object json.RawMessage) json.RawMessage {
	body := fields(stored)
	signatures := make(map[string]map[string]json.RawMessage)
	for _, source := range []json.RawMessage{body["signatures"], fields(object)["signatures"]} {
		for signer, list := range fields(source) {
			if signatures[signer] == nil {
				signatures[signer] = make(map[string]json.RawMessage)
			}
			maps.Copy(signatures[signer], fields(list))
		}
	}
	body["signatures"] = mustEncode(signatures)
	return mustEncode(body)
}
