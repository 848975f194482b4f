package niobot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Invite is an invitation of the bot into a room.
type Invite struct {
	Room   *Room     // As much of the room as the inviter's server shows
	Sender id.UserID // Who invited
	Direct bool      // Whether the inviter means the room as a direct one
}

// JoinPolicy decides which invites the bot accepts; see [WithAutoJoin].
type JoinPolicy struct {
	accept     func(b *Bot, i Invite) bool
	maxMembers int  // Zero: any number
	none       bool // Accepts nothing from anybody
}

// JoinEveryone accepts every invite.
func JoinEveryone() JoinPolicy {
	return JoinPolicy{accept: func(*Bot, Invite) bool { return true }}
}

// JoinNone accepts no invite. It also keeps the bot from following room upgrades.
func JoinNone() JoinPolicy {
	return JoinPolicy{accept: func(*Bot, Invite) bool { return false }, none: true}
}

// JoinOwners accepts invites by the users of [Config.Owners].
func JoinOwners() JoinPolicy {
	return JoinPolicy{accept: func(b *Bot, i Invite) bool { return slices.Contains(b.config.Owners, i.Sender) }}
}

// JoinUsers accepts invites by these users.
func JoinUsers(users ...id.UserID) JoinPolicy {
	return JoinPolicy{accept: func(_ *Bot, i Invite) bool { return slices.Contains(users, i.Sender) }}
}

// JoinServers accepts invites by users of these servers. A server's name includes its port where it has one.
func JoinServers(servers ...string) JoinPolicy {
	return JoinPolicy{accept: func(_ *Bot, i Invite) bool {
		server := serverOf(string(i.Sender))
		return slices.ContainsFunc(servers, func(s string) bool { return strings.EqualFold(s, server) })
	}}
}

// JoinIf accepts the invites that f accepts. f is called on the bot's own goroutines and should not take long.
func JoinIf(f func(Invite) bool) JoinPolicy {
	if f == nil {
		return JoinPolicy{}
	}
	return JoinPolicy{accept: func(_ *Bot, i Invite) bool { return f(i) }}
}

// JoinUpTo accepts invites into rooms of at most that many members, the bot included. An invite does not tell a room's
// size, so the bot joins, counts, and leaves a larger room again.
func JoinUpTo(members int) JoinPolicy {
	if members < 1 {
		return JoinPolicy{}
	}
	return JoinPolicy{accept: func(*Bot, Invite) bool { return true }, maxMembers: members}
}

// serverOf is the server name in an id.
func serverOf(id string) string {
	_, server, _ := strings.Cut(id, ":")
	return server
}

// joinDelays are the waits before the attempts to accept an invite: over federation, the first ones may come too soon.
var joinDelays = []time.Duration{0, time.Second, 30 * time.Second, 5 * time.Minute}

// Bounds on what invites can make the bot do.
const (
	maxJoining = 8    // Joins at once
	maxInvites = 1000 // Invites that are being accepted or wait for the next attempt
)

// joiner accepts invites and follows room upgrades, apart from all other work.
type joiner struct {
	bot      *Bot
	policies []JoinPolicy
	log      *slog.Logger

	ctx     context.Context
	joining chan struct{} // Bounds the joins at once
	mu      sync.Mutex
	pending map[id.RoomID]struct{}
	work    sync.WaitGroup
}

func newJoiner(ctx context.Context, b *Bot) *joiner {
	return &joiner{
		bot: b, policies: b.settings.join, log: b.log,
		ctx: ctx, joining: make(chan struct{}, maxJoining), pending: make(map[id.RoomID]struct{}),
	}
}

// offer accepts the room's invite if the policies do.
func (j *joiner) offer(room *Room) {
	invite := room.invite()
	if invite.Sender == "" {
		j.log.Warn("invite skipped", "room_id", room.id, "reason", "it does not say who invites")
		return
	}
	for _, p := range j.policies {
		accepted := false
		if err := recovered(func() error { accepted = p.accept(j.bot, invite); return nil }); err != nil {
			j.log.Error("join policy panicked", "room_id", room.id, "sender", invite.Sender, "err", err, "stack", stackOf(err))
		}
		if !accepted {
			j.log.Info("invite not accepted", "room_id", room.id, "sender", invite.Sender)
			return
		}
	}
	j.start(room.id, func(ctx context.Context) {
		if invite.Direct {
			j.bot.direct.expect(invite.Sender, room)
		}
		if j.join(ctx, room.id, nil, func() bool { return room.Membership() == event.MembershipInvite }) {
			j.joined(ctx, room.id, invite)
		}
		j.bot.direct.decided(room)
	})
}

// start runs f unless the same room is being joined, or too many are.
func (j *joiner) start(room id.RoomID, f func(ctx context.Context)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, running := j.pending[room]; running {
		return
	}
	if len(j.pending) >= maxInvites {
		j.log.Warn("invite skipped", "room_id", room, "reason", "too many are waiting")
		return
	}
	j.pending[room] = struct{}{}
	j.work.Go(func() {
		defer func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			delete(j.pending, room)
		}()
		f(j.ctx)
	})
}

// join tries to join a room until it works, there is no point any more, or the attempts are used up.
func (j *joiner) join(ctx context.Context, room id.RoomID, via []string, wanted func() bool) bool {
	for attempt, delay := range joinDelays {
		if sleep(ctx, delay) != nil || !wanted() {
			return false
		}
		j.joining <- struct{}{}
		err := retry(ctx, func(ctx context.Context) error {
			_, err := j.bot.client.JoinRoom(ctx, string(room), &mautrix.ReqJoinRoom{Via: via})
			return err
		})
		<-j.joining
		switch {
		case err == nil:
			j.log.Info("room joined", "room_id", room)
			return true
		case ctx.Err() != nil:
			return false
		}
		j.log.Warn("room not joined", "room_id", room, "attempt", attempt+1, "of", len(joinDelays), "err", err)
	}
	return false
}

// joined does what comes after an accepted invite: mark a direct room, leave one that is too large.
func (j *joiner) joined(ctx context.Context, room id.RoomID, invite Invite) {
	limit := 0
	for _, p := range j.policies {
		if p.maxMembers > 0 {
			limit = min(cmp.Or(limit, p.maxMembers), p.maxMembers)
		}
	}
	if limit > 0 {
		count, err := j.bot.joinedMembers(ctx, room)
		if err != nil {
			j.log.Warn("members not counted", "room_id", room, "err", err)
		} else if count > limit {
			j.log.Info("room is too large", "room_id", room, "members", count, "limit", limit)
			if err := j.bot.Leave(ctx, room, fmt.Sprintf("This bot joins rooms of up to %d members.", limit)); err != nil {
				j.log.Warn("room not left", "room_id", room, "err", err)
			}
			return
		}
	}
	if invite.Direct {
		if err := j.bot.direct.confirm(ctx, invite.Sender, room); err != nil {
			j.log.Warn("direct room not marked", "room_id", room, "err", err)
		}
	}
}

// follow joins the room that took this one's place, where the one who said so could have invited the bot there
// (spec: Client-Server API, "Room Upgrades"): otherwise anybody with the power to send one piece of state could pull
// the bot into any room.
func (j *joiner) follow(old *Room, target id.RoomID) {
	upgrader := old.upgradedBy()
	if target == "" || !strings.HasPrefix(string(target), "!") || j.closed() {
		return
	}
	if levels := old.PowerLevels(); levels.User(upgrader) < levels.Invite {
		j.log.Warn("room upgrade not followed", "room_id", old.id, "replacement", target, "sender", upgrader,
			"reason", "the sender could not invite")
		return
	}
	if room, ok := j.bot.rooms.find(target); ok && room.Membership() == event.MembershipJoin {
		return
	}
	direct := old.Direct()
	j.start(target, func(ctx context.Context) {
		if !j.join(ctx, target, []string{serverOf(string(upgrader))}, func() bool { return true }) || !direct {
			return
		}
		for _, user := range j.bot.direct.usersOf(old.id) {
			if err := j.bot.direct.add(ctx, user, target); err != nil {
				j.log.Warn("direct room not marked", "room_id", target, "err", err)
			}
		}
	})
}

// followOn follows an upgrade of the time before the bot's start, where that has not brought the bot into the new room.
func (j *joiner) followOn(old *Room) {
	target := old.successor()
	if target == "" {
		return
	}
	if room, ok := j.bot.rooms.find(target); !ok || room.Membership() == "" {
		j.follow(old, target)
	}
}

// closed tells whether the policies accept nothing from anybody.
func (j *joiner) closed() bool {
	return slices.ContainsFunc(j.policies, func(p JoinPolicy) bool { return p.none })
}

func (j *joiner) wait() { j.work.Wait() }

// Join joins a room by its id or alias. via are servers that know the room, of use for rooms of other servers.
func (b *Bot) Join(ctx context.Context, roomOrAlias string, via ...string) (id.RoomID, error) {
	if err := b.connect(ctx); err != nil {
		return "", err
	}
	var joined id.RoomID
	err := retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.JoinRoom(ctx, roomOrAlias, &mautrix.ReqJoinRoom{Via: via})
		if err == nil && resp != nil {
			joined = resp.RoomID
		}
		return err
	})
	if err == nil && joined == "" {
		err = errors.New("the server's answer names no room")
	}
	if err != nil {
		return "", fmt.Errorf("join %s: %w", roomOrAlias, err)
	}
	return joined, nil
}

func (b *Bot) joinedMembers(ctx context.Context, room id.RoomID) (count int, err error) {
	err = retry(ctx, func(ctx context.Context) error {
		resp, err := b.client.JoinedMembers(ctx, room)
		if err == nil && resp != nil {
			count = len(resp.Joined)
		}
		return err
	})
	return count, err
}
