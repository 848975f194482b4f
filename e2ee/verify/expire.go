package verify

import (
	"context"
	"time"

	"maunium.net/go/mautrix/event"
)

// Timeout is how long a verification may take: once from the request to its answer, and once from there on.
const Timeout = 10 * time.Minute

// answerTime is how long a request may wait for [Session.Accept].
const answerTime = 2 * time.Minute

// Expire cancels the verifications whose time is over, and returns when to call it next: zero while none is open.
func (e *Engine) Expire(ctx context.Context) time.Time {
	var next time.Time
	for _, s := range e.Sessions() {
		s.mu.Lock()
		if !s.state.over() && !s.deadline.After(e.now()) {
			s.abort(ctx, refuse(event.VerificationCancelCodeTimeout, "it took too long"))
		}
		if !s.state.over() && (next.IsZero() || s.deadline.Before(next)) {
			next = s.deadline
		}
		s.mu.Unlock()
		s.tell(ctx)
	}
	e.flush(ctx)
	return next
}

// Run calls [Engine.Expire] when it is due, until ctx ends. [Config.Now] is to be unset for it, or in step with timers.
func (e *Engine) Run(ctx context.Context) {
	for {
		var due <-chan time.Time
		var timer *time.Timer
		if next := e.Expire(ctx); !next.IsZero() {
			timer = time.NewTimer(max(next.Sub(e.now()), 0))
			due = timer.C
		}
		select {
		case <-ctx.Done():
		case <-due:
		case <-e.wake:
		}
		if timer != nil {
			timer.Stop()
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// rouse has Run look at the deadlines again.
func (e *Engine) rouse() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
