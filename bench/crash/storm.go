package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/niobot/niobot/bench/town"
	"github.com/niobot/niobot/bench/victim"
)

// moment is when a bot is killed.
type moment int

const (
	atWork  moment = iota // Some time after it was ready
	atStart               // While it starts, or takes over
	twice                 // As at work, and once more as soon as it is back
	atStop                // While it stops, as it was asked to
	restart               // Some time after the homeserver has restarted
	both                  // Together with the one that stands by
	moments
)

func (m moment) String() string {
	return [moments]string{"at work", "at start", "twice", "at stop", "after a restart", "both"}[m]
}

// Bounds of the times before a kill, each of which is left to chance.
const (
	longestWork  = 1500 * time.Millisecond
	longestStart = 200 * time.Millisecond
	longestBirth = 20 * time.Millisecond
	longestStop  = 700 * time.Millisecond
	rest         = 5 * time.Second // What the last bot has for what others left, such as gaps to fill
	longestReady = 2 * time.Minute // What is waited for a bot that is to be killed at work
)

// storm kills bots.
type storm struct {
	options options
	town    *town.Town
	speaker speaker
	bot     victim.Bot
	logs    io.Writer
	rng     *rand.Rand
	checker checker
	circle  *circle // Nil where rooms are not encrypted

	slots    []*victim.Process // The bot, and the one that stands by if there is one
	failures []string          // Ends of bots that nobody killed
	figures  figures
}

func newStorm(o options, t *town.Town, place victim.Place, folder string, logs io.Writer) (*storm, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &storm{
		options: o,
		town:    t,
		speaker: speaker{rooms: t.Rooms, say: t.Say, rng: rand.New(rand.NewPCG(o.seed, 3))},
		bot:     t.Resident(program, place),
		logs:    logs,
		rng:     rand.New(rand.NewPCG(o.seed, 2)),
		checker: checker{place: place, folder: folder, live: o.standby, owner: t.Bot},
		slots:   make([]*victim.Process, 1),
	}
	s.bot.Standby = o.standby
	if o.standby {
		s.slots = make([]*victim.Process, 2)
	}
	return s, nil
}

// rage starts the bots, kills them while users speak, and lets them finish.
func (s *storm) rage(ctx context.Context) error {
	for i := range s.slots {
		if err := s.start(i); err != nil {
			return err
		}
	}
	if s.circle != nil {
		if err := s.interruptBirth(ctx); err != nil {
			return err
		}
	}
	// What was said before the first sync is history, which no bot answers.
	if s.awaitWorker(ctx, longestReady) < 0 {
		return fmt.Errorf("the bot did not start: %v", s.failures)
	}
	s.figures.begin()
	calm := func() int { return 0 }
	if !s.options.calm {
		list := faults()
		if s.circle != nil {
			list = append(list, keyFaults()...)
		}
		calm = harm(s.town, s.options.seed, list)
	}
	births := s.figures.kills
	for kills := 0; kills < s.options.kills; kills = s.figures.kills - births {
		share := s.options.commands * (kills + 1) / s.options.kills
		if err := s.cycle(ctx, max(0, min(share, s.options.commands)-s.speaker.said)); err != nil {
			return err
		}
	}
	if err := s.speaker.speak(ctx, s.options.commands-s.speaker.said); err != nil {
		return err
	}
	s.figures.faults = calm()
	return s.finish(ctx)
}

// cycle kills once, or twice, while users say some commands.
func (s *storm) cycle(ctx context.Context, commands int) error {
	spoken := make(chan error, 1)
	go func() { spoken <- s.speaker.speak(ctx, commands) }()
	err := s.strike(ctx, s.pick())
	if told := <-spoken; told != nil {
		return told
	}
	return err
}

func (s *storm) pick() moment {
	switch roll := s.rng.IntN(100); {
	case roll < 20 && s.options.forgets:
		return restart
	case roll < 55:
		return atWork
	case roll < 75:
		return atStart
	case roll < 85 && len(s.slots) > 1:
		return both
	case roll < 85:
		return twice
	default:
		return atStop
	}
}

func (s *storm) strike(ctx context.Context, m moment) error {
	worker := 0
	if m != atStart {
		worker = max(0, s.awaitWorker(ctx, longestReady))
		if err := s.pause(ctx, longestWork); err != nil {
			return err
		}
	}
	switch m {
	case atWork, both:
	case atStart:
		if err := s.pause(ctx, longestStart); err != nil {
			return err
		}
		worker = s.rng.IntN(len(s.slots))
	case restart:
		// The bot lives on, and is killed while it makes good what the restart has done.
		if err := s.restart(ctx); err != nil {
			return err
		}
		if err := s.pause(ctx, longestWork); err != nil {
			return err
		}
	case twice:
		if err := s.kill(ctx, m, worker); err != nil {
			return err
		}
		if err := s.pause(ctx, longestBirth); err != nil {
			return err
		}
	case atStop:
		s.slots[worker].Ask()
		if err := s.pause(ctx, longestStop); err != nil {
			return err
		}
	}
	if m == both {
		return s.kill(ctx, m, 0, 1)
	}
	return s.kill(ctx, m, worker)
}

// pause waits for a time left to chance.
func (s *storm) pause(ctx context.Context, longest time.Duration) error {
	return wait(ctx, time.Duration(s.rng.Int64N(int64(longest))))
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// start starts a bot.
func (s *storm) start(slot int) (err error) {
	s.slots[slot], err = s.bot.Start(s.logs)
	return err
}

// kill kills bots at once, checks the store and starts them anew. A bot that has stopped before, as it was asked to, counts
// as well: the kill came too late.
func (s *storm) kill(ctx context.Context, m moment, slots ...int) error {
	now := time.Now()
	for _, slot := range slots {
		p := s.slots[slot]
		wasReady := !p.ReadySince().IsZero()
		if s.isGone(p) && m != atStop {
			s.bury(p)
			continue
		}
		p.Kill()
		s.bury(p)
		s.figures.killed(m)
		if wasReady && len(slots) < len(s.slots) {
			s.figures.orphaned(now)
		}
	}
	if err := s.checker.check(ctx); err != nil {
		return err
	}
	if s.options.forgets && s.rng.IntN(2) == 0 {
		if err := s.restart(ctx); err != nil {
			return err
		}
	}
	for _, slot := range slots {
		if err := s.start(slot); err != nil {
			return err
		}
	}
	return nil
}

// restart restarts the homeserver.
func (s *storm) restart(ctx context.Context) error {
	s.figures.restarts++
	return s.town.Homeserver.Restart(ctx)
}

func (s *storm) isGone(p *victim.Process) bool {
	select {
	case <-p.Gone():
		return true
	default:
		return false
	}
}

// bury notes what became of a bot that is gone.
func (s *storm) bury(p *victim.Process) {
	s.listen(p)
	if err := p.Err(); err != nil {
		s.failures = append(s.failures, err.Error())
	}
	if since := p.ReadySince(); !since.IsZero() && !s.options.standby {
		s.figures.starts = append(s.figures.starts, since.Sub(p.Began))
	}
}

// listen adds up what a bot that is gone has given up to read.
func (s *storm) listen(p *victim.Process) {
	times, _ := p.Said(unread)
	s.figures.unread += times
}

// awaitWorker waits until a bot is ready, and returns its slot, or -1 where that takes too long. Bots that have ended by
// themselves are started anew.
func (s *storm) awaitWorker(ctx context.Context, limit time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		for slot, p := range s.slots {
			if s.isGone(p) {
				s.bury(p)
				if s.start(slot) != nil {
					return -1
				}
			} else if since := p.ReadySince(); !since.IsZero() {
				s.figures.takenOver(since)
				return slot
			}
		}
		// Without a second bot, both are the first.
		first, second := s.slots[0], s.slots[len(s.slots)-1]
		select {
		case <-first.Ready():
		case <-second.Ready():
		case <-first.Gone():
		case <-second.Gone():
		case <-ctx.Done():
			return -1
		}
	}
}

// finish lets the bots answer what is left, stops them, and starts one once more, which must have nothing to say.
func (s *storm) finish(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.options.patience)
	defer cancel()
	if s.awaitWorker(limited, s.options.patience) < 0 {
		s.failures = append(s.failures, "the bot did not start at the end")
	}
	s.figures.rested = time.Now()
	if err := s.town.Ledger.Settle(limited); err != nil {
		s.failures = append(s.failures, err.Error())
	}
	if s.circle != nil {
		if err := s.circle.settle(limited); err != nil {
			s.failures = append(s.failures, err.Error())
		}
	}
	s.figures.settled = time.Now()
	s.stop()
	if err := s.checker.check(ctx); err != nil {
		return err
	}
	if err := s.start(0); err != nil {
		return err
	}
	if s.awaitWorker(ctx, longestReady) < 0 {
		s.failures = append(s.failures, "the bot did not start after it had stopped")
	}
	if err := wait(ctx, rest); err != nil {
		return err
	}
	s.stop()
	var err error
	s.figures.inbox, s.figures.aside, err = s.checker.left(ctx)
	return err
}

// stop asks the bots to stop, and waits for them.
func (s *storm) stop() {
	for _, p := range s.slots {
		if err := p.Stop(); err != nil {
			s.failures = append(s.failures, err.Error())
		}
		s.listen(p)
	}
}

// end kills what is left of the bots.
func (s *storm) end() {
	for _, p := range s.slots {
		if p != nil {
			p.Kill()
		}
	}
}
