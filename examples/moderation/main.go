// Command moderation is a bot that helps a room's moderators: !kick, !ban, !unban, !mute, !unmute, !purge, and !warn,
// whose warnings outlive the bot.
//
// Give it power in the room first. Who may use a command is what the room itself says: whoever may kick by hand may
// kick by the bot, and nobody gets at users who stand as high as they do.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/niobot/niobot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bot, err := newBot()
	if err == nil {
		err = bot.Run(ctx)
	}
	if err != nil {
		slog.Error("the bot ended", "err", err)
		os.Exit(1)
	}
}

func newBot() (*niobot.Bot, error) {
	bot, err := niobot.New(niobot.Config{
		Homeserver: os.Getenv("NIOBOT_HOMESERVER"),
		Token:      os.Getenv("NIOBOT_TOKEN"),
		Prefixes:   []string{"!"},
	})
	if err != nil {
		return nil, err
	}
	bot.Add(kickCommand)
	bot.Add(niobot.With(may(niobot.Banning), banCommand, unbanCommand)...)
	bot.Add(niobot.With(may(changingPower), muteCommand, unmuteCommand)...)
	bot.Add(purgeCommand, newWarnings().command())
	return bot, nil
}

// may lets a command run where both the user and the bot have the power for what it does, and not too often.
func may(action niobot.Action) niobot.CommandOption {
	return niobot.Options(
		niobot.Require(niobot.SenderCan(action), niobot.BotCan(action)),
		niobot.Cooldown(10, time.Minute, niobot.PerMember))
}
