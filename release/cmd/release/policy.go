package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// policyFile is the policy for people, from the root of the repository.
const policyFile = "SECURITY.md"

const policyUsage = `Usage: go tool release policy [--check]

Writes SECURITY.md from release/project.toml.

Flags:
  --check    write nothing, and fail if SECURITY.md is not what would be written
`

func runPolicy(ctx context.Context, e env, flags *flag.FlagSet) error {
	check := flags.Bool("check", false, "")
	if _, err := parse(e, flags, 0, ""); err != nil {
		return err
	}
	p, err := e.project(ctx)
	if err != nil {
		return err
	}
	text, err := p.Policy()
	if err != nil {
		return err
	}
	root, err := e.git().Root(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(root, policyFile)
	if *check {
		there, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if string(there) != text {
			return errors.New(policyFile + " is not up to date; run: go tool release policy")
		}
		_, err = fmt.Fprintf(e.stdout, "%s is up to date\n", policyFile)
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "wrote %s\n", policyFile)
	if err := p.Filled(); err != nil {
		fmt.Fprintf(e.stdout, "%v\n", err)
	}
	return nil
}
