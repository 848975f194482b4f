package main

import (
	"time"

	"github.com/niobot/niobot/bench/town"
	"github.com/niobot/niobot/internal/fakehs"
)

// faults are what goes wrong all along, each for a share of the requests.
func faults() []fakehs.Fault {
	list := []fakehs.Fault{
		{Path: "/sync", Status: 502, Probability: 0.02},
		{Path: "/sync", Cut: fakehs.CutBefore, Probability: 0.02},
		{Path: "/sync", Cut: fakehs.CutAfter, Probability: 0.02},
		{Path: "/sync", Cut: fakehs.CutMiddle, Probability: 0.04},
		{Path: "/sync", Duplicate: true, Probability: 0.1},
		{Path: "/sync", Shuffle: true, Probability: 0.05},
		{Path: "/sync", Replay: 5, Probability: 0.1},
		{Path: "/sync", TimelineLimit: 2, Probability: 0.05},
		limited("/send/", fakehs.RetryInBody, 0.02, 150*time.Millisecond),
		limited("/send/", fakehs.RetryInHeader, 0.003, time.Second),
		limited("/send/", fakehs.RetryInBoth, 0.003, time.Second),
		{Path: "/send/", Status: 502, Probability: 0.02},
		{Path: "/send/", Cut: fakehs.CutBefore, Probability: 0.02},
		{Path: "/send/", Cut: fakehs.CutAfter, Probability: 0.03},
		{Path: "/send/", Cut: fakehs.CutMiddle, Probability: 0.02},
		{Path: "/send/", Latency: 30 * time.Millisecond, Probability: 0.1},
		limited("/messages", fakehs.RetryInBody, 0.05, 150*time.Millisecond),
		{Path: "/messages", Status: 503, Probability: 0.1},
		{Path: "/messages", Cut: fakehs.CutMiddle, Probability: 0.1},
	}
	for _, path := range []string{"/versions", "/whoami", "/filter", "/typing/", "/receipt/", "/read_markers"} {
		list = append(list,
			fakehs.Fault{Path: path, Status: 500, Probability: 0.02},
			fakehs.Fault{Path: path, Cut: fakehs.CutAfter, Probability: 0.02},
			limited(path, fakehs.RetryInBody, 0.02, 50*time.Millisecond))
	}
	return list
}

// keyFaults are those of what encryption asks for.
func keyFaults() (list []fakehs.Fault) {
	for _, path := range []string{"/keys/query", "/keys/claim", "/keys/upload", "/sendToDevice/", "/room_keys/"} {
		list = append(list,
			fakehs.Fault{Path: path, Status: 502, Probability: 0.04},
			fakehs.Fault{Path: path, Cut: fakehs.CutBefore, Probability: 0.02},
			fakehs.Fault{Path: path, Cut: fakehs.CutAfter, Probability: 0.04},
			fakehs.Fault{Path: path, Cut: fakehs.CutMiddle, Probability: 0.02},
			limited(path, fakehs.RetryInBody, 0.04, 150*time.Millisecond))
	}
	return list
}

// limited is a 429 that tells the wait in one of the two forms.
func limited(path string, form fakehs.RetryAfterForm, share float64, wait time.Duration) fakehs.Fault {
	return fakehs.Fault{Path: path, Status: 429, RetryForm: form, RetryAfter: wait, Probability: share}
}

// harm lets the faults happen. The returned function ends them and tells how many there were.
func harm(t *town.Town, seed uint64, list []fakehs.Fault) (end func() (hits int)) {
	var active []*fakehs.ActiveFault
	for n, fault := range list {
		fault.Seed = seed + uint64(n)
		fault.User = t.Bot.UserID
		if fault.Path == "/versions" {
			fault.User = "" // It is asked without a token
		}
		active = append(active, t.Homeserver.Fail(fault))
	}
	return func() (hits int) {
		for _, fault := range active {
			fault.Remove()
			hits += fault.Hits()
		}
		return hits
	}
}
