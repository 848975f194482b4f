// Package niobottest is for the tests of bots: it runs a bot on a homeserver inside the test, with users who speak and
// expect answers.
//
//	func TestPing(t *testing.T) {
//		hs := niobottest.Start(t, newBot())
//		alice := hs.User("alice")
//		room := alice.NewRoom()
//		alice.Say(room, "!ping")
//		alice.ExpectReply("pong")
//	}
//
// The bot is made as for real: its homeserver and its token are replaced by those of the test. [Call] tests one
// command without any of that. What a test expects and does not see within the time that [Timeout] sets ends the test
// with the text that was wanted, what came instead, and what was said in the room.
package niobottest
