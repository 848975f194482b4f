package niobot

import (
	"context"
	"encoding/json"
	"slices"
	"time"

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

	late   bool   // Whether it arose while the bot was down, so that old events are passed over
	filled int    // How many events of it were taken in, where not all could be fetched
	entry  *entry // Its place in the inbox; nil where there is none
}

// fillGap fetches the events of a gap, oldest first. It goes back until it meets an event that came before the gap.
// Syncs may have brought some of the gap since, also in an earlier life of the bot: then, as which came when is not known,
// a page without news is the end. What it can't fetch is logged, and left to the next start where there is a store and a
// hope of that.
func (b *Bot) fillGap(ctx context.Context, g *gap) []*Event {
	var events []*Event
	var met []uint64
	var own []echo
	defer g.entry.release()
	fetched, rest := 0, ""
	log := b.log.With("room_id", g.room.id)
	for from, done := g.from, false; !done; {
		page, next, err := b.messagesBefore(ctx, g, from)
		if err != nil && ctx.Err() != nil && g.entry != nil {
			// The next start fills it.
			g.entry.interrupted()
			b.unmeet(met)
			return nil
		}
		if err != nil {
			if ctx.Err() == nil {
				log.Error("gap in the timeline not filled", "err", err)
			}
			if _, hope := retryWait(err, new(backoff)); hope {
				rest = from
			}
			break
		}
		news := false
		for _, raw := range page {
			fetched++
			parsed, ok := syncjson.Parse([]byte(raw))
			if !ok || !validEventID(parsed.ID) {
				log.Warn("event of a gap skipped", "reason", "malformed")
				continue
			}
			if e, ok := echoOf(g.room.id, b.UserID(), &parsed); ok {
				b.echoes.hear(e)
				own = append(own, e)
			}
			key, fresh := b.meet(parsed.ID)
			if !fresh {
				if g.entry.isLeft() || slices.Contains(g.after, key) || b.echoes.wasBesideGap(g.room.id, key) {
					continue
				}
				done = true
				break
			}
			news = true
			met = append(met, key)
			if b.wants(&parsed) && !(g.late && isOld(b, &parsed)) {
				events = append(events, newEvent(g.room, timelineClass(&parsed), parsed.Keep()))
			}
		}
		switch {
		case next == "" || next == from || len(page) == 0 || !news && g.entry.isLeft():
			done = true
		case fetched >= maxGapEvents && !done:
			log.Warn("gap in the timeline is larger than can be filled; older events are lost", "events", fetched)
			done = true
		}
		from = next
	}
	slices.Reverse(events)
	if g.entry != nil {
		var a arrival
		for i, e := range events {
			a.event(&b.inbox, within(g.entry.key, g.filled+i), e)
			if g.entry.left {
				e.entry.repeats()
			}
		}
		kept := b.keepEchoes(own)
		changes := append(b.remember(met), kept.changes...)
		if rest != "" {
			changes = append(changes, g.shrink(rest, len(events)))
		}
		a.put(b.journal, changes...)
		kept.check(b)
	}
	b.echoes.gapFilled(g.room.id)
	return events
}

// shrink leaves what lies before from to the bot's next start.
func (g *gap) shrink(from string, filled int) Change {
	if from != g.from {
		g.from, g.after = from, nil
	}
	g.filled += filled
	g.entry.interrupted()
	value, _ := json.Marshal(g.record()) // Strings and numbers can always be encoded.
	return Put(tableInbox, g.entry.key, value)
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
	case event.EventEncrypted.Type:
		return b.settings.encryption != nil
	}
	return len(b.listeners.of(e.Type)) > 0 || b.waiters.any()
}

// mayStart tells whether an event may start something that must not be lost. It is asked only where there is a store.
func (b *Bot) mayStart(e *Event) bool {
	if e.Type.Class != event.MessageEventType && e.Type.Class != event.StateEventType {
		return false // What is passing is worth nothing later.
	}
	if len(b.listeners.of([]byte(e.Type.Type))) > 0 || b.waiters.any() || e.Type != event.EventMessage {
		return true
	}
	m, ok := e.message()
	if !ok || !b.heeds(m) {
		return false
	}
	if m.Replaces != "" || len(b.triggers.list()) > 0 {
		return true
	}
	_, _, ok = b.route(m.room, m)
	return ok
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

// isOld tells whether an event of the time when the bot was down is too old to be worked on, by the homeserver's clock.
func isOld[T syncjson.Text](b *Bot, e *syncjson.Event[T]) bool {
	age, ok := e.Age()
	return ok && b.config.Backlog > 0 && time.Duration(age)*time.Millisecond > b.config.Backlog
}
