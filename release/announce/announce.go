// Package announce sends the announcement of a security advisory into a Matrix room, through a niobot bot.
package announce

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/release"
)

// Field is the field of an announcement's content that holds the advisory's id. By it, an announcement is found again
// when the server has forgotten the transaction.
const Field = "org.niobot.advisory"

// Matrix is a [release.Announcer] that sends to Matrix rooms.
type Matrix struct {
	// Token is the access token of the bot's account. The bot has to be in the room, and to have the power for @room.
	// The same token has to be used again when an announcement is repeated: transaction ids belong to a device.
	Token string
	// Options are further options of the bot.
	Options []niobot.Option
}

var _ release.Announcer = Matrix{}

// lookBack is how many of a room's latest events are searched for an earlier announcement.
const lookBack = 100

// Announce implements [release.Announcer].
func (m Matrix) Announce(ctx context.Context, a release.Announcement) (string, error) {
	// The bot takes no commands, but one that could take none would be a mistake.
	bot, err := niobot.New(niobot.Config{Homeserver: a.Homeserver, Token: m.Token},
		append([]niobot.Option{niobot.WithMention()}, m.Options...)...)
	if err != nil {
		return "", err
	}
	defer func() { _ = bot.Close() }() // Which never fails.
	room := id.RoomID(a.Room)
	if strings.HasPrefix(a.Room, "#") {
		if room, err = bot.ResolveAlias(ctx, id.RoomAlias(a.Room)); err != nil {
			return "", err
		}
	}
	client, err := bot.Client(ctx)
	if err != nil {
		return "", err
	}
	s := sender{client, room}
	if found, err := s.find(ctx, a.Transaction); err != nil || found != "" {
		return string(found), err
	}
	if err := errors.Join(s.checkPlain(ctx), s.checkPower(ctx)); err != nil {
		return "", err
	}
	sent, err := s.send(ctx, a)
	return string(sent), err
}

// sender sends to one room.
type sender struct {
	client *mautrix.Client
	room   id.RoomID
}

// find is the event of an earlier announcement, empty if there is none among the latest events.
func (s sender) find(ctx context.Context, advisory string) (id.EventID, error) {
	resp, err := again(ctx, func(ctx context.Context) (*mautrix.RespMessages, error) {
		return s.client.Messages(ctx, s.room, "", "", mautrix.DirectionBackward, nil, lookBack)
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", s.room, err)
	}
	for _, e := range resp.Chunk {
		if e != nil && e.Sender == s.client.UserID && e.Content.Raw[Field] == advisory {
			return e.ID, nil
		}
	}
	return "", nil
}

// checkPlain refuses an encrypted room: nothing goes there in the clear.
func (s sender) checkPlain(ctx context.Context) error {
	var content event.EncryptionEventContent
	_, err := again(ctx, func(ctx context.Context) (*struct{}, error) {
		return &struct{}{}, s.client.StateEvent(ctx, s.room, event.StateEncryption, "", &content)
	})
	switch {
	case err == nil:
		return niobot.ErrEncrypted
	case errors.Is(err, mautrix.MNotFound):
		return nil
	}
	return fmt.Errorf("ask whether %s is encrypted: %w", s.room, err)
}

// checkPower refuses a room where the bot's @room would notify nobody (spec: "Mentioning the whole room").
func (s sender) checkPower(ctx context.Context) error {
	var levels event.PowerLevelsEventContent
	_, err := again(ctx, func(ctx context.Context) (*struct{}, error) {
		return &struct{}{}, s.client.StateEvent(ctx, s.room, event.StatePowerLevels, "", &levels)
	})
	if err != nil {
		return fmt.Errorf("ask for the power levels of %s: %w", s.room, err)
	}
	needed, has := levels.Notifications.Room(), levels.GetUserLevel(s.client.UserID)
	if has >= needed || s.isCreated(ctx) {
		return nil
	}
	return fmt.Errorf("%s has power level %d in %s, and @room needs %d", s.client.UserID, has, s.room, needed)
}

// isCreated tells whether the room has a version in which creators stand above all power levels. Its create event says
// who they are, but only to who syncs: the bot is then taken to be one.
func (s sender) isCreated(ctx context.Context) bool {
	var create event.CreateEventContent
	err := s.client.StateEvent(ctx, s.room, event.StateCreate, "", &create)
	return err == nil && create.RoomVersion.PrivilegedRoomCreators()
}

func (s sender) send(ctx context.Context, a release.Announcement) (id.EventID, error) {
	body := niobot.Markdown("**%s**\n\n@room %s\n\n%s", a.Title, a.Text, a.Link)
	body.Mentions.Room = true
	content := &event.Content{Parsed: body.Content(event.MsgText), Raw: map[string]any{Field: a.Transaction}}
	resp, err := again(ctx, func(ctx context.Context) (*mautrix.RespSendEvent, error) {
		return s.client.SendMessageEvent(ctx, s.room, event.EventMessage, content,
			mautrix.ReqSendEvent{TransactionID: a.Transaction, DontEncrypt: true})
	})
	if err != nil {
		return "", fmt.Errorf("send to %s: %w", s.room, err)
	}
	if resp.EventID == "" {
		return "", fmt.Errorf("send to %s: the server's answer names no event", s.room)
	}
	return resp.EventID, nil
}
