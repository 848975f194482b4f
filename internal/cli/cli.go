// Package cli is the program niobot: a bot to chat with in the terminal, and the same bot on a real homeserver.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// Exit codes of the program.
const (
	exitOK    = 0
	exitError = 1 // Something went wrong
	exitUsage = 2 // The command line is wrong
)

// Env is what the program has of the world.
type Env struct {
	Args   []string // Without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(key string) string

	// ReadSecret lets the person at Stdin type a line that is not shown. Nil means that nobody is there: Stdin is no
	// terminal.
	ReadSecret func(prompt string) (string, error)
}

// Process is the environment of this process.
func Process() Env {
	env := Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		env.ReadSecret = readSecret
	}
	return env
}

// attended reports whether there is a person to ask.
func (e *Env) attended() bool { return e.ReadSecret != nil }

// Main runs the program and returns its exit code: 0, 1 for what went wrong, 2 for a wrong command line. It ends, in
// order, when ctx does.
func Main(ctx context.Context, env Env) int {
	err := dispatch(ctx, env)
	var wrong *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong):
		fmt.Fprintf(env.Stderr, "niobot: %v\n\n%s", err, wrong.usage)
		return exitUsage
	default:
		fmt.Fprintf(env.Stderr, "niobot: %v\n", err)
		return exitError
	}
}

// command is one of the program's commands.
type command struct {
	name  string
	usage string
	run   func(ctx context.Context, env Env, flags *flag.FlagSet) error
}

func commands() []command {
	return []command{
		{"demo", demoUsage, runDemo},
		{"run", runUsage, runBot},
		{"keys", keysUsage, runKeys},
		{"devices", devicesUsage, runDevices},
		{"version", versionUsage, runVersion},
		{"help", helpUsage, runHelp},
	}
}

func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func dispatch(ctx context.Context, env Env) error {
	if len(env.Args) == 0 {
		return &usageError{usage: mainUsage, reason: errors.New("a command is needed")}
	}
	name, rest := env.Args[0], env.Args[1:]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	c, ok := find(name)
	if !ok {
		return &usageError{usage: mainUsage, reason: fmt.Errorf("unknown command %q", name)}
	}
	env.Args = rest
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := c.run(ctx, env, flags)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(env.Stdout, c.usage)
	}
	var wrong *usageError
	if errors.As(err, &wrong) && wrong.usage == "" {
		wrong.usage = c.usage
	}
	return err
}

// parse reads the command line by the flags, which leave no arguments over.
func parse(env Env, flags *flag.FlagSet) error {
	err := flags.Parse(env.Args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return &usageError{reason: err}
	case flags.NArg() > 0:
		return &usageError{reason: fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	return nil
}

// usageError is a wrong command line.
type usageError struct {
	reason error
	usage  string // What would be right; empty: the command's
}

func (e *usageError) Error() string { return e.reason.Error() }

func (e *usageError) Unwrap() error { return e.reason }
