package attachment

import (
	"context"
	"time"
)

// maxStall is for how long a transfer may stand still. There is no limit to the whole, which depends on the size.
const maxStall = 60 * time.Second

// stalledError ends a transfer that stands still. It is a timeout as package net has them, so that it is repeated.
type stalledError struct{}

func (stalledError) Error() string   { return "nothing was transferred for " + maxStall.String() }
func (stalledError) Timeout() bool   { return true }
func (stalledError) Temporary() bool { return true }

// watch ends the context when moved is not called for maxStall. stop has to be called in the end.
func watch(ctx context.Context) (watched context.Context, moved, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(maxStall, func() { cancel(stalledError{}) })
	return watched,
		func() { timer.Reset(maxStall) },
		func() { timer.Stop(); cancel(nil) }
}
