package niobot

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// SetNickname sets the bot's name in one room; an empty one brings its usual name back. All else of its membership is
// kept, the avatar for one (spec: Client-Server API, m.room.member). Nobody can set the name of others. The errors are
// those of [Bot.SetState].
func (b *Bot) SetNickname(ctx context.Context, room id.RoomID, name string) error {
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("set nickname: %w", err)
	}
	return b.editState(ctx, room, event.StateMember, string(b.UserID()), func(content fields) (bool, error) {
		if content.text("membership") != string(event.MembershipJoin) {
			return false, &UnknownRoomError{RoomID: room}
		}
		// It is signed by another server, or says how the bot came in, which it does once only.
		delete(content, "join_authorised_via_users_server")
		if name == "" {
			return b.resetNickname(ctx, content)
		}
		if content.text("displayname") == name {
			return false, nil
		}
		return true, content.set("displayname", name)
	})
}

func (b *Bot) resetNickname(ctx context.Context, content fields) (changed bool, err error) {
	profile, err := b.Profile(ctx, b.UserID())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	switch profile.DisplayName {
	case content.text("displayname"):
		return false, nil
	case "":
		delete(content, "displayname")
		return true, nil
	}
	return true, content.set("displayname", profile.DisplayName)
}
