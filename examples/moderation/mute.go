package main

import (
	"context"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
)

var (
	muteCommand   = niobot.NewCommand("mute", mute, niobot.Describe("Let somebody read, but not write."))
	unmuteCommand = niobot.NewCommand("unmute", unmute, niobot.Describe("Let somebody write again."))
)

// changingPower is the action of changing power levels, which niobot has no name for: any function is an action.
func changingPower(levels *niobot.PowerLevels) int { return levels.Event(event.StatePowerLevels) }

// mute takes from somebody the power to send messages. The level is kept in the room, so it outlives the bot.
func mute(ctx context.Context, c *niobot.Context, a target) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	return done(ctx, c, c.Bot().EditPower(ctx, c.Room.ID(), func(p *niobot.PowerEdit) {
		least := p.EventsDefault
		for _, t := range []event.Type{event.EventMessage, event.EventEncrypted, event.EventReaction} {
			if level, ok := p.Events[t.Type]; ok {
				least = min(least, level)
			}
		}
		p.Users[a.User] = least - 1
	}))
}

// unmute gives somebody the level that everybody has. One that they had before they were muted is not given back.
func unmute(ctx context.Context, c *niobot.Context, a target) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	return done(ctx, c, c.Bot().EditPower(ctx, c.Room.ID(), func(p *niobot.PowerEdit) {
		delete(p.Users, a.User)
	}))
}
