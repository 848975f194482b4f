package niobot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// How the journal writes.
const (
	// journalDelay is how long changes wait for others to be stored together with. What a crash takes with it in that
	// time comes again by the sync, and is done again under the same transaction ids.
	journalDelay = 20 * time.Millisecond

	journalDrain = 5 * time.Second // What the last writing may take when the bot stops, also one that is under way
)

// The tables of the bot's own.
const (
	tableMeta    Table = "meta"    // What there is one of, by its name
	tableSeen    Table = "seen"    // The latest events' keys, by sync response
	tableInbox   Table = "inbox"   // Events that are not done, in their order
	tableAside   Table = "aside"   // Those that were given up
	tableWait    Table = "wait"    // What runs that are not done have heard, by their events
	tableOnce    Table = "once"    // Runs that must not be repeated, by their events
	tableEcho    Table = "echo"    // What runs that are not done have sent, as it came back by sync, by their events
	tableRun     Table = "run"     // What the latest runs left in their rooms
	tableRoom    Table = "room"    // Rooms without their state
	tableState   Table = "state"   // State but members, by room, type and key
	tableMember  Table = "member"  // Members, by room and user
	tableAccount Table = "account" // Account data, by type
	tableOutbox  Table = "outbox"  // What is to be sent, in its order
)

// journal writes into the store what must not be forgotten. What is handed over while a transaction is being made goes
// into the next one, all in the order in which it came. Where the store has trouble that may pass, such as a full disk,
// the journal keeps the changes and tries again, and those who wait go on waiting.
type journal struct {
	store Store
	log   *slog.Logger
	fail  func(error) // Called once, when the store can't be used any more

	mu      sync.Mutex
	batch   *journalBatch // What waits to be written
	err     error         // Why nothing is written any more
	stopped bool
	wake    chan struct{} // Holds something while there is something to write
	urgent  chan struct{} // Holds something while somebody waits for it
	quit    chan struct{}
	done    chan struct{}
	life    context.Context // Ends some time after quit is closed
	endLife context.CancelFunc
}

// journalBatch is the changes of one transaction.
type journalBatch struct {
	changes []Change
	stored  chan struct{} // Closed when they are stored, or never will be
	err     error         // In the latter case
	taken   bool          // Whether the writing has begun
}

// isStored tells whether the batch is stored, or never will be.
func (b *journalBatch) isStored() bool {
	select {
	case <-b.stored:
		return true
	default:
		return false
	}
}

// slot is the place of a change that may not have been written yet.
type slot struct {
	batch *journalBatch
	index int
}

// slotOf is the place of a key that was written before the bot's start.
func slotOf(table Table, key string) slot {
	return slot{batch: &journalBatch{changes: []Change{{Table: table, Key: key}}, taken: true}}
}

func newJournal(store Store, log *slog.Logger, fail func(error)) *journal {
	j := &journal{
		store: store, log: log, fail: fail, batch: newJournalBatch(),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	j.life, j.endLife = context.WithCancel(context.Background())
	return j
}

func newJournalBatch() *journalBatch { return &journalBatch{stored: make(chan struct{})} }

// put hands changes over, all for one transaction, and returns the place of the first of them.
func (j *journal) put(changes ...Change) (first slot) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first = slot{j.batch, len(j.batch.changes)}
	if j.err == nil {
		j.batch.changes = append(j.batch.changes, changes...)
		poke(j.wake)
	}
	return first
}

// write is put that waits until the changes, and all that was handed over before them, are stored.
func (j *journal) write(ctx context.Context, changes ...Change) error {
	at := j.put(changes...)
	poke(j.urgent)
	return j.wait(ctx, at.batch)
}

// wait returns when the batch is stored, or with the reason why it is not.
func (j *journal) wait(ctx context.Context, batch *journalBatch) error {
	if batch.isStored() {
		return batch.err // Also where ctx has ended
	}
	select {
	case <-batch.stored:
		return batch.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// remove deletes the key of a change that was put before, or takes the change back where it was not written yet.
func (j *journal) remove(at slot, others ...Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return
	}
	c := &at.batch.changes[at.index]
	if at.batch.taken {
		j.batch.changes = append(j.batch.changes, Delete(c.Table, c.Key))
	} else {
		c.Table = ""
	}
	j.batch.changes = append(j.batch.changes, others...)
	poke(j.wake)
}

// run writes until stop is called, and then what is left.
func (j *journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
		case <-j.quit:
			if j.writeBatch() {
				j.end(j.take(), ErrClosed)
			}
			return
		}
		j.linger()
		if !j.writeBatch() {
			return
		}
	}
}

// linger lets changes come together.
func (j *journal) linger() {
	t := time.NewTimer(journalDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-j.urgent:
	case <-j.quit:
	}
}

// take is the changes that wait; nil where there are none.
func (j *journal) take() *journalBatch {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case <-j.wake:
	default:
	}
	batch := j.batch
	j.batch = newJournalBatch()
	batch.taken = true
	return batch
}

// writeBatch stores what waits, and repeats that until it works. It reports false where it gave up: since the store
// can't be used any more, or since it is in trouble for longer than the bot may take to stop.
func (j *journal) writeBatch() bool {
	batch := j.take()
	changes := batch.compact()
	if len(changes) == 0 {
		close(batch.stored)
		return true
	}
	var wait backoff
	quit := j.quit
	for told := false; ; told = true {
		err := j.store.Commit(j.life, changes)
		if err == nil {
			if told {
				j.log.Info("store works again", "store", j.store.String())
			}
			close(batch.stored)
			return true
		}
		if isStoreLost(err) || j.life.Err() != nil {
			j.end(batch, err)
			return false
		}
		pause := min(wait.wait(), 5*time.Second)
		j.log.Error("store can't be written; what is to be stored is kept and tried again", "store", j.store.String(),
			"retry_in", pause, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-quit:
			quit = nil // There may be room by now.
			wait.reset()
		case <-j.life.Done():
		}
		t.Stop()
	}
}

// end gives up: nothing is stored any more, and those who wait are told.
func (j *journal) end(batch *journalBatch, why error) {
	batch.err = why
	close(batch.stored)
	j.mu.Lock()
	rest := j.batch
	j.err = why
	j.batch = newJournalBatch()
	j.batch.err = why
	close(j.batch.stored) // Of all that come later
	j.mu.Unlock()
	if rest != batch && !rest.taken {
		rest.err = why
		close(rest.stored)
	}
	if isStoreLost(why) {
		j.fail(why)
	}
}

// compact drops what was taken back.
func (b *journalBatch) compact() []Change {
	kept := b.changes[:0:0]
	for _, c := range b.changes {
		if c.Table != "" {
			kept = append(kept, c)
		}
	}
	return kept
}

// stop writes what is left, and gives the store up.
func (j *journal) stop() {
	j.mu.Lock()
	stopped := j.stopped
	j.stopped = true
	j.mu.Unlock()
	if !stopped {
		close(j.quit)
	}
	limit := time.AfterFunc(journalDrain, j.endLife)
	<-j.done
	limit.Stop()
	j.endLife()
	if err := j.store.Release(); err != nil {
		j.log.Warn("store not released", "store", j.store.String(), "err", err)
	}
}

// isStoreLost tells whether a store's trouble will not pass by waiting.
func isStoreLost(err error) bool {
	for _, lost := range []error{ErrStoreLost, ErrStoreCorrupt, ErrStoreNewer, ErrStoreOwner, ErrStoreInUse} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

// poke puts something into a channel of one place.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
