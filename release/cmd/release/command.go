package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/niobot/niobot/release"
)

// Exit codes of the program.
const (
	exitOK    = 0
	exitError = 1 // Something went wrong, or is refused
	exitUsage = 2 // The command line is wrong
)

const mainUsage = `Usage: go tool release <command> [flags]

  support VERSION             whether a version gets security updates
  plan --affected RANGES      which patches a fault asks for, and why every other version gets none
  cut --id ID …               cut the planned releases, here; with --push, send their tags to the remote
  disclose ID                 write the advisory and announce it, once its releases are published
  policy                      write SECURITY.md
  sbom PROGRAM                print the bill of materials of a Go program
  checksums FILE…             print the SHA-256 of files

go tool release <command> -h explains a command.
`

// env is what the program has of the world.
type env struct {
	args           []string
	stdout, stderr io.Writer
	getenv         func(string) string
	dir            string // In the clone
	now            func() time.Time
}

// command is one of the program's commands.
type command struct {
	name  string
	usage string
	run   func(ctx context.Context, e env, flags *flag.FlagSet) error
}

func commands() []command {
	return []command{
		{"support", supportUsage, runSupport},
		{"plan", planUsage, runPlan},
		{"cut", cutUsage, runCut},
		{"disclose", discloseUsage, runDisclose},
		{"policy", policyUsage, runPolicy},
		{"sbom", sbomUsage, runSBOM},
		{"checksums", checksumsUsage, runChecksums},
	}
}

// usageError is a wrong command line.
type usageError struct{ reason error }

func (e *usageError) Error() string { return e.reason.Error() }

func (e *usageError) Unwrap() error { return e.reason }

// run runs the program and returns its exit code.
func run(ctx context.Context, e env) int {
	usage, err := dispatch(ctx, e)
	var wrong *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(e.stdout, usage)
		return exitOK
	case errors.As(err, &wrong):
		fmt.Fprintf(e.stderr, "release: %v\n\n%s", err, usage)
		return exitUsage
	default:
		fmt.Fprintf(e.stderr, "release: %v\n", err)
		return exitError
	}
}

// dispatch runs a command, and returns its usage along with its error.
func dispatch(ctx context.Context, e env) (usage string, err error) {
	if len(e.args) == 0 {
		return mainUsage, &usageError{errors.New("a command is needed")}
	}
	name := e.args[0]
	switch name {
	case "help", "-h", "-help", "--help":
		return mainUsage, flag.ErrHelp
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		e.args = e.args[1:]
		flags := flag.NewFlagSet(name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		return c.usage, c.run(ctx, e, flags)
	}
	return mainUsage, &usageError{fmt.Errorf("unknown command %q", name)}
}

// parse reads the flags and gives the arguments, of which there have to be so many; fewer than none is any number but
// none.
func parse(e env, flags *flag.FlagSet, arguments int, what string) ([]string, error) {
	err := flags.Parse(e.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, &usageError{err}
	case flags.NArg() == 0 && arguments != 0:
		return nil, &usageError{fmt.Errorf("%s is needed", what)}
	case arguments >= 0 && flags.NArg() > arguments:
		return nil, &usageError{fmt.Errorf("unexpected argument %q", flags.Arg(arguments))}
	}
	return flags.Args(), nil
}

func (e env) git() *release.Git { return &release.Git{Dir: e.dir, Runner: release.Exec{}} }

// project reads the project file of the clone.
func (e env) project(ctx context.Context) (*release.Project, error) {
	root, err := e.git().Root(ctx)
	if err != nil {
		return nil, err
	}
	return release.ReadProject(filepath.Join(root, filepath.FromSlash(release.ProjectFile)))
}

func (e env) cutter(ctx context.Context) (*release.Cutter, error) {
	p, err := e.project(ctx)
	if err != nil {
		return nil, err
	}
	return &release.Cutter{Project: p, Git: e.git(), Now: e.now}, nil
}

// history is what the tags of the clone say. Tags that are passed over are named.
func (e env) history(ctx context.Context) (*release.History, error) {
	h, err := e.git().History(ctx)
	if err != nil {
		return nil, err
	}
	for _, tag := range h.Ignored() {
		fmt.Fprintf(e.stderr, "release: tag %s is no version and is passed over\n", tag)
	}
	return h, nil
}
