package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// What becomes of events whose handling a crash has ended.
const (
	// maxTries is how often an event is worked on anew, alone, before it is set aside as the likely cause.
	maxTries = 3

	// fewCrashes is how many crashes in a row are taken for ones from outside, after which all begins as always.
	fewCrashes = 2

	// tryAlone is how long such an event may hold up the next one. What it crashes after that, it is still blamed for,
	// together with those that were begun meanwhile. The first time it is short, so that many events that are innocent
	// are soon done with.
	tryAlone   = 5 * time.Second
	tryBriefly = 100 * time.Millisecond
)

// ErrSetAside is told to the error handler of a command whose message was being worked on whenever the bot crashed:
// after the third time it is left alone, so that the bot can live.
var ErrSetAside = errors.New("the bot crashed repeatedly while it worked on this message, which is set aside")

// inbox is the events that are to be worked on and not done yet. What is in it when the bot ends is worked on at the
// next start.
type inbox struct {
	journal *journal
	kv      *kvTable

	straggling time.Time // Until when the homeserver may work on requests of a process that crashed

	mu   sync.Mutex
	next uint64 // The place of the next event
}

// entry is an event in the inbox, or a gap. It is done when all who hold it have released it. A nil entry is one of a
// bot that forgets, of which nothing is kept.
type entry struct {
	inbox *inbox
	key   string // The place in the order of the inbox
	slot  slot
	left  bool // Whether it is of the time before the bot's start
	past  past // What its runs did then
	holds atomic.Int32
	stays atomic.Bool // Whether it was interrupted, and stays in the inbox

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
	e.left, e.marked = true, true
	e.slot = slotOf(tableInbox, key)
	return e
}

// hold keeps the entry open until release is called once more.
func (e *entry) hold() {
	if e != nil {
		e.holds.Add(1)
	}
}

// release says that one who held the entry is done with it.
func (e *entry) release() {
	if e == nil || e.holds.Add(-1) > 0 {
		return
	}
	defer e.settle()
	if e.stays.Load() {
		return
	}
	e.mu.Lock()
	changes, values := e.with, e.values
	if e.marked {
		changes = append(changes, DeleteAll(tableWait, e.key+"\x00"), DeleteAll(tableOnce, e.key+"\x00"))
	}
	e.mu.Unlock()
	e.inbox.kv.commit(values, func(more []Change) { e.inbox.journal.remove(e.slot, append(changes, more...)...) })
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

// resume works on what was left at the last end of the bot. After a crash it begins as always, since most crashes come
// from outside. Where the bot has crashed again and again before all of it was done, what may have been the cause is begun
// alone, one after the other, before all else.
func (b *Bot) resume(ctx context.Context, crashes int) error {
	for _, room := range b.rooms.list() {
		switch room.Membership() {
		case event.MembershipInvite:
			b.joiner.offer(room)
		case event.MembershipJoin:
			b.joiner.followOn(room)
		}
	}
	if !b.keeps() {
		return nil
	}
	items, err := b.leftOver(ctx)
	if err != nil {
		return err
	}
	// Work begins in order, so what had begun is among the first.
	begun := min(len(items), b.config.Workers)
	left := make([]*entry, begun)
	for i, item := range items[:begun] {
		left[i] = item.entry
	}
	defer b.forgive(crashes, left)
	if len(items) == 0 {
		return nil
	}
	b.keepRecent(left)
	b.log.Info("work of the last time goes on", "events", len(items), "crashes", crashes)
	suspects := 0
	if crashes > fewCrashes {
		suspects = begun
	}
	for _, item := range items[:suspects] {
		if err := b.tryAgain(ctx, item); err != nil {
			return err
		}
	}
	for _, item := range items[suspects:] {
		b.dispatcher.pushItem(item.room, item.laneItem)
	}
	return nil
}

// forgive forgets the crashes as soon as the bot is ready and what they left has not caused another.
func (b *Bot) forgive(crashes int, left []*entry) {
	if crashes == 0 {
		return
	}
	b.dispatcher.goOwned(func() {
		select {
		case <-b.ready:
		case <-b.hearing.Done():
			return
		}
		if b.settled(left) {
			b.journal.put(Delete(tableMeta, metaCrashes))
		}
	})
}

// settled waits until the work on all the entries is done or waits, and reports false where the bot stops before.
func (b *Bot) settled(left []*entry) bool {
	for _, e := range left {
		select {
		case <-e.settled:
		case <-b.hearing.Done():
			return false
		}
	}
	return true
}

// keepRecent keeps what comes for the runs that are repeated, until those have come to where they wait for it.
func (b *Bot) keepRecent(left []*entry) {
	b.waiters.enter()
	b.dispatcher.goOwned(func() {
		defer b.waiters.leave()
		b.settled(left)
	})
}

// leftItem is an entry of the last time.
type leftItem struct {
	laneItem
	room   *Room
	record inboxRecord
	entry  *entry
	key    string
}

// leftOver is the inbox as it was left, what is suspected most at the end.
func (b *Bot) leftOver(ctx context.Context) ([]leftItem, error) {
	var items, suspected []leftItem
	pasts, err := b.loadPasts(ctx)
	if err != nil {
		return nil, err
	}
	for record, err := range b.settings.store.Scan(ctx, tableInbox, "") {
		if err != nil {
			return nil, fmt.Errorf("read inbox: %w", err)
		}
		item, ok := b.leftItem(record)
		if ok {
			item.entry.past = pasts[record.Key]
		}
		switch {
		case !ok:
			b.log.Error("inbox entry can't be read and is set aside", "key", record.Key)
			b.journal.put(Put(tableAside, record.Key, record.Value), Delete(tableInbox, record.Key))
		case item.record.Tries > 0:
			suspected = append(suspected, item)
		default:
			items = append(items, item)
		}
	}
	if len(suspected) > 0 && len(items) > b.config.Workers-len(suspected) {
		// They must be among those that are tried alone.
		at := max(0, b.config.Workers-len(suspected))
		return append(append(append([]leftItem(nil), items[:at]...), suspected...), items[at:]...), nil
	}
	return append(items, suspected...), nil
}

func (b *Bot) leftItem(record Record) (item leftItem, ok bool) {
	if json.Unmarshal(record.Value, &item.record) != nil || item.record.RoomID == "" {
		return item, false
	}
	item.key, item.room = record.Key, b.rooms.room(item.record.RoomID)
	item.entry = b.inbox.known(record.Key)
	if g := item.record.Gap; g != nil {
		item.gap = &gap{
			room: item.room, from: g.From, since: g.Since, after: g.After, late: g.Late, filled: g.Filled, entry: item.entry,
		}
		return item, true
	}
	kept, ok := syncjson.Parse(string(item.record.Event))
	if !ok {
		return item, false
	}
	item.event = newEvent(item.room, timelineClass(&kept), kept)
	item.event.entry = item.entry
	return item, true
}

// tryAgain begins an event of the last time, and waits until it is done, or has shown that it does not crash the bot at
// once.
func (b *Bot) tryAgain(ctx context.Context, item leftItem) error {
	item.record.Tries++
	value, err := json.Marshal(item.record)
	if err != nil {
		return fmt.Errorf("encode inbox entry: %w", err)
	}
	if item.record.Tries > maxTries {
		return b.setAside(ctx, item, value)
	}
	if err := b.journal.write(ctx, Put(tableInbox, item.key, value)); err != nil {
		return err
	}
	b.dispatcher.pushItem(item.room, item.laneItem)
	hold := tryAlone
	if item.record.Tries == 1 {
		hold = tryBriefly
	}
	limit := time.NewTimer(hold)
	defer limit.Stop()
	select {
	case <-item.entry.settled:
	case <-limit.C:
	case <-ctx.Done():
	}
	return nil
}

// setAside gives an event up.
func (b *Bot) setAside(ctx context.Context, item leftItem, value []byte) error {
	defer item.entry.settle()
	b.log.Error("event set aside", "room_id", item.room.id, "key", item.key, "tries", maxTries, "err", ErrSetAside)
	err := b.journal.write(ctx, Put(tableAside, item.key, value), Delete(tableInbox, item.key),
		DeleteAll(tableWait, item.key+"\x00"), DeleteAll(tableOnce, item.key+"\x00"))
	if err != nil || item.event == nil {
		return err
	}
	m, ok := item.event.message()
	if !ok || !b.heeds(m) {
		return nil
	}
	found, c, ok := b.route(item.room, m)
	if !ok {
		return nil
	}
	item.event.entry = nil
	c.failed = ErrSetAside
	b.start(&b.history, found, c, nil)
	return nil
}
