package niobot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// Check decides whether a command may run. It returns nil to agree, a [*CheckError] to refuse with a reason for the
// user, and any other error where it could not decide. It runs with the command's context, on the run's own goroutine,
// so it may ask the server, and is also asked by help, which leaves out what the user may not run.
type Check func(ctx context.Context, c *Context) error

// refuse makes the error of a check of niobot's own, in the caller's language.
func refuse(c *Context, check string, t Text, args ...any) error {
	return &CheckError{Check: check, Reason: c.words(t, args...).Text}
}

// OwnerOnly lets the users of [Config.Owners] run the command.
func OwnerOnly() Check {
	return func(_ context.Context, c *Context) error {
		if c.bot.IsOwner(c.Message.Sender) {
			return nil
		}
		return refuse(c, "owner", TextOwnerOnly)
	}
}

// DirectOnly lets the command run in direct rooms: those of the bot's m.direct account data.
func DirectOnly() Check {
	return func(_ context.Context, c *Context) error {
		if c.Room.Direct() {
			return nil
		}
		return refuse(c, "direct room", TextDirectOnly)
	}
}

// FromServer lets users of the servers run the command. A server's name includes its port where it has one.
func FromServer(servers ...string) Check {
	return func(_ context.Context, c *Context) error {
		server := serverOf(string(c.Message.Sender))
		if slices.ContainsFunc(servers, func(s string) bool { return strings.EqualFold(s, server) }) {
			return nil
		}
		return refuse(c, "server", TextOtherServer)
	}
}

// InRooms lets the command run in these rooms.
func InRooms(rooms ...id.RoomID) Check {
	return func(_ context.Context, c *Context) error {
		if slices.Contains(rooms, c.Room.id) {
			return nil
		}
		return refuse(c, "room", TextOtherRoom)
	}
}

// SenderPower lets users with at least that power level in the room run the command.
func SenderPower(level int) Check {
	return func(_ context.Context, c *Context) error { return senderNeeds(c, level) }
}

// BotPower lets the command run where the bot has at least that power level.
func BotPower(level int) Check {
	return func(_ context.Context, c *Context) error { return botNeeds(c, level) }
}

// SenderCan lets users run the command who have the power to do all of that in the room themselves.
func SenderCan(actions ...Action) Check {
	return func(_ context.Context, c *Context) error { return senderNeeds(c, c.Room.PowerLevels().need(actions)) }
}

// BotCan lets the command run where the bot has the power to do all of that.
func BotCan(actions ...Action) Check {
	return func(_ context.Context, c *Context) error { return botNeeds(c, c.Room.PowerLevels().need(actions)) }
}

func senderNeeds(c *Context, level int) error {
	if have := c.Room.PowerLevels().User(c.Message.Sender); have < level {
		return refuse(c, "sender power", TextSenderPower, level, have)
	}
	return nil
}

func botNeeds(c *Context, level int) error {
	if have := c.Room.PowerLevels().User(c.bot.UserID()); have < level {
		return refuse(c, "bot power", TextBotPower, level, have)
	}
	return nil
}

// All lets the command run where all the checks agree, in their order.
func All(checks ...Check) Check {
	return func(ctx context.Context, c *Context) error {
		for _, check := range checks {
			if err := check(ctx, c); err != nil {
				return err
			}
		}
		return nil
	}
}

// Any lets the command run where one of the checks agrees. Where none does, the reason is that of the first.
func Any(checks ...Check) Check {
	return func(ctx context.Context, c *Context) error {
		var first error
		for _, check := range checks {
			err := check(ctx, c)
			if err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
		return first
	}
}

// Not lets the command run where the check refuses. Where the check could not decide, neither can Not.
func Not(check Check) Check {
	return func(ctx context.Context, c *Context) error {
		err := check(ctx, c)
		if err == nil {
			return refuse(c, "not", TextNot)
		}
		if _, refused := errors.AsType[*CheckError](err); refused {
			return nil
		}
		return err
	}
}
