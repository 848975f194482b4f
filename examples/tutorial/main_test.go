package main

import (
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func start(t *testing.T) *niobottest.Server {
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	return niobottest.Start(t, niobot.Must(newBot()))
}

func TestConvert(t *testing.T) {
	alice := start(t).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!convert 20")
	alice.ExpectReply("20.0 °C are 68.0 °F.")
	alice.Say(room, "!c 68 --to celsius")
	alice.ExpectReply("68.0 °F are 20.0 °C.")
	alice.Say(room, "!convert warm")
	alice.ExpectReplyMatch(`"warm" is not a number`)
}

func TestTopicNeedsPower(t *testing.T) {
	hs := start(t)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)

	bob.Say(room, "!topic Bob's room")
	bob.ExpectReply("That takes a power level of 50, and yours is 0.")
	alice.Say(room, "!topic Tea")
	alice.ExpectReply("For that I need a power level of 50 in this room, and mine is 0.")

	alice.SetPower(room, hs.BotID(), 50)
	alice.Say(room, "!topic Tea")
	alice.ExpectReaction("✅")
}
