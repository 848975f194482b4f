package niobot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"maunium.net/go/mautrix/event"
)

// Module is commands that belong together, with what they share. A module may also be a [ModuleSetup] and a
// [ModuleCloser]. One value can be mounted on several bots, and again after it was unmounted, as far as it allows that
// itself.
type Module interface {
	// Name is what help calls the module, and what its log lines bear. Two modules of one name can't be mounted at once.
	Name() string

	// Commands are the module's commands. It is called once for each mounting, after Setup.
	Commands() []*Command
}

// ModuleSetup is a [Module] with work to do before its commands are added.
type ModuleSetup interface {
	Module

	// Setup may add listeners and start work, all through s, and returns when the module is ready. After an error or a
	// panic nothing of it is left.
	Setup(ctx context.Context, s *Scope) error
}

// ModuleCloser is a [Module] with work to do after its commands and listeners are gone.
type ModuleCloser interface {
	Module

	// Close is called when the module is unmounted, and when the bot ends. It is not called where Setup failed.
	Close(ctx context.Context) error
}

// Scope is a bot as one module sees it: what is added through it goes with the module. Its methods may be called from
// any goroutine, until the module is unmounted.
type Scope struct {
	bot  *Bot
	name string // The module's
	log  *slog.Logger
	ctx  context.Context // Ends when the module is unmounted
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	undo    []func()
	onError ErrorHandler
	ended   bool
}

// Bot is the bot that the module is mounted on.
func (s *Scope) Bot() *Bot { return s.bot }

// Logger is the bot's logger with the module's name.
func (s *Scope) Logger() *slog.Logger { return s.log }

// On is [Bot.On] for as long as the module is mounted.
func (s *Scope) On(t event.Type, l Listener) { s.Defer(s.bot.On(t, l)) }

// OnMessage is [Bot.OnMessage] for as long as the module is mounted.
func (s *Scope) OnMessage(f func(ctx context.Context, m *Message) error) { s.Defer(s.bot.OnMessage(f)) }

// OnError tells h of the errors of the module's commands that have no handler of their own. It takes effect in Setup.
func (s *Scope) OnError(h ErrorHandler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onError = h
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

// Defer calls f when the module is unmounted, the last given first. It is for what is added to the bot by calls that
// return a function to remove it.
func (s *Scope) Defer(f func()) {
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.undo = append(s.undo, f)
	}
	s.mu.Unlock()
	if ended {
		f()
	}
}

// end takes back all that was added, and waits for what was started.
func (s *Scope) end() {
	s.mu.Lock()
	undo := s.undo
	s.undo, s.ended = nil, true
	s.mu.Unlock()
	for _, f := range slices.Backward(undo) {
		if err := recovered(func() error { f(); return nil }); err != nil {
			s.log.Error("module was not cleared away", "err", err, "stack", stackOf(err))
		}
	}
	s.stop()
	s.work.Wait()
}

// mounted is a module on one bot.
type mounted struct {
	module  Module
	name    string
	scope   *Scope
	onError ErrorHandler
}

// modules are those of one bot, in the order in which they were mounted.
type modules struct {
	mu  sync.Mutex
	all []*mounted
}

func (ms *modules) find(match func(*mounted) bool) *mounted {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if i := slices.IndexFunc(ms.all, match); i >= 0 {
		return ms.all[i]
	}
	return nil
}

// add reports false where a module of that name is mounted.
func (ms *modules) add(m *mounted) bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if slices.ContainsFunc(ms.all, func(other *mounted) bool { return other.name == m.name }) {
		return false
	}
	ms.all = append(ms.all, m)
	return true
}

// take removes a module, and reports false where it is not there.
func (ms *modules) take(m *mounted) bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	i := slices.Index(ms.all, m)
	if i >= 0 {
		ms.all = slices.Delete(ms.all, i, i+1)
	}
	return i >= 0
}

// Mount sets a module up and adds its commands. On an error nothing of it is left: one of that name is mounted, Setup
// failed or panicked, or a command's name is taken. ctx is Setup's.
func (b *Bot) Mount(ctx context.Context, m Module) error {
	if m == nil || m.Name() == "" {
		return errors.New("mount: the module is nil or has no name")
	}
	scope := &Scope{bot: b, name: m.Name(), log: b.log.With("module", m.Name())}
	scope.ctx, scope.stop = context.WithCancel(b.hearing)
	made := &mounted{module: m, name: m.Name(), scope: scope}
	if !b.modules.add(made) {
		scope.stop()
		return fmt.Errorf("mount %s: a module of that name is mounted", made.name)
	}
	err := recovered(func() error { return b.setUp(ctx, made) })
	if err != nil {
		b.modules.take(made)
		scope.end()
		return fmt.Errorf("mount %s: %w", made.name, err)
	}
	return nil
}

func (b *Bot) setUp(ctx context.Context, made *mounted) error {
	if m, ok := made.module.(ModuleSetup); ok {
		if err := m.Setup(ctx, made.scope); err != nil {
			return err
		}
	}
	made.scope.mu.Lock()
	made.onError = made.scope.onError
	made.scope.mu.Unlock()
	commands := made.module.Commands()
	err := error(nil)
	if slices.Contains(commands, nil) {
		err = errors.New("a command is nil")
	} else {
		err = b.router.add(made, commands...)
	}
	if m, ok := made.module.(ModuleCloser); ok && err != nil {
		err = errors.Join(err, recovered(func() error { return m.Close(ctx) }))
	}
	return err
}

// Unmount removes a module's commands, listeners and work, waits for the latter, and closes it. Runs of its commands
// go on. The module can be mounted again.
func (b *Bot) Unmount(ctx context.Context, m Module) error {
	made := b.modules.find(func(other *mounted) bool { return m != nil && other.name == m.Name() })
	if made == nil {
		return errors.New("unmount: the module is not mounted")
	}
	return b.unmount(ctx, made)
}

func (b *Bot) unmount(ctx context.Context, made *mounted) error {
	if !b.modules.take(made) {
		return nil
	}
	b.router.removeIf(func(r *route) bool { return r.module == made })
	made.scope.end()
	if m, ok := made.module.(ModuleCloser); ok {
		if err := recovered(func() error { return m.Close(ctx) }); err != nil {
			return fmt.Errorf("close module %s: %w", made.name, err)
		}
	}
	return nil
}

// Modules are the modules that are mounted, in their order.
func (b *Bot) Modules() []Module {
	b.modules.mu.Lock()
	defer b.modules.mu.Unlock()
	all := make([]Module, len(b.modules.all))
	for i, m := range b.modules.all {
		all[i] = m.module
	}
	return all
}

// unmountAll closes the modules when the bot ends, the last mounted first.
func (b *Bot) unmountAll(ctx context.Context) {
	for {
		last := b.modules.last()
		if last == nil {
			return
		}
		if err := b.unmount(ctx, last); err != nil {
			b.log.Error("module not closed", "err", err, "stack", stackOf(err))
		}
	}
}

func (ms *modules) last() *mounted {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if len(ms.all) == 0 {
		return nil
	}
	return ms.all[len(ms.all)-1]
}
