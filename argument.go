package niobot

import (
	"context"
	"errors"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// argumentTypes are the types of niobot that an argument struct may have as fields; [NewCommand] tells of them.
func argumentTypes() []arg.Option {
	return []arg.Option{
		arg.With[*Message](messageArgument{}),
		arg.With[*Event](eventArgument{}),
		arg.With[*Room](roomArgument{}),
		arg.With[*File](fileArgument{}),
	}
}

type (
	messageArgument struct{}
	eventArgument   struct{}
	roomArgument    struct{}
)

var (
	_ arg.Converter[*Message] = messageArgument{}
	_ arg.Converter[*Event]   = eventArgument{}
	_ arg.Converter[*Room]    = roomArgument{}
)

var errNoContext = errors.New("there is no command to convert an argument for")

func (messageArgument) Kind() arg.Kind { return "message" }

// Convert implements [arg.Converter].
func (messageArgument) Convert(ctx context.Context, text string) (*Message, error) {
	c, room, target, err := findReference(ctx, text)
	if err != nil {
		return nil, err
	}
	m, err := c.bot.Message(ctx, room, target)
	return m, rejectReference(err)
}

func (eventArgument) Kind() arg.Kind { return arg.KindEvent }

// Convert implements [arg.Converter].
func (eventArgument) Convert(ctx context.Context, text string) (*Event, error) {
	c, room, target, err := findReference(ctx, text)
	if err != nil {
		return nil, err
	}
	e, err := c.bot.Event(ctx, room, target)
	return e, rejectReference(err)
}

func (roomArgument) Kind() arg.Kind { return arg.KindRoom }

// Convert implements [arg.Converter].
func (roomArgument) Convert(ctx context.Context, text string) (*Room, error) {
	c, ok := FromContext(ctx)
	if !ok {
		return nil, errNoContext
	}
	link, err := parseReference(text)
	if err != nil {
		return nil, err
	}
	roomID, err := c.roomOf(ctx, link)
	if err != nil {
		return nil, err
	}
	if r, ok := c.bot.Room(roomID); ok && r.Membership() == event.MembershipJoin {
		return r, nil
	}
	return nil, arg.Reject("I am not in the room %s", text)
}

// findReference is the event that the text stands for: the one replied to, one of the command's room, or one of a room
// that the caller is in as well.
func findReference(ctx context.Context, text string) (c *Context, room id.RoomID, target id.EventID, err error) {
	c, ok := FromContext(ctx)
	if !ok {
		return nil, "", "", errNoContext
	}
	if strings.EqualFold(text, "reply") {
		if c.Message.ReplyTo == "" {
			return nil, "", "", arg.Reject("reply to the message that you mean, or give a link to it")
		}
		return c, c.Room.id, c.Message.ReplyTo, nil
	}
	if validEventID(text) {
		return c, c.Room.id, id.EventID(text), nil
	}
	link, err := arg.ParseLink(text)
	if err != nil || link.Event == "" {
		return nil, "", "", arg.Reject("%q is neither the id of an event nor a link to one", text)
	}
	room, err = c.roomOf(ctx, link)
	if err != nil {
		return nil, "", "", err
	}
	if room != c.Room.id {
		switch m, err := c.bot.Member(ctx, room, c.Message.Sender); {
		case errors.Is(err, mautrix.MNotFound), errors.Is(err, mautrix.MForbidden),
			err == nil && m.Membership != event.MembershipJoin:
			return nil, "", "", arg.Reject("that message is in a room that we are not both in")
		case err != nil:
			return nil, "", "", err
		}
	}
	return c, room, link.Event, nil
}

// parseReference reads the id of a room, an alias, or a link to it.
func parseReference(text string) (arg.Link, error) {
	switch {
	case strings.HasPrefix(text, "!"):
		return arg.Link{Room: id.RoomID(text)}, nil
	case strings.HasPrefix(text, "#"):
		return arg.Link{Alias: id.RoomAlias(text)}, nil
	}
	link, err := arg.ParseLink(text)
	if err != nil || link.User != "" {
		return arg.Link{}, arg.Reject("%q is neither a room, nor an alias or a link of one", text)
	}
	return link, nil
}

// roomOf is the id of the room that a link points into.
func (c *Context) roomOf(ctx context.Context, link arg.Link) (id.RoomID, error) {
	if link.Alias != "" {
		return resolver{c.bot}.ResolveAlias(ctx, link.Alias)
	}
	return link.Room, nil
}

// rejectReference tells what a user can mend from what they can't.
func rejectReference(err error) error {
	_, unknown := errors.AsType[*UnknownRoomError](err)
	switch {
	case errors.Is(err, ErrNotFound), unknown:
		return arg.Reject("there is no such message that I can see")
	case errors.Is(err, ErrRedacted):
		return arg.Reject("that message was removed")
	case errors.Is(err, ErrNotMessage):
		return arg.Reject("that is no message")
	}
	return err
}
