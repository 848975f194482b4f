package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"maunium.net/go/mautrix/event"
)

// standbyPause is how often a bot that stands by looks whether the store is free.
const standbyPause = time.Second

// The keys of tableMeta.
const (
	metaToken   = "sync_token"
	metaRunning = "running" // There while a bot works; what finds it at its start comes after a crash
	metaCrashes = "crashes" // How many in a row, while what they left is not done
	metaSalt    = "salt"
	metaFilters = "filters"
	metaSettled = "settled" // Never there: taking it away waits for all that is to be stored before
)

// WithStore makes the bot keep in the store what it must not forget: its place in the stream of events, the commands that
// it has begun, the state of its rooms, and what its author stores. With it, each command is answered once, whatever
// crashes, and a restart takes no first sync. The store is claimed by [Bot.Run] and released when that returns; closing
// it is the caller's matter.
func WithStore(store Store) Option {
	return func(s *settings) {
		if store == nil {
			s.wrong("WithStore", "the store is nil")
			return
		}
		s.store = store
	}
}

// WithStandby makes [Bot.Run] wait while another process holds the store, and take over when that ends or dies. Without
// it, Run returns [ErrStoreInUse].
func WithStandby() Option { return func(s *settings) { s.standby = true } }

// keeps tells whether the bot has a store for what it must not forget.
func (b *Bot) keeps() bool { return b.settings.store != nil }

// resumption is where the bot stood when it ended.
type resumption struct {
	since   string // Empty at the first start
	crashes int    // How often in a row it ended without notice, before what that left was done
}

// open claims the store and reads what is in it. fail is called when the store can't be used any more.
func (b *Bot) open(ctx context.Context, fail func(error)) (resumption, error) {
	if !b.keeps() {
		b.log.Warn("the bot has no store: what it is doing is lost when it ends; see WithStore")
		return resumption{}, nil
	}
	if s, ok := b.settings.store.(interface{ Volatile() bool }); ok && s.Volatile() {
		b.log.Warn("the bot's store is one of memory: what it is doing is lost when the process ends")
	}
	if err := b.claim(ctx); err != nil {
		return resumption{}, err
	}
	b.journal = newJournal(b.settings.store, b.log, fail)
	b.inbox.journal = b.journal
	b.kv.open(b.settings.store, b.journal)
	b.echoes.journal = b.journal
	b.echoes.hold() // Until the first sync
	go b.journal.run()
	at, err := b.load(ctx)
	if err != nil {
		return resumption{}, err
	}
	changes := []Change{Put(tableMeta, metaRunning, []byte(time.Now().UTC().Format(time.RFC3339)))}
	if at.crashes > 0 {
		b.echoes.straggling = time.Now().Add(stragglers)
		changes = append(changes, Put(tableMeta, metaCrashes, strconv.AppendInt(nil, int64(at.crashes), 10)))
	}
	return at, b.journal.write(ctx, changes...)
}

// claim makes the store the bot's, or waits for it where that was asked for.
func (b *Bot) claim(ctx context.Context) error {
	owner := Account{UserID: b.client.UserID, DeviceID: b.client.DeviceID}
	for told := false; ; told = true {
		err := b.settings.store.Claim(ctx, owner)
		if err == nil || !b.settings.standby || !errors.Is(err, ErrStoreInUse) {
			return err
		}
		if !told {
			b.log.Info("another process holds the store; standing by", "store", b.settings.store.String())
		}
		if err := sleep(ctx, standbyPause); err != nil {
			return err
		}
	}
}

// load reads all but the inbox.
func (b *Bot) load(ctx context.Context) (at resumption, err error) {
	meta := make(map[string][]byte)
	for record, err := range b.settings.store.Scan(ctx, tableMeta, "") {
		if err != nil {
			return at, fmt.Errorf("read store: %w", err)
		}
		meta[record.Key] = record.Value
	}
	at.since = string(meta[metaToken])
	if _, crashed := meta[metaRunning]; crashed {
		before, _ := strconv.Atoi(string(meta[metaCrashes])) // Zero where it is missing
		at.crashes = before + 1
	}
	if at.since == "" {
		// What a first sync has left that was not finished is of no use.
		err := b.journal.write(ctx, DeleteAll(tableRoom, ""), DeleteAll(tableState, ""), DeleteAll(tableMember, ""),
			DeleteAll(tableAccount, ""))
		if err != nil {
			return at, err
		}
	}
	_ = json.Unmarshal(meta[metaFilters], &b.filters.ids) // Without them, new ones are made.
	if err := b.loadSeen(ctx, meta[metaSalt]); err != nil {
		return at, err
	}
	keep := &roomStore{store: b.settings.store, log: b.log, most: b.loadedRooms}
	if err := b.rooms.loadRooms(ctx, keep); err != nil {
		return at, err
	}
	direct, ok, err := b.settings.store.Get(ctx, tableAccount, event.AccountDataDirectChats.Type)
	if err != nil {
		return at, fmt.Errorf("read account data: %w", err)
	}
	if ok {
		b.direct.learn(string(direct))
	}
	if err := b.queue.load(ctx); err != nil {
		return at, err
	}
	past, err := b.loadRuns(ctx)
	if err != nil {
		return at, err
	}
	b.history.restore(b, past[""])
	delete(past, "")
	b.triggers.restore(b, past)
	return at, b.inbox.load(ctx, b.settings.store)
}

// load finds the last place that is taken.
func (in *inbox) load(ctx context.Context, store Store) error {
	for record, err := range store.Scan(ctx, tableInbox, "") {
		if err != nil {
			return fmt.Errorf("read inbox: %w", err)
		}
		var at uint64
		if _, err := fmt.Sscanf(record.Key, "%16x", &at); err == nil {
			in.next = max(in.next, at)
		}
	}
	return nil
}

// release says that the bot ended as it should, and gives the store up.
func (b *Bot) release() {
	if b.journal == nil {
		return
	}
	if b.opened {
		b.journal.put(Delete(tableMeta, metaRunning), Delete(tableMeta, metaCrashes))
	}
	b.journal.stop()
}
