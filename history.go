package niobot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// How many of the latest runs are remembered, to be found by an edit or redaction of what started them.
const (
	maxHistory        = 1000
	maxTriggerHistory = 100 // Of one trigger
)

// history is the latest runs by the id of their command's message.
type history struct {
	name  string // The trigger's, empty for commands
	most  int    // Zero: maxHistory
	mu    sync.Mutex
	runs  map[id.EventID]*run
	order fifo[*run]
	rows  fifo[string] // The keys of what is stored of runs, in the order in which they ended
}

func (h *history) find(command id.EventID) *run {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[command]
}

// put makes r the latest run of its command.
func (h *history) put(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.runs == nil {
		h.runs = make(map[id.EventID]*run)
	}
	h.runs[r.call.Message.original()] = r
	h.order.push(r)
	for h.order.len() > cmp.Or(h.most, maxHistory) {
		oldest, _ := h.order.pop()
		if key := oldest.call.Message.original(); h.runs[key] == oldest {
			delete(h.runs, key)
		}
	}
}

// runRecord is what a run left in its room, as it is stored.
type runRecord struct {
	RoomID    id.RoomID    `json:"room_id"`
	Sender    id.UserID    `json:"sender"`
	Command   string       `json:"command"`
	Replies   []id.EventID `json:"replies,omitempty"`
	Reactions []id.EventID `json:"reactions,omitempty"`
	At        int64        `json:"at"` // When it ended, in nanoseconds since 1970
}

// record is the changes that store what a run left, and drop what has become too old.
func (h *history) record(r *run) []Change {
	c := r.call
	key := h.name + "\x00" + string(c.Message.original())
	if !fits(key) {
		return nil
	}
	record := runRecord{RoomID: c.Room.id, Sender: c.Message.Sender, At: time.Now().UnixNano()}
	record.Replies, record.Reactions = r.traces()
	if c.Command == nil {
		return []Change{Delete(tableRun, key)}
	}
	if len(record.Replies) == 0 && len(record.Reactions) == 0 {
		if c.Message.Replaces != "" {
			return []Change{Delete(tableRun, key)} // What there was before the edit is gone.
		}
		return nil
	}
	record.Command = c.Command.name
	value, err := json.Marshal(record)
	if err != nil {
		return nil // Strings and numbers can always be encoded.
	}
	changes := []Change{Put(tableRun, key, value)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rows.push(key)
	for h.rows.len() > cmp.Or(h.most, maxHistory) {
		oldest, _ := h.rows.pop()
		if oldest != key {
			changes = append(changes, Delete(tableRun, oldest))
		}
	}
	return changes
}

// pastRun is a run of the time before the bot's start.
type pastRun struct {
	key     string
	command id.EventID
	record  runRecord
}

// loadRuns reads what earlier runs left, by the name of their history.
func (b *Bot) loadRuns(ctx context.Context) (map[string][]pastRun, error) {
	runs := make(map[string][]pastRun)
	for stored, err := range b.settings.store.Scan(ctx, tableRun, "") {
		if err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		name, command, _ := strings.Cut(stored.Key, "\x00")
		past := pastRun{key: stored.Key, command: id.EventID(command)}
		if json.Unmarshal(stored.Value, &past.record) == nil {
			runs[name] = append(runs[name], past)
		}
	}
	for _, past := range runs {
		slices.SortFunc(past, func(a, b pastRun) int { return cmp.Compare(a.record.At, b.record.At) })
	}
	return runs, nil
}

// restore puts the runs of the time before the bot's start into the history.
func (h *history) restore(b *Bot, past []pastRun) {
	ended := make(chan struct{})
	close(ended)
	for _, p := range past {
		ctx, cancel := context.WithCancelCause(b.background())
		room := b.rooms.room(p.record.RoomID)
		r := &run{
			Context: ctx, cancel: cancel, pool: b.pool, history: h, done: ended,
			call: &Context{
				Message: &Message{Event: &Event{ID: p.command, RoomID: room.id, Sender: p.record.Sender, room: room}},
				Room:    room, Command: &Command{name: p.record.Command}, bot: b,
			},
			repeats: p.record.Replies, reactions: p.record.Reactions,
		}
		r.claimed.Store(true)
		cancel(nil)
		r.call.run = r
		h.put(r)
		h.mu.Lock()
		h.rows.push(p.key)
		h.mu.Unlock()
	}
}
