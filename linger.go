package niobot

import (
	"context"
	"time"
)

// tidyTime is how long the tidying up after a handler may take once its context has ended. It is less than what a bot
// that stops waits for handlers that heed their context.
const tidyTime = lastDrain - time.Second

// lingering makes a context that ends some time after ctx does, for requests that tidy up, or must not be cut off
// halfway since nobody would know then what they did.
func lingering(ctx context.Context, extra time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = sleep(longer, extra)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}
