package testbed_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/niobot/niobot/internal/testbed"
)

// bot sees each marker as soon as it is put, after one that is stale.
func bot(t *testing.T, idle func(context.Context) error) *testbed.Settler {
	t.Helper()
	var s *testbed.Settler
	s = testbed.NewSettler(&testbed.Bed{Idle: idle}, func(_ context.Context, m testbed.Marker) error {
		s.Saw(testbed.Marker{Name: "stale"})
		s.Saw(m)
		return nil
	})
	return s
}

func TestSettleWaitsUntilTheBotIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rest := make(chan struct{})
		s := bot(t, func(context.Context) error { <-rest; return nil })
		settled := make(chan error, 1)
		go func() { settled <- s.Settle(t.Context(), nil) }()
		synctest.Wait()
		select {
		case err := <-settled:
			t.Fatalf("settled while the bot works: %v", err)
		default:
		}
		close(rest)
		if err := <-settled; err != nil {
			t.Error(err)
		}
		if err := s.Settle(t.Context(), nil); err != nil {
			t.Errorf("the second time: %v", err)
		}
	})
}

func TestSettleWaitsForItsOwnMarker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var put []testbed.Marker
		s := testbed.NewSettler(&testbed.Bed{Idle: func(context.Context) error { return nil }},
			func(_ context.Context, m testbed.Marker) error { put = append(put, m); return nil })
		ctx, cancel := context.WithCancelCause(t.Context())
		settled := make(chan error, 1)
		go func() { settled <- s.Settle(ctx, nil) }()
		synctest.Wait()
		cause := errors.New("enough")
		cancel(cause)
		if err := <-settled; !errors.Is(err, cause) {
			t.Errorf("error %v, want the context's cause", err)
		}
		s.Saw(put[0]) // It comes when nobody waits for it any more.
		go func() { settled <- s.Settle(t.Context(), nil) }()
		synctest.Wait()
		select {
		case err := <-settled:
			t.Fatalf("settled by an older marker: %v", err)
		default:
		}
		s.Saw(put[1])
		if err := <-settled; err != nil {
			t.Error(err)
		}
	})
}

func TestSettleFails(t *testing.T) {
	broken := errors.New("broken")
	ended := make(chan struct{})
	close(ended)
	idle := func(context.Context) error { return nil }
	silent := func(context.Context, testbed.Marker) error { return nil }
	tests := []struct {
		name    string
		settler *testbed.Settler
		ended   chan struct{}
		want    error
	}{
		{"no marker put", testbed.NewSettler(&testbed.Bed{Idle: idle},
			func(context.Context, testbed.Marker) error { return broken }), nil, broken},
		{"never idle", bot(t, func(context.Context) error { return broken }), nil, broken},
		{"ended", testbed.NewSettler(&testbed.Bed{Idle: idle}, silent), ended, testbed.ErrEnded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.settler.Settle(t.Context(), tt.ended); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

// Markers that nobody waits for never hold the bot up.
func TestSawNeverBlocks(t *testing.T) {
	s := testbed.NewSettler(&testbed.Bed{}, nil)
	for range 1000 {
		s.Saw(testbed.Marker{Name: "1"})
	}
}
