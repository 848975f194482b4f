// Command cost measures what a store costs a bot, and what it saves:
//
//	go run -tags goolm ./bench/cost
//
// It runs the same bot with and without a store, in turns, as processes of their own, beside a fake homeserver in this
// one. First it compares the processor's time for each command, where users speak one after the other, and where many
// speak at once. Then it compares the first start in many rooms, which takes a first sync, with the next. The exit status
// is 1 where the store costs too much or saves too little, and 2 where the run could not be made.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/niobot/niobot/bench/town"
	"github.com/niobot/niobot/bench/victim"
	"github.com/niobot/niobot/internal/fakehs"
)

// What is promised.
const (
	mostCost    = 1.6     // The processor's time for a command with a store, as a multiple of that without
	mostRestart = 1.0 / 5 // The time of a restart, as a share of that of the first start
)

// startLimit is how long a bot may take to be ready, and to answer.
const startLimit = 10 * time.Minute

// options are what the flags say.
type options struct {
	commands int
	rounds   int
	rooms    int
	store    string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == victim.Role {
		os.Exit(victim.Main())
	}
	var o options
	flags := flag.NewFlagSet("cost", flag.ContinueOnError)
	flags.IntVar(&o.commands, "commands", 5000, "how many `commands` a bot answers in a round")
	flags.IntVar(&o.rounds, "rounds", 3, "how many rounds there are; the median counts")
	flags.IntVar(&o.rooms, "rooms", 5000, "how many `rooms` there are for the restart")
	flags.StringVar(&o.store, "store", victim.SQLite, "the store: sqlite or memory")
	if flags.Parse(os.Args[1:]) != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	sound, err := run(ctx, o, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(2)
	case !sound:
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (sound bool, err error) {
	folder, err := os.MkdirTemp("", "niobot-cost-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	program, err := os.Executable()
	if err != nil {
		return false, err
	}
	m := &meter{options: o, program: program, folder: folder}
	sound = true
	for _, crowd := range []int{1, 50} {
		without, with, err := m.perCommand(ctx, crowd)
		if err != nil {
			return false, err
		}
		ratio := float64(with) / float64(without)
		sound = sound && ratio <= mostCost
		if _, err := fmt.Fprintf(out, "%2d at once   %s CPU a command without a store, %s with %s: × %.2f\n",
			crowd, without, with, o.store, ratio); err != nil {
			return false, err
		}
	}
	if o.rooms == 0 {
		return sound, nil
	}
	first, again, err := m.restart(ctx)
	if err != nil {
		return false, err
	}
	share := float64(again.wall) / float64(first.wall)
	_, err = fmt.Fprintf(out, "%d rooms   first start %s (CPU %s), restart %s (CPU %s): × %.3f\n", o.rooms,
		first.wall, first.cpu, again.wall, again.cpu, share)
	return sound && share < mostRestart, err
}

// meter measures.
type meter struct {
	options options
	program string
	folder  string
	stores  int
}

// place is a store that is not there yet.
func (m *meter) place(kind string) victim.Place {
	m.stores++
	return victim.Place{Kind: kind, At: filepath.Join(m.folder, fmt.Sprintf("%d.db", m.stores))}
}

// perCommand is the processor's time for a command, without a store and with one, where so many are open at once.
func (m *meter) perCommand(ctx context.Context, crowd int) (without, with time.Duration, err error) {
	times := make(map[string][]time.Duration)
	for range m.options.rounds {
		for _, kind := range []string{victim.None, m.options.store} {
			idle, err := m.answer(ctx, kind, 0, crowd)
			if err != nil {
				return 0, 0, err
			}
			busy, err := m.answer(ctx, kind, m.options.commands, crowd)
			if err != nil {
				return 0, 0, err
			}
			times[kind] = append(times[kind], (busy-idle)/time.Duration(max(m.options.commands, 1)))
		}
	}
	return median(times[victim.None]), median(times[m.options.store]), nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2].Round(100 * time.Nanosecond)
}

// Where commands are said.
const (
	crowdRooms = 10
	crowdUsers = 5
)

// answer is the processor's time of a bot from its start to its end, between which it answers commands.
func (m *meter) answer(ctx context.Context, kind string, commands, crowd int) (cpu time.Duration, err error) {
	t, err := town.New(crowdRooms, crowdUsers, 1, fakehs.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	t.Listen()
	took, err := m.live(ctx, t, m.place(kind), func() error { return converse(ctx, t, commands, crowd) })
	return took.cpu, err
}

// spell is a bot's life.
type spell struct {
	wall time.Duration // From its start until it was ready
	cpu  time.Duration // Until its end
}

// live runs a bot, and stops it when f has returned.
func (m *meter) live(ctx context.Context, t *town.Town, store victim.Place, f func() error) (s spell, err error) {
	p, err := t.Resident(m.program, store).Start(io.Discard)
	if err != nil {
		return s, err
	}
	defer p.Kill()
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case <-p.Ready():
	case <-p.Gone():
		return s, errors.Join(errors.New("the bot ended"), p.Err())
	case <-limit.C:
		return s, errors.New("the bot did not start in time")
	case <-ctx.Done():
		return s, context.Cause(ctx)
	}
	s.wall = p.ReadySince().Sub(p.Began).Round(time.Millisecond)
	if err := f(); err != nil {
		return s, err
	}
	if err := p.Stop(); err != nil {
		return s, err
	}
	s.cpu = p.CPU()
	return s, nil
}

// restart is the first start and the next, in many rooms.
func (m *meter) restart(ctx context.Context) (first, again spell, err error) {
	t, err := town.New(m.options.rooms, crowdUsers, 1, fakehs.Options{})
	if err != nil {
		return first, again, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	store := m.place(m.options.store)
	nothing := func() error { return nil }
	if first, err = m.live(ctx, t, store, nothing); err != nil {
		return first, again, err
	}
	again, err = m.live(ctx, t, store, nothing)
	return first, again, err
}
