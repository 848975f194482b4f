package niobot

import (
	"context"
	"strings"

	"github.com/niobot/niobot/arg"
)

// helpArgs are the arguments of the built-in help.
type helpArgs struct {
	Command string `arg:"command,optional" help:"the command to explain"`
}

// defaultHelp is the built-in help: without an argument the commands that the caller may run, with one what it does
// and how it is called.
func defaultHelp() *Command {
	return NewCommand("help", func(ctx context.Context, c *Context, a helpArgs) error {
		if a.Command == "" {
			return c.helpList(ctx)
		}
		name := strings.TrimPrefix(a.Command, strings.TrimSpace(c.Prefix))
		cmd, ok := c.bot.Command(name)
		if !ok || cmd.disabled || c.bot.permit(ctx, c, cmd) != nil {
			return c.Reply(ctx, "There is no command `%s`.", a.Command)
		}
		return c.helpCommand(ctx, cmd)
	}, Alias("h"), Describe("Show what I can do."))
}

// helpList shows the commands, a line each.
func (c *Context) helpList(ctx context.Context) error {
	var format strings.Builder
	var args []any
	format.WriteString("**Commands**\n\n")
	for _, cmd := range c.bot.Commands() {
		if cmd.hidden || cmd.disabled || c.bot.permit(ctx, c, cmd) != nil {
			continue
		}
		format.WriteString("- `%s`")
		args = append(args, commandLine(c.Prefix, cmd.name, cmd))
		if summary, _, _ := strings.Cut(cmd.description, "\n"); summary != "" {
			format.WriteString(" – %s")
			args = append(args, summary)
		}
		format.WriteString("\n")
	}
	_, err := c.Respond(ctx, Markdown(format.String(), args...))
	return err
}

// helpCommand shows one command with its arguments.
func (c *Context) helpCommand(ctx context.Context, cmd *Command) error {
	var format strings.Builder
	args := []any{commandLine(c.Prefix, cmd.name, cmd)}
	format.WriteString("`%s`")
	if len(cmd.aliases) > 0 {
		format.WriteString(" (also: %s)")
		args = append(args, strings.Join(cmd.aliases, ", "))
	}
	if cmd.description != "" {
		format.WriteString("\n\n%s")
		args = append(args, cmd.description)
	}
	params := cmd.Params()
	if len(params) > 0 {
		format.WriteString("\n\n")
	}
	for _, p := range params {
		text := paramText(p)
		format.WriteString("- `%s`")
		args = append(args, p.Name)
		if text != "" {
			format.WriteString(": %s")
			args = append(args, text)
		}
		format.WriteString("\n")
	}
	_, err := c.Respond(ctx, Markdown(format.String(), args...))
	return err
}

// paramText is what there is to say of an argument.
func paramText(p arg.Param) string {
	var parts []string
	if p.Help != "" {
		parts = append(parts, p.Help)
	}
	if len(p.Choices) > 0 {
		parts = append(parts, "one of "+strings.Join(p.Choices, ", "))
	}
	if p.Default != "" {
		parts = append(parts, "default "+p.Default)
	}
	return strings.Join(parts, "; ")
}
