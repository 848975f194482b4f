package announce

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
)

// How a request is repeated.
const (
	attempts    = 5
	firstWait   = time.Second
	longestWait = time.Minute
)

// again calls f until it succeeds, is refused, or ctx ends. What f does may be done twice without harm.
func again[T any](ctx context.Context, f func(ctx context.Context) (*T, error)) (*T, error) {
	wait := firstWait
	for attempt := 1; ; attempt++ {
		result, err := f(ctx)
		if err == nil && result == nil {
			err = errors.New("the server's answer is empty")
		}
		if err == nil || attempt == attempts || ctx.Err() != nil || !isTransient(err) {
			return result, err
		}
		timer := time.NewTimer(min(max(wait, retryAfter(err)), longestWait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
		wait *= 2
	}
}

// isTransient tells whether a request may succeed in a moment.
func isTransient(err error) bool {
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) {
		return false
	}
	return failed.Response == nil || failed.Response.StatusCode == http.StatusTooManyRequests ||
		failed.Response.StatusCode >= http.StatusInternalServerError
}

// retryAfter is how long the server asks to wait, in the header or the body (spec: "Rate limiting").
func retryAfter(err error) time.Duration {
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) || failed.Response == nil {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.Atoi(failed.Response.Header.Get("Retry-After")); err == nil {
		wait = time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	if failed.RespError != nil {
		if ms, ok := failed.RespError.ExtraData["retry_after_ms"].(float64); ok {
			wait = max(wait, time.Duration(min(max(ms, 0), 3600e3))*time.Millisecond)
		}
	}
	return wait
}
