package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/niobot/niobot/release"
)

const supportUsage = `Usage: go tool release support [--proxy] [--json] VERSION

Tells whether a version gets security updates: "supported", "ESR until vN" or "unsupported since vX.Y.Z".

Flags:
  --proxy    go by what the module proxy lists (GOPROXY), not by the tags of this clone
  --json     print JSON
`

func runSupport(ctx context.Context, e env, flags *flag.FlagSet) error {
	useProxy := flags.Bool("proxy", false, "")
	asJSON := flags.Bool("json", false, "")
	args, err := parse(e, flags, 1, "a version")
	if err != nil {
		return err
	}
	v, err := release.ParseVersion(args[0])
	if err != nil {
		return err
	}
	h, err := e.knownHistory(ctx, *useProxy)
	if err != nil {
		return err
	}
	if !h.Has(v) {
		return &release.UnknownVersionError{Version: v, Newest: h.Newest(v.Major())}
	}
	status, err := h.Status(v)
	if err != nil {
		return err
	}
	if *asJSON {
		return e.printJSON(status)
	}
	_, err = fmt.Fprintf(e.stdout, "%s: %s\n", v, status)
	return err
}

func (e env) knownHistory(ctx context.Context, useProxy bool) (*release.History, error) {
	if !useProxy {
		return e.history(ctx)
	}
	p, err := e.project(ctx)
	if err != nil {
		return nil, err
	}
	proxy, err := release.ProxyOf(e.getenv("GOPROXY"))
	if err != nil {
		return nil, err
	}
	return release.ProxyHistory(ctx, proxy, p.Module)
}
