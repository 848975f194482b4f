package niobot

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// MissedRuns says what becomes of the times of a schedule at which the bot was down, or the job was still at work.
type MissedRuns int

// What is done with times that were missed. A job of [NewJob] runs late but for RunNone.
const (
	RunOnce MissedRuns = iota // The job runs once for all of them, at once. The default
	RunNone                   // They are passed over
	RunAll                    // It runs for each of them, one after the other; of very many, for the latest 1,000
)

// maxMissed is how many missed times are run by RunAll.
const maxMissed = 1000

// missedAfter is how late a job may be without the time having been missed.
const missedAfter = time.Minute

// maxJobName is how long the name of a job may be, in bytes.
const maxJobName = MaxKVName

// ScheduleOption changes when a job runs.
type ScheduleOption func(*schedule)

// In sets the time zone of [Bot.Cron], and of the times that a job is told of. Default: that of [WithLocation].
func In(zone *time.Location) ScheduleOption { return func(s *schedule) { s.zone = zone } }

// Missed sets what becomes of times that were missed. Default: [RunOnce].
func Missed(m MissedRuns) ScheduleOption { return func(s *schedule) { s.missed = m } }

// JobFunc is what a job does. Its context ends with the bot. Its error, or panic, is logged, and the job has run
// nevertheless.
type JobFunc func(ctx context.Context, f *Firing) error

// Every runs f again and again, the first time after the interval. With a store, the rhythm goes on over restarts, by the
// job's name. A job is never run twice at once: when it takes longer than the interval, the times that pass meanwhile
// are missed, as are those at which the bot was down; see [Missed].
//
// This is so for all jobs: they run from when [Bot.Ready] says so, on the places of commands. What runs is noted in the
// store; a job that was interrupted, by a crash or the bot's end, is run again for the same time, and what it sends by its
// [Firing] is not there twice. After the third crash that time is given up. Times are those of the machine's clock: if
// that is put back, no time comes again.
//
// The returned function ends the job, but not its run. Every panics where the name is empty, too long or taken, or the
// interval is less than a second: a mistake in the program.
func (b *Bot) Every(name string, interval time.Duration, f JobFunc, opts ...ScheduleOption) (remove func()) {
	return every(b, name, interval, f, opts)
}

func every(h Host, name string, interval time.Duration, f JobFunc, opts []ScheduleOption) (remove func()) {
	if interval < time.Second {
		panic(fmt.Sprintf("niobot: Every(%q): the interval %s is less than a second", name, interval))
	}
	s := newSchedule(h, "Every", name, f, opts)
	s.next = func(after time.Time) time.Time { return after.Add(interval) }
	s.skip = func(last, now time.Time) time.Time {
		return last.Add(interval * max(0, now.Sub(last)/interval-maxMissed))
	}
	return s.bot.jobs.add("Every", s)
}

// Cron runs f whenever a cron expression says so: five fields for minute, hour, day of the month, month and day of the
// week, as in "0 9 * * 1-5", or one of @hourly, @daily, @weekly, @monthly and @yearly. The time zone is the bot's, UTC without
// [WithLocation], unless [In] sets another.
//
// When clocks are put forward, a time within the hour that is left out comes at its end. When they are put back, a time
// within the hour that comes twice comes the first time only. An expression that leaves the hours open (* or */n) goes
// on through both.
//
// All else is as for [Bot.Every]. Cron panics where the expression is wrong, or never comes true.
func (b *Bot) Cron(name, expression string, f JobFunc, opts ...ScheduleOption) (remove func()) {
	return byClock(b, name, expression, f, opts)
}

func byClock(h Host, name, expression string, f JobFunc, opts []ScheduleOption) (remove func()) {
	s := newSchedule(h, "Cron", name, f, opts)
	rule, err := parseCron(expression, s.zone)
	if err != nil {
		panic(fmt.Sprintf("niobot: Cron(%q): %v", name, err))
	}
	s.next = rule.next
	return s.bot.jobs.add("Cron", s)
}

// schedule is what runs under one name.
type schedule struct {
	name   string
	key    string // What it is kept under: the name, with the module before it
	bot    *Bot
	log    *slog.Logger
	f      JobFunc
	zone   *time.Location
	missed MissedRuns
	next   func(after time.Time) time.Time     // The next time; nil for jobs that are set one by one
	skip   func(last, now time.Time) time.Time // A later time to begin with, where very many were missed; may be nil
}

func newSchedule(h Host, what, name string, f JobFunc, opts []ScheduleOption) *schedule {
	if name == "" || len(name) > maxJobName || strings.Contains(name, "\x00") {
		panic(fmt.Sprintf("niobot: %s(%q): the name is empty, longer than %d bytes, or holds a NUL", what, name, maxJobName))
	}
	if f == nil {
		panic(fmt.Sprintf("niobot: %s(%q): the function is nil", what, name))
	}
	b, scope := h.host()
	s := &schedule{name: name, key: name, bot: b, log: b.log, f: f, zone: b.settings.location}
	if scope != nil {
		s.key, s.log = moduleKey(scope.made.name, name), scope.log
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.zone == nil {
		panic(fmt.Sprintf("niobot: %s(%q): the time zone is nil", what, name))
	}
	return s
}

// due is the time for which the job is to run by now, and whether there is one: of several, which one depends on what
// is done with those that were missed. Where there is none, it is the time that comes next.
func (s *schedule) due(last, now time.Time) (at time.Time, is bool) {
	if s.skip != nil {
		last = s.skip(last, now)
	}
	at = s.next(last)
	if at.IsZero() || at.After(now) {
		return at, false
	}
	passed := []time.Time{at}
	for range maxCatchUp {
		if at = s.next(at); at.IsZero() || at.After(now) {
			break
		}
		if passed = append(passed, at); len(passed) > maxMissed {
			passed = passed[1:]
		}
	}
	latest := passed[len(passed)-1]
	switch {
	case s.missed == RunAll:
		return passed[0], true
	case s.missed == RunNone && now.Sub(latest) > missedAfter:
		return s.next(latest), false
	}
	return latest, true
}

// maxCatchUp bounds the steps through times that were missed: those of every minute in nearly two years.
const maxCatchUp = 1_000_000
