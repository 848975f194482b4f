package niobottest

import "github.com/niobot/niobot/internal/fakehs"

// Fault is something that goes wrong between bot and homeserver: what it matches, how often, and what happens.
type Fault = fakehs.Fault

// ActiveFault is a [Fault] that the homeserver was told of; it counts its hits and can be removed.
type ActiveFault = fakehs.ActiveFault

// Where a [Fault] cuts a connection.
const (
	CutBefore = fakehs.CutBefore // Before the request is processed: nothing happened
	CutAfter  = fakehs.CutAfter  // After it was processed, before the answer: the bot can't know
	CutMiddle = fakehs.CutMiddle // Halfway through the answer
)

// How a [Fault] with status 429 tells the wait.
const (
	RetryInHeader = fakehs.RetryInHeader // In the Retry-After header, rounded up to seconds
	RetryInBody   = fakehs.RetryInBody   // In retry_after_ms in the body
	RetryInBoth   = fakehs.RetryInBoth
)

// Fail makes a fault happen to the bot's requests from now on, until it is used up or removed. Users are not affected.
func (s *Server) Fail(f Fault) *ActiveFault {
	f.User = s.botID
	return s.hs.Fail(f)
}
