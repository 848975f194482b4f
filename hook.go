package niobot

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/niobot/niobot/attachment"
)

// hookLimit is how long a hook may take before what it was told of goes on without it.
const hookLimit = 5 * time.Second

// Outcome is how a run of a command ended.
type Outcome struct {
	Err  error         // What the handler, a check or the binding of the arguments returned; nil where all went well
	Took time.Duration // From the first check to the handler's return, time that it waited for events included
}

// OnStart calls f when [Bot.Run] has connected, before the first sync: the bot's user id is known, its rooms are not.
//
// This is so for all hooks: they are called in the order in which they were added, until the returned function removes
// them, and are told of things without a say in them; what is to change how commands run is a [Middleware], which acts
// before and after the handler, or a [Check]. A hook's panic is logged and ends nothing else. Its context ends after
// 5 s, and what waits for it then goes on without it: longer work belongs into [Bot.Go]. Hooks of commands can answer
// by their [Context]. They are called for what a [Bot.Trigger] started, too, under the trigger's name.
func (b *Bot) OnStart(f func(ctx context.Context)) (remove func()) {
	return addHook(&b.hooks.start, "OnStart", f, f == nil)
}

// OnReady calls f when the first sync is done, as [Bot.Ready] tells, and at once where it already is. Unlike other
// hooks, f has a goroutine of its own, as by [Bot.Go], and as long as it wants: its context ends when the bot stops.
func (b *Bot) OnReady(f func(ctx context.Context)) (remove func()) {
	remove = addHook(&b.hooks.ready, "OnReady", f, f == nil)
	select {
	case <-b.ready:
		b.tellReady()
	default:
	}
	return remove
}

// OnStop calls f when [Bot.Run] is about to return: no handler runs any more, unless one does not heed the end of its
// context, and messages can still be sent. It is not called where OnStart was not. See [Bot.OnStart].
func (b *Bot) OnStop(f func(ctx context.Context)) (remove func()) {
	return addHook(&b.hooks.stop, "OnStop", f, f == nil)
}

// OnCommand calls f when a command is about to run: it is permitted, and its arguments are bound. The middleware and the
// handler follow when f returns. See [Bot.OnStart].
func (b *Bot) OnCommand(f func(ctx context.Context, c *Context)) (remove func()) {
	return addHook(&b.hooks.command, "OnCommand", f, f == nil)
}

// OnDone calls f when a command's run has ended, in whatever way: well, with an error, refused by a check, or cancelled.
// The error has been told to the error handler by then. See [Bot.OnStart].
func (b *Bot) OnDone(f func(ctx context.Context, c *Context, o Outcome)) (remove func()) {
	return addHook(&b.hooks.done, "OnDone", f, f == nil)
}

// OnCancelled calls f when a command's run has ended with an error since its context was cancelled: the command was
// edited or redacted, or the bot stops, of which cause, [ErrClosed] in the latter case, tells. [Bot.OnDone] follows. A
// command that was cancelled while it waited for its turn never ran. See [Bot.OnStart].
func (b *Bot) OnCancelled(f func(ctx context.Context, c *Context, cause error)) (remove func()) {
	return addHook(&b.hooks.cancelled, "OnCancelled", f, f == nil)
}

// OnError calls f when a command's run has ended with an error without having been cancelled, wrong arguments and
// refusals included. It is for counting and reporting: what the user is told is the matter of [WithErrorHandler], whose
// handler has been called by then. [Bot.OnDone] follows. See [Bot.OnStart].
func (b *Bot) OnError(f func(ctx context.Context, c *Context, err error)) (remove func()) {
	return addHook(&b.hooks.failed, "OnError", f, f == nil)
}

// hooks are what is called on the way of the bot and of its commands.
type hooks struct {
	log *slog.Logger

	start, ready, stop hookList[func(context.Context)]
	command            hookList[func(context.Context, *Context)]
	done               hookList[func(context.Context, *Context, Outcome)]
	unreadable         hookList[UnreadableHandler]
	unplayable         hookList[func(context.Context, *attachment.Prepared)]
	cancelled, failed  hookList[func(context.Context, *Context, error)]

	started bool           // Whether start was told; of the goroutine of Run or, where that never was, of Close
	work    sync.WaitGroup // One for each hook that runs
}

// hookList is the hooks of one kind. The list is never changed in place, so that it is read without a lock.
type hookList[F any] struct {
	mu  sync.RWMutex
	all []*hook[F]
}

type hook[F any] struct {
	call    F
	called  atomic.Bool // Of those that are called once
	removed atomic.Bool
}

func addHook[F any](list *hookList[F], what string, f F, missing bool) (remove func()) {
	if missing {
		panic("niobot: " + what + ": the function is nil")
	}
	h := &hook[F]{call: f}
	list.mu.Lock()
	defer list.mu.Unlock()
	list.all = append(slices.Clip(list.all), h)
	return func() { list.remove(h) }
}

func (list *hookList[F]) remove(h *hook[F]) {
	h.removed.Store(true)
	list.mu.Lock()
	defer list.mu.Unlock()
	list.all = slices.DeleteFunc(slices.Clone(list.all), func(other *hook[F]) bool { return other == h })
}

func (list *hookList[F]) hooks() []*hook[F] {
	list.mu.RLock()
	defer list.mu.RUnlock()
	return list.all
}

// tell calls the hooks one after the other. One that takes longer than hookLimit is left to itself.
func tell[F any](ctx context.Context, hs *hooks, what string, list *hookList[F], call func(ctx context.Context, f F)) {
	for _, h := range list.hooks() {
		if h.removed.Load() {
			continue // By one before it
		}
		limited, cancel := context.WithTimeout(ctx, hookLimit)
		done := make(chan struct{})
		hs.work.Go(func() {
			defer close(done)
			defer cancel()
			if err := recovered(func() error { call(limited, h.call); return nil }); err != nil {
				hs.log.Error("hook panicked", "hook", what, "err", err, "stack", stackOf(err))
			}
		})
		limit := time.NewTimer(hookLimit)
		select {
		case <-done:
		case <-limit.C:
			hs.log.Warn("hook takes long and is left to itself", "hook", what, "waited", hookLimit)
		}
		limit.Stop()
	}
}

// wait returns when no hook runs any more, or with ctx's error before.
func (hs *hooks) wait(ctx context.Context) error { return waitGroup(ctx, &hs.work) }

func (b *Bot) tellStart(ctx context.Context) {
	b.hooks.started = true
	tell(ctx, &b.hooks, "OnStart", &b.hooks.start, func(ctx context.Context, f func(context.Context)) { f(ctx) })
}

func (b *Bot) tellStop() {
	if b.hooks.started {
		tell(context.WithoutCancel(b.life), &b.hooks, "OnStop", &b.hooks.stop,
			func(ctx context.Context, f func(context.Context)) { f(ctx) })
	}
}

// tellReady calls the hooks that were not called yet.
func (b *Bot) tellReady() {
	for _, h := range b.hooks.ready.hooks() {
		if h.removed.Load() || !h.called.CompareAndSwap(false, true) {
			continue
		}
		b.Go(func(ctx context.Context) error {
			h.call(ctx)
			return nil
		})
	}
}

// awaitReady tells of the first sync, unless ctx ends before.
func (b *Bot) awaitReady(ctx context.Context) {
	select {
	case <-b.ready:
		b.tellReady()
	case <-ctx.Done():
	}
}

// announced is the command's middleware with the hooks of OnCommand before it: there, the arguments are bound.
func (b *Bot) announced(c *Context) []Middleware {
	if len(b.hooks.command.hooks()) == 0 || c.route == b.router.unknown {
		return c.middleware
	}
	announce := func(next Handler) Handler {
		return func(ctx context.Context, c *Context) error {
			tell(ctx, &b.hooks, "OnCommand", &b.hooks.command,
				func(ctx context.Context, f func(context.Context, *Context)) { f(ctx, c) })
			return next(ctx, c)
		}
	}
	return slices.Insert(slices.Clone(c.middleware), 0, announce)
}

// tellEnd says how a run ended. The hooks' context does not end with the run's, so that they can still answer.
func (b *Bot) tellEnd(r *run, took time.Duration) {
	c := r.call
	if c.route == b.router.unknown {
		return
	}
	ctx := context.WithoutCancel(r)
	switch {
	case r.err != nil && r.Err() != nil:
		cause := context.Cause(r)
		tell(ctx, &b.hooks, "OnCancelled", &b.hooks.cancelled,
			func(ctx context.Context, f func(context.Context, *Context, error)) { f(ctx, c, cause) })
	case r.err != nil:
		tell(ctx, &b.hooks, "OnError", &b.hooks.failed,
			func(ctx context.Context, f func(context.Context, *Context, error)) { f(ctx, c, r.err) })
	}
	tell(ctx, &b.hooks, "OnDone", &b.hooks.done,
		func(ctx context.Context, f func(context.Context, *Context, Outcome)) { f(ctx, c, Outcome{r.err, took}) })
}
