package niobot

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"maunium.net/go/mautrix/id"
)

// inbox is the events that are to be worked on and not done yet. What is in it when the bot ends is worked on at the
// next start.
type inbox struct {
	journal *journal
	kv      *kvTable
	echoes  *echoes

	mu   sync.Mutex
	next uint64 // The place of the next event
}

// entry is an event in the inbox, or a gap. It is done when all who hold it have released it. A nil entry is one of a
// bot that forgets, of which nothing is kept.
type entry struct {
	inbox *inbox
	key   string // The place in the order of the inbox
	slot  slot
	left  bool // Whether it may have been begun before the bot's start
	past  past // What its runs did then
	holds atomic.Int32
	stays atomic.Bool // Whether it was interrupted, and stays in the inbox

	sends []string // The transactions of its runs; with over, of the lock of echoes
	over  bool     // Whether its end is on its way to the store

	settled chan struct{} // Closed when it is done, or waits for something that may never come
	once    sync.Once

	mu     sync.Mutex
	marked bool               // Whether something else is stored under its key
	with   []Change           // What is stored together with its end
	values map[string]kvValue // What takes effect with it
}

// inboxRecord is an entry as it is stored.
type inboxRecord struct {
	RoomID id.RoomID       `json:"room_id"`
	Tries  int             `json:"tries,omitempty"` // How often it was begun anew, alone, after a crash
	Event  json.RawMessage `json:"event,omitempty"`
	Gap    *gapRecord      `json:"gap,omitempty"`
}

type gapRecord struct {
	From  string   `json:"from"`
	Since string   `json:"since"`
	After []uint64 `json:"after,omitempty"`
	Late  bool     `json:"late,omitempty"`

	Filled int `json:"filled,omitempty"` // How many events of it have entries of their own
}

// place is the key of the next entry.
func (in *inbox) place() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.next++
	return fmt.Sprintf("%016x", in.next)
}

// within is the key of the n-th event that fills a gap.
func within(gap string, n int) string { return fmt.Sprintf("%s.%08x", gap, n) }

// arrival is what comes into the inbox together.
type arrival struct {
	entries []*entry
	changes []Change // One for each entry
}

// event makes an event's entry, held once.
func (a *arrival) event(in *inbox, key string, e *Event) {
	e.entry = in.entry(key)
	room, _ := json.Marshal(e.RoomID) // A string can always be encoded.
	value := make([]byte, 0, len(room)+len(e.kept.Raw)+32)
	value = append(append(value, `{"room_id":`...), room...)
	value = append(append(append(value, `,"event":`...), e.kept.Raw...), '}')
	a.add(e.entry, value)
}

// gap makes a gap's entry, held once.
func (a *arrival) gap(in *inbox, key string, g *gap) {
	g.entry = in.entry(key)
	value, _ := json.Marshal(g.record()) // So can strings and numbers.
	a.add(g.entry, value)
}

func (a *arrival) add(e *entry, value []byte) {
	a.entries = append(a.entries, e)
	a.changes = append(a.changes, Put(tableInbox, e.key, value))
}

// put hands all over to be stored, in one transaction with other changes.
func (a *arrival) put(j *journal, others ...Change) slot {
	first := j.put(append(a.changes, others...)...)
	for i, e := range a.entries {
		e.slot = slot{first.batch, first.index + i}
	}
	return first
}

func (in *inbox) entry(key string) *entry {
	e := &entry{inbox: in, key: key, settled: make(chan struct{})}
	e.holds.Store(1)
	return e
}

// known is an entry that is in the store already, held once.
func (in *inbox) known(key string) *entry {
	e := in.entry(key)
	e.marked = true
	e.repeats()
	e.slot = slotOf(tableInbox, key)
	return e
}

// hold keeps the entry open until release is called once more.
func (e *entry) hold() {
	if e != nil {
		e.holds.Add(1)
	}
}

// holdIfOpen is hold for one who does not hold the entry; it reports false where that is done.
func (e *entry) holdIfOpen() bool {
	for {
		n := e.holds.Load()
		if n == 0 {
			return false
		}
		if e.holds.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release says that one who held the entry is done with it.
func (e *entry) release() {
	if e == nil || e.holds.Add(-1) > 0 {
		return
	}
	defer e.settle()
	if e.left {
		defer e.inbox.echoes.drop()
	}
	if e.stays.Load() {
		return
	}
	e.mu.Lock()
	changes, values := e.with, e.values
	if e.marked {
		changes = append(changes, e.traces()...)
	}
	e.mu.Unlock()
	defer e.inbox.echoes.closes(e)
	e.inbox.kv.commit(values, func(more []Change) { e.inbox.journal.remove(e.slot, append(changes, more...)...) })
}

// repeats says that the entry may have been begun before the bot's start.
func (e *entry) repeats() {
	e.left = true
	e.inbox.echoes.hold()
}

// traces is what deletes all that is stored under the entry's key but the entry.
func (e *entry) traces() []Change { return tracesOf(e.key) }

func tracesOf(entry string) []Change {
	return []Change{
		DeleteAll(tableWait, entry+"\x00"), DeleteAll(tableOnce, entry+"\x00"), DeleteAll(tableEcho, entry+"\x00"),
	}
}

// finishSetting makes what a run has set in KVs take effect together with the entry's end.
func (e *entry) finishSetting(values map[string]kvValue) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.values == nil {
		e.values = values
		return
	}
	maps.Copy(e.values, values)
}

// settle says that the work on the entry has not crashed the bot.
func (e *entry) settle() {
	if e != nil {
		e.once.Do(func() { close(e.settled) })
	}
}

// interrupted keeps the entry in the store: the bot ended before its work was done.
func (e *entry) interrupted() {
	if e != nil {
		e.stays.Store(true)
	}
}

// finishWith stores the changes in one transaction with the entry's end. Without an entry they are stored at once,
// where there is a journal.
func (e *entry) finishWith(j *journal, changes ...Change) {
	switch {
	case len(changes) == 0:
	case e != nil:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.with = append(e.with, changes...)
	case j != nil:
		j.put(changes...)
	}
}

// mark stores something under the entry's key, which goes with the entry.
func (e *entry) mark(table Table, name string, value []byte) Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.marked = true
	return Put(table, e.key+"\x00"+name, value)
}

// gapOf is a gap as it is stored.
func (g *gap) record() inboxRecord {
	return inboxRecord{RoomID: g.room.id, Gap: &gapRecord{
		From: g.from, Since: g.since, After: g.after, Late: g.late, Filled: g.filled,
	}}
}
