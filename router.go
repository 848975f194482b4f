package niobot

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"maunium.net/go/mautrix/event"
)

// router finds the command that a message calls.
type router struct {
	exactCase bool

	mu         sync.RWMutex
	names      map[string]*route // By folded name and alias
	commands   []*route          // In the order in which they were added
	fallback   *route            // The built-in help, which gives way to a command of its name
	checks     []Check
	middleware []Middleware
}

// route is a command as one bot has it.
type route struct {
	cmd        *Command
	limit      *limit
	middleware []Middleware // Of the bot and the command
}

func (rt *router) key(name string) string {
	if rt.exactCase {
		return name
	}
	return fold(name)
}

func newRoute(cmd *Command) *route {
	r := &route{cmd: cmd}
	if cmd.most > 0 {
		r.limit = &limit{most: cmd.most}
	}
	return r
}

// add panics where a name is taken.
func (rt *router) add(cmd *Command) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.names == nil {
		rt.names = make(map[string]*route)
	}
	r := newRoute(cmd)
	names := append([]string{cmd.name}, cmd.aliases...)
	for _, name := range names {
		if other, taken := rt.names[rt.key(name)]; taken {
			panic(fmt.Sprintf("niobot: command %q: the name %q is taken by command %q", cmd.name, name, other.cmd.name))
		}
	}
	for _, name := range names {
		rt.names[rt.key(name)] = r
	}
	rt.commands = append(rt.commands, r)
	r.middleware = append(slices.Clone(rt.middleware), cmd.middleware...)
}

// remove reports whether the command was there. Another command of the same name is left alone.
func (rt *router) remove(cmd *Command) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for name, r := range rt.names {
		if r.cmd == cmd {
			delete(rt.names, name)
		}
	}
	before := len(rt.commands)
	rt.commands = slices.DeleteFunc(slices.Clone(rt.commands), func(r *route) bool { return r.cmd == cmd })
	return len(rt.commands) < before
}

func (rt *router) find(name string) (*route, bool) {
	key := rt.key(name)
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	if r, ok := rt.names[key]; ok {
		return r, true
	}
	if rt.fallbackInUse() {
		cmd := rt.fallback.cmd
		for _, n := range append([]string{cmd.name}, cmd.aliases...) {
			if rt.key(n) == key {
				return rt.fallback, true
			}
		}
	}
	return nil, false
}

// fallbackInUse tells whether there is a built-in help whose name no other command has.
func (rt *router) fallbackInUse() bool {
	return rt.fallback != nil && rt.names[rt.key(rt.fallback.cmd.name)] == nil
}

// list is all commands in the order in which they were added, the built-in help last.
func (rt *router) list() []*Command {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	var all []*Command
	for _, r := range rt.commands {
		all = append(all, r.cmd)
	}
	if rt.fallbackInUse() {
		all = append(all, rt.fallback.cmd)
	}
	return all
}

// use wraps all commands, those added before included.
func (rt *router) use(middleware []Middleware) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.middleware = append(rt.middleware, middleware...)
	for _, r := range rt.commands {
		r.middleware = append(slices.Clone(rt.middleware), r.cmd.middleware...)
	}
	if r := rt.fallback; r != nil {
		r.middleware = append(slices.Clone(rt.middleware), r.cmd.middleware...)
	}
}

// require adds checks for all commands.
func (rt *router) require(checks []Check) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.checks = append(slices.Clone(rt.checks), checks...)
}

func (rt *router) required() []Check {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	return rt.checks
}

// middlewareOf is read under the lock, since use may change it while the bot runs.
func (rt *router) middlewareOf(r *route) []Middleware {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	return r.middleware
}

// takes tells whether a message is one that may call a command: a text, or the caption of a file.
func (b *Bot) takes(m *Message) bool {
	switch {
	case m.MsgType == event.MsgNotice:
		return b.settings.takeNotices
	case m.MsgType == event.MsgText:
		return true
	}
	return m.isCaption()
}

// route finds what the message calls.
func (b *Bot) route(room *Room, m *Message) (*route, *Context, bool) {
	if !b.takes(m) {
		return nil, nil, false
	}
	text := strings.TrimLeftFunc(m.Body, unicode.IsSpace)
	var prefix, rest string
	var ok bool
	if err := recovered(func() error { prefix, rest, ok = b.cutCommandPrefix(room, m, text); return nil }); err != nil {
		b.log.Error("prefix function panicked", "room_id", room.id, "event_id", m.ID, "err", err, "stack", stackOf(err))
		return nil, nil, false
	}
	if !ok {
		return nil, nil, false
	}
	name := strings.TrimLeftFunc(rest, unicode.IsSpace)
	args := ""
	if end := strings.IndexFunc(name, unicode.IsSpace); end >= 0 {
		name, args = name[:end], name[end:]
	}
	if name == "" {
		return nil, nil, false
	}
	found, ok := b.router.find(name)
	if !ok {
		return nil, nil, false
	}
	return found, &Context{
		Message:    m,
		Room:       room,
		Command:    found.cmd,
		Prefix:     prefix,
		Called:     name,
		Text:       args,
		bot:        b,
		middleware: b.router.middlewareOf(found),
	}, true
}
