package e2ee

import (
	"context"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// Encrypted lets a command run that came encrypted.
func Encrypted() niobot.Check {
	return func(_ context.Context, c *niobot.Context) error {
		if _, ok := c.Message.Origin(); ok {
			return nil
		}
		return &niobot.CheckError{Check: "encrypted", Reason: "This command is taken in encrypted rooms only."}
	}
}

// CrossSigned lets a command run that came encrypted from a device that its user's identity has signed, where that
// identity is the one that the bot saw first or has verified. A key out of the backup is not proof of that.
func CrossSigned() niobot.Check {
	return atLeast(id.TrustStateCrossSignedTOFU, "cross-signed device",
		"This command is taken from devices only that you have verified yourself.")
}

// Verified lets a command run that came encrypted from a device of a user whom the bot has verified, and whose identity
// has signed it. A key out of the backup is not proof of that.
func Verified() niobot.Check {
	return atLeast(id.TrustStateCrossSignedVerified, "verified user",
		"This command is taken from users only whom I have verified.")
}

func atLeast(trust id.TrustState, check, reason string) niobot.Check {
	return func(_ context.Context, c *niobot.Context) error {
		origin, ok := c.Message.Origin()
		if ok && !origin.Forwarded && origin.Trust >= trust {
			return nil
		}
		return &niobot.CheckError{Check: check, Reason: reason}
	}
}
