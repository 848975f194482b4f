package niobot

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// A run that a crash has ended is repeated from its start. What it had heard by then, it hears again in the same waits, so
// that it comes to where it was: its sends bear the same transaction ids, and show up once.

// heardRecord is an event that a wait has found, as it is stored.
type heardRecord struct {
	RoomID id.RoomID       `json:"room_id,omitempty"`
	Event  json.RawMessage `json:"event"`
}

// past is what is stored of the runs of one event, by the run's name.
type past struct {
	heard map[string][]*Event // By run and wait, in the order in which they came
	known map[string]bool     // The same events, by run and id
	found uint64              // The last number of one
	once  map[string]bool     // Runs that must not be repeated
}

// name tells the run from others that the same event has started.
func (r *run) name() string { return r.history.name + "\x00" + r.call.Command.name }

// nextWait is the name of the run's next wait, and what that has heard before a crash. Waits are counted by what they wait
// for, so that those which go on at once keep their answers where they begin in another order.
func (r *run) nextWait(f Filter) (wait string, heard []*Event) {
	if r == nil {
		return "", nil
	}
	about := sha256.Sum256([]byte(f.Type.Type + "\x00" + string(f.RoomID) + "\x00" + string(f.Sender)))
	wait = fmt.Sprintf("%s\x00%x", r.name(), about[:6])
	r.mu.Lock()
	if r.waits == nil {
		r.waits = make(map[string]uint64)
	}
	r.waits[wait]++
	wait += fmt.Sprintf("%08x", r.waits[wait])
	r.mu.Unlock()
	if entry := r.call.Message.entry; entry != nil {
		heard = entry.past.heard[wait]
	}
	return wait, heard
}

// hears stores that a wait of the run has found an event.
func (r *run) hears(wait string, e *Event) {
	if r == nil || r.call.Message.entry == nil {
		return
	}
	value, err := json.Marshal(heardRecord{RoomID: e.RoomID, Event: e.JSON()})
	if err != nil {
		r.call.Logger().Error("answer not stored", "err", err)
		return
	}
	entry := r.call.Message.entry
	change := entry.mark(tableWait, fmt.Sprintf("%s\x00%08x", wait, entry.past.found+r.found.Add(1)), value)
	if fits(change.Key) {
		r.call.bot.journal.put(change)
	}
}

// heardBefore tells whether the run has heard the event before a crash, and so hears it again without it coming again.
func (r *run) heardBefore(e *Event) bool {
	return r.isRepeated() && r.call.Message.entry.past.known[r.name()+"\x00"+string(e.ID)]
}

// outwait keeps a run that is repeated from sending before it is known what of it was sent.
func (r *run) outwait(ctx context.Context, room id.RoomID, transaction string) error {
	if !r.isRepeated() {
		return nil
	}
	return r.call.bot.echoes.outwait(ctx, room, transaction)
}

// isRepeated tells whether the run's event is one of the time before the bot's start.
func (r *run) isRepeated() bool { return r != nil && r.call.Message.entry.isLeft() }

func (e *entry) isLeft() bool { return e != nil && e.left }

// beginOnce stores that the run has begun, where it must not be repeated, and fails where that was stored before.
func (b *Bot) beginOnce(ctx context.Context, r *run) error {
	entry := r.call.Message.entry
	if entry == nil || !r.call.Command.once {
		return nil
	}
	if entry.past.once[r.name()] {
		return ErrInterrupted
	}
	return b.journal.write(ctx, entry.mark(tableOnce, r.name(), nil))
}

// loadPasts reads what is stored of the runs that are not done, by the keys of their entries.
func (b *Bot) loadPasts(ctx context.Context) (map[string]past, error) {
	pasts := make(map[string]past)
	of := func(entry string) past {
		p, ok := pasts[entry]
		if !ok {
			p = past{heard: make(map[string][]*Event), known: make(map[string]bool), once: make(map[string]bool)}
			pasts[entry] = p
		}
		return p
	}
	for record, err := range b.settings.store.Scan(ctx, tableOnce, "") {
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		entry, name, _ := strings.Cut(record.Key, "\x00")
		of(entry).once[name] = true
	}
	for record, err := range b.settings.store.Scan(ctx, tableEcho, "") {
		if err != nil {
			return nil, fmt.Errorf("read what was sent: %w", err)
		}
		entry, transaction, _ := strings.Cut(record.Key, "\x00")
		if entry == "" {
			b.echoes.strays = true
		} else {
			of(entry)
		}
		b.echoes.hear(echo{transaction: transaction, event: id.EventID(record.Value)})
	}
	for record, err := range b.settings.store.Scan(ctx, tableWait, "") {
		if err != nil {
			return nil, fmt.Errorf("read answers: %w", err)
		}
		entry, rest, _ := strings.Cut(record.Key, "\x00")
		wait, number := cutLast(rest)
		run, _ := cutLast(wait)
		p := of(entry)
		if n, err := strconv.ParseUint(number, 16, 64); err == nil {
			p.found = max(p.found, n)
		}
		if e, ok := b.heardEvent(record.Value); ok {
			p.heard[wait] = append(p.heard[wait], e)
			p.known[run+"\x00"+string(e.ID)] = true
		}
		pasts[entry] = p
	}
	return pasts, nil
}

// cutLast cuts a key before its last part.
func cutLast(key string) (before, last string) {
	i := strings.LastIndexByte(key, 0)
	return key[:max(0, i)], key[i+1:]
}

func (b *Bot) heardEvent(value []byte) (*Event, bool) {
	var record heardRecord
	if json.Unmarshal(value, &record) != nil {
		return nil, false
	}
	kept, ok := syncjson.Parse(string(record.Event))
	if !ok {
		return nil, false
	}
	var room *Room
	if record.RoomID != "" {
		room = b.rooms.room(record.RoomID)
	}
	return newEvent(room, timelineClass(&kept), kept), true
}
