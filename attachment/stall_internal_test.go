package attachment

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix"
)

func TestTransferThatStandsStillIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, moved, stop := watch(t.Context())
		defer stop()
		for range 10 {
			time.Sleep(maxStall - time.Second)
			moved()
		}
		if ctx.Err() != nil {
			t.Fatal("ended while it moved")
		}
		begin := time.Now()
		<-ctx.Done()
		err := interrupted(ctx, "upload was interrupted", ctx.Err())
		var timeout net.Error
		if time.Since(begin) != maxStall || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if _, again := pauseAfter(err); !again {
			t.Error("it is not repeated")
		}
	})
}

func TestRetry(t *testing.T) {
	answer := func(status int, header string, ms float64) error {
		response := &http.Response{StatusCode: status, Header: http.Header{}}
		if header != "" {
			response.Header.Set("Retry-After", header)
		}
		return mautrix.HTTPError{Response: response, RespError: &mautrix.RespError{
			ErrCode: "M_X", ExtraData: map[string]any{"retry_after_ms": ms},
		}}
	}
	for _, tt := range []struct {
		name     string
		err      error
		calls    int
		min, max time.Duration
	}{
		{"success", nil, 1, 0, 0},
		{"network", mautrix.HTTPError{WrappedError: errors.New("reset")}, 5, 3750 * time.Millisecond,
			7500 * time.Millisecond},
		{"given up", mautrix.HTTPError{WrappedError: context.Canceled}, 1, 0, 0},
		{"server is down", answer(502, "", 0), 5, 3750 * time.Millisecond, 7500 * time.Millisecond},
		{"not there", answer(501, "", 0), 1, 0, 0},
		{"not found", answer(404, "", 0), 1, 0, 0},
		{"too many by header", answer(429, "7", 0), 5, 28 * time.Second, 28 * time.Second},
		{"too many by body", answer(429, "", 1500), 5, 6 * time.Second, 6 * time.Second},
		{"too many for too long", answer(429, "9999", 0), 1, 0, 0},
		{"other error", errors.New("disk is full"), 1, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin, calls := time.Now(), 0
			err := retry(t.Context(), func(context.Context) error { calls++; return tt.err })
			took := time.Since(begin)
			if calls != tt.calls || took < tt.min || took > tt.max || (err == nil) != (tt.err == nil) {
				t.Errorf("%s: %d calls in %v: %v", tt.name, calls, took, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = retry(ctx, func(context.Context) error { return answer(429, "60", 0) })
		if ctx.Err() == nil {
			t.Error("ended before its time")
		}
	})
}
