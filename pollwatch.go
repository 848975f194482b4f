package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// ErrNotPoll is returned where an event starts no poll.
var ErrNotPoll = errors.New("event is no poll")

// ErrPollEnded is returned by [Bot.EndPoll] for a poll that has ended.
var ErrPollEnded = errors.New("poll has ended")

// maxPollPages bounds how many pages of 100 events are read of what relates to a poll.
const maxPollPages = maxPollResponses / 100

// PollResult asks the server for the votes of a poll: of each user the latest, if it came before the end. A vote for
// what is no answer of the poll is none. The errors: [ErrNotFound], [ErrNotPoll], or the server's.
func (b *Bot) PollResult(ctx context.Context, room id.RoomID, poll id.EventID) (PollResult, error) {
	tally, err := b.loadPoll(ctx, room, poll)
	if err != nil {
		return PollResult{}, err
	}
	return tally.result(), nil
}

// WatchPoll calls f with the votes of a poll as they stand, and again whenever they change, one call after the other,
// until the poll has ended or the returned function is called. f is a [Listener], whose error is logged. What was missed
// while the bot was down is counted, since the server is asked first. The errors are those of [Bot.PollResult].
func (b *Bot) WatchPoll(
	ctx context.Context, room id.RoomID, poll id.EventID, f func(ctx context.Context, r PollResult) error,
) (stop func(), err error) {
	if f == nil {
		panic("niobot: WatchPoll: the function is nil")
	}
	w := &pollWatch{poll: poll, room: room, tell: f}
	for _, typ := range []event.Type{
		pollResponse, pollEnd, {Type: stablePollResponse}, {Type: stablePollEnd}, event.EventRedaction,
	} {
		w.remove = append(w.remove, b.On(typ, w.hear))
	}
	// What comes while the server is asked waits, and is counted once.
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally, err = b.loadPoll(ctx, room, poll)
	if err == nil {
		err = w.told(ctx)
	}
	if err != nil {
		w.stop()
		return func() {}, err
	}
	return w.stop, nil
}

// pollWatch is one call of WatchPoll.
type pollWatch struct {
	room   id.RoomID
	poll   id.EventID
	tell   func(ctx context.Context, r PollResult) error
	remove []func()
	once   sync.Once

	mu    sync.Mutex
	tally *pollTally
	ended bool
}

func (w *pollWatch) stop() {
	w.once.Do(func() {
		for _, remove := range w.remove {
			remove()
		}
	})
}

func (w *pollWatch) hear(ctx context.Context, e *Event) error {
	redaction := e.Type == event.EventRedaction
	if e.RoomID != w.room || !redaction && e.refersTo() != w.poll {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tally == nil || w.ended || redaction && !w.tally.forget(e.redacts()) || !redaction && !w.tally.take(e) {
		return nil
	}
	return w.told(ctx)
}

// told tells of the votes. The watch is locked.
func (w *pollWatch) told(ctx context.Context) error {
	result := w.tally.result()
	if result.Ended {
		w.ended = true
		w.stop()
	}
	return w.tell(ctx, result)
}

// EndPoll ends a poll that the bot has started, or another where the bot may redact messages of others, and tells the
// room the result, which is returned. Votes that come later do not count. The errors: [ErrPollEnded], and those of
// [Bot.PollResult] and of [Bot.Send].
func (b *Bot) EndPoll(ctx context.Context, room id.RoomID, poll id.EventID) (PollResult, error) {
	tally, err := b.loadPoll(ctx, room, poll)
	if err != nil {
		return PollResult{}, err
	}
	result := tally.result()
	if result.Ended {
		return result, fmt.Errorf("end poll %s: %w", poll, ErrPollEnded)
	}
	content := pollEndContent{
		RelatesTo: event.RelatesTo{Type: event.RelReference, EventID: poll},
		Text:      result.summary(),
		Results:   make(map[string]int, len(result.Votes)),
	}
	for i, votes := range result.Votes {
		content.Results[tally.ids[i]] = len(votes.Users)
	}
	r, _ := placeOf(ctx).(*run)
	transaction := r.transaction()
	if err := r.outwait(ctx, room, transaction); err != nil {
		return result, err
	}
	if _, err := b.outbox.send(ctx, room, pollEnd, content, transaction); err != nil {
		return result, fmt.Errorf("end poll %s: %w", poll, err)
	}
	result.Ended = true
	return result, nil
}

type pollEndContent struct {
	RelatesTo event.RelatesTo `json:"m.relates_to"`
	Text      string          `json:"org.matrix.msc1767.text"`
	End       struct{}        `json:"org.matrix.msc3381.poll.end"`
	Results   map[string]int  `json:"org.matrix.msc3381.poll.results"`
}

// summary is what clients show that know no polls.
func (r PollResult) summary() string {
	winners := r.Winners()
	if len(winners) == 0 {
		return "The poll has ended without votes."
	}
	return "The poll has ended. Top answer: " + strings.Join(winners, ", ")
}

// loadPoll counts a poll by what the server has.
func (b *Bot) loadPoll(ctx context.Context, room id.RoomID, poll id.EventID) (*pollTally, error) {
	start, err := b.Event(ctx, room, poll)
	if err != nil {
		return nil, err
	}
	tally := newPollTally(start)
	if tally == nil {
		return nil, fmt.Errorf("fetch %s, a %s: %w", poll, start.Type.Type, ErrNotPoll)
	}
	query := map[string]string{"limit": "100", "dir": string(mautrix.DirectionForward)}
	for range maxPollPages {
		var page struct {
			Chunk []json.RawMessage `json:"chunk"`
			Next  string            `json:"next_batch"`
		}
		path := mautrix.ClientURLPath{"v1", "rooms", room, "relations", poll, event.RelReference}
		if err := b.fetch(ctx, b.client.BuildURLWithQuery(path, query), &page); err != nil {
			return nil, fmt.Errorf("count poll %s: %w", poll, err)
		}
		for _, raw := range page.Chunk {
			if e, ok := b.fetched(room, raw); ok && e.refersTo() == poll {
				tally.take(b.reveal(ctx, e))
			}
		}
		if page.Next == "" {
			break
		}
		query["from"] = page.Next
	}
	return tally, nil
}
