package testbed

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
)

// MarkerType is the type of the account data by which a [Settler] learns how far a bot has come.
const MarkerType = "org.niobot.test.marker"

// Marker is the content of account data of [MarkerType].
type Marker struct {
	Name string `json:"name"`
}

// ErrEnded is returned by [Settler.Settle] when the bot ended before it had settled.
var ErrEnded = errors.New("the bot has ended")

// Settler waits for a bot to be done with all that was sent to it. Its methods may be called from any goroutine, but
// only one Settle goes on at a time.
type Settler struct {
	bed   *Bed
	put   func(ctx context.Context, m Marker) error
	seen  chan string
	count atomic.Int64
}

// NewSettler makes a Settler for the bot that runs in the bed. put sets the account data of [MarkerType] on the bot's
// account; whoever makes a Settler also has the bot tell [Settler.Saw] of such account data.
func NewSettler(bed *Bed, put func(ctx context.Context, m Marker) error) *Settler {
	return &Settler{bed: bed, put: put, seen: make(chan string, 64)}
}

// Saw is called when a marker has reached the bot.
func (s *Settler) Saw(m Marker) {
	select {
	case s.seen <- m.Name:
	default: // Nobody waits for one as old as that.
	}
}

// Settle returns when the bot has seen all that was sent so far and works on nothing any more, except in handlers that
// wait for an event. It returns an error that wraps [ErrEnded] once ended is closed, and one that wraps ctx's cause when
// ctx ends.
func (s *Settler) Settle(ctx context.Context, ended <-chan struct{}) error {
	want := strconv.FormatInt(s.count.Add(1), 10)
	if err := s.put(ctx, Marker{want}); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	for {
		select {
		case got := <-s.seen:
			if got != want {
				continue
			}
			if err := s.bed.Idle(ctx); err != nil {
				return fmt.Errorf("the bot still works: %w", err)
			}
			return nil
		case <-ended:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("the bot did not sync: %w", context.Cause(ctx))
		}
	}
}
