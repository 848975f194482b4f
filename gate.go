package niobot

import "context"

// gate is a lock that a context can end the wait for. Those who wait get it in their order.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

// enter waits for the lock, and returns the cause of ctx's end where that comes first.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g gate) leave() { <-g }
