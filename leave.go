package niobot

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Leave leaves a room, or turns an invite down, when what the bot is sending there is on the server (spec: Client-Server
// API, "Leaving rooms"). reason may be empty. A direct room loses its mark in m.direct, for whomever that names; where
// the bot is kicked, the mark stays. The error where the room was left and the mark could not be taken says so; leaving
// again then takes it. The other errors: [*UnknownRoomError], or the server's.
func (b *Bot) Leave(ctx context.Context, room id.RoomID, reason string) error {
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	err := b.outbox.inTurn(ctx, room, func() error {
		return b.settleMember(ctx, memberChange{
			room: room, user: b.UserID(), done: []event.Membership{event.MembershipLeave, event.MembershipBan},
			request: func(ctx context.Context) error {
				_, err := b.client.LeaveRoom(ctx, room, &mautrix.ReqLeave{Reason: reason})
				return err
			},
		})
	})
	if err != nil {
		return fmt.Errorf("leave %s: %w", room, b.explainRefusal(ctx, room, err, "leave", noPower))
	}
	if err := b.direct.remove(ctx, room); err != nil {
		return fmt.Errorf("leave %s: it is left, but still marked as direct: %w", room, err)
	}
	return nil
}

// Forget makes the server forget that the bot was in a room that it has left: its history can't be read any more, and
// syncs do not name it (spec: Client-Server API, "Leaving rooms"). The errors are the server's; one of them tells that
// the bot is still in the room.
func (b *Bot) Forget(ctx context.Context, room id.RoomID) error {
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	err := retry(ctx, func(ctx context.Context) error {
		_, err := b.client.ForgetRoom(ctx, room)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget %s: %w", room, err)
	}
	return nil
}
