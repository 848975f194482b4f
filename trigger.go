package niobot

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/niobot/niobot/arg"
)

// TriggerFunc answers a message that a trigger's expression matches. groups is what the expression and its groups
// matched, as [regexp.Regexp.FindStringSubmatch] gives it.
type TriggerFunc func(ctx context.Context, c *Context, groups []string) error

// TriggerOption changes a trigger; see [Bot.Trigger].
type TriggerOption func(*trigger)

// TriggerName names the trigger in logs, hooks and answers. Default: its expression.
func TriggerName(name string) TriggerOption { return func(t *trigger) { t.cmd.name = name } }

// TriggerOnCommands makes the trigger look at messages that call a command as well.
func TriggerOnCommands() TriggerOption { return func(t *trigger) { t.onCommands = true } }

// TriggerRequire lets the trigger run only where all the checks agree, after those of [Bot.Require].
func TriggerRequire(checks ...Check) TriggerOption {
	return func(t *trigger) {
		if slices.ContainsFunc(checks, func(c Check) bool { return c == nil }) {
			panic("niobot: TriggerRequire: a check is nil")
		}
		t.cmd.checks = append(t.cmd.checks, checks...)
	}
}

// Trigger calls f for messages whose text the expression matches somewhere, without any prefix. They are those that
// could call a command, but do not: of others, no notices, in rooms that the bot is in.
//
//	bot.Trigger(regexp.MustCompile(`\bissue #(\d+)\b`),
//		func(ctx context.Context, c *niobot.Context, groups []string) error {
//			return c.Reply(ctx, "https://example.org/issues/%s", groups[1])
//		})
//
// f runs as a command's handler does: on a place of the bot's, with the middleware of [Bot.Use] around it, its answers
// in the thread of the message, its errors and panics told to the error handler; edited and redacted messages are
// followed. Only the refusal of a check is told to nobody, since nobody asked. [Context.Command] and [Context.Called]
// are the trigger's name, [Context.Text] is the whole text. Where several triggers match, each runs.
//
// The returned function removes the trigger; what runs goes on. Trigger panics where the expression or f is nil.
func (b *Bot) Trigger(expression *regexp.Regexp, f TriggerFunc, opts ...TriggerOption) (remove func()) {
	return b.trigger(nil, expression, f, opts)
}

func (b *Bot) trigger(module *mounted, expression *regexp.Regexp, f TriggerFunc, opts []TriggerOption) (remove func()) {
	if expression == nil || f == nil {
		panic("niobot: Trigger: the expression or the function is nil")
	}
	plan, err := arg.NewPlan(reflect.TypeFor[NoArgs]())
	if err != nil {
		panic("niobot: Trigger: " + err.Error())
	}
	t := &trigger{
		expression: expression,
		cmd:        &Command{name: expression.String(), plan: plan},
		history:    history{most: maxTriggerHistory},
	}
	for _, opt := range opts {
		opt(t)
	}
	t.cmd.name = b.triggers.unique(t.cmd.name)
	t.history.name = t.cmd.name
	t.cmd.invoke = func(ctx context.Context, c *Context) error {
		groups := expression.FindStringSubmatch(c.Text)
		return chain(c.middleware, func(ctx context.Context, c *Context) error { return f(ctx, c, groups) })(ctx, c)
	}
	t.route = b.router.newRoute(t.cmd, nil, module)
	t.route.passive = true
	t.history.restore(b, b.triggers.add(t))
	return func() { b.triggers.remove(t) }
}

// trigger is an expression and, as a command that no router knows, what it starts.
type trigger struct {
	expression *regexp.Regexp
	cmd        *Command
	route      *route
	onCommands bool
	history    history // The runs that it started
	removed    atomic.Bool
}

// triggers are those of one bot. The list is never changed in place, so that it is read without a lock.
type triggers struct {
	mu    sync.RWMutex
	all   []*trigger
	names map[string]bool      // Those that are taken
	past  map[string][]pastRun // What those left that are not there yet, by their names
}

// unique makes a name one of its own, and takes it: the ids of what a trigger sends are made of it, and what it has
// left is found by it.
func (ts *triggers) unique(name string) string {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.names == nil {
		ts.names = make(map[string]bool)
	}
	unique := name
	for n := 2; ts.names[unique]; n++ {
		unique = name + " (" + strconv.Itoa(n) + ")"
	}
	ts.names[unique] = true
	return unique
}

// add adds a trigger, and returns what it left before the bot's start.
func (ts *triggers) add(t *trigger) []pastRun {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.all = append(slices.Clip(ts.all), t)
	past := ts.past[t.history.name]
	delete(ts.past, t.history.name)
	return past
}

// restore hands the triggers what they left before the bot's start, to those that come later as well.
func (ts *triggers) restore(b *Bot, past map[string][]pastRun) {
	ts.mu.Lock()
	ts.past = past
	all := ts.all
	ts.mu.Unlock()
	for _, t := range all {
		ts.mu.Lock()
		own := ts.past[t.history.name]
		delete(ts.past, t.history.name)
		ts.mu.Unlock()
		t.history.restore(b, own)
	}
}

func (ts *triggers) remove(t *trigger) {
	if t.removed.Swap(true) {
		return // Its name may be another's by now.
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.names, t.history.name)
	ts.all = slices.DeleteFunc(slices.Clone(ts.all), func(other *trigger) bool { return other == t })
}

func (ts *triggers) list() []*trigger {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.all
}

// pull starts the triggers that the message matches. called is the run that it started as a command, if any.
func (b *Bot) pull(m *Message, called *run) {
	all := b.triggers.list()
	if len(all) == 0 || !b.heeds(m) {
		return
	}
	isCommand := called != nil && called.call.Command != nil && called.call.route != b.router.unknown
	for _, t := range all {
		before := t.before(m)
		if before != nil && (before.call.Message.Sender != m.Sender || before.call.Room != m.room) {
			continue // Only a message's author can edit it.
		}
		matches := b.takes(m) && (t.onCommands || !isCommand) && !t.removed.Load() && t.expression.MatchString(m.Body)
		switch {
		case matches:
			c := b.newContext(m.room, m, t.route)
			c.Called, c.Text, c.middleware = t.cmd.name, m.Body, b.router.around(t.route)
			b.start(&t.history, t.route, c, before)
		case before != nil:
			b.retract(&t.history, m.Replaces, m.Event, m)
		}
	}
}

// before is the run that the message started before it was edited.
func (t *trigger) before(m *Message) *run {
	if m.Replaces == "" {
		return nil
	}
	return t.history.find(m.Replaces)
}

// letGo takes back what a message that was redacted had triggered.
func (b *Bot) letGo(redaction *Event) {
	for _, t := range b.triggers.list() {
		b.retract(&t.history, redaction.redacts(), redaction, nil)
	}
}
