package niobot

import (
	"context"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix/id"
)

// Profile is how a user shows outside rooms (spec: Client-Server API, "Profiles").
type Profile struct {
	DisplayName string // Empty where the user has none
	AvatarURL   id.ContentURIString
}

// Profile is a user's profile as the server knows it; in a room, [Room.Member] may say otherwise. The errors:
// [ErrNotFound] for a user that the server does not know, or the server's, such as mautrix.MForbidden for a profile that
// it does not show.
func (b *Bot) Profile(ctx context.Context, user id.UserID) (Profile, error) {
	if err := checkUserID(user); err != nil {
		return Profile{}, fmt.Errorf("profile: %w", err)
	}
	if err := b.connect(ctx); err != nil {
		return Profile{}, fmt.Errorf("profile of %s: %w", user, err)
	}
	var raw fields
	err := retry(ctx, func(ctx context.Context) error {
		raw = nil
		_, err := b.client.MakeRequest(ctx, http.MethodGet, b.client.BuildClientURL("v3", "profile", user), nil, &raw)
		return err
	})
	if err != nil {
		return Profile{}, fmt.Errorf("profile of %s: %w", user, markNotFound(err))
	}
	return Profile{
		DisplayName: validText(raw.text("displayname")),
		AvatarURL:   id.ContentURIString(raw.text("avatar_url")),
	}, nil
}

// SetDisplayName sets the bot's name; an empty one removes it. Servers put it into all rooms that the bot is in, over
// what [Bot.SetNickname] has set there.
func (b *Bot) SetDisplayName(ctx context.Context, name string) error {
	return b.setProfile(ctx, "displayname", name)
}

// SetAvatar sets the bot's picture to an image of the server's media repository; an empty one removes it. Servers put
// it into all rooms that the bot is in.
func (b *Bot) SetAvatar(ctx context.Context, image id.ContentURIString) error {
	if err := checkImage(image); err != nil {
		return fmt.Errorf("set avatar: %w", err)
	}
	return b.setProfile(ctx, "avatar_url", string(image))
}

func (b *Bot) setProfile(ctx context.Context, field, value string) error {
	if err := b.connect(ctx); err != nil {
		return fmt.Errorf("set profile's %s: %w", field, err)
	}
	err := retry(ctx, func(ctx context.Context) error { return b.client.SetProfileField(ctx, field, value) })
	if err != nil {
		return fmt.Errorf("set profile's %s: %w", field, err)
	}
	return nil
}
