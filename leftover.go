package niobot

import (
	"context"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// resume works on what was left at the last end of the bot. After a crash it begins as always, since most crashes come
// from outside. Where the bot has crashed again and again before all of it was done, what may have been the cause is on
// trial.
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
	// A gap is not suspected, and must not stay open: the longer it is, the more of it syncs may bring by other ways.
	suspected := func(i int) bool { return crashes > fewCrashes && i < begun && items[i].gap == nil }
	var suspects []leftItem
	for i, item := range items {
		if suspected(i) {
			suspects = append(suspects, item)
			continue
		}
		b.dispatcher.pushItem(item.room, item.laneItem)
	}
	if len(suspects) > 0 {
		b.try(crashes, suspects)
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
			delete(pasts, record.Key)
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
	for key := range pasts {
		b.journal.put(tracesOf(key)...) // A crash came between the end of the entry and that of what belongs to it.
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
	if g := item.record.Gap; g != nil {
		item.entry = b.inbox.known(record.Key)
		b.echoes.gapOpened(item.room.id)
		item.gap = &gap{
			room: item.room, from: g.From, since: g.Since, after: g.After, late: g.Late, filled: g.Filled, entry: item.entry,
		}
		return item, true
	}
	kept, ok := syncjson.Parse(string(item.record.Event))
	if !ok {
		return item, false
	}
	item.entry = b.inbox.known(record.Key)
	item.event = newEvent(item.room, timelineClass(&kept), kept)
	item.event.entry = item.entry
	return item, true
}
