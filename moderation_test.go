package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/niobottest"
)

// memberOf is a user's membership as the server has it, with its reason.
func memberOf(t *testing.T, u *niobottest.User, room id.RoomID, user id.UserID) string {
	t.Helper()
	var content event.MemberEventContent
	must(t, u.Client().StateEvent(t.Context(), room, event.StateMember, string(user), &content))
	return fmt.Sprintf("%s: %s", content.Membership, content.Reason)
}

func TestModeration(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	mallory := hs.User("mallory")
	want := func(state string) {
		t.Helper()
		if got := memberOf(t, alice, room, mallory.ID()); got != state {
			t.Errorf("the membership is %q, want %q", got, state)
		}
	}
	must(t, bot.Invite(ctx, room, mallory.ID(), "come in"))
	want("invite: come in")
	_, err := mallory.Client().JoinRoomByID(ctx, room)
	must(t, err)
	must(t, bot.Kick(ctx, room, mallory.ID(), "be nice"))
	want("leave: be nice")
	must(t, bot.Ban(ctx, room, mallory.ID(), "be gone"))
	want("ban: be gone")
	must(t, bot.Unban(ctx, room, mallory.ID(), "be welcome"))
	want("leave: be welcome")
	must(t, bot.Ban(ctx, room, mallory.ID(), ""))
	want("ban: ")

	wantErr(t, bot.Invite(ctx, room, mallory.ID(), ""), "invite @mallory:localhost in", "M_FORBIDDEN")
	wantErr(t, bot.Ban(ctx, room, "mallory", ""), `ban: "mallory" is no user id`)
	wantErr(t, bot.Kick(ctx, room, alice.ID(), ""),
		"to kick @alice:localhost takes a power level of 101", "the bot has 100")
}

func TestModerationSurvivesLostAnswers(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		ctx, alice := h.t.Context(), h.alice.UserID
		room, err := h.bot.CreateRoom(ctx, niobot.NewRoom{})
		h.must(err)
		steps := []struct {
			path string
			do   func(context.Context, id.RoomID, id.UserID, string) error
			want event.Membership
		}{
			{"/invite", h.bot.Invite, event.MembershipInvite},
			{"/kick", h.bot.Kick, event.MembershipLeave},
			{"/ban", h.bot.Ban, event.MembershipBan},
			{"/unban", h.bot.Unban, event.MembershipLeave},
		}
		for _, step := range steps {
			// The server refuses the second time what it has done the first.
			lost := h.fail(fakehs.Fault{Path: "/rooms/{room}" + step.path, Count: 1, Cut: fakehs.CutAfter})
			if err := step.do(ctx, room, alice, ""); err != nil {
				t.Errorf("%s: %v", step.path, err)
			}
			if got := h.hs.Members(room)[alice]; got != step.want || lost.Hits() != 1 {
				t.Errorf("%s: the membership is %q, want %q; %d answers were lost", step.path, got, step.want, lost.Hits())
			}
		}
		// What was refused for another reason stays refused.
		h.must(h.bot.Invite(ctx, room, alice, ""))
		h.must(h.bot.SetPower(ctx, room, alice, 100))
		h.fail(fakehs.Fault{Path: "/kick", Count: 1, Status: http.StatusBadGateway})
		if err := h.bot.Kick(ctx, room, alice, ""); !errors.Is(err, mautrix.MForbidden) {
			t.Errorf("kick an equal: %v", err)
		}
	})
}

func ExampleBot_Ban() {
	type banArgs struct {
		User   id.UserID `arg:"user" help:"who to ban"`
		Reason string    `arg:"reason,rest,optional"`
	}
	ban := niobot.NewCommand("ban", func(ctx context.Context, c *niobot.Context, a banArgs) error {
		err := c.Bot().Ban(ctx, c.Room.ID(), a.User, a.Reason)
		if low, ok := errors.AsType[*niobot.PowerError](err); ok {
			return c.Reply(ctx, "I need a power level of %d for that.", low.Need)
		}
		return err
	}, niobot.Require(niobot.SenderCan(niobot.Banning)))
	fmt.Println(ban, ban.Usage())
	// Output: ban <user> [reason…]
}
