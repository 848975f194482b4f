package main

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// target is what the commands about one user share: their structs embed it.
type target struct {
	User id.UserID `arg:"user" help:"whom"`
}

type reasonArgs struct {
	target
	Reason string `arg:"reason,rest" default:"" help:"why"`
}

var (
	kickCommand = niobot.NewCommand("kick", kick,
		niobot.Describe("Remove somebody, who may come again."), may(niobot.Kicking))
	banCommand   = niobot.NewCommand("ban", ban, niobot.Describe("Remove somebody for good."))
	unbanCommand = niobot.NewCommand("unban", unban, niobot.Describe("Let somebody come again."))
)

func kick(ctx context.Context, c *niobot.Context, a reasonArgs) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	return done(ctx, c, c.Bot().Kick(ctx, c.Room.ID(), a.User, onBehalf(c, a.Reason)))
}

func ban(ctx context.Context, c *niobot.Context, a reasonArgs) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	return done(ctx, c, c.Bot().Ban(ctx, c.Room.ID(), a.User, onBehalf(c, a.Reason)))
}

func unban(ctx context.Context, c *niobot.Context, a target) error {
	return done(ctx, c, c.Bot().Unban(ctx, c.Room.ID(), a.User, onBehalf(c, "")))
}

// outranked refuses to act upon somebody who does not stand below the user who asks. The homeserver compares with the
// bot's level only: without this, the bot would lend its power to everybody who may call it.
func outranked(c *niobot.Context, user id.UserID) error {
	levels := c.Room.PowerLevels()
	if levels.User(c.Sender()) > levels.User(user) {
		return nil
	}
	return &niobot.CheckError{Check: "outranked", Reason: fmt.Sprintf("%s does not stand below you here.", user)}
}

// onBehalf says for whom the bot acts, since the room sees only that it was the bot.
func onBehalf(c *niobot.Context, reason string) string {
	if reason == "" {
		return fmt.Sprintf("asked by %s", c.Sender())
	}
	return fmt.Sprintf("%s (asked by %s)", reason, c.Sender())
}

// done marks the command as done, unless err says otherwise.
func done(ctx context.Context, c *niobot.Context, err error) error {
	if err != nil {
		return err
	}
	_, err = c.React(ctx, "✅")
	return err
}
