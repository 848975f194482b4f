package main

import (
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// scene is a room in which alice is admin, carol a moderator, and bob a member.
type scene struct {
	hs                *niobottest.Server
	alice, bob, carol *niobottest.User
	room              id.RoomID
}

func start(t *testing.T) *scene {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	hs := niobottest.Start(t, niobot.Must(newBot()))
	s := &scene{hs: hs, alice: hs.User("alice"), bob: hs.User("bob"), carol: hs.User("carol")}
	s.room = s.alice.NewRoom(s.bob, s.carol)
	s.alice.SetPower(s.room, hs.BotID(), 100)
	s.alice.SetPower(s.room, s.carol.ID(), 50)
	return s
}

func (s *scene) membership(t *testing.T, user id.UserID) (event.Membership, string) {
	t.Helper()
	content := new(event.MemberEventContent)
	if err := s.alice.Client().StateEvent(t.Context(), s.room, event.StateMember, string(user), content); err != nil {
		t.Fatal(err)
	}
	return content.Membership, content.Reason
}

func TestKickAndBan(t *testing.T) {
	s := start(t)
	s.carol.Say(s.room, fmt.Sprintf("!kick %s flooding", s.bob.ID()))
	s.carol.ExpectReaction("✅")
	want := "flooding (asked by " + string(s.carol.ID()) + ")"
	if is, why := s.membership(t, s.bob.ID()); is != event.MembershipLeave || why != want {
		t.Errorf("bob: %s, %q", is, why)
	}
	s.carol.Say(s.room, fmt.Sprintf("!ban %s", s.bob.ID()))
	s.carol.ExpectReaction("✅")
	if is, _ := s.membership(t, s.bob.ID()); is != event.MembershipBan {
		t.Errorf("bob: %s, not banned", is)
	}
	s.carol.Say(s.room, fmt.Sprintf("!unban %s", s.bob.ID()))
	s.carol.ExpectReaction("✅")
	if is, _ := s.membership(t, s.bob.ID()); is != event.MembershipLeave {
		t.Errorf("bob: %s, still banned", is)
	}
}

// The bot has the power to do it, but those who ask have not.
func TestNobodyBorrowsTheBotsPower(t *testing.T) {
	s := start(t)
	s.bob.Say(s.room, fmt.Sprintf("!kick %s", s.carol.ID()))
	s.bob.ExpectReply("That takes a power level of 50, and yours is 0.")
	for _, command := range []string{"kick", "ban", "warn add"} {
		s.carol.Say(s.room, fmt.Sprintf("!%s %s because", command, s.alice.ID()))
		s.carol.ExpectReply(fmt.Sprintf("%s does not stand below you here.", s.alice.ID()))
	}
	s.carol.Say(s.room, fmt.Sprintf("!mute %s", s.bob.ID()))
	s.carol.ExpectReply("That takes a power level of 100, and yours is 50.")
}

func TestMute(t *testing.T) {
	s := start(t)
	s.alice.Say(s.room, fmt.Sprintf("!mute %s", s.bob.ID()))
	s.alice.ExpectReaction("✅")
	if _, err := s.bob.Client().SendText(t.Context(), s.room, "psst"); err == nil {
		t.Error("bob can still write")
	}
	s.alice.Say(s.room, fmt.Sprintf("!unmute %s", s.bob.ID()))
	s.alice.ExpectReaction("✅")
	s.bob.Say(s.room, "thanks")
}

func TestPurge(t *testing.T) {
	s := start(t)
	kept := s.alice.Say(s.room, "good morning")
	first, second := s.bob.Say(s.room, "buy now"), s.bob.Say(s.room, "buy more")

	s.carol.Say(s.room, fmt.Sprintf("!purge 10 --from %s", s.bob.ID()))
	question := s.carol.ExpectReply("Remove 2 messages?")
	s.carol.React(question, "👍")
	s.carol.ExpectReaction("✅")
	s.hs.ExpectRedacted(first)
	s.hs.ExpectRedacted(second)
	s.hs.Settle()
	e, err := s.alice.Client().GetEvent(t.Context(), s.room, kept.ID)
	if err != nil || e.Unsigned.RedactedBecause != nil {
		t.Errorf("alice's message: %v, %v", e, err)
	}

	s.carol.Say(s.room, fmt.Sprintf("!purge 10 --yes --from %s", s.bob.ID()))
	s.carol.ExpectReply("There are none.")
	s.hs.Settle() // One purge at a time
	s.carol.Say(s.room, "!purge 1000")
	s.carol.ExpectReplyMatch("count: .*100")
}

func TestWarningsAreTheServers(t *testing.T) {
	s := start(t)
	s.carol.Say(s.room, fmt.Sprintf("!warn list %s", s.bob.ID()))
	s.carol.ExpectReply(fmt.Sprintf("%s has no warnings.", s.bob.ID()))
	for n := 1; n <= 2; n++ {
		s.carol.Say(s.room, fmt.Sprintf("!warn add %s be kind", s.bob.ID()))
		s.carol.ExpectReply(fmt.Sprintf("%s, this is warning no. %d: be kind", s.bob.ID(), n))
	}
	s.alice.Say(s.room, fmt.Sprintf("!warn list %s", s.bob.ID()))
	s.alice.ExpectReplyMatch(`(?s)Date .*be kind.*be kind`)

	// They are the server's, so a bot that has just started has them.
	kept, err := niobot.RoomAccountData[roomWarnings](t.Context(), s.hs.Bot(), s.room, warningsData)
	if err != nil || len(kept.Users[s.bob.ID()]) != 2 {
		t.Errorf("kept: %v, %v", kept, err)
	}
	s.carol.Say(s.room, fmt.Sprintf("!warn clear %s", s.bob.ID()))
	s.carol.ExpectReaction("✅")
	s.carol.Say(s.room, fmt.Sprintf("!warn list %s", s.bob.ID()))
	s.carol.ExpectReply(fmt.Sprintf("%s has no warnings.", s.bob.ID()))
}
