package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/niobot/niobot/release"
)

const cutUsage = `Usage: go tool release cut --id ID --summary TEXT --affected RANGES [flags]

Cuts the releases that a fault asks for. The fix for each major is on the branch that release/project.toml names, made
from the newest tag of the major. On top of it, a commit gets the retractions in go.mod and a section of the changelog;
it is tested, and tagged as [URGENT] vX.Y.Z with the release notes. No branch moves. The notes and the draft of the
advisory are kept inside of .git until the disclosure. Nothing leaves this machine without --push.

It refuses while the tree is dirty, tests fail, or a planned tag exists. Run again, it finishes what was begun.

Flags:
  --id ID              the advisory's: GHSA-…, GO-…, CVE-… or OSV-…
  --summary TEXT       one line, which is public before the disclosure
  --affected RANGES    what is affected, see "plan"
  --details FILE       Markdown for the advisory, which is not public before the disclosure
  --cvss VECTOR        the severity, as CVSS:3.1/… or CVSS:4.0/…
  --alias ID           an id that another database has for the fault; may be repeated
  --credit WHO         who reported it or helped; may be repeated:
                         Alice
                         "Alice <@alice:example.org>"
                         "remediation_developer: Bob <https://example.org/bob>"
  --push               send the tags to the remote, all or none
`

func runCut(ctx context.Context, e env, flags *flag.FlagSet) error {
	var fault release.Fault
	flags.StringVar(&fault.ID, "id", "", "")
	flags.StringVar(&fault.Summary, "summary", "", "")
	flags.StringVar(&fault.Affected, "affected", "", "")
	flags.StringVar(&fault.CVSS, "cvss", "", "")
	details := flags.String("details", "", "")
	push := flags.Bool("push", false, "")
	flags.Func("alias", "", func(s string) error {
		fault.Aliases = append(fault.Aliases, s)
		return nil
	})
	flags.Func("credit", "", func(s string) error {
		credit, err := release.ParseCredit(s)
		fault.Credits = append(fault.Credits, credit)
		return err
	})
	if _, err := parse(e, flags, 0, ""); err != nil {
		return err
	}
	if fault.ID == "" || fault.Summary == "" || fault.Affected == "" {
		return &usageError{errors.New("--id, --summary and --affected are needed")}
	}
	if *details != "" {
		text, err := os.ReadFile(*details)
		if err != nil {
			return err
		}
		fault.Details = string(text)
	}
	cutter, err := e.cutter(ctx)
	if err != nil {
		return err
	}
	if *push {
		// Asked before anything is made: who pushes wants all of it.
		if err := cutter.Ready(ctx); err != nil {
			return err
		}
	}
	record, err := cutter.Cut(ctx, fault)
	if err != nil {
		return err
	}
	for _, cut := range record.Cuts {
		fmt.Fprintf(e.stdout, "%s of %s, with the fix of branch %s\n", cut.Version, cut.Module, cut.Branch)
	}
	if !*push {
		fmt.Fprintf(e.stdout, "\nCut and tagged here; nothing has left this machine. Look at\n  %s\n", record.Dir)
		fmt.Fprintln(e.stdout, "and then run the same command with --push.")
		return nil
	}
	if err := cutter.Push(ctx, record); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "\nPushed to %s. Once the releases are out: go tool release disclose %s\n",
		cutter.Project.Remote, fault.ID)
	return nil
}
