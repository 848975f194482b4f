package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// figures are what is measured on the way.
type figures struct {
	began, rested, settled time.Time

	kills     int
	moments   [moments]int
	restarts  int // Of the homeserver
	faults    int
	starts    []time.Duration // From the start of a process to ready
	orphan    time.Time       // When the worker was killed that another is to follow; zero otherwise
	takeovers []time.Duration
	inbox     int // What is left at the end
	aside     int
	unread    int // Commands that the bot gave up to read
}

func (f *figures) begin() { f.began = time.Now() }

func (f *figures) killed(m moment) {
	f.kills++
	f.moments[m]++
}

// orphaned notes that there is no worker from now on.
func (f *figures) orphaned(now time.Time) { f.orphan = now }

// takenOver notes that there is one.
func (f *figures) takenOver(since time.Time) {
	if !f.orphan.IsZero() && since.After(f.orphan) {
		f.takeovers = append(f.takeovers, since.Sub(f.orphan))
		f.orphan = time.Time{}
	}
}

// shownCases is how many of the wrongs are printed.
const shownCases = 20

// report prints what came of it. sound is false where the bot did wrong.
func (s *storm) report(out io.Writer) (sound bool, err error) {
	f, v := &s.figures, s.town.Ledger.Verdict()
	sound = v.Sound() && f.aside == 0 && f.inbox == 0 && len(s.failures) == 0
	w := &printer{out: out}
	w.line("run", "seed %d, store %s, standby %t, %d commands in %d rooms", s.options.seed, s.options.store,
		s.options.standby, v.Asked, s.options.rooms)
	w.line("kills", "%d: %s", f.kills, f.shares())
	w.line("faults", "%d", f.faults)
	if s.options.forgets {
		w.line("restarts", "%d of the homeserver, which forgets transaction ids", f.restarts)
	}
	w.line("lost", "%d", v.Lost)
	w.line("double", "%d", v.Double)
	w.line("stray", "%d", v.Stray)
	cases := v.Cases
	if s.circle != nil {
		secrecy := s.circle.judge()
		sound = sound && secrecy.sound() && f.unread == 0
		cases = append(cases, secrecy.cases...)
		w.line("encrypted", "%d answers to %d users", secrecy.answers, len(s.circle.users))
		w.line("late keys", "%d", s.circle.post.delivered())
		w.line("unreadable", "%d", secrecy.unreadable)
		w.line("not read", "%d", f.unread)
		w.line("in the clear", "%d", secrecy.plain)
	}
	w.line("set aside", "%d", f.aside)
	w.line("left over", "%d", f.inbox)
	if s.checker.checks > 0 {
		w.line("integrity", "%d checks, all ok", s.checker.checks)
	}
	if s.checker.open > 0 {
		w.line("at kills", "%d commands open in all, of which %d on trial, at most the %d. time", s.checker.open,
			s.checker.suspects, s.checker.tries)
	}
	w.line("start", "%s", spread(f.starts))
	w.line("takeover", "%s", spread(f.takeovers))
	w.line("duration", "%s, of which the last %s without kills", f.settled.Sub(f.began).Round(time.Millisecond),
		f.settled.Sub(f.rested).Round(time.Millisecond))
	for _, list := range [][]string{cases, s.failures} {
		for _, text := range list[:min(len(list), shownCases)] {
			w.line("", "%s", text)
		}
		if more := len(list) - shownCases; more > 0 {
			w.line("", "and %d more", more)
		}
	}
	return sound, w.err
}

// shares is how many kills there were at which moments.
func (f *figures) shares() string {
	text := ""
	for m, n := range f.moments {
		if n == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", n, moment(m))
	}
	return text
}

// spread is the median and the largest of some times.
func spread(times []time.Duration) string {
	if len(times) == 0 {
		return "none measured"
	}
	slices.Sort(times)
	return fmt.Sprintf("median %s, at most %s, of %d", times[len(times)/2].Round(time.Millisecond),
		times[len(times)-1].Round(time.Millisecond), len(times))
}

// printer prints lines of a name and a value, and keeps the first error.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(name, format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, "%-14s%s\n", name, fmt.Sprintf(format, args...))
	}
}
