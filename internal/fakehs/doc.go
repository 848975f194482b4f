// Package fakehs is a Matrix homeserver that lives inside a test or a demo.
//
// It keeps everything in memory, serves the part of the client-server API that bots touch, and follows the
// specification where a bot can tell the difference: authorisation by power levels, transaction ids, sync tokens,
// limited timelines, lazy-loaded members, redactions, user-interactive authentication, queues of to-device messages.
// It does not federate, it checks no signature, and it keeps no secret: passwords are compared in the clear.
//
// Beside the API it offers what a test needs and a real server cannot give: users without HTTP, read access to rooms,
// waiting for an event without polling, a log of the requests, raw JSON in any place of a sync response, and faults on
// demand (see [Fault]).
//
//	hs := fakehs.New(fakehs.Options{})
//	defer hs.Close()
//	baseURL, err := hs.Listen()
//	alice, err := hs.Register("alice", "secret")
//	session, err := hs.LogIn(alice, "")
//
// One mutex guards all state. Every exported method may be called from any goroutine.
package fakehs
