package main

import (
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func start(t *testing.T) *niobottest.Server {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	return niobottest.Start(t, niobot.Must(newBot()))
}

func TestPoll(t *testing.T) {
	hs := start(t)
	alice, bob, carol := hs.User("alice"), hs.User("bob"), hs.User("carol")
	room := alice.NewRoom(bob, carol)

	alice.Say(room, `!poll "Lunch *today*?" pizza "green salad"`)
	poll := alice.ExpectReply("Lunch *today*?\n\n1️⃣ pizza\n2️⃣ green salad")
	alice.React(poll, "2️⃣")
	bob.React(poll, "2️⃣")
	bob.React(poll, "🏁") // It is not his poll.
	hs.Settle()
	carol.React(poll, "1️⃣")
	carol.React(poll, "🎉")
	alice.React(poll, "🏁")
	hs.ExpectEdit(poll, "Lunch *today*?\n\nAnswer      | Votes\n------------+------\n"+
		"pizza       |     1\ngreen salad |     2")
}

func TestPollNeedsTwoOptions(t *testing.T) {
	alice := start(t).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!poll Lunch? pizza")
	alice.ExpectReplyMatch("options: .*2")
	alice.Say(room, "!poll Lunch? 1 2 3 4 5 6 7 8 9 10 11")
	alice.ExpectReplyMatch("10")
}
