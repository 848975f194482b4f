// Command release is the project's security policy at work: it tells which versions are supported, plans and cuts the
// patches for a fault, and discloses it. It is run in a clone as `go tool release`.
package main

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second signal ends the process at once.
	os.Exit(run(ctx, env{
		args: os.Args[1:], stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, dir: ".", now: clock(os.Getenv),
	}))
}

// clock is the time, or the one that SOURCE_DATE_EPOCH sets (https://reproducible-builds.org/specs/source-date-epoch/).
func clock(getenv func(string) string) func() time.Time {
	if seconds, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return func() time.Time { return time.Unix(seconds, 0).UTC() }
	}
	return time.Now
}
