//go:build e2e

package e2e

import "testing"

// TestConformance holds every homeserver to what niobot relies on. The fake has to pass what Dendrite passes, so that a
// test on niobottest means what it says.
func TestConformance(t *testing.T) {
	runEverywhere(t, []scenario{
		{name: "register and log in", run: registerAndLogIn},
		{name: "log out", run: logOut},
		{name: "unknown token", run: unknownToken},
		{name: "unknown endpoint", run: unknownEndpoint},
		{name: "profile", run: profile},
		{name: "direct chats in account data", run: directChats},
		{name: "room account data", run: roomAccountData},
		{name: "to-device", run: toDevice},
		{name: "media", run: media},

		{name: "create a room", run: createRoom},
		{name: "invite and join", run: inviteAndJoin},
		{name: "join by alias", run: joinByAlias},
		{name: "reject an invite", run: rejectInvite},
		{name: "leave", run: leave},
		{name: "kick", run: kick},
		{name: "ban", run: ban},
		{name: "power levels", run: powerLevels},
		{name: "state", run: state},
		{name: "previous content", run: previousContent},

		{name: "send and receive", run: sendAndReceive},
		{name: "long poll wakes", run: longPollWakes},
		{name: "transaction id", run: transactionID},
		{name: "reply", run: reply},
		{name: "thread", run: thread},
		{name: "edit", run: edit},
		{name: "reaction", run: reaction},
		{name: "redaction", run: redaction},
		{name: "redacted reaction", run: redactedReaction},
		{name: "event too large", run: eventTooLarge},
		{name: "typing", run: typing},
		{name: "receipts", run: receipts},

		{name: "same token, same answer", run: sameTokenSameAnswer},
		{name: "limited timeline", run: limitedTimeline},
		{name: "messages both ways", run: messagesBothWays},
		{name: "event and its context", run: eventContext},
		{name: "lazy members", run: lazyMembers},
		{name: "members", run: members},
		{name: "stored filter", run: storedFilter},

		{name: "restart", run: restart, alone: true},
	})
}
