package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// refused is an answer with an error status.
func refused(status int, header http.Header, extra map[string]any) mautrix.HTTPError {
	return mautrix.HTTPError{
		Response:  &http.Response{StatusCode: status, Header: header},
		RespError: &mautrix.RespError{ErrCode: "M_LIMIT_EXCEEDED", StatusCode: status, ExtraData: extra},
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		name   string
		header string
		body   any
		want   time.Duration
		ok     bool
	}{
		{"nothing", "", nil, 0, false},
		{"seconds", "7", nil, 7 * time.Second, true},
		{"fraction", "0.5", nil, 500 * time.Millisecond, true},
		{"date", now.Add(time.Minute).Format(http.TimeFormat), nil, time.Minute, true},
		{"date that is past", now.Add(-time.Minute).Format(http.TimeFormat), nil, 0, true},
		{"body", "", 1500.0, 1500 * time.Millisecond, true},
		{"the longer of both", "2", 1500.0, 2 * time.Second, true},
		{"the longer of both again", "1", 1500.0, 1500 * time.Millisecond, true},
		{"negative", "-7", -1.0, 0, false},
		{"no number", "soon", "7", 0, false},
		{"not a number", "NaN", nil, 0, false},
		{"for ever", "Inf", nil, 365 * 24 * time.Hour, true},
		{"too large for a duration", "", 1e300, 365 * 24 * time.Hour, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			if test.header != "" {
				header.Set("Retry-After", test.header)
			}
			got, ok := retryAfter(refused(429, header, map[string]any{"retry_after_ms": test.body}), now)
			if got != test.want || ok != test.ok {
				t.Errorf("got %s, %t; want %s, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestRetryRepeatsWhatMayWorkLater(t *testing.T) {
	cut := mautrix.HTTPError{Response: &http.Response{StatusCode: 200}, WrappedError: io.ErrUnexpectedEOF}
	shape := mautrix.HTTPError{Response: &http.Response{StatusCode: 200}, WrappedError: &json.UnmarshalTypeError{}}
	for _, test := range []struct {
		name  string
		err   error
		again bool
	}{
		{"refused connection", mautrix.HTTPError{WrappedError: &net.OpError{Op: "dial", Err: errors.New("refused")}}, true},
		{"unknown host", mautrix.HTTPError{WrappedError: &net.DNSError{IsNotFound: true}}, false},
		{"name server in trouble", mautrix.HTTPError{WrappedError: &net.DNSError{IsTemporary: true}}, true},
		{"500", refused(500, nil, nil), true},
		{"501", refused(501, nil, nil), false},
		{"502", refused(502, nil, nil), true},
		{"429", refused(429, nil, nil), true},
		{"429 for an hour", refused(429, http.Header{"Retry-After": {"3600"}}, nil), false},
		{"400", refused(400, nil, nil), false},
		{"403", refused(403, nil, nil), false},
		{"answer that was cut", cut, true},
		{"answer of a wrong shape", shape, false},
		{"other error", errors.New("other"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				err := retry(t.Context(), func(context.Context) error {
					if calls++; calls == 4 {
						return nil
					}
					return test.err
				})
				switch {
				case test.again && (err != nil || calls != 4):
					t.Errorf("%d calls, and the error %v", calls, err)
				case !test.again && (err == nil || calls != 1):
					t.Errorf("%d calls, want 1", calls)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContextAndItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trouble := refused(503, nil, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		if err := retry(ctx, func(context.Context) error { return trouble }); err == nil || time.Since(start) > 3*time.Second {
			t.Errorf("returned %v after %s", err, time.Since(start))
		}
		calls := 0
		err := retry(t.Context(), func(context.Context) error { calls++; return trouble })
		if err == nil || calls != maxAttempts {
			t.Errorf("returned %v after %d calls", err, calls)
		}
		calls = 0
		err = retry(t.Context(), func(ctx context.Context) error {
			calls++
			<-ctx.Done() // A server that never answers.
			return mautrix.HTTPError{WrappedError: ctx.Err()}
		})
		if err == nil || calls != maxAttempts {
			t.Errorf("returned %v after %d calls", err, calls)
		}
	})
}

// What must not be done twice is repeated only where the server said that it did nothing.
func TestRetryRefusedRepeatsOnlyRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, want := range map[int]int{429: 3, 500: 1, 502: 1} {
			calls := 0
			err := retryRefused(t.Context(), func(context.Context) error {
				if calls++; calls == 3 {
					return nil
				}
				failed := refused(status, nil, nil)
				if status != 429 {
					failed.RespError = nil
				}
				return failed
			})
			if calls != want || (err == nil) != (status == 429) {
				t.Errorf("status %d: %d calls, and the error %v", status, calls, err)
			}
		}
	})
}

func TestTransactionIDsAreRepeatedByARunThatIs(t *testing.T) {
	ids := make(map[string]bool)
	for _, command := range []id.EventID{"$a", "$b"} {
		for _, name := range []string{"x", "y", ""} {
			for n := range uint64(50) {
				txn := runTransaction(command, name, n)
				if again := runTransaction(command, name, n); again != txn {
					t.Fatalf("the same send has the ids %s and %s", txn, again)
				}
				ids[txn] = true
			}
		}
	}
	if len(ids) != 300 {
		t.Errorf("%d ids for 300 sends", len(ids))
	}
}
