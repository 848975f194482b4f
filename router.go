package niobot

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"maunium.net/go/mautrix/event"
)

// router finds the command that a message calls.
type router struct {
	exactCase bool

	mu         sync.RWMutex
	top        branch
	fallback   *route // The built-in help, which gives way to a command of its name
	unknown    *route // What answers a name that is no command's
	changed    func() // Called when commands were added or removed; nil where nobody asks
	checks     []Check
	middleware []Middleware
}

// branch is commands of one level.
type branch struct {
	names  map[string]*route // By folded name and alias
	routes []*route          // In the order in which they were added
}

// route is a command as one bot has it. What it has of the groups around it is joined to its own when it is made.
type route struct {
	cmd        *Command
	parent     *route
	path       string // The names from the top, such as "config get"
	module     *mounted
	below      branch
	limit      *limit
	reject     *atomic.Int32 // How many runs go on, where further ones are refused; nil elsewhere
	most       int32
	checks     []Check
	cooldowns  []*cooldown
	own        []Middleware // Of the groups and the command
	middleware []Middleware // Of the bot and own
	onError    ErrorHandler
	passive    bool // Whether it is a trigger's, which nobody called
}

// disabled tells whether the command or a group around it is switched off.
func (r *route) disabled() bool {
	for ; r != nil; r = r.parent {
		if r.cmd.disabled {
			return true
		}
	}
	return false
}

func (rt *router) key(name string) string {
	if rt.exactCase {
		return name
	}
	return fold(name)
}

// newRoute makes a command's route and those of its subcommands.
func (rt *router) newRoute(cmd *Command, parent *route, module *mounted) *route {
	r := &route{cmd: cmd, parent: parent, module: module, path: cmd.name, onError: cmd.onError}
	if parent != nil {
		r.path = parent.path + " " + cmd.name
		r.limit, r.reject, r.most = parent.limit, parent.reject, parent.most
		r.checks = slices.Clone(parent.checks)
		r.cooldowns = slices.Clone(parent.cooldowns)
		r.own = slices.Clone(parent.own)
		if r.onError == nil {
			r.onError = parent.onError
		}
	} else if module != nil {
		r.checks, r.own = []Check{module.scope.permit}, []Middleware{module.scope.wrap}
		if r.onError == nil {
			r.onError = module.scope.answer
		}
	}
	switch {
	case cmd.most > 0 && cmd.busy:
		r.limit, r.reject, r.most = nil, new(atomic.Int32), int32(cmd.most)
	case cmd.most > 0:
		r.limit = &limit{most: cmd.most}
	}
	r.checks = append(r.checks, cmd.checks...)
	for _, rule := range cmd.cooldowns {
		r.cooldowns = append(r.cooldowns, &cooldown{cooldownRule: rule})
	}
	r.own = append(r.own, cmd.middleware...)
	r.middleware = slices.Concat(rt.middleware, r.own)
	for _, child := range cmd.children {
		r.below.put(rt, rt.newRoute(child, r, module))
	}
	return r
}

// put adds a route under its names, which are free.
func (b *branch) put(rt *router, r *route) {
	if b.names == nil {
		b.names = make(map[string]*route)
	}
	for _, name := range r.cmd.names() {
		b.names[rt.key(name)] = r
	}
	b.routes = append(b.routes, r)
}

// names are the command's name and its aliases.
func (cmd *Command) names() []string { return append([]string{cmd.name}, cmd.aliases...) }

// add adds commands, all or, where a name is taken, none.
func (rt *router) add(module *mounted, commands ...*Command) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	taken := make(map[string]string)
	for _, cmd := range commands {
		for _, name := range cmd.names() {
			key := rt.key(name)
			if other, ok := rt.top.names[key]; ok {
				taken[key] = other.cmd.name
			}
			if other, ok := taken[key]; ok {
				return fmt.Errorf("command %q: the name %q is taken by command %q", cmd.name, name, other)
			}
			taken[key] = cmd.name
		}
	}
	for _, cmd := range commands {
		rt.top.put(rt, rt.newRoute(cmd, nil, module))
	}
	rt.tellChanged()
	return nil
}

// remove reports whether the command was there. Another command of the same name is left alone.
func (rt *router) remove(cmd *Command) bool {
	return rt.removeIf(func(r *route) bool { return r.cmd == cmd })
}

// removeIf removes the commands of the first level that match accepts, and reports whether there were any.
func (rt *router) removeIf(match func(*route) bool) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for name, r := range rt.top.names {
		if match(r) {
			delete(rt.top.names, name)
		}
	}
	before := len(rt.top.routes)
	rt.top.routes = slices.DeleteFunc(slices.Clone(rt.top.routes), match)
	rt.tellChanged()
	return len(rt.top.routes) < before
}

func (rt *router) tellChanged() {
	if rt.changed != nil {
		rt.changed()
	}
}

// resolve finds the command that the text begins with: a name, and the names of subcommands after it. called is the
// names as the text has them, rest what follows.
func (rt *router) resolve(text string) (r *route, called, rest string, ok bool) {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	word, rest := cutWord(text)
	if r, ok = rt.named(word); !ok {
		return nil, word, rest, false
	}
	called = word
	for len(r.below.routes) > 0 {
		word, after := cutWord(strings.TrimLeftFunc(rest, unicode.IsSpace))
		next, found := r.below.names[rt.key(word)]
		if !found {
			break
		}
		r, rest, called = next, after, called+" "+word
	}
	return r, called, rest, true
}

// cutWord cuts the text before its first white space.
func cutWord(text string) (word, rest string) {
	if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
		return text[:end], text[end:]
	}
	return text, ""
}

func (rt *router) named(name string) (*route, bool) {
	key := rt.key(name)
	if r, ok := rt.top.names[key]; ok {
		return r, true
	}
	if rt.fallbackInUse() {
		for _, n := range rt.fallback.cmd.names() {
			if rt.key(n) == key {
				return rt.fallback, true
			}
		}
	}
	return nil, false
}

// find is the command with exactly that name, or path of names: "config get".
func (rt *router) find(path string) (*route, bool) {
	r, _, rest, ok := rt.resolve(path)
	if !ok || strings.TrimSpace(rest) != "" {
		return nil, false
	}
	return r, true
}

// fallbackInUse tells whether there is a built-in help whose name no other command has.
func (rt *router) fallbackInUse() bool {
	return rt.fallback != nil && rt.top.names[rt.key(rt.fallback.cmd.name)] == nil
}

// routes are those of the first level in the order in which they were added, the built-in help last.
func (rt *router) routes() []*route {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	all := slices.Clone(rt.top.routes)
	if rt.fallbackInUse() {
		all = append(all, rt.fallback)
	}
	return all
}

// list is the commands of the first level.
func (rt *router) list() []*Command {
	var all []*Command
	for _, r := range rt.routes() {
		all = append(all, r.cmd)
	}
	return all
}

// use wraps all commands, those added before included.
func (rt *router) use(middleware []Middleware) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	rt.middleware = append(rt.middleware, middleware...)
	var wrap func(r *route)
	wrap = func(r *route) {
		r.middleware = slices.Concat(rt.middleware, r.own)
		for _, child := range r.below.routes {
			wrap(child)
		}
	}
	for _, r := range rt.top.routes {
		wrap(r)
	}
	if rt.fallback != nil {
		wrap(rt.fallback)
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

// around is the middleware for a route that the router does not know: the bot's, and its own.
func (rt *router) around(r *route) []Middleware {
	rt.mu.RLock()
	defer rt.mu.RUnlock()
	return slices.Concat(rt.middleware, r.own)
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
	found, c, ok := b.routeText(room, m)
	if m.structured != "" {
		return b.structured(room, m, found, c, ok)
	}
	return found, c, ok
}

// routeText finds what the message's text calls.
func (b *Bot) routeText(room *Room, m *Message) (*route, *Context, bool) {
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
	found, called, args, ok := b.router.resolve(rest)
	if !ok {
		// Without a prefix, everything that is said in a room would be a name that is no command's.
		if found = b.router.unknown; found == nil || called == "" || prefix == "" {
			return nil, nil, false
		}
	}
	c := b.newContext(room, m, found)
	c.Prefix, c.Called, c.Text = prefix, called, args
	return found, c, true
}

// newContext is the context of a call of the command by the message.
func (b *Bot) newContext(room *Room, m *Message, r *route) *Context {
	return &Context{
		Message:    m,
		Room:       room,
		Command:    r.cmd,
		bot:        b,
		route:      r,
		middleware: b.router.middlewareOf(r),
	}
}
