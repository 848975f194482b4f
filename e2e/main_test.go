//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// uninterrupted ends with the first interrupt. Processes live under it: they are in groups of their own, where the
// terminal's interrupt does not reach them.
var uninterrupted = context.Background()

func TestMain(m *testing.M) {
	ctx, stop := signal.NotifyContext(uninterrupted, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the tests at once
	uninterrupted = ctx
	os.Exit(m.Run())
}
