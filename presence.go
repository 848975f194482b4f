package niobot

import (
	"context"

	"maunium.net/go/mautrix"
)

// showPresence sets the bot's presence, if one was asked for. Syncs keep it up; the server lets it lapse when they end.
func (b *Bot) showPresence(ctx context.Context) {
	if b.settings.presence == "" {
		return
	}
	err := retry(ctx, func(ctx context.Context) error {
		return b.client.SetPresence(ctx, mautrix.ReqPresence{Presence: b.settings.presence})
	})
	if err != nil && ctx.Err() == nil {
		b.log.Warn("presence not set", "presence", b.settings.presence, "err", err)
	}
}
