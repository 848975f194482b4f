package niobot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"maunium.net/go/mautrix/event"
)

// Check decides whether a command may run. It returns nil to agree, a [*CheckError] to refuse with a reason for the
// user, and any other error where it could not decide. It runs with the command's context, on the run's own goroutine,
// so it may ask the server, and is also asked by help, which leaves out what the user may not run.
type Check func(ctx context.Context, c *Context) error

// OwnerOnly lets the users of [Config.Owners] run the command.
func OwnerOnly() Check {
	return func(_ context.Context, c *Context) error {
		if slices.Contains(c.bot.config.Owners, c.Message.Sender) {
			return nil
		}
		return &CheckError{"owner", "Only the bot's owner may do that."}
	}
}

// DirectOnly lets the command run in direct rooms: those of the bot's m.direct account data.
func DirectOnly() Check {
	return func(_ context.Context, c *Context) error {
		if c.Room.Direct() {
			return nil
		}
		return &CheckError{"direct room", "That works only in a direct room with me."}
	}
}

// FromServer lets users of the servers run the command. A server's name includes its port where it has one.
func FromServer(servers ...string) Check {
	return func(_ context.Context, c *Context) error {
		_, server, _ := strings.Cut(string(c.Message.Sender), ":")
		if slices.ContainsFunc(servers, func(s string) bool { return strings.EqualFold(s, server) }) {
			return nil
		}
		return &CheckError{"server", "Users of your server may not do that."}
	}
}

// SenderPower lets users with at least that power level in the room run the command.
func SenderPower(level int) Check {
	return func(_ context.Context, c *Context) error {
		have := c.Room.PowerLevels().User(c.Message.Sender)
		if have >= level {
			return nil
		}
		return &CheckError{"sender power", fmt.Sprintf("That takes a power level of %d, and yours is %d.", level, have)}
	}
}

// BotPower lets the command run where the bot has at least that power level.
func BotPower(level int) Check {
	return func(_ context.Context, c *Context) error {
		have := c.Room.PowerLevels().User(c.bot.UserID())
		if have >= level {
			return nil
		}
		return &CheckError{"bot power",
			fmt.Sprintf("For that I need a power level of %d in this room, and mine is %d.", level, have)}
	}
}

// SenderCanSend lets users who may send events of the type into the room run the command.
func SenderCanSend(t event.Type) Check {
	return func(_ context.Context, c *Context) error {
		levels := c.Room.PowerLevels()
		if need, have := levels.Event(t), levels.User(c.Message.Sender); have < need {
			return &CheckError{"sender power", fmt.Sprintf("That takes a power level of %d, and yours is %d.", need, have)}
		}
		return nil
	}
}
