package niobot

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix/id"
)

// errSuperseded is why a run's context ended when its command was edited or redacted.
var errSuperseded = errors.New("command was edited or redacted")

// run is one execution of a command. It is also the context that the handler gets, which ends with the bot, and when
// the command is edited or redacted.
type run struct {
	context.Context
	cancel context.CancelCauseFunc

	call    *Context
	history *history // Where it is found by an edit
	pool    *pool
	job     *job
	after   *run          // The run of the same command before it was edited; nil for the first
	claimed atomic.Bool   // Whether it was started or given up
	begun   chan struct{} // Closed when it was started; nil unless it is repeated
	done    chan struct{} // Closed when the handler has returned and all is cleaned up
	sends   atomic.Uint64
	found   atomic.Uint64 // Events that its waits have found
	upTo    atomic.Uint64 // The count of the last event that came before the run's latest send or wait; zero before both
	from    uint64        // The count of the event that has started it, or a little more
	lived   atomic.Bool   // Whether a wait has found an event that came in this life of the bot
	cut     atomic.Bool   // Whether the bot's end has ended a wait of it
	missed  atomic.Bool   // Whether the bot's end has kept something from being sent or redacted

	streams streams

	mu        sync.Mutex
	waits     map[string]uint64 // How many there were, by what they waited for
	repeats   []id.EventID      // Replies of the run before, which the next replies edit
	replies   []*Sent
	reactions []id.EventID
	err       error
	stop      func() // Ends the typing notification
	changes   *kvBuffer
}

var _ place = (*run)(nil)

// Value implements [context.Context].
func (r *run) Value(key any) any {
	switch key.(type) {
	case contextKey:
		return r.call
	case placeKey:
		return place(r)
	}
	return r.Context.Value(key)
}

func (r *run) yield() {
	r.call.Message.entry.settle()
	r.pool.yield(r.job)
}
func (r *run) wake()   { r.pool.wake(r.job) }
func (r *run) regain() { r.pool.regain(r.job) }

// giveUp ends a run that has not started, and reports false for one that has.
func (r *run) giveUp(why error) bool {
	if !r.claimed.CompareAndSwap(false, true) {
		return false
	}
	r.cancel(why)
	r.err = why
	r.conclude()
	return true
}

// conclude says that the run has ended. Where the bot's end has ended it, it is repeated at the next start.
func (r *run) conclude() {
	entry := r.call.Message.entry
	b := r.call.bot
	if r.err == nil && r.missed.Load() {
		r.err = ErrClosed // The handler may not have looked.
	}
	if r.err != nil && (errors.Is(context.Cause(r), ErrClosed) || r.cut.Load() || r.missed.Load()) {
		entry.interrupted()
	} else if b.keeps() {
		entry.finishWith(b.journal, r.history.record(r)...)
	}
	r.keepChanges()
	close(r.done)
	entry.release()
}

// transaction is the transaction id of the run's next send. A nil run has ids that are never repeated.
func (r *run) transaction() string {
	if r == nil {
		return newTransaction()
	}
	name := ""
	if cmd := r.call.Command; cmd != nil {
		name = cmd.name
	}
	return r.transactionOf(name, r.sends.Add(1))
}

// transactionOf is the transaction id of the n-th send of a part of the run.
func (r *run) transactionOf(part string, n uint64) string {
	b := r.call.bot
	r.upTo.Store(b.waiters.now())
	transaction := runTransaction(r.call.Message.ID, part, n)
	if entry := r.call.Message.entry; entry != nil {
		b.echoes.belongs(transaction, entry)
	}
	return transaction
}

// heardUpTo is the count of the event after which others may answer what the run has sent; nothingBefore where it has
// sent nothing and waited for nothing. For one that is repeated all others count: what it sends anew was there before them.
func (r *run) heardUpTo() uint64 {
	if r.catchesUp() {
		return r.from
	}
	if r == nil || r.upTo.Load() == 0 {
		return nothingBefore
	}
	return r.upTo.Load()
}

// catchesUp tells whether the run is repeated and has yet to come to where it was.
func (r *run) catchesUp() bool { return r.isRepeated() && !r.lived.Load() }

// heard notes the count of an event that a wait has found; zero for one of before a crash.
func (r *run) heard(at uint64) {
	if r != nil && at > 0 {
		r.upTo.Store(at)
		r.lived.Store(true)
	}
}

// cutOff notes that the bot's end has ended a wait. Unless the handler makes something of that, the run is repeated.
func (r *run) cutOff() {
	if r != nil {
		r.cut.Store(true)
	}
}

// repeated takes the reply of the run before that the next reply edits.
func (r *run) repeated() (id.EventID, bool) {
	if r == nil {
		return "", false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.repeats) == 0 {
		return "", false
	}
	first := r.repeats[0]
	r.repeats = r.repeats[1:]
	return first, true
}

// unrepeat gives back what repeated took, since it could not be edited.
func (r *run) unrepeat(reply id.EventID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repeats = append([]id.EventID{reply}, r.repeats...)
}

func (r *run) sent(s *Sent) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replies = append(r.replies, s)
}

func (r *run) reacted(reaction id.EventID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reactions = append(r.reactions, reaction)
}

func (r *run) latest() *Sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.replies) == 0 {
		return nil
	}
	return r.replies[len(r.replies)-1]
}

// traces are what the run left in the room: its replies, those it did not get to edit, and what can't become another
// text: reactions, files, stickers and their kin.
func (r *run) traces() (replies, others []id.EventID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	others = slices.Clone(r.reactions)
	for _, s := range r.replies {
		if s.special {
			others = append(others, s.ID)
			continue
		}
		replies = append(replies, s.ID)
	}
	return append(replies, r.repeats...), others
}

func (r *run) typing(b *Bot, room id.RoomID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop == nil {
		r.stop = b.typing.start(room)
	}
}

func (r *run) stopTyping() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
	}
	r.stop = func() {} // What the handler has left behind starts no more.
}

// recovered calls f and makes an error of its panic.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// execute runs the command on the goroutine of its job, and tidies up behind it. A run without a command, made by an
// edit or a redaction, only tidies up behind the run before it.
func (b *Bot) execute(r *run) {
	if !r.claimed.CompareAndSwap(false, true) {
		return
	}
	if r.begun != nil {
		close(r.begun)
	}
	defer r.conclude()
	defer r.cancel(nil)
	if r.after != nil {
		b.takeOver(r)
	}
	switch {
	case r.call.Command == nil:
	case r.Err() != nil:
		r.err = context.Cause(r)
	default:
		begin := time.Now()
		b.waiters.enter()
		defer b.waiters.leave()
		r.err = recovered(func() error { return b.handle(r, r.call) })
		r.streams.close()
		took := time.Since(begin)
		r.stopTyping()
		b.concluded(r)
		b.tellEnd(r, took)
	}
	if cause := context.Cause(r); !errors.Is(cause, errSuperseded) && !errors.Is(cause, ErrClosed) {
		r.mu.Lock()
		left := r.repeats
		r.repeats = nil
		r.mu.Unlock()
		b.redactAll(r, left)
	}
}

// concluded tells of the error that a handler ended with, unless an edit or redaction had made the run needless.
func (b *Bot) concluded(r *run) {
	if r.err == nil || errors.Is(context.Cause(r), errSuperseded) {
		return
	}
	if refused := (*CheckError)(nil); r.call.route.passive && errors.As(r.err, &refused) {
		return // Nobody asked.
	}
	tell := b.settings.onError
	if own := r.call.route.onError; own != nil {
		tell = own
	}
	err := recovered(func() error { tell(r, r.call, r.err); return nil })
	if err != nil {
		r.call.Logger().Error("error handler panicked", "err", err, "stack", stackOf(err))
	}
}

// handle asks the checks, binds the arguments and calls the handler.
func (b *Bot) handle(ctx context.Context, c *Context) error {
	r := c.route
	switch {
	case c.failed != nil:
		return c.failed
	case c.run.job.over:
		return ErrBusy
	}
	if r.disabled() {
		return refuse(c, "disabled", TextDisabled)
	}
	if err := b.permit(ctx, c, r); err != nil {
		return err
	}
	if err := r.cool(c); err != nil {
		return err
	}
	if err := b.beginOnce(ctx, c.run); err != nil {
		return err
	}
	if r.reject != nil {
		defer r.reject.Add(-1)
		if r.reject.Add(1) > r.most {
			return ErrBusy
		}
	}
	c.middleware = b.announced(c)
	return c.Command.invoke(ctx, c)
}

// permit asks the checks of the bot, of the groups and of the command.
func (b *Bot) permit(ctx context.Context, c *Context, r *route) error {
	for _, check := range b.router.required() {
		if err := check(ctx, c); err != nil {
			return err
		}
	}
	for _, check := range r.checks {
		if err := check(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// supersede ends a run whose command was edited or redacted. One that is repeated is let come to where it was first: what
// it had sent is known only then.
func (b *Bot) supersede(r *run) {
	if r.begun == nil {
		r.cancel(errSuperseded)
		return
	}
	b.dispatcher.goOwned(func() {
		if await(b.hearing, r.begun, r.done) != nil || await(b.hearing, b.ready, r.done) != nil {
			return // Both are repeated at the next start.
		}
		ctx, cancel := context.WithTimeout(b.hearing, repeatTime)
		defer cancel()
		if await(ctx, r.call.Message.entry.settled, r.done) == nil || b.hearing.Err() == nil {
			r.cancel(errSuperseded)
		}
	})
}

// repeatTime is how long a run that is repeated may take to come to where it was.
const repeatTime = 5 * time.Second

// await returns when one of the channels is closed, or ctx ends.
func await(ctx context.Context, one, other <-chan struct{}) error {
	select {
	case <-one:
		return nil
	case <-other:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takeOver waits for the run before this one, which was superseded, and takes over what it left in the room.
func (b *Bot) takeOver(r *run) {
	r.pool.lend(r.job)
	<-r.after.done
	r.pool.regain(r.job)
	replies, reactions := r.after.traces()
	r.after = nil
	r.mu.Lock()
	r.repeats = replies
	r.mu.Unlock()
	b.redactAll(r, reactions)
}

func (b *Bot) redactAll(r *run, events []id.EventID) {
	if len(events) == 0 {
		return
	}
	// The run's context may have ended, with which this has nothing to do.
	ctx := b.background()
	for _, e := range events {
		err := b.redact(ctx, r, r.call.Room.id, e, "")
		switch {
		case err == nil:
		case ctx.Err() != nil:
			r.missed.Store(true)
			return
		default:
			b.log.Warn("reply not redacted", "room_id", r.call.Room.id, "event_id", e, "err", err)
		}
	}
}

func stackOf(err error) string {
	var p *PanicError
	if errors.As(err, &p) {
		return string(p.Stack)
	}
	return ""
}
