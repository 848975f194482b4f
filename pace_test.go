package niobot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnswersDoNotKeepAnnouncementsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{account: pace{next: time.Now().Add(time.Second), interval: time.Second}}
		var work sync.WaitGroup
		var order []bool // Which were urgent
		var mu sync.Mutex
		for i := range 101 {
			work.Go(func() {
				if err := p.enter(t.Context(), "!room", i > 0); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i > 0)
			})
		}
		work.Wait()
		for i, urgent := range order {
			if !urgent {
				if i == 0 || i > 20 {
					t.Errorf("the announcement was the %d. of 101", i+1)
				}
				return
			}
		}
	})
}

func TestWhoGivesUpTakesNobodysTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		p := &pacer{account: pace{next: begin.Add(time.Second), interval: time.Second}}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		var work sync.WaitGroup
		for range 50 {
			work.Go(func() {
				if err := p.enter(ctx, "!room", true); !errors.Is(err, gone) {
					t.Errorf("who gave up got %v", err)
				}
			})
		}
		synctest.Wait()
		cancel(gone)
		work.Wait()
		if err := p.enter(t.Context(), "!room", false); err != nil || time.Since(begin) != time.Second {
			t.Errorf("who stayed began after %v, with %v", time.Since(begin), err)
		}
	})
}
