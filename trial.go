package niobot

import (
	"encoding/json"
	"errors"
	"time"
)

// What becomes of events whose handling a crash has ended.
const (
	// maxTries is how often the bot may crash in an event's trial, before that is set aside as the likely cause.
	maxTries = 3

	// fewCrashes is how many crashes in a row are taken for ones from outside, after which all begins as always.
	fewCrashes = 2

	// shortTrial is how long an event is alone at first. It is doubled by each further crash, up to longTrial, so that
	// the innocent are soon done with, and yet what takes its time to crash the bot is found.
	shortTrial = 100 * time.Millisecond
	longTrial  = 30 * time.Second
)

// ErrSetAside is told to the error handler of a command whose message was being worked on whenever the bot crashed:
// after the third time it is left alone, so that the bot can live.
var ErrSetAside = errors.New("the bot crashed repeatedly while it worked on this message, which is set aside")

// try begins the suspects one after the other, each alone but for what came after the crash, which has a trial of its own if
// the bot crashes over it. Nothing else is held up by that; what came later in their rooms may overtake them.
func (b *Bot) try(crashes int, suspects []leftItem) {
	hold := longTrial
	if doublings := crashes - fewCrashes - 1; 0 <= doublings && doublings < 16 {
		hold = min(shortTrial<<doublings, longTrial)
	}
	b.dispatcher.goOwned(func() {
		for _, item := range suspects {
			if err := b.tryOne(item, hold); err != nil {
				b.log.Error("work of the last time waits for the next start", "err", err)
				return
			}
			if b.hearing.Err() != nil {
				return
			}
		}
	})
}

// tryOne lets a suspect begin, and returns when it is done, or waits for an event, or has not crashed the bot for so long.
// That it is its turn is stored before, so that a crash meanwhile counts against it; afterwards nothing does.
func (b *Bot) tryOne(item leftItem, hold time.Duration) error {
	if item.record.Tries >= maxTries {
		return b.setAside(item)
	}
	accused, acquitted := item.record, item.record
	accused.Tries++
	acquitted.Tries = 0
	if err := b.journal.write(b.hearing, accused.put(item.key)); err != nil {
		return err
	}
	b.dispatcher.pushItem(item.room, item.laneItem)
	limit := time.NewTimer(hold)
	defer limit.Stop()
	select {
	case <-item.entry.settled:
	case <-limit.C:
	case <-b.hearing.Done():
		acquitted = item.record // An orderly end says nothing.
	}
	if item.entry.holdIfOpen() {
		b.journal.put(acquitted.put(item.key))
		item.entry.release()
	}
	return nil
}

// put is the change that stores the record.
func (r inboxRecord) put(key string) Change {
	value, _ := json.Marshal(r) // Strings, numbers and JSON can always be encoded.
	return Put(tableInbox, key, value)
}

// setAside gives an event up.
func (b *Bot) setAside(item leftItem) error {
	item.entry.interrupted() // It goes another way than by its end.
	defer item.entry.release()
	b.log.Error("event set aside", "room_id", item.room.id, "key", item.key, "tries", maxTries, "err", ErrSetAside)
	aside := item.record.put(item.key)
	aside.Table = tableAside
	err := b.journal.write(b.hearing, append(item.entry.traces(), aside, Delete(tableInbox, item.key))...)
	if err != nil || item.event == nil {
		return err
	}
	// The event itself has an entry.
	m, ok := newEvent(item.room, item.event.Type.Class, item.event.kept).message()
	if !ok || !b.heeds(m) {
		return nil
	}
	found, c, ok := b.route(item.room, m)
	if !ok {
		return nil
	}
	c.failed = ErrSetAside
	b.start(&b.history, found, c, nil)
	return nil
}
