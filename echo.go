package niobot

import (
	"context"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Bounds of what is kept of the bot's own events.
const (
	// stragglers is how long a homeserver may work on requests of a process that crashed. A server that looks for a
	// transaction id only before it begins, as Dendrite does, takes one that is repeated meanwhile for another.
	stragglers = 2 * time.Second

	// maxEchoes is how many of the bot's own events are known by their transactions while runs are repeated.
	maxEchoes = 1 << 16

	// syncPatience is how long a send whose answer was lost waits for syncs to work again, which is more than the
	// longest pause between two attempts of those.
	syncPatience = lastBackoff + 30*time.Second
)

// echoes are the bot's own events as they come back by sync, with the transaction ids by which this device sent them
// (spec: Client-Server API, "Transaction identifiers"). A homeserver may forget these ids, as Dendrite does when it
// restarts, and take a request that is repeated for a new one; its syncs still tell them.
type echoes struct {
	mu      sync.Mutex
	flights map[string]id.EventID // Transactions that are under way → what has come of them
	open    map[string]*entry     // Those of entries that are not done
	before  map[string]id.EventID // What came of transactions while something is repeated
	repeats int                   // What may be repeated yet
	journal *journal              // Nil where there is no store
	strays  bool                  // Whether some are stored that belong to no entry yet
	gaps    map[id.RoomID]*roomGaps
	broken  chan struct{} // Closed when syncs work again; nil while they do

	caught     <-chan struct{} // Closed when the first sync has been taken in
	straggling time.Time       // Until when the homeserver may work on requests of a process that crashed
}

// roomGaps are the gaps of a room that are not filled yet.
type roomGaps struct {
	open   int
	filled chan struct{}
	beside map[uint64]struct{} // Events that syncs have brought meanwhile; some may be of the gaps
}

// echo is an event of the bot's own that came.
type echo struct {
	room        id.RoomID
	transaction string
	event       id.EventID
}

// echoOf is the echo that an event is, if it is one.
func echoOf[T syncjson.Text](room id.RoomID, own id.UserID, e *syncjson.Event[T]) (found echo, ok bool) {
	if string(e.Sender) != string(own) || !validEventID(e.ID) {
		return echo{}, false
	}
	transaction := e.TransactionID()
	if !strings.HasPrefix(string(transaction), transactionPrefix) {
		return echo{}, false
	}
	return echo{room, string(transaction), id.EventID(e.ID)}, true
}

// hear takes an echo in.
func (x *echoes) hear(e echo) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, flies := x.flights[e.transaction]; flies {
		x.flights[e.transaction] = e.event
	}
	if x.repeats > 0 && len(x.before) < maxEchoes {
		if x.before == nil {
			x.before = make(map[string]id.EventID)
		}
		x.before[e.transaction] = e.event
	}
}

// find is the event that a transaction has made, where that is known.
func (x *echoes) find(transaction string) (id.EventID, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if found := x.flights[transaction]; found != "" {
		return found, true
	}
	found, ok := x.before[transaction]
	return found, ok
}

// launch notes that a transaction is under way, until land is called.
func (x *echoes) launch(transaction string) (land func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.flights == nil {
		x.flights = make(map[string]id.EventID)
	}
	x.flights[transaction] = ""
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.flights, transaction)
	}
}

// belongs notes that a transaction is one of an entry, which a crash would repeat it with.
func (x *echoes) belongs(transaction string, e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		x.open = make(map[string]*entry)
	}
	x.open[transaction] = e
	e.sends = append(e.sends, transaction)
}

// keep is the change that stores an echo for who may repeat it after a crash, if somebody may, and the entry that it goes
// with. A run that is repeated may yet have to come to where it makes the transaction: what it belongs to is not known then.
func (x *echoes) keep(e echo) (c Change, owner *entry, ok bool) {
	x.mu.Lock()
	owner = x.open[e.transaction]
	stray := owner == nil && x.journal != nil && x.before[e.transaction] != ""
	x.strays = x.strays || stray
	x.mu.Unlock()
	switch {
	case owner != nil:
		return owner.mark(tableEcho, e.transaction, []byte(e.event)), owner, true
	case stray:
		return Put(tableEcho, strayEchoes+e.transaction, []byte(e.event)), nil, true
	}
	return Change{}, nil, false
}

// strayEchoes is what the keys of echoes begin with that belong to no entry.
const strayEchoes = "\x00"

// closes forgets what belongs to an entry, now that its end is on its way to the store.
func (x *echoes) closes(e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.over = true
	for _, transaction := range e.sends {
		delete(x.open, transaction)
	}
	e.sends = nil
}

func (x *echoes) isOver(e *entry) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return e.over
}

// hold says that there is one more thing that may be repeated; drop, that there is one less. Without any, what came is
// forgotten.
func (x *echoes) hold() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.repeats++
}

func (x *echoes) drop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.repeats--; x.repeats > 0 {
		return
	}
	x.before = nil
	if x.strays {
		x.strays = false
		x.journal.put(DeleteAll(tableEcho, strayEchoes))
	}
}

// gapOpened says that a room has a gap, which may hold echoes; gapFilled, that those have been taken in, or never will be.
func (x *echoes) gapOpened(room id.RoomID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gaps == nil {
		x.gaps = make(map[id.RoomID]*roomGaps)
	}
	if x.gaps[room] == nil {
		x.gaps[room] = &roomGaps{filled: make(chan struct{}), beside: make(map[uint64]struct{})}
	}
	x.gaps[room].open++
}

func (x *echoes) gapFilled(room id.RoomID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	gaps := x.gaps[room]
	if gaps.open--; gaps.open == 0 {
		close(gaps.filled)
		delete(x.gaps, room)
	}
}

// besideGap notes that a sync has brought an event of a room; wasBesideGap tells whether it did while the room had a gap.
func (x *echoes) besideGap(room id.RoomID, event uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if gaps := x.gaps[room]; gaps != nil {
		gaps.beside[event] = struct{}{}
	}
}

func (x *echoes) wasBesideGap(room id.RoomID, event uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	gaps := x.gaps[room]
	if gaps == nil {
		return false
	}
	_, was := gaps.beside[event]
	return was
}

// filled waits until the gaps of a room are filled.
func (x *echoes) filled(ctx context.Context, room id.RoomID) error {
	x.mu.Lock()
	gaps := x.gaps[room]
	x.mu.Unlock()
	if gaps == nil {
		return nil
	}
	return wait(ctx, gaps.filled)
}

// outwait returns when a transaction may be repeated that may have been made before the bot's start: as soon as its event
// is known, or when all has come that could tell of it and no request of that time is under way.
func (x *echoes) outwait(ctx context.Context, room id.RoomID, transaction string) error {
	if _, known := x.find(transaction); known {
		return nil
	}
	if err := wait(ctx, x.caught); err != nil {
		return err
	}
	if err := x.filled(ctx, room); err != nil {
		return err
	}
	if _, known := x.find(transaction); known {
		return nil
	}
	if rest := time.Until(x.straggling); rest > 0 {
		return sleep(ctx, rest)
	}
	return nil
}

// breaks says that syncs fail; mends, that they work.
func (x *echoes) breaks() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken == nil {
		x.broken = make(chan struct{})
	}
}

func (x *echoes) mends() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken != nil {
		close(x.broken)
		x.broken = nil
	}
}

// areBroken tells whether the latest sync failed.
func (x *echoes) areBroken() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.broken != nil
}

// afterFailure is the event that a transaction under way has made though the answer was lost, where that is known. Where
// syncs fail as well, the homeserver may have restarted and forgotten the transaction: the next sync is waited for. What is
// not told for long is sent once more.
func (x *echoes) afterFailure(ctx context.Context, room id.RoomID, transaction string) (id.EventID, bool) {
	x.mu.Lock()
	broken := x.broken
	x.mu.Unlock()
	if broken != nil {
		ctx, cancel := context.WithTimeout(ctx, syncPatience)
		defer cancel()
		if wait(ctx, broken) == nil {
			_ = x.filled(ctx, room)
		}
	}
	return x.find(transaction)
}

// wait returns when c is closed, or ctx ends.
func wait(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keptEchoes are changes that store echoes.
type keptEchoes struct {
	changes []Change
	owners  []*entry
}

// keepEchoes makes the changes that store echoes for those who may repeat them after a crash. They are to be stored
// together with the token of the sync that brought them: the next one brings them no more.
func (b *Bot) keepEchoes(list []echo) (kept keptEchoes) {
	for _, e := range list {
		if c, owner, ok := b.echoes.keep(e); ok {
			kept.changes = append(kept.changes, c)
			if owner != nil {
				kept.owners = append(kept.owners, owner)
			}
		}
		if waiting, ok := b.queue.arrived(e); ok {
			kept.changes = append(kept.changes, waiting)
		}
	}
	return kept
}

// check deletes what was stored after its owner's end.
func (kept keptEchoes) check(b *Bot) {
	for _, owner := range kept.owners {
		if b.echoes.isOver(owner) {
			b.journal.put(DeleteAll(tableEcho, owner.key+"\x00"))
		}
	}
}
