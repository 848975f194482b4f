package main

import (
	"fmt"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
	"github.com/niobot/niobot/store/memory"
)

func start(t *testing.T, store niobot.Store) *niobottest.Server {
	t.Helper()
	t.Setenv("NIOBOT_HOMESERVER", "https://matrix.example.org")
	t.Setenv("NIOBOT_TOKEN", "token")
	return niobottest.Start(t, niobot.Must(newBot(store)))
}

func TestRemindIn(t *testing.T) {
	hs := start(t, memory.New())
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!remind in 1ms the *tea*")
	alice.ExpectReplyMatch(`^No\. 1: I remind you at .* UTC\.$`)
	alice.ExpectReply("⏰ " + string(alice.ID()) + ": the *tea*")
	hs.Settle()
	alice.Say(room, "!remind list")
	alice.ExpectReply("There is nothing.")
}

func TestRemindAt(t *testing.T) {
	alice := start(t, memory.New()).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!remind at 2200-12-24T18:00+01:00 presents")
	alice.ExpectReply("No. 1: I remind you at 2200-12-24 17:00:00 UTC.")
	alice.Say(room, "!remind at 2020-01-01 tea")
	alice.ExpectReply("That has passed.")
}

func TestRemindersAreTheirOwners(t *testing.T) {
	hs := start(t, memory.New())
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!remind in 2d tea")
	alice.ExpectReplyMatch("^No. 1: ")
	hs.Settle()
	bob.Say(room, "!remind drop 1")
	bob.ExpectReply("You have no reminder of that number.")
	bob.Say(room, "!remind list")
	bob.ExpectReply("There is nothing.")
	alice.Say(room, "!remind list")
	alice.ExpectReplyMatch(`(?s)No\. .*1 .* tea`)
	alice.Say(room, "!remind drop 1")
	alice.ExpectReaction("✅")
	hs.Settle()
	alice.Say(room, "!remind list")
	alice.ExpectReply("There is nothing.")
}

func TestRemindersAreBounded(t *testing.T) {
	hs := start(t, memory.New())
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	for n := range maxPerUser {
		alice.Say(room, "!remind in 2d tea")
		alice.ExpectReplyMatch(fmt.Sprintf("^No. %d: ", n+1))
		hs.Settle()
	}
	alice.Say(room, "!remind in 2d tea")
	alice.ExpectReply("You have 20 reminders already.")
	bob.Say(room, "!remind in 2d tea")
	bob.ExpectReplyMatch("^No. 21: ")
}

func TestRemindersOutliveACrash(t *testing.T) {
	store := memory.New()
	hs := start(t, store)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!remind in 2d coffee")
	alice.ExpectReplyMatch("^No. 1: ")
	hs.Settle() // The number is counted when the run has ended.
	alice.Say(room, "!remind in 1s tea")
	alice.ExpectReplyMatch("^No. 2: ")
	hs.Settle()
	hs.Crash()
	hs.Resume(niobot.Must(newBot(store)))
	hs.ExpectMessage(room, "⏰ "+string(alice.ID())+": tea")
	alice.Say(room, "!remind list")
	alice.ExpectReplyMatch(`(?s)1 .* coffee`)
}
