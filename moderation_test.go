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
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	mallory := hs.User("mallory")
	steps := []struct {
		path string
		do   func(context.Context, id.RoomID, id.UserID, string) error
		want string
	}{
		{"/invite", bot.Invite, "invite: "},
		{"/kick", bot.Kick, "leave: "},
		{"/ban", bot.Ban, "ban: "},
		{"/unban", bot.Unban, "leave: "},
	}
	for _, step := range steps {
		// The server refuses the second time what it has done the first.
		lost := hs.Fail(niobottest.Fault{Path: "/rooms/{room}" + step.path, Count: 1, Cut: niobottest.CutAfter})
		if err := step.do(ctx, room, mallory.ID(), ""); err != nil {
			t.Errorf("%s: %v", step.path, err)
		}
		if got := memberOf(t, alice, room, mallory.ID()); got != step.want || lost.Hits() != 1 {
			t.Errorf("%s: the membership is %q, want %q; %d answers were lost", step.path, got, step.want, lost.Hits())
		}
	}
	// What was refused for another reason stays refused.
	hs.Fail(niobottest.Fault{Path: "/kick", Count: 1, Status: http.StatusBadGateway})
	if err := bot.Kick(ctx, room, alice.ID(), ""); !errors.Is(err, mautrix.MForbidden) {
		t.Errorf("kick one above: %v", err)
	}
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
