package niobot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// jobPrefix is what the keys of jobs begin with in tableKV.
const jobPrefix = "job\x00"

// clockLook is how often the scheduler looks at the clock, which may have been set, or stood still while the machine
// slept.
const clockLook = time.Minute

// jobs are the schedules of a bot, and what is kept of them: each a value of the kvTable, under its name and, for those
// that are set one by one, its id. What is in memory follows the table.
type jobs struct {
	bot  *Bot
	wake chan struct{} // Holds something when there may be something to do

	mu        sync.Mutex
	schedules map[string]*schedule
	items     map[string]*jobItem
}

// jobItem is what is kept of one job.
type jobItem struct {
	key     string
	raw     []byte // As it is kept
	record  jobRecord
	running bool
}

// jobRecord is the value that is kept.
type jobRecord struct {
	Last    time.Time       `json:"last,omitzero"` // The latest time for which a job with a rhythm has run
	Due     time.Time       `json:"due,omitzero"`  // The time for which it is to run; of a rhythm, only once it has begun to
	Tries   int             `json:"tries,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// jobKey is where a job is kept: by the key of its schedule and, where it is set one by one, its id, which holds no NUL.
func jobKey(schedule, id string) string { return jobPrefix + schedule + "\x00" + id }

// moduleKey is the key of a module's schedule. No name is empty, so that none of the bot's own begins like it.
func moduleKey(module, name string) string { return "\x00" + module + "\x00" + name }

// schedule and id are what the key is made of.
func (i *jobItem) schedule() string { return i.key[len(jobPrefix):strings.LastIndexByte(i.key, 0)] }

func (i *jobItem) id() string { return i.key[strings.LastIndexByte(i.key, 0)+1:] }

// value is the record as the table keeps it.
func (r jobRecord) value() (kvValue, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return kvValue{}, fmt.Errorf("encode job: %w", err)
	}
	return newKVValue(raw, time.Time{}), nil
}

// add takes a schedule up, and returns what ends it.
func (js *jobs) add(what string, s *schedule) (remove func()) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.schedules[s.key] != nil {
		panic(fmt.Sprintf("niobot: %s(%q): there is a job of that name", what, s.name))
	}
	if js.schedules == nil {
		js.schedules = make(map[string]*schedule)
	}
	js.schedules[s.key] = s
	poke(js.wake)
	return func() {
		js.mu.Lock()
		defer js.mu.Unlock()
		if js.schedules[s.key] == s {
			delete(js.schedules, s.key)
		}
	}
}

// follow notes a change of the table.
func (js *jobs) follow(key string, value kvValue) {
	if !strings.HasPrefix(key, jobPrefix) {
		return
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	js.note(key, value.value)
	poke(js.wake)
}

// note takes over what is kept of a job; nil where it is gone. The jobs are locked.
func (js *jobs) note(key string, raw []byte) {
	var record jobRecord
	if raw == nil || json.Unmarshal(raw, &record) != nil {
		delete(js.items, key)
		return
	}
	if js.items == nil {
		js.items = make(map[string]*jobItem)
	}
	item := js.items[key]
	if item == nil {
		item = &jobItem{key: key}
		js.items[key] = item
	}
	item.raw, item.record = raw, record
}

// runJobs runs what is due until ctx ends.
func (b *Bot) runJobs(ctx context.Context) {
	select {
	case <-b.ready:
	case <-ctx.Done():
		return
	}
	switch err := b.jobs.load(ctx); {
	case ctx.Err() != nil:
		return
	case err != nil:
		b.log.Error("jobs not read, so none of them run", "err", err)
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if next, some := b.jobs.step(ctx, time.Now().Round(0)); some {
			timer.Reset(min(max(time.Until(next), 0), clockLook))
		} else {
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-b.jobs.wake:
		case <-ctx.Done():
			return
		}
	}
}

// load reads what is kept.
func (js *jobs) load(ctx context.Context) error {
	for record, err := range js.bot.kv.scan(ctx, jobPrefix) {
		if err != nil {
			return err
		}
		js.mu.Lock()
		if js.items[record.Key] == nil {
			js.note(record.Key, record.Value)
		}
		js.mu.Unlock()
	}
	return nil
}

// step starts what is due, and returns when there is something to do next; some is false where there never is.
func (js *jobs) step(ctx context.Context, now time.Time) (next time.Time, some bool) {
	for _, s := range js.unknown() {
		// The rhythm of a job begins when it is there for the first time.
		if err := js.begin(ctx, s, now); err != nil && ctx.Err() == nil {
			s.log.Error("job not begun", "job", s.name, "err", err)
		}
	}
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, item := range js.items {
		s := js.schedules[item.schedule()]
		if s == nil || item.running {
			continue
		}
		at, is := item.due(s, now)
		if is {
			item.running = true
			js.start(s, *item, at)
			continue
		}
		if !at.IsZero() && (!some || at.Before(next)) {
			next, some = at, true
		}
	}
	return next, some
}

// due is the time for which the item is to run, and whether that has come.
func (i *jobItem) due(s *schedule, now time.Time) (at time.Time, is bool) {
	if s.next == nil || !i.record.Due.IsZero() {
		return i.record.Due, !i.record.Due.After(now)
	}
	return s.due(i.record.Last, now)
}

// unknown are the schedules with a rhythm of which nothing is kept.
func (js *jobs) unknown() (found []*schedule) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for key, s := range js.schedules {
		if s.next != nil && js.items[jobKey(key, "")] == nil {
			found = append(found, s)
		}
	}
	return found
}

func (js *jobs) begin(ctx context.Context, s *schedule, now time.Time) error {
	value, err := jobRecord{Last: now}.value()
	if err != nil {
		return err
	}
	missing := func(v kvValue) bool { return !v.there() }
	_, err = js.bot.kv.swap(ctx, jobKey(s.key, ""), missing, value)
	return err
}

// start runs an item on a place of the pool.
func (js *jobs) start(s *schedule, item jobItem, due time.Time) {
	f := js.bot.newFiring(s, item, due)
	js.bot.pool.submit(nil, func(j *job) {
		f.run.job = j
		js.fire(s, item, f)
	}, func() { f.run.cancel(ErrClosed) })
}

// fire runs an item: first it is noted that it is run, and for which time, then it is, and then it is noted that it has
// been.
func (js *jobs) fire(s *schedule, item jobItem, f *Firing) {
	defer close(f.run.done)
	defer f.run.cancel(nil)
	begun := item.record
	begun.Due, begun.Tries = f.Due, begun.Tries+1
	value, err := begun.value()
	is := false
	if err == nil {
		is, err = js.bot.kv.swap(f.run, item.key, func(v kvValue) bool { return bytes.Equal(v.value, item.raw) }, value)
	}
	if err != nil || !is {
		if err != nil && f.run.Err() == nil {
			f.Logger().Error("job not run", "err", err)
		}
		js.rest(item.key)
		return
	}
	ended := jobRecord{Last: f.Due}
	late := item.record.Tries == 0 && time.Since(f.Due) > missedAfter
	switch {
	case begun.Tries > maxTries:
		f.Logger().Error("job given up", "tries", maxTries, "err", ErrSetAside)
	case s.next == nil && s.missed == RunNone && late:
		f.Logger().Warn("job passed over, since its time has long been")
	case !js.work(s, f):
		// The bot ends, which is no fault of the job's.
		ended = begun
		ended.Tries--
	}
	js.end(item.key, s, f, ended)
}

// work calls the job's function, and reports false where the bot's end has ended it.
func (js *jobs) work(s *schedule, f *Firing) (done bool) {
	js.bot.waiters.enter()
	defer js.bot.waiters.leave()
	err := recovered(func() error { return s.f(jobContext{f.run}, f) })
	f.run.stopTyping()
	f.run.err = err
	if err == nil {
		return true
	}
	if errors.Is(context.Cause(f.run), ErrClosed) {
		return false
	}
	f.Logger().Error("job ended with an error", "err", err, "stack", stackOf(err))
	return true
}

// end keeps what has become of an item, together with what its run has changed.
func (js *jobs) end(key string, s *schedule, f *Firing, record jobRecord) {
	values := f.run.changes.take(f.run.err != nil)
	if values == nil {
		values = make(map[string]kvValue)
	}
	value, err := record.value()
	if err != nil {
		f.Logger().Error("job not ended", "err", err)
	}
	if s.next == nil && record.Due.IsZero() {
		value = kvValue{}
	}
	values[key] = value
	js.bot.kv.commit(values, func(changes []Change) {
		if j := js.bot.journal; j != nil {
			j.put(changes...)
		}
	})
	js.settle(key) // Not before: it would be run again for the same time.
}

// settle says that an item no longer runs.
func (js *jobs) settle(key string) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if item := js.items[key]; item != nil {
		item.running = false
	}
	poke(js.wake)
}

// rest is settle for an item that could not be run: it is looked at again later, as it is kept then.
func (js *jobs) rest(key string) {
	now, err := js.bot.kv.get(js.bot.background(), key)
	js.mu.Lock()
	defer js.mu.Unlock()
	if err == nil {
		js.note(key, now.value)
		poke(js.wake)
	}
	if item := js.items[key]; item != nil {
		item.running = false
	}
}
