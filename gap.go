package niobot

import (
	"context"
	"encoding/json"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// What is fetched where a sync left out events.
const (
	maxGapEvents = 1000 // Older ones are lost, with a warning
)

// gap is a piece of a room's timeline that a sync response left out (spec: Client-Server API, "Syncing", limited).
type gap struct {
	room  *Room
	from  string // Where the timeline that came begins
	since string // Where the sync before ended

	// after are the events that came after the gap, by their keys. A server may begin the piece with some of them.
	after []uint64
}

// fillGap fetches the events of a gap, oldest first. It goes back until it meets an event that came in an earlier sync;
// what it can't fetch is logged and left out.
func (b *Bot) fillGap(ctx context.Context, g *gap) []*Event {
	var events []*Event
	fetched := 0
	log := b.log.With("room_id", g.room.id)
	for from, done := g.from, false; !done; {
		page, next, err := b.messagesBefore(ctx, g, from)
		if err != nil {
			if ctx.Err() == nil {
				log.Error("gap in the timeline not filled", "err", err)
			}
			break
		}
		for _, raw := range page {
			fetched++
			parsed, ok := syncjson.Parse([]byte(raw))
			if !ok || !validEventID(parsed.ID) {
				log.Warn("event of a gap skipped", "reason", "malformed")
				continue
			}
			if key, fresh := b.meet(parsed.ID); !fresh {
				if slices.Contains(g.after, key) {
					continue
				}
				done = true
				break
			}
			if b.wants(&parsed) {
				events = append(events, newEvent(g.room, timelineClass(&parsed), parsed.Keep()))
			}
		}
		switch {
		case next == "" || next == from || len(page) == 0:
			done = true
		case fetched >= maxGapEvents && !done:
			log.Warn("gap in the timeline is larger than can be filled; older events are lost", "events", fetched)
			done = true
		}
		from = next
	}
	slices.Reverse(events)
	return events
}

// messagesBefore is a page of the room's events before from, latest first, and where the next page begins.
func (b *Bot) messagesBefore(ctx context.Context, g *gap, from string) (page []json.RawMessage, next string, err error) {
	var answer struct {
		Chunk []json.RawMessage `json:"chunk"`
		End   string            `json:"end"`
	}
	query := map[string]string{
		"dir": string(mautrix.DirectionBackward), "from": from, "limit": gapPageText, "filter": lazyMembersFilter,
	}
	if g.since != "" {
		query["to"] = g.since
	}
	url := b.client.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "rooms", g.room.id, "messages"}, query)
	err = retry(ctx, func(ctx context.Context) error {
		_, err := b.client.MakeRequest(ctx, "GET", url, nil, &answer)
		return err
	})
	return answer.Chunk, answer.End, err
}

const (
	gapPageText       = "100"
	lazyMembersFilter = `{"lazy_load_members":true}`
)

// wants tells whether somebody has a use for an event of a timeline; the others are never copied.
func (b *Bot) wants(e *syncjson.View) bool {
	switch string(e.Type) {
	case event.EventMessage.Type:
		return !e.HasStateKey
	case event.EventRedaction.Type:
		return true
	}
	return len(b.listeners.of(e.Type)) > 0 || b.waiters.any()
}

// meet notes that an event has come, and reports whether it is the first time. key is what unmeet takes.
func (b *Bot) meet(event []byte) (key uint64, fresh bool) {
	b.seenLock.Lock()
	defer b.seenLock.Unlock()
	key = b.seen.key(event)
	return key, b.seen.add(key)
}

// unmeet makes events count as new again, since what brought them turned out to be broken.
func (b *Bot) unmeet(keys []uint64) {
	b.seenLock.Lock()
	defer b.seenLock.Unlock()
	b.seen.forget(keys)
}

func validEventID[T syncjson.Text](eventID T) bool {
	return len(eventID) > 1 && len(eventID) <= 255 && eventID[0] == '$'
}
