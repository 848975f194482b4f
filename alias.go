package niobot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// CreateAlias makes an alias of the bot's server stand for a room (spec: Client-Server API, "Room aliases"). One that
// stands for the room already is no error. The errors are the server's, such as a mautrix.HTTPError of status 409 for
// an alias of another room.
func (b *Bot) CreateAlias(ctx context.Context, alias id.RoomAlias, room id.RoomID) error {
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("create %s: %w", alias, err)
	}
	err := retry(ctx, func(ctx context.Context) error {
		_, err := b.client.CreateAlias(ctx, alias, room)
		return err
	})
	if isStatus(err, http.StatusConflict) {
		// It may be the room's own already, by an earlier attempt whose answer was lost for one.
		if taken, resolveErr := b.ResolveAlias(ctx, alias); resolveErr == nil && taken == room {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", alias, err)
	}
	return nil
}

func isStatus(err error, status int) bool {
	var failed mautrix.HTTPError
	return errors.As(err, &failed) && failed.IsStatus(status)
}

// DeleteAlias deletes an alias of the bot's server; the room stays. The errors: [ErrNotFound], or the server's, such as
// mautrix.MForbidden for an alias that somebody else made.
func (b *Bot) DeleteAlias(ctx context.Context, alias id.RoomAlias) error {
	if err := b.connect(ctx); err != nil {
		return fmt.Errorf("delete %s: %w", alias, err)
	}
	attempts := 0
	err := retry(ctx, func(ctx context.Context) error {
		attempts++
		_, err := b.client.DeleteAlias(ctx, alias)
		return err
	})
	err = markNotFound(err)
	if err == nil || attempts > 1 && errors.Is(err, ErrNotFound) {
		return nil // In the second case, an earlier attempt has worked whose answer was lost.
	}
	return fmt.Errorf("delete %s: %w", alias, err)
}

// SetCanonicalAlias makes an alias a room's main one, which must stand for the room already; see [Bot.CreateAlias]. An
// empty one leaves the room without. The other aliases that the room shows are kept (spec: Client-Server API,
// m.room.canonical_alias). The errors are those of [Bot.SetState].
func (b *Bot) SetCanonicalAlias(ctx context.Context, room id.RoomID, alias id.RoomAlias) error {
	return b.editState(ctx, room, event.StateCanonicalAlias, "", func(content fields) (bool, error) {
		if content.text("alias") == string(alias) {
			return false, nil
		}
		if alias == "" {
			delete(content, "alias")
			return true, nil
		}
		others := listOf(content["alt_aliases"])
		if kept := slices.DeleteFunc(slices.Clone(others), isString(string(alias))); len(kept) < len(others) {
			if err := content.set("alt_aliases", kept); err != nil {
				return false, err
			}
		}
		return true, content.set("alias", alias)
	})
}
