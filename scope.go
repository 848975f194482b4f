package niobot

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/attachment"
)

// Host is what [Listen] and [NewJob] add to: a [*Bot], or the [*Scope] of a module, with which they go.
type Host interface {
	On(t event.Type, l Listener) (remove func())

	// host is the bot, and the module's scope; nil where there is none.
	host() (*Bot, *Scope)
}

var (
	_ Host = (*Bot)(nil)
	_ Host = (*Scope)(nil)
)

func (b *Bot) host() (*Bot, *Scope) { return b, nil }

// Scope is a bot as one module sees it: what is added through it goes with the module, or before that by the function
// that is returned. Its methods may be called from any goroutine, until the module is unmounted; what is added later is
// removed at once. Those that have the name of one of [Bot]'s do and refuse what that does.
type Scope struct {
	bot  *Bot
	made *mounted
	log  *slog.Logger
	ctx  context.Context // Ends when the module is unmounted
	stop context.CancelFunc
	work sync.WaitGroup

	mu         sync.Mutex
	undo       []*undo
	checks     []Check
	middleware []Middleware
	onError    ErrorHandler
	ended      bool
}

// undo takes back one thing that was added.
type undo struct{ f func() }

func newScope(b *Bot, made *mounted) *Scope {
	s := &Scope{bot: b, made: made, log: b.log.With("module", made.name)}
	s.ctx, s.stop = context.WithCancel(b.hearing)
	return s
}

func (s *Scope) host() (*Bot, *Scope) { return s.bot, s }

// Bot is the bot that the module is mounted on.
func (s *Scope) Bot() *Bot { return s.bot }

// Logger is the bot's logger with the module's name.
func (s *Scope) Logger() *slog.Logger { return s.log }

// Use is [Bot.Use] for the module's commands, triggers and menus, also those that were there before: inside the bot's
// middleware, and around that of groups and commands.
func (s *Scope) Use(middleware ...Middleware) {
	if slices.ContainsFunc(middleware, func(m Middleware) bool { return m == nil }) {
		panic("niobot: Use: a middleware is nil")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.middleware = slices.Concat(s.middleware, middleware)
}

// Require is [Bot.Require] for the module's commands, triggers and menus, also those that were there before: after the
// bot's checks, and before those of groups and commands.
func (s *Scope) Require(checks ...Check) {
	if slices.ContainsFunc(checks, func(c Check) bool { return c == nil }) {
		panic("niobot: Require: a check is nil")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks = slices.Concat(s.checks, checks)
}

// OnError tells h, in place of the bot's own handler, of the errors of the module's commands, triggers and menus that
// have no handler of their own. What only counts errors is added by [Bot.OnError] and [Scope.Defer].
func (s *Scope) OnError(h ErrorHandler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onError = h
}

// On is [Bot.On] for as long as the module is mounted.
func (s *Scope) On(t event.Type, l Listener) (remove func()) { return s.own(s.bot.On(t, l)) }

// OnMessage is [Bot.OnMessage] for as long as the module is mounted.
func (s *Scope) OnMessage(f func(ctx context.Context, m *Message) error) (remove func()) {
	return s.own(s.bot.OnMessage(f))
}

// Trigger is [Bot.Trigger] for as long as the module is mounted.
func (s *Scope) Trigger(expression *regexp.Regexp, f TriggerFunc, opts ...TriggerOption) (remove func()) {
	return s.own(s.bot.trigger(s.made, expression, f, opts))
}

// AddMenu is [Bot.AddMenu] for as long as the module is mounted. Buttons of messages that are there work again when it
// is mounted again.
func (s *Scope) AddMenu(m *Menu) (remove func()) { return s.own(s.bot.addMenu(s.made, m)) }

// Every is [Bot.Every] for as long as the module is mounted. The job's name is the module's own: another module may have
// one of the same name. Its rhythm goes on when the module is mounted again.
func (s *Scope) Every(name string, interval time.Duration, f JobFunc, opts ...ScheduleOption) (remove func()) {
	return s.own(every(s, name, interval, f, opts))
}

// Cron is [Bot.Cron] for as long as the module is mounted; its name is the module's own, as by [Scope.Every].
func (s *Scope) Cron(name, expression string, f JobFunc, opts ...ScheduleOption) (remove func()) {
	return s.own(byClock(s, name, expression, f, opts))
}

// OnStart is [Bot.OnStart] for as long as the module is mounted.
func (s *Scope) OnStart(f func(ctx context.Context)) (remove func()) { return s.own(s.bot.OnStart(f)) }

// OnReady is [Bot.OnReady] for as long as the module is mounted. f runs as by [Scope.Go].
func (s *Scope) OnReady(f func(ctx context.Context)) (remove func()) {
	if f == nil {
		panic("niobot: OnReady: the function is nil")
	}
	return s.own(s.bot.OnReady(func(context.Context) {
		s.Go(func(ctx context.Context) error {
			f(ctx)
			return nil
		})
	}))
}

// OnStop is [Bot.OnStop] for as long as the module is mounted: it is called when the bot ends, and not when the module
// is unmounted before, of which [ModuleCloser] is told.
func (s *Scope) OnStop(f func(ctx context.Context)) (remove func()) { return s.own(s.bot.OnStop(f)) }

// OnCommand is [Bot.OnCommand], about all of the bot's commands, for as long as the module is mounted.
func (s *Scope) OnCommand(f func(ctx context.Context, c *Context)) (remove func()) {
	return s.own(s.bot.OnCommand(f))
}

// OnDone is [Bot.OnDone], about all of the bot's commands, for as long as the module is mounted.
func (s *Scope) OnDone(f func(ctx context.Context, c *Context, o Outcome)) (remove func()) {
	return s.own(s.bot.OnDone(f))
}

// OnCancelled is [Bot.OnCancelled], about all of the bot's commands, for as long as the module is mounted.
func (s *Scope) OnCancelled(f func(ctx context.Context, c *Context, cause error)) (remove func()) {
	return s.own(s.bot.OnCancelled(f))
}

// OnUnreadable is [Bot.OnUnreadable] for as long as the module is mounted.
func (s *Scope) OnUnreadable(f UnreadableHandler) (remove func()) {
	return s.own(s.bot.OnUnreadable(f))
}

// OnUnplayable is [Bot.OnUnplayable] for as long as the module is mounted.
func (s *Scope) OnUnplayable(f func(ctx context.Context, p *attachment.Prepared)) (remove func()) {
	return s.own(s.bot.OnUnplayable(f))
}

// Go is [Bot.Go] with a context that ends when the module is unmounted, which waits for f.
func (s *Scope) Go(f func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.work.Add(1)
	started := s.bot.dispatcher.goOwned(func() {
		defer s.work.Done()
		s.bot.carry(s.ctx, s.log, f)
	})
	if !started {
		s.work.Done()
	}
}

// Defer calls f when the module is unmounted, the last given first. It is for what Scope has no method for.
func (s *Scope) Defer(f func()) { s.own(f) }

// own makes what was added go with the module, and returns what removes it before that.
func (s *Scope) own(remove func()) func() {
	u := &undo{remove}
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.undo = append(s.undo, u)
	}
	s.mu.Unlock()
	if ended {
		remove()
	}
	return func() {
		s.mu.Lock()
		s.undo = slices.DeleteFunc(s.undo, func(other *undo) bool { return other == u })
		s.mu.Unlock()
		remove()
	}
}

// end takes back all that was added, and waits for what was started.
func (s *Scope) end() {
	s.mu.Lock()
	all := s.undo
	s.undo, s.ended = nil, true
	s.mu.Unlock()
	for _, u := range slices.Backward(all) {
		if err := recovered(func() error { u.f(); return nil }); err != nil {
			s.log.Error("module was not cleared away", "err", err, "stack", stackOf(err))
		}
	}
	s.stop()
	s.work.Wait()
}

// permit is the check of all that the module has.
func (s *Scope) permit(ctx context.Context, c *Context) error {
	s.mu.Lock()
	checks := s.checks
	s.mu.Unlock()
	for _, check := range checks {
		if err := check(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// wrap is the middleware of all that the module has.
func (s *Scope) wrap(next Handler) Handler {
	return func(ctx context.Context, c *Context) error {
		s.mu.Lock()
		middleware := s.middleware
		s.mu.Unlock()
		return chain(middleware, next)(ctx, c)
	}
}

// answer is the error handler of all that the module has.
func (s *Scope) answer(ctx context.Context, c *Context, err error) {
	s.mu.Lock()
	tell := s.onError
	s.mu.Unlock()
	if tell == nil {
		tell = s.bot.settings.onError
	}
	tell(ctx, c, err)
}
