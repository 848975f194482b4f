package niobot

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxJobPayload is how large the payload of a [Job] may be as JSON, in bytes.
const MaxJobPayload = 64 << 10

// Job is work that is set for times one by one, each with a T that says what it is about. It is made by [NewJob]. Its
// methods may be called from any goroutine.
type Job[T any] struct {
	bot    *Bot
	name   string
	key    string // Of its schedule
	zone   *time.Location
	buffer *kvBuffer
	remove func()
}

// NewJob makes a job, whose times are set by [Job.At]: they are kept in the bot's store, and outlive it. Those of the
// time before are found by the job's name, so it must be the same at each start, and T is kept as JSON by the rules of
// encoding/json. That of a [Scope] goes with its module, whose own its name is. [Bot.Every] says how jobs run, and where
// NewJob panics.
//
//	reminders := niobot.NewJob(bot, "remind", func(ctx context.Context, f *niobot.Firing, r Reminder) error {
//		_, err := f.Send(ctx, r.Room, niobot.Plain(r.Text))
//		return err
//	})
func NewJob[T any](
	h Host, name string, f func(ctx context.Context, f *Firing, payload T) error, opts ...ScheduleOption,
) *Job[T] {
	call := func(ctx context.Context, firing *Firing) error {
		var payload T
		if err := json.Unmarshal(firing.payload, &payload); err != nil {
			return fmt.Errorf("decode payload: %w", err)
		}
		return f(ctx, firing, payload)
	}
	if f == nil {
		call = nil
	}
	s := newSchedule(h, "NewJob", name, call, opts)
	remove := s.bot.jobs.add("NewJob", s)
	if _, scope := h.host(); scope != nil {
		remove = scope.own(remove)
	}
	return &Job[T]{bot: s.bot, name: name, key: s.key, zone: s.zone, remove: remove}
}

// In is the same job as a part of a run of a command or a job: what is set and cancelled by it takes effect when the handler
// returns without an error, in one transaction with the end of the run. So a run that is repeated after a crash sets
// what it sets once. See [KV.In].
func (j *Job[T]) In(r Run) *Job[T] {
	in := *j
	in.buffer = r.changed()
	return &in
}

// Remove ends the job, but not its runs. What is set stays in the store, for a job of the same name.
func (j *Job[T]) Remove() { j.remove() }

// At sets the job for a time, and returns an id by which it can be cancelled, of digits and lower-case letters. A time
// that has passed is now.
func (j *Job[T]) At(ctx context.Context, when time.Time, payload T) (id string, err error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return "", fmt.Errorf("set job %s: %w", j.name, err)
	}
	if len(raw) > MaxJobPayload {
		return "", fmt.Errorf("set job %s: the payload has %d bytes; %d are allowed", j.name, len(raw), MaxJobPayload)
	}
	if when.IsZero() {
		return "", errors.New("set job " + j.name + ": the time is zero")
	}
	value, err := jobRecord{Due: when.UTC().Round(0), Payload: raw}.value()
	if err != nil {
		return "", err
	}
	id = strings.ToLower(rand.Text()[:12])
	if err := j.kv().set(ctx, jobKey(j.key, id), value); err != nil {
		return "", fmt.Errorf("set job %s: %w", j.name, err)
	}
	return id, nil
}

// After is [Job.At] for a time from now.
func (j *Job[T]) After(ctx context.Context, wait time.Duration, payload T) (id string, err error) {
	return j.At(ctx, time.Now().Add(wait), payload)
}

// Cancel takes back what [Job.At] has set, and reports whether it was still there. What runs already goes on.
func (j *Job[T]) Cancel(ctx context.Context, id string) (cancelled bool, err error) {
	key := jobKey(j.key, id)
	if id == "" || !fits(key) {
		return false, nil
	}
	there := func(v kvValue) bool { return v.there() }
	cancelled, err = j.kv().swap(ctx, key, there, kvValue{})
	if err != nil {
		return false, fmt.Errorf("cancel job %s: %w", j.name, err)
	}
	return cancelled, nil
}

// Scheduled is a time for which a [Job] is set.
type Scheduled[T any] struct {
	ID      string
	Due     time.Time
	Payload T
}

// List is what is set, in the order of the times; what runs at the moment is among it. Payloads that are no T any more
// are left out, and joined in the error.
func (j *Job[T]) List(ctx context.Context) (all []Scheduled[T], err error) {
	prefix := jobKey(j.key, "")
	var errs []error
	for found, err := range j.kv().scan(ctx, prefix) {
		if err != nil {
			return all, fmt.Errorf("list job %s: %w", j.name, err)
		}
		var record jobRecord
		item := Scheduled[T]{ID: found.Key[len(prefix):]}
		err := json.Unmarshal(found.Value, &record)
		if err == nil {
			err = json.Unmarshal(record.Payload, &item.Payload)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("decode job %s %s: %w", j.name, item.ID, err))
			continue
		}
		item.Due = record.Due.In(j.zone)
		all = append(all, item)
	}
	slices.SortStableFunc(all, func(a, b Scheduled[T]) int { return a.Due.Compare(b.Due) })
	return all, errors.Join(errs...)
}

func (j *Job[T]) kv() *KV { return &KV{table: &j.bot.kv, buffer: j.buffer} }
