package niobot

import (
	"context"
	"strings"

	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/render"
)

// helpArgs are the arguments of the built-in help.
type helpArgs struct {
	Command string `arg:"command,rest,optional" help:"the command to explain"`
}

// defaultHelp is the built-in help: without an argument the commands that the caller may run, with one what it does
// and how it is called.
func defaultHelp() *Command {
	return NewCommand("help", func(ctx context.Context, c *Context, a helpArgs) error {
		if a.Command == "" {
			return c.helpList(ctx)
		}
		path := strings.TrimPrefix(a.Command, strings.TrimSpace(c.Prefix))
		r, ok := c.bot.router.find(path)
		if !ok || r.disabled() || c.bot.permit(ctx, c, r) != nil {
			if near, ok := c.nearest(ctx, path, c.bot.router.routes()); ok {
				return c.say(ctx, TextDidYouMean, path, near)
			}
			return c.say(ctx, TextNoCommand, a.Command)
		}
		return c.helpCommand(ctx, r)
	}, Alias("h"), Describe("Show what I can do."))
}

// HelpEntry is what help says of one command.
type HelpEntry struct {
	Line        string   // How it is called, with the prefix that the caller used: "!ban <user> [reason…]"
	Path        string   // Its name, below its groups: "config get"
	Aliases     []string // Its other names
	Summary     string   // The first line of its description
	Description string   // All of it
	Params      []arg.Param
	Subcommands []HelpEntry // Those that the caller may run
}

// HelpSection is the commands of one module; those of none come first, without a name.
type HelpSection struct {
	Module   string
	Commands []HelpEntry
}

// HelpFormat makes the texts of the built-in help. Hidden and disabled commands, and those that a check refuses the
// caller, are not in what it is given.
type HelpFormat interface {
	// List shows all commands.
	List(c *Context, sections []HelpSection) Body
	// Command explains one.
	Command(c *Context, entry HelpEntry) Body
}

// WithHelpFormat makes the built-in help look otherwise. [WithHelp] replaces it altogether.
func WithHelpFormat(f HelpFormat) Option {
	return func(s *settings) {
		if f == nil {
			s.wrong("WithHelpFormat", "the format is nil")
			return
		}
		s.helpFormat = f
	}
}

func (c *Context) helpList(ctx context.Context) error {
	sections := []HelpSection{{}}
	places := map[string]int{"": 0}
	for _, r := range c.bot.router.routes() {
		if !c.maySee(ctx, r) {
			continue
		}
		module := ""
		if r.module != nil {
			module = r.module.name
		}
		place, ok := places[module]
		if !ok {
			place = len(sections)
			places[module] = place
			sections = append(sections, HelpSection{Module: module})
		}
		sections[place].Commands = append(sections[place].Commands, c.helpEntry(ctx, r))
	}
	if len(sections[0].Commands) == 0 {
		sections = sections[1:]
	}
	return c.respondInPages(ctx, c.bot.settings.helpFormat.List(c, sections))
}

func (c *Context) helpCommand(ctx context.Context, r *route) error {
	return c.respondInPages(ctx, c.bot.settings.helpFormat.Command(c, c.helpEntry(ctx, r)))
}

// respondInPages answers with a text that may be longer than one event.
func (c *Context) respondInPages(ctx context.Context, body Body) error {
	for _, page := range render.Split(body, 0) {
		if _, err := c.Respond(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

func (c *Context) helpEntry(ctx context.Context, r *route) HelpEntry {
	summary, _, _ := strings.Cut(r.cmd.description, "\n")
	entry := HelpEntry{
		Line: commandLine(c.Prefix, r.path, r.cmd), Path: r.path, Aliases: r.cmd.Aliases(),
		Summary: summary, Description: r.cmd.description, Params: r.cmd.Params(),
	}
	for _, child := range r.below.routes {
		if c.maySee(ctx, child) {
			entry.Subcommands = append(entry.Subcommands, c.helpEntry(ctx, child))
		}
	}
	return entry
}

// plainHelp is the help that bots have unless [WithHelpFormat] says otherwise.
type plainHelp struct{}

var _ HelpFormat = plainHelp{}

// List implements [HelpFormat]: a line for each command, under the names of their modules.
func (plainHelp) List(c *Context, sections []HelpSection) Body {
	var b helpBuilder
	b.write("%v\n\n", c.words(TextCommands))
	for _, section := range sections {
		if section.Module != "" {
			b.write("\n**%s**\n\n", section.Module)
		}
		for _, entry := range section.Commands {
			b.entry(entry)
		}
	}
	return b.body()
}

// Command implements [HelpFormat]: how the command is called, what it does, its arguments and subcommands.
func (plainHelp) Command(c *Context, entry HelpEntry) Body {
	var b helpBuilder
	b.write("`%s`", entry.Line)
	if len(entry.Aliases) > 0 {
		b.write(" (%v)", c.words(TextAlso, strings.Join(entry.Aliases, ", ")))
	}
	if entry.Description != "" {
		b.write("\n\n%s", entry.Description)
	}
	b.write("\n\n")
	for _, p := range entry.Params {
		b.write("- `%s`", p.Name)
		if text := c.paramText(p); text != "" {
			b.write(": %s", text)
		}
		b.write("\n")
	}
	for _, child := range entry.Subcommands {
		b.entry(child)
	}
	return b.body()
}

// helpBuilder gathers a Markdown format and its arguments.
type helpBuilder struct {
	format strings.Builder
	args   []any
}

func (b *helpBuilder) write(format string, args ...any) {
	b.format.WriteString(format)
	b.args = append(b.args, args...)
}

func (b *helpBuilder) entry(e HelpEntry) {
	line := e.Line
	if len(e.Subcommands) > 0 && len(e.Params) == 0 {
		line += " …"
	}
	b.write("- `%s`", line)
	if e.Summary != "" {
		b.write(" – %s", e.Summary)
	}
	b.write("\n")
}

func (b *helpBuilder) body() Body { return Markdown(b.format.String(), b.args...) }

// paramText is what there is to say of an argument.
func (c *Context) paramText(p arg.Param) string {
	var parts []string
	if p.Help != "" {
		parts = append(parts, p.Help)
	}
	if len(p.Choices) > 0 {
		parts = append(parts, c.words(TextOneOf, strings.Join(p.Choices, ", ")).Text)
	}
	if p.Default != "" {
		parts = append(parts, c.words(TextDefault, p.Default).Text)
	}
	return strings.Join(parts, "; ")
}
