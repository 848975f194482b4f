package niobot

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
)

// How requests are repeated.
const (
	firstBackoff   = 500 * time.Millisecond
	lastBackoff    = 60 * time.Second
	requestTimeout = 60 * time.Second // Of one attempt, for all but sync and media
	maxAttempts    = 10
	maxRetryAfter  = 15 * time.Minute // A server that asks for more is answered with an error
)

// backoff gives growing waits with jitter: half of each is fixed, half is random.
type backoff struct{ next time.Duration }

func (b *backoff) wait() time.Duration {
	d := max(b.next, firstBackoff)
	b.next = min(2*d, lastBackoff)
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.next = 0 }

// sleep waits for d, or returns ctx's error before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// retry calls f until it succeeds, fails for good, or ctx ends. A 429 is waited out for as long as the server says;
// network errors and 5xx answers are repeated with backoff. Each attempt has a time limit. What f sends must be the
// same at each call: an attempt that seemed to fail may have reached the server.
func retry(ctx context.Context, f func(ctx context.Context) error) error {
	var b backoff
	for attempt := 1; ; attempt++ {
		err := attemptOnce(ctx, f)
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait, again := retryWait(err, &b)
		if !again || attempt == maxAttempts {
			return err
		}
		if sleep(ctx, wait) != nil {
			return err
		}
	}
}

// retryRefused is retry for what must not be done twice: only an attempt that the server refused for the rate of
// requests is repeated.
func retryRefused(ctx context.Context, f func(ctx context.Context) error) error {
	var b backoff
	for attempt := 1; ; attempt++ {
		err := attemptOnce(ctx, f)
		if ctx.Err() != nil || attempt == maxAttempts || !errors.Is(err, mautrix.MLimitExceeded) {
			return err
		}
		wait, again := retryWait(err, &b)
		if !again || sleep(ctx, wait) != nil {
			return err
		}
	}
}

func attemptOnce(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return f(ctx)
}

// retryWait tells whether a request that ended with err is worth repeating, and after what time.
func retryWait(err error, b *backoff) (time.Duration, bool) {
	var failed mautrix.HTTPError
	if !errors.As(err, &failed) {
		return 0, false
	}
	if failed.Response == nil {
		return b.wait(), isTransient(failed.WrappedError)
	}
	status := failed.Response.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		wait, ok := retryAfter(failed, time.Now())
		if !ok {
			wait = b.wait()
		}
		return wait, wait <= maxRetryAfter
	case status >= 500:
		wait, ok := retryAfter(failed, time.Now())
		if !ok || wait > lastBackoff {
			wait = b.wait()
		}
		return wait, status != http.StatusNotImplemented
	case status < 300:
		// An answer that was cut, or is no JSON, may come whole the next time; one of a wrong shape will not.
		var shape *json.UnmarshalTypeError
		return b.wait(), !errors.As(err, &shape)
	}
	return 0, false
}

// retryAfter is the wait that the server asks for: in the Retry-After header, as seconds or as a date, or in the body
// (spec: Client-Server API, "Rate limiting"). The longer of the two is meant to be kept.
func retryAfter(failed mautrix.HTTPError, now time.Time) (wait time.Duration, ok bool) {
	if header := failed.Response.Header.Get("Retry-After"); header != "" {
		if seconds, err := strconv.ParseFloat(header, 64); err == nil && seconds >= 0 {
			wait, ok = seconds2duration(seconds), true
		} else if date, err := http.ParseTime(header); err == nil {
			wait, ok = max(0, date.Sub(now)), true
		}
	}
	if failed.RespError != nil {
		if ms, isNumber := failed.RespError.ExtraData["retry_after_ms"].(float64); isNumber && ms >= 0 {
			wait, ok = max(wait, seconds2duration(ms/1000)), true
		}
	}
	return wait, ok
}

// seconds2duration caps what would not fit into a Duration.
func seconds2duration(seconds float64) time.Duration {
	const most = 365 * 24 * 3600
	return time.Duration(min(seconds, most) * float64(time.Second))
}

// isTransient tells errors of a network that may work in a moment from those that tell of a wrong address or of a
// certificate that can't be trusted.
func isTransient(err error) bool {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &dns):
		return !dns.IsNotFound
	case errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid), errors.As(err, &record):
		return false
	}
	return err != nil && !errors.Is(err, context.Canceled)
}

// isFatal tells whether err means that the token will never work again.
func isFatal(err error) bool {
	return errors.Is(err, mautrix.MUnknownToken) || errors.Is(err, mautrix.MMissingToken) ||
		errors.Is(err, mautrix.MUserDeactivated)
}
