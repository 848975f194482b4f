package niobot

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// PowerError says that the bot's power level in a room is too low for what it was to do there.
type PowerError struct {
	RoomID id.RoomID
	Action string // What it was to do, such as "ban @bob:example.org"
	Need   int    // The least level that it takes; CreatorPower where no level suffices
	Have   int    // The bot's level
}

func (e *PowerError) Error() string {
	if e.Need >= CreatorPower {
		return fmt.Sprintf("no power level suffices to %s in %s", e.Action, e.RoomID)
	}
	return fmt.Sprintf("to %s takes a power level of %d in %s, and the bot has %d", e.Action, e.Need, e.RoomID, e.Have)
}

// explainRefusal adds to a server's refusal what it comes from, where that can be told: that the bot is not in the room, or
// that its power there is too low. Only the refusal is explained and nothing is refused beforehand, since what was
// synced may be behind.
func (b *Bot) explainRefusal(
	ctx context.Context, roomID id.RoomID, err error, doing string, need Action,
) error {
	if !errors.Is(err, mautrix.MForbidden) {
		return err
	}
	room, viewErr := b.viewRoom(ctx, roomID)
	if unknown, ok := errors.AsType[*UnknownRoomError](viewErr); ok {
		return fmt.Errorf("%w: %w", unknown, err)
	}
	if viewErr != nil {
		return err
	}
	levels := room.PowerLevels()
	if need, have := need(levels), levels.User(b.UserID()); have < need {
		return fmt.Errorf("%w: %w", &PowerError{RoomID: roomID, Action: doing, Need: need, Have: have}, err)
	}
	return err
}

// noPower is what anybody in the room may do.
func noPower(*PowerLevels) int { return MinPower }

// explainState is explainRefusal for setting state.
func (b *Bot) explainState(ctx context.Context, room id.RoomID, t event.Type, err error) error {
	t.Class = event.StateEventType
	takes := Sending(t)
	if t.Type == event.StateMember.Type {
		takes = noPower // Memberships have rules of their own.
	}
	return b.explainRefusal(ctx, room, err, "set "+t.Type, takes)
}
