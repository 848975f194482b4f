package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// maxOutbox is how many messages may wait to be sent.
const maxOutbox = 100000

// ErrQueueFull is returned by a send with [Queued] while 100,000 messages wait already.
var ErrQueueFull = errors.New("too many messages wait to be sent")

// Queued makes a send return before the message is on the server: as soon as it is in the bot's store, from where it is
// sent in the order of its room, also by the bot's next start. [Sent.Wait] tells what has become of it; until then it has
// no id. What is queued gives way to what answers commands. Edits of one message that wait together become the last of
// them. It is for announcements to many rooms, and for what is not worth waiting for.
//
// Without a store, what is queued is lost when the bot ends. A message that is refused for good, or for as long as
// [WithMaxSendAge] says, is logged and dropped. A queued reply is not edited when its command is.
func Queued() SendOption { return func(o *outgoing) { o.queued = true } }

// queue is the messages that wait to be sent, in their order in each room.
type queue struct {
	bot *Bot

	mu      sync.Mutex
	rooms   map[id.RoomID]*fifo[*queued]
	known   map[queueKey]*queued // Those that wait, by their transactions
	edits   map[queueKey]*queued // The waiting edits that were not begun, by their messages
	count   int
	next    uint64
	running bool // Whether messages are sent; before Run they wait
	work    sync.WaitGroup
}

// queueKey is a room and a transaction id in it, or a message.
type queueKey struct {
	room id.RoomID
	name string
}

func (r *queueRecord) known() queueKey { return queueKey{r.RoomID, r.Transaction} }
func (r *queueRecord) edit() queueKey  { return queueKey{r.RoomID, string(r.Edits)} }

// queued is a message that waits to be sent.
type queued struct {
	key    string
	record queueRecord
	slot   slot
	merged bool // Whether an earlier one may be stored under its key
	left   bool // Whether it is of the time before the bot's start

	done chan struct{} // Closed when it is on the server or given up
	id   id.EventID
	err  error
}

// queueRecord is a message as it is stored.
type queueRecord struct {
	RoomID      id.RoomID       `json:"room_id"`
	Type        string          `json:"type"`
	Content     json.RawMessage `json:"content"`
	Transaction string          `json:"transaction"`
	Edits       id.EventID      `json:"edits,omitempty"`
	At          time.Time       `json:"at"`
}

// add queues a message, and returns when it is stored.
func (q *queue) add(ctx context.Context, record queueRecord) (*queued, error) {
	q.mu.Lock()
	// A run that is repeated queues again what waits already.
	if earlier := q.known[record.known()]; earlier != nil {
		q.mu.Unlock()
		return earlier, nil
	}
	if sent, ok := q.bot.echoes.find(record.Transaction); ok {
		q.mu.Unlock()
		arrived := &queued{record: record, done: make(chan struct{}), id: sent}
		close(arrived.done)
		return arrived, nil
	}
	if q.count >= maxOutbox {
		q.mu.Unlock()
		return nil, ErrQueueFull
	}
	item := q.edits[record.edit()]
	if item == nil {
		q.next++
		item = &queued{key: fmt.Sprintf("%016x", q.next), record: record, done: make(chan struct{})}
		q.push(item)
	} else {
		delete(q.known, item.record.known())
		item.record, item.merged = record, true
		q.known[record.known()] = item
	}
	err := q.store(item)
	batch := item.slot.batch
	q.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if q.bot.journal == nil {
		return item, nil
	}
	if err := q.bot.journal.wait(ctx, batch); err != nil {
		return nil, fmt.Errorf("store what is to be sent: %w", err)
	}
	return item, nil
}

func (q *queue) push(item *queued) {
	if q.rooms == nil {
		q.rooms = make(map[id.RoomID]*fifo[*queued])
		q.known, q.edits = make(map[queueKey]*queued), make(map[queueKey]*queued)
	}
	room := item.record.RoomID
	waiting := q.rooms[room]
	if waiting == nil {
		waiting = &fifo[*queued]{}
		q.rooms[room] = waiting
		if q.running {
			q.work.Go(func() { q.send(room) })
		}
	}
	waiting.push(item)
	q.known[item.record.known()] = item
	if item.record.Edits != "" {
		q.edits[item.record.edit()] = item
	}
	q.count++
}

func (q *queue) store(item *queued) error {
	if q.bot.journal == nil {
		return nil
	}
	value, err := json.Marshal(item.record)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	item.slot = q.bot.journal.put(Put(tableOutbox, item.key, value))
	poke(q.bot.journal.urgent)
	return nil
}

// load reads what the last time has left.
func (q *queue) load(ctx context.Context) error {
	if !q.bot.keeps() {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for record, err := range q.bot.settings.store.Scan(ctx, tableOutbox, "") {
		if err != nil {
			return fmt.Errorf("read messages that are to be sent: %w", err)
		}
		item := &queued{key: record.Key, left: true, done: make(chan struct{})}
		item.slot = slotOf(tableOutbox, record.Key)
		if _, err := fmt.Sscanf(record.Key, "%16x", &q.next); err != nil || json.Unmarshal(record.Value, &item.record) != nil {
			q.bot.log.Error("message that was to be sent can't be read and is dropped", "key", record.Key)
			q.bot.journal.put(Delete(tableOutbox, record.Key))
			continue
		}
		q.push(item)
		q.bot.echoes.hold()
	}
	return nil
}

// arrived is the change that takes a message out of the store that is known to be on the server.
func (q *queue) arrived(e echo) (Change, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	item := q.known[queueKey{e.room, e.transaction}]
	if item == nil || q.bot.journal == nil {
		return Change{}, false
	}
	return Delete(tableOutbox, item.key), true
}

// start sends what waits, and what comes from now on.
func (q *queue) start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = true
	for room := range q.rooms {
		q.work.Go(func() { q.send(room) })
	}
}

// send sends the messages of one room until none waits, or the bot ends.
func (q *queue) send(room id.RoomID) {
	for {
		q.mu.Lock()
		waiting := q.rooms[room]
		if waiting.len() == 0 || q.bot.life.Err() != nil {
			if waiting.len() == 0 {
				delete(q.rooms, room)
			}
			q.mu.Unlock()
			return
		}
		item := waiting.items[waiting.head]
		record := item.record
		if q.edits[record.edit()] == item {
			delete(q.edits, record.edit())
		}
		q.mu.Unlock()
		if item.left && q.bot.echoes.outwait(q.bot.life, room, record.Transaction) != nil {
			return
		}
		sent, err := q.deliver(record)
		if err != nil && q.bot.life.Err() != nil {
			return // The next start sends it.
		}
		q.finish(item, sent, err)
		q.mu.Lock()
		waiting.pop()
		delete(q.known, record.known())
		q.count--
		q.mu.Unlock()
		if item.left {
			q.bot.echoes.drop()
		}
	}
}

func (q *queue) deliver(record queueRecord) (id.EventID, error) {
	age := time.Since(record.At)
	if age > q.bot.settings.maxSendAge {
		return "", ErrTooOld
	}
	typ := event.Type{Type: record.Type, Class: event.MessageEventType}
	return q.bot.outbox.send(q.bot.life, record.RoomID, typ, record.Content, record.Transaction)
}

func (q *queue) finish(item *queued, sent id.EventID, err error) {
	item.id, item.err = sent, err
	if err != nil {
		q.bot.log.Error("queued message not sent", "room_id", item.record.RoomID, "err", err)
	}
	switch {
	case q.bot.journal == nil:
	case item.merged:
		q.bot.journal.put(Delete(tableOutbox, item.key))
	default:
		q.bot.journal.remove(item.slot)
	}
	close(item.done)
}

// stop waits for what is under way, once the bot's life has ended.
func (q *queue) stop() {
	q.mu.Lock()
	q.running = false
	q.mu.Unlock()
	q.work.Wait()
}

// Wait returns when the message is on the server, with its id, or with the reason why it is not; at once for one that was
// not sent with [Queued]. Where the bot has ended before, its next start sends the message.
func (s *Sent) Wait(ctx context.Context) (id.EventID, error) {
	if s.queued == nil {
		return s.ID, nil
	}
	select {
	case <-s.queued.done:
		return s.queued.id, s.queued.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-s.bot.life.Done():
		return "", ErrClosed
	}
}

// enqueue queues what would otherwise be sent.
func (b *Bot) enqueue(ctx context.Context, room id.RoomID, out outgoing, r *run) (*Sent, error) {
	typ, content := out.event()
	body, err := encodeContent(content)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", typ.Type, err)
	}
	if len(body) > maxContentBytes {
		return nil, fmt.Errorf("send %s of %d bytes: %w", typ.Type, len(body), ErrTooLarge)
	}
	item, err := b.queue.add(ctx, queueRecord{
		RoomID: room, Type: typ.Type, Content: body, Transaction: out.transaction, Edits: out.edits, At: time.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &Sent{
		ID: out.edits, RoomID: room, bot: b, run: r, msgType: out.msgType, queued: item,
		media: out.media, special: out.special != nil,
	}, nil
}
