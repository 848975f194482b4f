package niobot

import (
	"context"
	"slices"

	"github.com/niobot/niobot/arg"
)

// WithUnknownCommand sets what is done with a name, after a prefix, that is no command's: [Context.Called] is that name.
// It runs as a command does. Nil: nothing. The default suggests the command that was likely meant, if the caller may
// run one that is written much like it, and says nothing otherwise, since another bot may have the same prefix.
func WithUnknownCommand(h Handler) Option { return func(s *settings) { s.unknown = h } }

// unknownCommand makes a command of a handler for names that are no command's.
func unknownCommand(h Handler) *Command {
	return &Command{name: "unknown", invoke: func(ctx context.Context, c *Context) error {
		return chain(c.middleware, h)(ctx, c)
	}}
}

// suggestCommand is the default of [WithUnknownCommand].
func suggestCommand(ctx context.Context, c *Context) error {
	near, ok := c.nearest(ctx, c.Called, c.bot.router.routes())
	if !ok {
		return nil
	}
	return c.say(ctx, TextDidYouMean, c.Prefix+c.Called, c.Prefix+near)
}

// unknownSubcommand answers a word after a group's name that names none of its commands.
func (c *Context) unknownSubcommand(ctx context.Context, word string) error {
	if near, ok := c.nearest(ctx, word, c.route.below.routes); ok {
		return c.say(ctx, TextDidYouMean, c.Prefix+c.Called+" "+word, c.Prefix+c.Called+" "+near)
	}
	return c.say(ctx, TextNoSubcommand, c.Prefix+c.Called, word)
}

// nearest is the name that was likely meant, among those of commands that the caller may run and see.
func (c *Context) nearest(ctx context.Context, word string, routes []*route) (string, bool) {
	var names []string
	for _, r := range routes {
		if c.maySee(ctx, r) {
			names = append(names, r.cmd.names()...)
		}
	}
	slices.Sort(names)
	if c.bot.settings.exactCase {
		return arg.Nearest(word, names)
	}
	return arg.Nearest(fold(word), names)
}

// maySee tells whether help shows the command to the caller: one that is not hidden, and that no check refuses. Of a
// group, one of its commands must be such.
func (c *Context) maySee(ctx context.Context, r *route) bool {
	if r.cmd.hidden || r.cmd.disabled || c.bot.permit(ctx, c, r) != nil {
		return false
	}
	return !r.cmd.group || slices.ContainsFunc(r.below.routes, func(child *route) bool { return c.maySee(ctx, child) })
}
