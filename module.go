package niobot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Module is commands that belong together, with what they share. A module may also be a [ModuleSetup] and a
// [ModuleCloser]. One value can be mounted on several bots, and again after it was unmounted, as far as it allows that
// itself.
type Module interface {
	// Name is what help calls the module, what its log lines bear, and what its [Scope.KV] and its jobs are kept under,
	// of at most [MaxKVName] bytes. Two modules of one name can't be mounted at once.
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

// mounted is a module on one bot.
type mounted struct {
	module Module
	name   string
	scope  *Scope
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
	made := &mounted{module: m, name: m.Name()}
	if len(made.name) > MaxKVName || strings.Contains(made.name, "\x00") {
		return fmt.Errorf("mount %q: the name is longer than %d bytes, or holds a NUL", made.name, MaxKVName)
	}
	made.scope = newScope(b, made)
	if !b.modules.add(made) {
		made.scope.stop()
		return fmt.Errorf("mount %s: a module of that name is mounted", made.name)
	}
	err := recovered(func() error { return b.setUp(ctx, made) })
	if err != nil {
		b.modules.take(made)
		made.scope.end()
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

// Unmount removes all that is the module's, commands and what was added through its [Scope], waits for the work of
// [Scope.Go], and closes the module. Runs of its commands, triggers, menus and jobs go on; a listener or hook that is
// being called comes to its end. The module can be mounted again.
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
