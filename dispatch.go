package niobot

import (
	"context"
	"errors"
	"slices"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// dispatcher takes the events of each room in their order, rooms beside one another. A room has a goroutine while it
// has events.
type dispatcher struct {
	handle func(ctx context.Context, l *lane, e *Event) (kept bool) // Whether the room's turn was kept
	fill   func(ctx context.Context, g *gap) []*Event

	mu      sync.Mutex
	ctx     context.Context // Of the listeners; set while the bot runs
	filling context.Context // Of the filling of gaps, which is of no use once the dispatcher has stopped
	endFill context.CancelFunc
	stopped bool
	lanes   map[*Room]*lane
	awake   int           // Listeners that gave their room's turn away and work again
	rest    chan struct{} // Closed when no room has events left and no listener is awake; nil where nobody asks
	work    sync.WaitGroup
}

// lane is the events of one room that wait.
type lane struct {
	room  *Room
	items fifo[laneItem]
}

// laneItem is an event, or a gap before the next one.
type laneItem struct {
	event *Event
	gap   *gap
}

// begin lets listeners run below ctx.
func (d *dispatcher) begin(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx = ctx
	d.filling, d.endFill = context.WithCancel(ctx)
}

// goOwned runs f beside the rooms, and reports false, without calling it, once the dispatcher has stopped.
func (d *dispatcher) goOwned(f func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return false
	}
	d.work.Go(f)
	return true
}

// push adds what one sync response brought for a room. Events outside rooms go with the nil room.
func (d *dispatcher) push(room *Room, g *gap, events []*Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || (g == nil && len(events) == 0) {
		return
	}
	l, working := d.lanes[room]
	if !working {
		if d.lanes == nil {
			d.lanes = make(map[*Room]*lane)
		}
		l = &lane{room: room}
		d.lanes[room] = l
	}
	if g != nil {
		l.items.push(laneItem{gap: g})
	}
	for _, e := range events {
		l.items.push(laneItem{event: e})
	}
	if !working {
		d.work.Go(func() { d.run(d.ctx, l) })
	}
}

// pushItem adds an event or a gap of the time before the bot's start.
func (d *dispatcher) pushItem(room *Room, item laneItem) {
	if item.gap != nil {
		d.push(room, item.gap, nil)
		return
	}
	d.push(room, nil, []*Event{item.event})
}

// run works a lane off, until it is empty or an event's listener gave the room's turn to another goroutine.
func (d *dispatcher) run(ctx context.Context, l *lane) {
	for {
		item, ok := d.next(l)
		if !ok {
			return
		}
		if item.gap != nil {
			d.refill(l, d.fill(d.filling, item.gap))
			continue
		}
		if !d.handle(ctx, l, item.event) {
			return
		}
	}
}

func (d *dispatcher) next(l *lane) (laneItem, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	item, ok := l.items.pop()
	if !ok || d.stopped {
		delete(d.lanes, l.room)
		d.restIfIdle()
		return laneItem{}, false
	}
	return item, true
}

// resting is closed as soon as no room has events left.
func (d *dispatcher) resting() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rest == nil {
		d.rest = make(chan struct{})
	}
	rest := d.rest
	d.restIfIdle()
	return rest
}

func (d *dispatcher) restIfIdle() {
	if len(d.lanes) == 0 && d.awake == 0 && d.rest != nil {
		close(d.rest)
		d.rest = nil
	}
}

// refill puts the events of a gap before those that came after it.
func (d *dispatcher) refill(l *lane, events []*Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range slices.Backward(events) {
		l.items.pushFront(laneItem{event: e})
	}
}

// stop takes no more events and drops those that wait. Listeners that run end in their own time; see wait.
func (d *dispatcher) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.endFill != nil {
		d.endFill()
	}
}

// wait returns when no listener runs any more, or with ctx's error before.
func (d *dispatcher) wait(ctx context.Context) error { return waitGroup(ctx, &d.work) }

// waitGroup waits for the group for as long as ctx lives.
func waitGroup(ctx context.Context, work *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// roomTurn is the right to handle a room's events, which a listener that waits passes on. It is also the context of
// the listeners of one event.
type roomTurn struct {
	context.Context
	dispatcher *dispatcher
	lane       *lane
	next       func() // What is done with the event after its listeners, at the latest when the turn is given away

	// These belong to the dispatcher's lock: a listener may wait on several goroutines, and on some that outlive it.
	given, awake, ended bool
}

var _ place = (*roomTurn)(nil)

// Value implements [context.Context].
func (t *roomTurn) Value(key any) any {
	if _, ok := key.(placeKey); ok {
		return place(t)
	}
	return t.Context.Value(key)
}

func (t *roomTurn) yield() {
	d := t.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case t.ended:
	case !t.given:
		t.given = true
		d.work.Go(func() {
			t.next()
			d.run(t.Context, t.lane)
		})
	default:
		t.doze()
	}
}

func (t *roomTurn) wake() {
	d := t.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.given && !t.ended && !t.awake {
		t.awake = true
		d.awake++
	}
}

func (t *roomTurn) regain() { t.wake() }

// end says that the listeners have returned, and reports whether the turn was given away meanwhile.
func (t *roomTurn) end() (given bool) {
	d := t.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	t.ended = true
	t.doze()
	return t.given
}

func (t *roomTurn) doze() {
	if t.awake {
		t.awake = false
		t.dispatcher.awake--
		t.dispatcher.restIfIdle()
	}
}

// idle returns when no event and no command is being worked on, except by handlers that wait for an event.
func (b *Bot) idle(ctx context.Context) error {
	for {
		// Work goes from the rooms to the handlers, so the pool's rest says nothing before the rooms have theirs.
		for _, resting := range []func() <-chan struct{}{b.dispatcher.resting, b.pool.resting} {
			select {
			case <-resting():
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		// A handler may have woken a listener meanwhile.
		select {
		case <-b.dispatcher.resting():
			return nil
		default:
		}
	}
}

// idleAndStored is idle with all that was done in the store, so that what a test does next finds one state, not two.
func (b *Bot) idleAndStored(ctx context.Context) error {
	if err := b.idle(ctx); err != nil || b.journal == nil {
		return err
	}
	if err := b.journal.write(ctx, Delete(tableMeta, metaSettled)); ctx.Err() != nil {
		return err
	}
	return nil // A store that is lost has nothing more to keep.
}

// dispatch takes one event through waiters, listeners and commands, and reports whether the room's turn was kept.
func (b *Bot) dispatch(ctx context.Context, l *lane, e *Event) (kept bool) {
	e, ok := b.read(ctx, e)
	if !ok {
		return true
	}
	b.tellFilter(b.waiters.offer(e))
	m, isMessage := e.message()
	if isMessage {
		b.cache.put(m)
	}
	if entries := b.listeners.of([]byte(e.Type.Type)); len(entries) > 0 {
		// A listener that waits must not keep the commands of its room from starting in their order.
		e.entry.hold()
		defer e.entry.release()
		turn := &roomTurn{Context: ctx, dispatcher: b.dispatcher, lane: l, next: func() { b.act(e, m) }}
		b.listen(turn, entries, e)
		if turn.end() {
			return false
		}
	}
	b.act(e, m)
	return true
}

// act does with an event what is the bot's own part: it starts commands, and withdraws them. m is nil for what is no
// message.
func (b *Bot) act(e *Event, m *Message) {
	defer e.entry.release()
	switch {
	case m != nil:
		b.pull(m, b.call(m))
	case e.room != nil && e.Type == event.EventRedaction:
		b.cache.remove(e.RoomID, e.redacts())
		if !b.settings.ignoreEdits {
			b.retract(&b.history, e.redacts(), e, nil)
			b.letGo(e)
		}
	}
}

// listen calls the listeners of an event one after the other.
func (b *Bot) listen(ctx context.Context, entries []*listenerEntry, e *Event) {
	for _, l := range entries {
		if l.removed.Load() {
			continue // By one before it
		}
		if err := recovered(func() error { return l.call(ctx, e) }); err != nil {
			if b.life.Err() != nil || b.hearing.Err() != nil && errors.Is(err, ErrClosed) {
				e.entry.interrupted()
			}
			b.log.Error("listener ended with an error", "type", e.Type.Type, "room_id", e.RoomID, "event_id", e.ID,
				"err", err, "stack", stackOf(err))
		}
	}
}

// redacts is what a redaction redacts.
func (e *Event) redacts() id.EventID { return id.EventID(e.kept.Redacts) }

// heeds tells whether a message may start anything. The bot's own start nothing, unless its account is used from
// another device and that was asked for.
func (b *Bot) heeds(m *Message) bool {
	switch {
	case m.Sender == b.UserID() && (!b.settings.takeOwn || m.kept.TransactionID() != ""):
		return false
	case m.Replaces != "" && b.settings.ignoreEdits:
		return false
	}
	return m.room.Membership() == event.MembershipJoin
}

// call starts the command that the message calls, if any.
func (b *Bot) call(m *Message) *run {
	if !b.heeds(m) {
		return nil
	}
	found, c, ok := b.route(m.room, m)
	if m.Replaces != "" {
		if original, known := b.cache.find(m.RoomID, m.Replaces); known && original.Sender != m.Sender {
			return nil
		}
		if before := b.history.find(m.Replaces); before != nil {
			if before.call.Message.Sender != m.Sender || before.call.Room.id != m.room.id {
				return nil // Only a message's author can edit it.
			}
			if before.call.Message.origin != nil && m.origin == nil {
				return nil // The server, which can't read the message, could otherwise write it anew.
			}
			if !ok {
				return b.retract(&b.history, m.Replaces, m.Event, m)
			}
			return b.start(&b.history, found, c, before)
		}
	}
	if !ok {
		return nil
	}
	return b.start(&b.history, found, c, nil)
}

// start queues a run of the command, and notes it in h.
func (b *Bot) start(h *history, found *route, c *Context, before *run) *run {
	ctx, cancel := context.WithCancelCause(b.background())
	// What has not started need not be waited for: the run that it was to follow is followed instead.
	for before != nil && !before.isRepeated() && before.giveUp(errSuperseded) {
		before = before.after
	}
	r := &run{Context: ctx, cancel: cancel, call: c, pool: b.pool, after: before, history: h, done: make(chan struct{})}
	c.run = r
	if r.isRepeated() {
		r.begun, r.from = make(chan struct{}), b.waiters.now()
	}
	c.Message.entry.hold()
	h.put(r)
	var l *limit
	if found != nil {
		l = found.limit
	}
	queued := b.pool.submit(l, func(j *job) {
		r.job = j
		b.execute(r)
	}, func() { r.giveUp(ErrClosed) })
	switch {
	case !queued:
		r.giveUp(ErrClosed)
	case before != nil:
		// At once, not when r has a place: the run before may hold the one that r waits for.
		b.supersede(before)
	}
	return r
}

// retract cancels the run that a message started, as h knows it, and removes its replies, since the message was
// redacted, or edited into one that starts nothing: by is that event, m the edit.
func (b *Bot) retract(h *history, command id.EventID, by *Event, m *Message) *run {
	before := h.find(command)
	if before == nil || before.call.Room.id != by.room.id || before.call.Command == nil {
		return nil
	}
	if m == nil {
		m = &Message{Event: by, Replaces: command}
	}
	return b.start(h, nil, &Context{Message: m, Room: by.room, bot: b}, before)
}
