package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Runner runs programs: git, and the tests of a release.
type Runner interface {
	// Run runs a program in a folder, without a shell and with stdin as its input, and returns what it printed. An
	// error holds what it printed to standard error. Goroutines may share a Runner.
	Run(ctx context.Context, dir, stdin, name string, args ...string) (stdout string, err error)
}

// RunnerFunc is a function as a [Runner].
type RunnerFunc func(ctx context.Context, dir, stdin, name string, args ...string) (string, error)

// Run implements [Runner].
func (f RunnerFunc) Run(ctx context.Context, dir, stdin, name string, args ...string) (string, error) {
	return f(ctx, dir, stdin, name, args...)
}

var (
	_ Runner = RunnerFunc(nil)
	_ Runner = Exec{}
)

// Exec runs programs of this machine.
type Exec struct {
	Env []string // Beside those of this process
}

// Run implements [Runner].
func (e Exec) Run(ctx context.Context, dir, stdin, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	// git's messages are told on, and nobody is here to answer a prompt.
	cmd.Env = append(append(os.Environ(), "LC_ALL=C", "GIT_TERMINAL_PROMPT=0"), e.Env...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		output := strings.TrimSpace(tail(stderr.String(), stdout.String()))
		err = &CommandError{Name: name, Args: args, Output: output, Err: err}
	}
	return stdout.String(), err
}

// tail is what a program printed to standard error, or else to standard output, where tests report.
func tail(stderr, stdout string) string {
	text := stderr
	if strings.TrimSpace(text) == "" {
		text = stdout
	}
	const most = 4000
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}

// CommandError says that a program has failed, or could not be run.
type CommandError struct {
	Name   string
	Args   []string
	Output string // What it printed to standard error, or else to standard output
	Err    error
}

func (e *CommandError) Error() string {
	command := e.Name
	if len(e.Args) > 0 {
		command += " " + e.Args[0]
	}
	if e.Output == "" {
		return fmt.Sprintf("%s: %v", command, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", command, e.Err, e.Output)
}

// Unwrap gives the error of the program's end.
func (e *CommandError) Unwrap() error { return e.Err }

// exitCode is the exit code of a program that has run and failed, or 0.
func exitCode(err error) int {
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
