package niobot

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/niobot/niobot/arg"
)

// Command is a name, a handler, and what is known of its arguments. It is a value: it can be built, tested and added
// to several bots. It must not be changed once it is made, which nothing exported allows.
type Command struct {
	name        string
	aliases     []string
	description string
	hidden      bool
	disabled    bool
	group       bool // Whether it only holds others
	children    []*Command
	checks      []Check
	middleware  []Middleware
	cooldowns   []cooldownRule
	onError     ErrorHandler
	most        int
	busy        bool // Whether runs beyond most are refused
	once        bool // Whether a run that a crash has ended is not repeated
	converters  []arg.Option
	plan        *arg.Plan
	invoke      func(ctx context.Context, c *Context) error
	errs        []error
}

// NoArgs is the argument struct of a command without arguments.
type NoArgs struct{}

// NewCommand makes a command. handler is called with the arguments that the user gave, in a struct of type A by the
// rules of package arg; [NoArgs] is the struct of a command that takes none. Beside the types of that package, fields
// may be
//
//   - *Message, by its id or a link to it, with the text of its latest edit; "reply" stands for the message that the
//     command replies to, and makes a good default: `arg:"message" default:"reply"`;
//   - *Event, in the same ways;
//   - *File, the file of the command's own message, whose caption the command is, or of the message that it replies to,
//     without a word of the user; or that of another message, by its id or a link to it;
//   - *Room, by its id, an alias, or a link to it: a room that the bot is in.
//
// Messages, events and files of other rooms are given only to members of those.
//
// It panics, naming the command and the struct's fields, where the name, the struct or an option is wrong: these are
// mistakes in the program that its first start shows.
func NewCommand[A any](name string, handler func(ctx context.Context, c *Context, args A) error, opts ...CommandOption) *Command {
	cmd := &Command{name: name}
	cmd.apply(opts)
	if handler == nil {
		cmd.wrong("the handler is nil")
	}
	plan, err := arg.NewPlan(reflect.TypeFor[A](), append(argumentTypes(), cmd.converters...)...)
	if err != nil {
		cmd.wrong("%w", err)
	}
	cmd.plan = plan
	cmd.finish()
	cmd.invoke = func(ctx context.Context, c *Context) error {
		var args A
		if err := c.bind(ctx, plan, &args); err != nil {
			return err
		}
		if len(c.middleware) == 0 {
			return handler(ctx, c, args)
		}
		h := Handler(func(ctx context.Context, c *Context) error { return handler(ctx, c, args) })
		return chain(c.middleware, h)(ctx, c)
	}
	return cmd
}

func (cmd *Command) wrong(format string, args ...any) {
	cmd.errs = append(cmd.errs, fmt.Errorf(format, args...))
}

func (cmd *Command) checkName(name string) {
	switch {
	case name == "":
		cmd.wrong("a name is empty")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		cmd.wrong("the name %q holds white space, which ends a name in a message", name)
	}
}

func joinReasons(errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Name is the command's name as it was given.
func (cmd *Command) Name() string { return cmd.name }

// Aliases are the command's other names.
func (cmd *Command) Aliases() []string { return slices.Clone(cmd.aliases) }

// Description is what the command does, in words for its users.
func (cmd *Command) Description() string { return cmd.description }

// Hidden tells whether help leaves the command out.
func (cmd *Command) Hidden() bool { return cmd.hidden }

// Disabled tells whether the command refuses to run.
func (cmd *Command) Disabled() bool { return cmd.disabled }

// Usage is the command's arguments in one line, in the notation of [arg.Plan.Usage]; empty where it takes none.
func (cmd *Command) Usage() string { return cmd.plan.Usage() }

// Params are the command's arguments.
func (cmd *Command) Params() []arg.Param { return cmd.plan.Params() }

// String implements [fmt.Stringer] by the command's name.
func (cmd *Command) String() string { return cmd.name }

// CommandOption adds to a command; see [NewCommand].
type CommandOption func(*Command)

// Describe says what the command does. Its first line is what the list of commands shows.
func Describe(text string) CommandOption {
	return func(cmd *Command) { cmd.description = strings.TrimSpace(text) }
}

// Alias adds other names for the command.
func Alias(names ...string) CommandOption {
	return func(cmd *Command) { cmd.aliases = append(cmd.aliases, names...) }
}

// Hide leaves the command out of help.
func Hide() CommandOption { return func(cmd *Command) { cmd.hidden = true } }

// Disable makes the command refuse to run, and leaves it out of help.
func Disable() CommandOption { return func(cmd *Command) { cmd.disabled = true } }

// AtMostOnce keeps a run that a crash of the bot has ended from being repeated at the next start, as all others are
// (see [WithStore]): it is for handlers that do something elsewhere that must not be done twice, such as a payment. The
// error handler is told of it by [ErrInterrupted], and so is the user.
func AtMostOnce() CommandOption { return func(cmd *Command) { cmd.once = true } }

// Require lets the command run only where all the checks agree, in their order.
func Require(checks ...Check) CommandOption {
	return func(cmd *Command) {
		for _, check := range checks {
			if check == nil {
				cmd.wrong("Require: a check is nil")
			}
		}
		cmd.checks = append(cmd.checks, checks...)
	}
}

// Use wraps the command's handler, the first middleware outermost. See [Bot.Use].
func Use(middleware ...Middleware) CommandOption {
	return func(cmd *Command) {
		for _, m := range middleware {
			if m == nil {
				cmd.wrong("Use: a middleware is nil")
			}
		}
		cmd.middleware = append(cmd.middleware, middleware...)
	}
}

// MaxConcurrency bounds how many runs of the command go on at once, over all rooms; further ones wait in their order.
// A run that waits for an event still counts.
func MaxConcurrency(n int) CommandOption {
	return func(cmd *Command) {
		if n < 1 {
			cmd.wrong("MaxConcurrency: %d is no positive number", n)
		}
		cmd.most = n
	}
}

// RejectAbove bounds how many runs of the command go on at once, as [MaxConcurrency] does; further ones are refused
// with [ErrBusy], which the user is told.
func RejectAbove(n int) CommandOption {
	return func(cmd *Command) {
		MaxConcurrency(n)(cmd)
		cmd.busy = true
	}
}

// OnError tells h of the command's errors, and those of its subcommands, in place of the bot's own handler. h may call
// [ReplyWithError] for those that it has no better answer for.
func OnError(h ErrorHandler) CommandOption {
	return func(cmd *Command) {
		if h == nil {
			cmd.wrong("OnError: the handler is nil")
		}
		cmd.onError = h
	}
}

// Serial makes the command's runs follow one another: MaxConcurrency(1).
func Serial() CommandOption { return MaxConcurrency(1) }

// Convert makes the command's arguments of type T be read by the converter. In it, [FromContext] gives the command's
// context.
func Convert[T any](converter arg.Converter[T]) CommandOption {
	return func(cmd *Command) { cmd.converters = append(cmd.converters, arg.With(converter)) }
}
