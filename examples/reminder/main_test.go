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

func TestRemindIn(t *testing.T) {
	alice := start(t).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!remind in 1ms the *tea*")
	alice.ExpectReplyMatch(`^No\. 1: I remind you at .* UTC\.$`)
	alice.ExpectReply("⏰ " + string(alice.ID()) + ": the *tea*")
	alice.Say(room, "!remind list")
	alice.ExpectReply("There is nothing.")
}

func TestRemindAt(t *testing.T) {
	alice := start(t).User("alice")
	room := alice.NewRoom()
	alice.Say(room, "!remind at 2200-12-24T18:00+01:00 presents")
	alice.ExpectReply("No. 1: I remind you at 2200-12-24 17:00:00 UTC.")
	alice.Say(room, "!remind at 2020-01-01 tea")
	alice.ExpectReply("That has passed.")
}

func TestRemindersAreTheirOwners(t *testing.T) {
	hs := start(t)
	alice, bob := hs.User("alice"), hs.User("bob")
	room := alice.NewRoom(bob)
	alice.Say(room, "!remind in 2d tea")
	alice.ExpectReplyMatch("^No. 1: ")
	bob.Say(room, "!remind drop 1")
	bob.ExpectReply("You have no reminder of that number.")
	bob.Say(room, "!remind list")
	bob.ExpectReply("There is nothing.")
	alice.Say(room, "!remind list")
	alice.ExpectReplyMatch(`(?s)No\. .*1 .* tea`)
	alice.Say(room, "!remind drop 1")
	alice.ExpectReaction("✅")
	alice.Say(room, "!remind list")
	alice.ExpectReply("There is nothing.")
}

func TestRemindersAreBounded(t *testing.T) {
	r := newReminders()
	for range maxPerUser {
		if _, ok := r.keep(reminder{user: "@alice:localhost"}); !ok {
			t.Fatal("too few are kept")
		}
	}
	if _, ok := r.keep(reminder{user: "@alice:localhost"}); ok {
		t.Error("too many are kept")
	}
	if _, ok := r.keep(reminder{user: "@bob:localhost"}); !ok {
		t.Error("alice's count as bob's")
	}
}
