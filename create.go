package niobot

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// NewRoom is what a room is made with; see [Bot.CreateRoom]. The zero value is a private room of the bot alone.
type NewRoom struct {
	Name   string
	Topic  string
	Avatar id.ContentURIString
	Alias  string // The localpart of its alias, such as "lobby" for #lobby:example.org; empty for none

	Public    bool           // Whether anybody may join; else, who is invited may
	Space     bool           // Whether it is a space, which other rooms are in
	Direct    bool           // Whether it is a direct room with those who are invited, who then have the bot's power
	Encrypted bool           // Whether it is encrypted, which the bot must be able to
	Version   id.RoomVersion // Empty: the server's default

	Invite []id.UserID
	Parent id.RoomID // A space that it becomes a part of; empty for none
}

func (n NewRoom) validate() error {
	var errs []error
	for _, user := range n.Invite {
		errs = append(errs, checkUserID(user))
	}
	if n.Direct && len(n.Invite) == 0 {
		errs = append(errs, errors.New("a direct room needs somebody to invite"))
	}
	if n.Direct && n.Public {
		errs = append(errs, errors.New("a direct room is not public"))
	}
	errs = append(errs, checkImage(n.Avatar))
	return errors.Join(errs...)
}

func (n NewRoom) request() *mautrix.ReqCreateRoom {
	req := &mautrix.ReqCreateRoom{
		Name: n.Name, Topic: n.Topic, RoomAliasName: n.Alias, Invite: n.Invite, IsDirect: n.Direct, RoomVersion: n.Version,
		Preset: "private_chat",
	}
	switch {
	case n.Public:
		req.Preset = "public_chat"
	case n.Direct:
		req.Preset = "trusted_private_chat"
	}
	if n.Space {
		req.CreationContent = map[string]any{"type": event.RoomTypeSpace}
	}
	if n.Encrypted {
		req.InitialState = append(req.InitialState, &event.Event{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		})
	}
	if n.Avatar != "" {
		req.InitialState = append(req.InitialState, &event.Event{
			Type: event.StateRoomAvatar, Content: event.Content{Parsed: &event.RoomAvatarEventContent{URL: n.Avatar}},
		})
	}
	return req
}

// CreateRoom makes a room and returns its id; the bot is in it and has all power there (spec: Client-Server API,
// "Creation"). Public rooms are not put into the server's directory of rooms. For messages to one user,
// [Bot.DirectRoom] finds the room that is there.
//
// The request is not repeated where it may have reached the server, since that would make a second room. The errors:
// what is wrong with the fields, [ErrEncrypted], or the server's, such as mautrix.MRoomInUse for an alias that is taken.
// Where the room was made and something after it failed, its id is returned with the error.
func (b *Bot) CreateRoom(ctx context.Context, n NewRoom) (id.RoomID, error) {
	if err := n.validate(); err != nil {
		return "", fmt.Errorf("create room: %w", err)
	}
	if n.Encrypted && b.settings.encryption == nil {
		return "", fmt.Errorf("create room: %w", ErrEncrypted)
	}
	if err := b.connect(ctx); err != nil {
		return "", fmt.Errorf("create room: %w", err)
	}
	room, err := b.requestRoom(ctx, n.request())
	if err != nil {
		return "", fmt.Errorf("create room: %w", err)
	}
	var errs []error
	if n.Direct {
		for _, user := range n.Invite {
			if err := b.direct.add(ctx, user, room); err != nil {
				errs = append(errs, fmt.Errorf("room %s is not marked as direct with %s: %w", room, user, err))
			}
		}
	}
	if n.Parent != "" {
		if err := b.AddToSpace(ctx, n.Parent, SpaceChild{RoomID: room}); err != nil {
			errs = append(errs, fmt.Errorf("room %s is not in the space: %w", room, err))
		}
	}
	return room, errors.Join(errs...)
}

// requestRoom makes a room. A request that may have reached the server is not repeated: it would make a second room. A
// 429 did not.
func (b *Bot) requestRoom(ctx context.Context, req *mautrix.ReqCreateRoom) (id.RoomID, error) {
	var room id.RoomID
	err := retryRefused(ctx, func(ctx context.Context) error {
		resp, err := b.client.CreateRoom(ctx, req)
		if err == nil && resp != nil {
			room = resp.RoomID
		}
		return err
	})
	if err == nil && room == "" {
		err = errors.New("the server's answer names no room")
	}
	return room, err
}
