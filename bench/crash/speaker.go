package main

import (
	"context"
	"math/rand/v2"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/victim"
)

// How users speak.
const (
	meanPause  = 5 * time.Millisecond // Between two commands, whoever says them
	burstShare = 0.004                // Of the commands that begin a burst, more than a sync brings at once
	burstSize  = 70
)

// speaker has the users speak.
type speaker struct {
	rooms []id.RoomID
	say   func(room id.RoomID, text string, want []ledger.Answer) error
	rng   *rand.Rand
	said  int
}

// speak says n commands, with pauses.
func (s *speaker) speak(ctx context.Context, n int) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n > 0 {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		several := 1
		if s.rng.Float64() < burstShare {
			several = min(n, burstSize)
		}
		room := s.rooms[s.rng.IntN(len(s.rooms))]
		for range several {
			text, want := victim.Line(s.rng, s.said)
			s.said++
			if err := s.say(room, text, want); err != nil {
				return err
			}
		}
		n -= several
		timer.Reset(time.Duration(s.rng.ExpFloat64() * float64(meanPause)))
	}
	return nil
}
