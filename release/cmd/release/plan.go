package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"

	"github.com/niobot/niobot/release"
)

const planUsage = `Usage: go tool release plan --affected RANGES [--json]

Tells which releases a fault asks for, by the tags of this clone, and why every other version gets none. Nothing is
written.

Flags:
  --affected RANGES    what is affected; alternatives are set apart by commas:
                         v5.6.0                  one version
                         v4.7                    a minor
                         v4                      a major
                         ">=v4.2.0 <v4.7.14"     all conditions hold; there are >=, >, <= and <
  --json               print JSON
`

func runPlan(ctx context.Context, e env, flags *flag.FlagSet) error {
	affected := flags.String("affected", "", "")
	asJSON := flags.Bool("json", false, "")
	if _, err := parse(e, flags, 0, ""); err != nil {
		return err
	}
	if *affected == "" {
		return &usageError{errors.New("--affected is needed")}
	}
	ranges, err := release.ParseRanges(*affected)
	if err != nil {
		return err
	}
	h, err := e.history(ctx)
	if err != nil {
		return err
	}
	plan, err := release.NewPlan(h, ranges)
	if err != nil {
		return err
	}
	if *asJSON {
		return e.printJSON(plan)
	}
	return plan.WriteText(e.stdout)
}

func (e env) printJSON(v any) error {
	encoder := json.NewEncoder(e.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
