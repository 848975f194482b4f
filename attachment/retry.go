package attachment

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
)

// Retry calls f until it succeeds, fails for good, or ctx ends. The errors of f that come from the homeserver are
// mautrix.HTTPError; those without a Response come from the network. Each call of f goes on where the last one ended
// or begins anew, whichever is right. There must be no limit to the time of a call: transfers of large files take
// long, and end by themselves when nothing moves.
type Retry func(ctx context.Context, f func(ctx context.Context) error) error

// How requests are repeated where a [Repository] was given no [Retry].
const (
	maxAttempts  = 5
	firstWait    = 500 * time.Millisecond
	longestWait  = 30 * time.Second
	longestAsked = 5 * time.Minute // A server that asks for more is answered with an error
)

// retry is a [Retry].
func retry(ctx context.Context, f func(ctx context.Context) error) error {
	wait := firstWait
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		if err == nil || ctx.Err() != nil || attempt == maxAttempts {
			return err
		}
		pause, again := pauseAfter(err)
		if !again {
			return err
		}
		if pause == 0 {
			pause = wait/2 + rand.N(wait/2)
			wait = min(2*wait, longestWait)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// pauseAfter tells whether a request that ended with err is worth repeating, and after what time if the server says.
func pauseAfter(err error) (pause time.Duration, again bool) {
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) {
		return 0, false
	}
	if failed.Response == nil {
		return 0, failed.WrappedError != nil && !errors.Is(failed.WrappedError, context.Canceled)
	}
	switch status := failed.Response.StatusCode; {
	case status == http.StatusTooManyRequests:
		if seconds, err := strconv.Atoi(failed.Response.Header.Get("Retry-After")); err == nil && seconds > 0 {
			pause = time.Duration(min(seconds, 1<<30)) * time.Second
		} else if failed.RespError != nil {
			ms, _ := failed.RespError.ExtraData["retry_after_ms"].(float64)
			pause = time.Duration(max(0, min(ms, 1<<40))) * time.Millisecond
		}
		return pause, pause <= longestAsked
	case status >= 500:
		return 0, status != http.StatusNotImplemented
	}
	return 0, false
}

// interrupted is an error of a transfer in the form that a [Retry] repeats.
func interrupted(ctx context.Context, what string, err error) error {
	var stalled stalledError
	if errors.As(context.Cause(ctx), &stalled) {
		err = stalled
	}
	return mautrix.HTTPError{Message: what, WrappedError: err}
}
