package niobot

import "maunium.net/go/mautrix/event"

// Action is something that takes power in a room (spec: Client-Server API, m.room.power_levels); see [SenderCan].
type Action func(levels *PowerLevels) int

// Banning is to ban users, and to lift bans.
func Banning(levels *PowerLevels) int { return levels.Ban }

// Kicking is to remove users.
func Kicking(levels *PowerLevels) int { return levels.Kick }

// Redacting is to redact the events of others.
func Redacting(levels *PowerLevels) int { return levels.Redact }

// Inviting is to invite users.
func Inviting(levels *PowerLevels) int { return levels.Invite }

// NotifyingRoom is to mention everybody in the room.
func NotifyingRoom(levels *PowerLevels) int { return levels.NotifyRoom }

// Sending is to send events of the type, or to set state of it.
func Sending(t event.Type) Action { return func(levels *PowerLevels) int { return levels.Event(t) } }

// need is the power level that all the actions take.
func (p *PowerLevels) need(actions []Action) int {
	level := 0
	for i, action := range actions {
		if n := action(p); i == 0 || n > level {
			level = n
		}
	}
	return level
}
