package main

import (
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

const first = "For whom is the table? !cancel ends the questions."

func start(t *testing.T) (hs *niobottest.Server, alice *niobottest.User, room id.RoomID) {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	hs = niobottest.Start(t, niobot.Must(newBot()))
	alice = hs.User("alice")
	return hs, alice, alice.NewRoom()
}

func TestBook(t *testing.T) {
	hs, alice, room := start(t)
	alice.Say(room, "!book")
	alice.ExpectReply(first)
	alice.Say(room, "Alice & friends")
	hs.ExpectMessage(room, "How many will you be?")
	alice.Say(room, "100")
	alice.ExpectReplyMatch("at most 12.*try again")
	alice.Say(room, "4")
	when := hs.ExpectMessage(room, "When?\n\n1️⃣ 18:00\n2️⃣ 19:30\n3️⃣ 21:00")
	alice.React(when, "2️⃣")
	hs.ExpectMessage(room, "A table for 4, at 19:30, for Alice & friends. See you!")
}

func TestCancel(t *testing.T) {
	hs, alice, room := start(t)
	alice.Say(room, "!book")
	alice.ExpectReply(first)
	alice.Say(room, "!cancel")
	alice.ExpectReply("Never mind.")
	hs.Settle()
	alice.Say(room, "!cancel")
	alice.ExpectReply("I have asked you nothing.")
	alice.Say(room, "Alice")
	hs.ExpectNothing(room)
}

func TestOneBookingAtATime(t *testing.T) {
	hs, alice, room := start(t)
	alice.Say(room, "!book")
	alice.ExpectReply(first)
	alice.Say(room, "!book")
	alice.ExpectReply("I am asking you already. !cancel ends that.")
	alice.Say(room, "Alice")
	hs.ExpectMessage(room, "How many will you be?")
	hs.ExpectNothing(room)
}

func TestOthersAreAskedNothing(t *testing.T) {
	hs, alice, _ := start(t)
	bob := hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!book")
	alice.ExpectReply(first)
	bob.Say(room, "Bob")
	bob.Say(room, "!cancel")
	bob.ExpectReply("I have asked you nothing.")
	hs.ExpectNothing(room)
}

func TestDeadline(t *testing.T) {
	bot := niobot.Must(niobot.New(niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}}))
	bot.Add(bookCommand(new(conversations), time.Millisecond))
	alice := niobottest.Start(t, bot).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!book")
	alice.ExpectReply(first)
	alice.ExpectReply("No answer came in time.")
}
