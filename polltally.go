package niobot

import (
	"cmp"
	"slices"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// maxPollResponses is how many responses of one poll are counted. A user may change a vote as often as they like.
const maxPollResponses = 20000

// PollResult is how the votes of a poll stand.
type PollResult struct {
	Poll  Poll
	Votes []PollVotes // By the poll's answers, in their order
	Ended bool
}

// PollVotes is who has chosen an answer.
type PollVotes struct {
	Answer string
	Users  []id.UserID // In the order of their ids
}

// Voters are the users that have chosen anything, in the order of their ids.
func (r PollResult) Voters() []id.UserID {
	var all []id.UserID
	for _, votes := range r.Votes {
		all = append(all, votes.Users...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Winners are the answers with the most votes; none where nobody has voted.
func (r PollResult) Winners() []string {
	most, winners := 0, []string(nil)
	for _, votes := range r.Votes {
		switch n := len(votes.Users); {
		case n == 0 || n < most:
		case n > most:
			most, winners = n, []string{votes.Answer}
		default:
			winners = append(winners, votes.Answer)
		}
	}
	return winners
}

// pollTally counts a poll. Its events may come in any order, and more than once.
type pollTally struct {
	poll    Poll
	ids     []string
	creator id.UserID

	mu        sync.Mutex
	responses map[id.EventID]pollVote
	ends      map[id.EventID]int64 // Valid ends, by their times
}

// pollVote is a response, valid or not: a user's latest counts even where it is not.
type pollVote struct {
	sender id.UserID
	at     int64 // Milliseconds since 1970, by the sender's server
	event  id.EventID
	picked []int // The places of the answers
}

// newPollTally is nil for an event that starts no poll.
func newPollTally(start *Event) *pollTally {
	p, ids, ok := start.readPoll()
	if !ok {
		return nil
	}
	return &pollTally{
		poll: p, ids: ids, creator: start.Sender,
		responses: make(map[id.EventID]pollVote), ends: make(map[id.EventID]int64),
	}
}

// take counts an event that relates to the poll, and reports whether that may change the result.
func (t *pollTally) take(e *Event) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.Redacted():
		return false
	case e.isPollResponse():
		if _, known := t.responses[e.ID]; known || len(t.responses) >= maxPollResponses {
			return false
		}
		t.responses[e.ID] = pollVote{e.Sender, e.kept.Timestamp, e.ID, t.picked(e.selections())}
		return true
	case e.isPollEnd() && t.mayEnd(e):
		if _, known := t.ends[e.ID]; known || len(t.ends) >= maxPollResponses {
			return false
		}
		t.ends[e.ID] = e.kept.Timestamp
		return true
	}
	return false
}

// mayEnd tells whether the sender may end the poll: who has started it, and who may redact what others say.
func (t *pollTally) mayEnd(e *Event) bool {
	if e.Sender == t.creator {
		return true
	}
	power := e.room.PowerLevels()
	return power.User(e.Sender) >= power.Redact
}

// forget takes a redacted event back: what the user has voted before counts again. It reports whether there was one.
func (t *pollTally) forget(e id.EventID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, vote := t.responses[e]
	_, end := t.ends[e]
	delete(t.responses, e)
	delete(t.ends, e)
	return vote || end
}

// picked are the places of the chosen answers: none where one of them is not known.
func (t *pollTally) picked(selections []string) (places []int) {
	for _, name := range selections[:min(len(selections), t.poll.Choices)] {
		i := slices.Index(t.ids, name)
		if i < 0 {
			return nil
		}
		if !slices.Contains(places, i) {
			places = append(places, i)
		}
	}
	return places
}

// result counts: of each user the latest response that came before the end.
func (t *pollTally) result() PollResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := PollResult{Poll: t.poll, Ended: len(t.ends) > 0, Votes: make([]PollVotes, len(t.ids))}
	end := int64(0)
	for _, at := range t.ends {
		if end == 0 || at < end {
			end = at
		}
	}
	latest := make(map[id.UserID]pollVote)
	for _, vote := range t.responses {
		before, voted := latest[vote.sender]
		if r.Ended && vote.at > end || voted && compareVotes(before, vote) > 0 {
			continue
		}
		latest[vote.sender] = vote
	}
	for i, answer := range t.poll.Answers {
		r.Votes[i].Answer = answer
	}
	for user, vote := range latest {
		for _, i := range vote.picked {
			r.Votes[i].Users = append(r.Votes[i].Users, user)
		}
	}
	for i := range r.Votes {
		slices.Sort(r.Votes[i].Users)
	}
	return r
}

func compareVotes(a, b pollVote) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.event, b.event))
}

// refersTo is the event that e relates to by a reference (spec: Client-Server API, "Reference relations").
func (e *Event) refersTo() id.EventID {
	relation := syncjson.Get(e.kept.Content, "m.relates_to")
	if !syncjson.IsObject(relation) || syncjson.GetString(relation, "rel_type") != string(event.RelReference) {
		return ""
	}
	return id.EventID(syncjson.GetString(relation, "event_id"))
}
