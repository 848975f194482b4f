package niobot

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// maxHeard is how many events a question keeps that were not looked at yet; further ones are dropped.
const maxHeard = 1000

// question is a message of the bot that waits for answers: texts, and reactions to it. From the moment it is opened it
// hears all that may be an answer and keeps it in order, so that nothing is missed while a handler does something else.
type question struct {
	bot    *Bot
	room   *Room
	by     id.UserID  // Whose answers count; empty for everybody's
	thread id.EventID // The thread that the question is in
	texts  bool       // Whether texts count
	undo   bool       // Whether it counts that somebody takes a reaction back
	place  place      // What who asks works on; nil where it is nothing of the bot's
	ear    *waiter
	wait   string // Which of the run's waits it is
	again  bool   // Whether the run is repeated, so that the question may have come by before
	log    *slog.Logger

	keys   []string     // Reactions that the bot has yet to put on the question
	placed []id.EventID // Those that it has put there

	// What follows belongs to the lock. It is taken while the waiters are locked.
	mu      sync.Mutex
	message id.EventID // Empty until the question is on the server
	shown   bool       // Whether the question itself has come by; texts from before do not answer it
	asleep  bool
	heard   fifo[recentEvent]
	news    chan struct{}
}

// openQuestion begins to hear answers. The question itself is sent after that; see appear.
func (b *Bot) openQuestion(ctx context.Context, q *question) {
	q.bot, q.place, q.news = b, placeOf(ctx), make(chan struct{}, 1)
	r, _ := q.place.(*run)
	var before []*Event
	q.wait, before = r.nextWait(Filter{RoomID: q.room.id})
	q.again = r.isRepeated()
	for _, e := range before {
		q.heard.push(recentEvent{event: e})
	}
	b.questions.add(q)
	since := uint64(nothingBefore)
	if r.catchesUp() {
		since = r.from // The question was there before all that has come since.
	}
	q.ear, _ = b.waiters.addSince(since, Filter{RoomID: q.room.id, Match: q.hear}, nil, "")
}

// appear tells the question which message it is.
func (q *question) appear(message id.EventID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.message = message
	all := q.takeHeard()
	// A question that has ended may have handed over late what came before others.
	slices.SortStableFunc(all, func(a, b recentEvent) int { return cmp.Compare(a.at, b.at) })
	itself := slices.IndexFunc(all, func(e recentEvent) bool {
		m, ok := e.event.message()
		return ok && q.isItself(m)
	})
	q.shown = itself >= 0 || q.again
	for i, e := range all {
		if e.event.Type != event.EventMessage || q.shown && i > itself {
			q.heard.push(e)
		}
	}
}

// isItself tells whether m is the question, or the edit by which an earlier message became it.
func (q *question) isItself(m *Message) bool { return m.ID == q.message || m.Replaces == q.message }

// hear is a filter that accepts nothing, by which the question hears all events of its room, one after the other.
func (q *question) hear(e *Event) bool {
	if r, isRun := q.place.(*run); isRun && r.heardBefore(e) {
		return false
	}
	if q.concerns(e) {
		q.keep(recentEvent{e, q.bot.waiters.at}) // They are locked.
	}
	return false
}

func (q *question) concerns(e *Event) bool {
	own := e.Sender == q.bot.UserID() && e.kept.TransactionID() != ""
	mayAnswer := !own && q.mayAnswer(e.Sender)
	switch e.Type {
	case event.EventMessage:
		m, ok := e.message()
		return ok && q.texts && q.concernsText(m, own)
	case event.EventReaction:
		return mayAnswer && q.isAbout(reactedTo(e))
	case event.EventRedaction:
		return q.isAbout(e.redacts()) || q.undo && mayAnswer
	case event.StateMember:
		key, _ := e.StateKey()
		membership := membershipOf([]byte(syncjson.Get(e.kept.Content, "membership")))
		return q.by != "" && key == string(q.by) && hasLeft(membership)
	}
	return false
}

// concernsText also keeps the bot's own messages and what comes after them, until the question knows which one it is.
func (q *question) concernsText(m *Message, own bool) bool {
	if own {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.shown = q.shown || q.message != "" && q.isItself(m)
		return q.message == ""
	}
	if m.Replaces != "" || !q.mayAnswer(m.Sender) {
		return false
	}
	switch taker := q.bot.questions.taker(m); taker {
	case q:
		return true
	case nil:
		return q.isAbout("")
	}
	return false
}

// isAbout tells whether an event that relates to the target relates to the question, as far as that is known.
func (q *question) isAbout(target id.EventID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.message == "" || q.message == target
}

func (q *question) mayAnswer(user id.UserID) bool {
	if q.by == "" {
		return user != q.bot.UserID()
	}
	return user == q.by
}

// answeredBy tells whether m could be an answer to the question, once that has been asked, and whether it is a reply.
func (q *question) answeredBy(m *Message) (ok, replies bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	ok = q.shown && q.texts && q.mayAnswer(m.Sender) && (m.Thread == q.thread || m.Thread == q.message)
	return ok, m.ReplyTo == q.message
}

func (q *question) keep(e recentEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.heard.len() >= maxHeard {
		return
	}
	q.heard.push(e)
	if r, isRun := q.place.(*run); isRun {
		r.hears(q.wait, e.event)
	}
	if q.asleep {
		q.asleep = false
		q.place.wake()
	}
	select {
	case q.news <- struct{}{}:
	default:
	}
}

// poll is the next event that was heard, if there is one already. No later wait of the handler's finds it again.
func (q *question) poll(ctx context.Context) (*Event, bool) {
	if errors.Is(context.Cause(ctx), errSuperseded) {
		return nil, false // It is for another question.
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	e, ok := q.heard.pop()
	if r, isRun := q.place.(*run); isRun && ok {
		r.heard(e.at)
	}
	return e.event, ok
}

// next waits for the next event that the question hears. Meanwhile it gives its place back.
func (q *question) next(ctx context.Context) (*Event, error) {
	if e, ok := q.poll(ctx); ok {
		return e, nil
	}
	defer q.rest()()
	for {
		select {
		case <-q.news:
			if e, ok := q.poll(ctx); ok {
				return e, nil
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-q.bot.hearing.Done():
			if r, isRun := q.place.(*run); isRun {
				r.cutOff()
			}
			return nil, context.Cause(q.bot.hearing)
		}
	}
}

// rest gives the place back, unless something was heard meanwhile. The returned function takes it again.
func (q *question) rest() (regain func()) {
	if q.place == nil {
		return func() {}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.heard.len() == 0 {
		q.asleep = true
		q.place.yield()
	}
	return func() {
		q.mu.Lock()
		q.asleep = false
		q.mu.Unlock()
		q.place.regain()
	}
}

// offer puts the bot's next reaction on the question, for users to tap on. Without it they can still answer otherwise.
func (q *question) offer(ctx context.Context) {
	key := q.keys[0]
	q.keys = q.keys[1:]
	ctx, cancel := lingering(ctx, tidyTime)
	defer cancel()
	reaction, err := q.bot.react(ctx, q.room.id, q.message, key, nil)
	switch {
	case err == nil:
		q.placed = append(q.placed, reaction)
	case errors.Is(err, mautrix.RespError{ErrCode: "M_DUPLICATE_ANNOTATION"}):
	default:
		q.keys = nil
		q.log.Warn("question has no reactions to tap on", "err", err)
	}
}

// close ends the hearing, and takes the bot's reactions back, also where ctx has ended.
func (q *question) close(ctx context.Context) {
	q.bot.waiters.removeWith(q.ear, func() {
		q.bot.questions.remove(q)
		q.handOver()
	})
	ctx, cancel := lingering(ctx, tidyTime)
	defer cancel()
	for _, reaction := range q.placed {
		if err := q.bot.outbox.redact(ctx, q.room.id, reaction, "", newTransaction()); err != nil {
			q.log.Warn("reaction not taken back", "reaction", reaction, "err", err)
		}
	}
}

// handOver gives texts that the question has no use for any more to those that wait as well: as if they came only now,
// also to those that do not know yet whether they were asked before. The waiters are locked.
func (q *question) handOver() {
	for _, e := range q.left() {
		m, isText := e.event.message()
		if !isText {
			continue
		}
		if taker := q.bot.questions.taker(m); taker != nil {
			taker.keep(e)
			continue
		}
		for _, other := range q.bot.questions.of(q.room) {
			if other.concernsText(m, m.Sender == q.bot.UserID() && m.kept.TransactionID() != "") {
				other.keep(e)
			}
		}
	}
}

// left takes all that was heard and not looked at.
func (q *question) left() (all []recentEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.takeHeard()
}

func (q *question) takeHeard() (all []recentEvent) {
	for e, ok := q.heard.pop(); ok; e, ok = q.heard.pop() {
		all = append(all, e)
	}
	return all
}

// questions are the open ones, by room, the latest last.
type questions struct {
	mu    sync.Mutex
	rooms map[*Room][]*question

	// An event is offered to one question after the other; who takes it is decided once.
	decided *Message
	by      *question
}

func (qs *questions) add(q *question) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if qs.rooms == nil {
		qs.rooms = make(map[*Room][]*question)
	}
	qs.rooms[q.room] = append(qs.rooms[q.room], q)
}

func (qs *questions) remove(q *question) {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	left := slices.DeleteFunc(qs.rooms[q.room], func(other *question) bool { return other == q })
	if len(left) == 0 {
		delete(qs.rooms, q.room)
	} else {
		qs.rooms[q.room] = left
	}
	qs.decided, qs.by = nil, nil
}

// of are the open questions of a room.
func (qs *questions) of(room *Room) []*question {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	return slices.Clone(qs.rooms[room])
}

// taker is the question that a text answers: the one that it replies to, else the latest; nil where there is none. The
// events of a bot are offered one after the other.
func (qs *questions) taker(m *Message) *question {
	qs.mu.Lock()
	defer qs.mu.Unlock()
	if qs.decided == m {
		return qs.by
	}
	qs.decided, qs.by = m, nil
	for _, q := range slices.Backward(qs.rooms[m.room]) {
		ok, replies := q.answeredBy(m)
		if ok && (replies || qs.by == nil) {
			qs.by = q
		}
		if ok && replies {
			break
		}
	}
	return qs.by
}

// reactedTo is what a reaction is about.
func reactedTo(e *Event) id.EventID {
	return id.EventID(syncjson.GetString(e.kept.Content, "m.relates_to", "event_id"))
}

// reactionKey is a reaction's key.
func reactionKey(e *Event) string { return syncjson.GetString(e.kept.Content, "m.relates_to", "key") }

func hasLeft(m event.Membership) bool { return m == event.MembershipLeave || m == event.MembershipBan }
