//go:build goolm

package e2ee

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/goolm/session"
)

// writeAhead is for how many messages at once a room's session is stored. So many at most are left out of a session
// where the bot ends before they are written, which readers do not mind: each message names its index.
const writeAhead = 16

// reserve has the session in the database stand behind the next message before that is encrypted: after a crash its key
// would encrypt another message. To write for each message would cost more than to encrypt it.
func (g *engine) reserve(ctx context.Context, r *roomKey) error {
	if r.session.Internal.MessageIndex() < r.reserved {
		return nil
	}
	ahead, err := later(r.session, max(1, min(writeAhead, r.session.MaxMessages-r.session.MessageCount)))
	if err != nil {
		return err
	}
	if err := g.store.UpdateOutboundGroupSession(ctx, ahead); err != nil {
		return fmt.Errorf("store the room's session: %w", err)
	}
	r.reserved = ahead.Internal.MessageIndex()
	return nil
}

// later is the session as it will be when so many more messages were encrypted.
func later(now *crypto.OutboundGroupSession, messages int) (*crypto.OutboundGroupSession, error) {
	internal, ok := now.Internal.(*session.MegolmOutboundSession)
	if !ok {
		return nil, fmt.Errorf("a session of type %T can't be stored", now.Internal)
	}
	advanced := *internal // Its ratchet is a value; the key that it signs with stays the same
	for range messages {
		advanced.Ratchet.Advance()
	}
	ahead := *now
	ahead.Internal = &advanced
	ahead.MessageCount += messages
	return &ahead, nil
}
