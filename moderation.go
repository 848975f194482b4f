package niobot

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Invite invites a user into a room (spec: Client-Server API, "Room membership"). reason may be empty. The errors:
// [*PowerError], [*UnknownRoomError], or the server's, such as mautrix.MForbidden for a user who is in the room
// already or is banned.
func (b *Bot) Invite(ctx context.Context, room id.RoomID, user id.UserID, reason string) error {
	return b.changeMember(ctx, memberChange{
		room: room, user: user, doing: "invite", takes: Inviting,
		done: []event.Membership{event.MembershipInvite, event.MembershipJoin},
		request: func(ctx context.Context) error {
			_, err := b.client.InviteUser(ctx, room, &mautrix.ReqInviteUser{UserID: user, Reason: reason})
			return err
		},
	})
}

// Kick removes a user from a room, or takes an invite back; they may come again. reason may be empty. The errors are
// those of [Bot.Invite]; a [*PowerError] also tells of a user who is not below the bot.
func (b *Bot) Kick(ctx context.Context, room id.RoomID, user id.UserID, reason string) error {
	return b.changeMember(ctx, memberChange{
		room: room, user: user, doing: "kick", takes: above(user, Kicking),
		done: []event.Membership{event.MembershipLeave},
		request: func(ctx context.Context) error {
			_, err := b.client.KickUser(ctx, room, &mautrix.ReqKickUser{UserID: user, Reason: reason})
			return err
		},
	})
}

// Ban bans a user from a room, whether they are in it or not. reason may be empty. The errors are those of [Bot.Kick].
func (b *Bot) Ban(ctx context.Context, room id.RoomID, user id.UserID, reason string) error {
	return b.changeMember(ctx, memberChange{
		room: room, user: user, doing: "ban", takes: above(user, Banning),
		done: []event.Membership{event.MembershipBan},
		request: func(ctx context.Context) error {
			_, err := b.client.BanUser(ctx, room, &mautrix.ReqBanUser{UserID: user, Reason: reason})
			return err
		},
	})
}

// Unban lifts a ban. reason may be empty. The errors are those of [Bot.Kick]; of a user who is not banned, the server's.
func (b *Bot) Unban(ctx context.Context, room id.RoomID, user id.UserID, reason string) error {
	takes := func(p *PowerLevels) int { return max(Banning(p), Kicking(p)) }
	return b.changeMember(ctx, memberChange{
		room: room, user: user, doing: "unban", takes: above(user, takes),
		done: []event.Membership{event.MembershipLeave},
		request: func(ctx context.Context) error {
			_, err := b.client.UnbanUser(ctx, room, &mautrix.ReqUnbanUser{UserID: user, Reason: reason})
			return err
		},
	})
}

// above is what an action takes that is done to a user: the action's level, and more than the user's own.
func above(user id.UserID, action Action) Action {
	return func(p *PowerLevels) int {
		level := p.User(user)
		if level < CreatorPower {
			level++
		}
		return max(action(p), level)
	}
}

// memberChange is a request that changes somebody's membership.
type memberChange struct {
	room    id.RoomID
	user    id.UserID
	doing   string
	takes   Action
	done    []event.Membership // Where it leads to
	request func(ctx context.Context) error
}

func (b *Bot) changeMember(ctx context.Context, m memberChange) error {
	if err := checkUserID(m.user); err != nil {
		return fmt.Errorf("%s: %w", m.doing, err)
	}
	if err := b.connectFor(ctx, m.room); err != nil {
		return fmt.Errorf("%s %s: %w", m.doing, m.user, err)
	}
	err := b.outbox.inTurn(ctx, m.room, func() error { return b.settleMember(ctx, m) })
	if err != nil {
		err = b.explainRefusal(ctx, m.room, err, fmt.Sprintf("%s %s", m.doing, m.user), m.takes)
		return fmt.Errorf("%s %s in %s: %w", m.doing, m.user, m.room, err)
	}
	return nil
}

// settleMember makes the request. Servers refuse what is done already, so that a repeated request may be refused
// because the first, whose answer was lost, has worked.
func (b *Bot) settleMember(ctx context.Context, m memberChange) error {
	attempts := 0
	err := retry(ctx, func(ctx context.Context) error {
		attempts++
		return m.request(ctx)
	})
	if err == nil || attempts == 1 || ctx.Err() != nil || !isRefusal(err) {
		return err
	}
	var content event.MemberEventContent
	if b.fetchState(ctx, m.room, event.StateMember, string(m.user), &content) != nil {
		return err
	}
	for _, want := range m.done {
		if content.Membership == want {
			return nil
		}
	}
	return err
}

// isRefusal tells whether the server has looked at a request and said no.
func isRefusal(err error) bool {
	var failed mautrix.HTTPError
	return errors.As(err, &failed) && failed.Response != nil &&
		failed.Response.StatusCode >= 400 && failed.Response.StatusCode < 500
}
