package niobot

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/niobot/niobot/arg"
)

// NewGroup makes a command that only holds others, which it is given by [Sub]: "config get", "config set". Called
// alone, it shows them. Its checks, middleware, cooldowns and limits hold for all of them, before their own; arguments
// that they share are a struct that theirs embed. It panics as [NewCommand] does.
func NewGroup(name string, opts ...CommandOption) *Command {
	cmd := &Command{name: name, group: true}
	cmd.apply(opts)
	plan, err := arg.NewPlan(reflect.TypeFor[NoArgs]())
	if err != nil {
		cmd.wrong("%w", err)
	}
	cmd.plan = plan
	if len(cmd.children) == 0 {
		cmd.wrong("the group holds no commands; give it some by Sub")
	}
	cmd.invoke = func(ctx context.Context, c *Context) error {
		if word, _, _ := strings.Cut(strings.TrimSpace(c.Text), " "); word != "" {
			return c.unknownSubcommand(ctx, word)
		}
		return c.helpCommand(ctx, c.route)
	}
	cmd.finish()
	return cmd
}

// Sub puts commands below another, at any depth. A command with a handler of its own runs it where no subcommand is
// named.
func Sub(commands ...*Command) CommandOption {
	return func(cmd *Command) {
		for _, child := range commands {
			if child == nil {
				cmd.wrong("Sub: a command is nil")
				continue
			}
			cmd.children = append(cmd.children, child)
		}
	}
}

// With makes copies of the commands to which the option applies as well, as though a group around them had it:
//
//	bot.Add(niobot.With(niobot.Require(niobot.OwnerOnly()), reload, shutdown)...)
//
// [Options] makes one option of several.
func With(option CommandOption, commands ...*Command) []*Command {
	around := &Command{name: "With"}
	around.apply([]CommandOption{option})
	if len(around.aliases) > 0 || around.description != "" || len(around.children) > 0 || len(around.converters) > 0 {
		around.wrong("an option of one command can't be given to several")
	}
	if len(around.errs) > 0 {
		panic("niobot: With: " + joinReasons(around.errs))
	}
	copies := make([]*Command, len(commands))
	for i, cmd := range commands {
		made := *cmd
		made.checks = slices.Concat(around.checks, cmd.checks)
		made.middleware = slices.Concat(around.middleware, cmd.middleware)
		made.cooldowns = slices.Concat(around.cooldowns, cmd.cooldowns)
		made.hidden = cmd.hidden || around.hidden
		made.disabled = cmd.disabled || around.disabled
		if cmd.most == 0 {
			made.most, made.busy = around.most, around.busy
		}
		if cmd.onError == nil {
			made.onError = around.onError
		}
		copies[i] = &made
	}
	return copies
}

// Options makes one option of several.
func Options(opts ...CommandOption) CommandOption {
	return func(cmd *Command) { cmd.apply(opts) }
}

// Subcommands are the commands directly below this one.
func (cmd *Command) Subcommands() []*Command { return slices.Clone(cmd.children) }

// checkChildren finds names that two subcommands have.
func (cmd *Command) checkChildren() {
	taken := make(map[string]string)
	for _, child := range cmd.children {
		for _, name := range append([]string{child.name}, child.aliases...) {
			if other, ok := taken[fold(name)]; ok {
				cmd.wrong("subcommands %q and %q have both the name %q", other, child.name, name)
			}
			taken[fold(name)] = child.name
		}
	}
}

// finish panics with all that was found wrong.
func (cmd *Command) finish() {
	for _, name := range append([]string{cmd.name}, cmd.aliases...) {
		cmd.checkName(name)
	}
	cmd.checkChildren()
	if len(cmd.errs) > 0 {
		panic(fmt.Sprintf("niobot: command %q: %s", cmd.name, joinReasons(cmd.errs)))
	}
}

func (cmd *Command) apply(opts []CommandOption) {
	for _, opt := range opts {
		if opt == nil {
			cmd.wrong("an option is nil")
			continue
		}
		opt(cmd)
	}
}
