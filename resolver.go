package niobot

import (
	"context"
	"errors"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// resolver looks up for arguments what only the server knows.
type resolver struct{ bot *Bot }

var _ arg.Resolver = resolver{}

// ResolveAlias implements [arg.Resolver]. That there is no such room is the user's mistake; all else is not.
func (r resolver) ResolveAlias(ctx context.Context, alias id.RoomAlias) (id.RoomID, error) {
	room, err := r.bot.ResolveAlias(ctx, alias)
	if errors.Is(err, mautrix.MNotFound) || errors.Is(err, mautrix.MInvalidParam) {
		return "", arg.Reject("there is no room %s", alias)
	}
	return room, err
}
