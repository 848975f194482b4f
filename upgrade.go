package niobot

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Upgrade replaces a room by a new one of another version, and returns the new one, which the bot is in and has made
// (spec: Client-Server API, "Room Upgrades"). The server copies what it can: name, topic, avatar, join rule, history
// visibility, power levels, encryption, bans and aliases, as far as it does that; it leaves a tombstone in the old room,
// by which clients follow. Nobody else is in the new room at first, and members of a room by invitation have to be
// invited. A direct room stays one.
//
// The request is not repeated where it may have reached the server, since that would make a second room. The errors:
// [*PowerError], [*UnknownRoomError], or the server's, such as mautrix.MUnsupportedRoomVersion. Where the new room was
// made and something after it failed, its id is returned with the error.
func (b *Bot) Upgrade(ctx context.Context, room id.RoomID, version id.RoomVersion) (id.RoomID, error) {
	if err := b.connectFor(ctx, room); err != nil {
		return "", fmt.Errorf("upgrade: %w", err)
	}
	var resp struct {
		Replacement id.RoomID `json:"replacement_room"`
	}
	err := b.outbox.inTurn(ctx, room, func() error {
		return retryRefused(ctx, func(ctx context.Context) error {
			url := b.client.BuildClientURL("v3", "rooms", room, "upgrade")
			_, err := b.client.MakeRequest(ctx, http.MethodPost, url, map[string]id.RoomVersion{"new_version": version}, &resp)
			return err
		})
	})
	if err == nil && resp.Replacement == "" {
		err = errors.New("the server's answer names no room")
	}
	if err != nil {
		return "", fmt.Errorf("upgrade %s: %w", room, b.explainState(ctx, room, event.StateTombstone, err))
	}
	if err := b.direct.follow(ctx, room, resp.Replacement); err != nil {
		return resp.Replacement, fmt.Errorf("upgrade %s: the new room is not marked as direct: %w", room, err)
	}
	return resp.Replacement, nil
}
