package niobot

import (
	"fmt"
	"sync"
	"time"
)

// Bucket says who shares a [Cooldown].
type Bucket int

// The buckets.
const (
	PerUser   Bucket = iota // Each user alone, over all rooms
	PerRoom                 // All users of a room together
	PerMember               // Each user in each room
	PerServer               // All users of a server together
	Global                  // Everybody together
)

func (b Bucket) key(c *Context) string {
	switch b {
	case PerUser:
		return string(c.Message.Sender)
	case PerRoom:
		return string(c.Room.id)
	case PerMember:
		return string(c.Room.id) + "\x00" + string(c.Message.Sender)
	case PerServer:
		return serverOf(string(c.Message.Sender))
	}
	return ""
}

// Cooldown lets the command be called that many times within any span of that length, by those who share the bucket;
// of a group, its subcommands count together. Calls that a check refuses do not count. Who is refused is told once when
// the rest ends; further calls until then are passed over in silence.
func Cooldown(times int, within time.Duration, per Bucket) CommandOption {
	return func(cmd *Command) {
		if times < 1 || within <= 0 || per < PerUser || per > Global {
			cmd.wrong("Cooldown: %d times within %s for bucket %d makes no sense", times, within, per)
			return
		}
		cmd.cooldowns = append(cmd.cooldowns, cooldownRule{times, within, per})
	}
}

// CooldownError says that a command was called too often.
type CooldownError struct {
	Wait   time.Duration // Until it may be called again
	Silent bool          // Whether the caller has been told before
}

// Error implements error.
func (e *CooldownError) Error() string { return fmt.Sprintf("cooldown: %s left", e.Wait) }

type cooldownRule struct {
	times  int
	within time.Duration
	per    Bucket
}

// cooldown counts the calls of one command on one bot.
type cooldown struct {
	cooldownRule

	mu    sync.Mutex
	calls map[string]*spell
	sweep time.Time // When what has run out is next forgotten
}

// spell is the latest calls of one bucket.
type spell struct {
	at   []time.Time // A ring of the latest calls, as many as the rule allows
	next int
	told time.Time // When who called too often may be told again
}

// take counts a call, or says how long to wait.
func (cd *cooldown) take(key string, now time.Time) error {
	cd.mu.Lock()
	defer cd.mu.Unlock()
	cd.forget(now)
	s := cd.calls[key]
	if s == nil {
		if cd.calls == nil {
			cd.calls = make(map[string]*spell)
		}
		s = &spell{at: make([]time.Time, cd.times)}
		cd.calls[key] = s
	}
	oldest := s.at[s.next]
	if wait := oldest.Add(cd.within).Sub(now); !oldest.IsZero() && wait > 0 {
		silent := now.Before(s.told)
		if !silent {
			s.told = now.Add(wait)
		}
		return &CooldownError{Wait: wait, Silent: silent}
	}
	s.at[s.next] = now
	s.next = (s.next + 1) % cd.times
	return nil
}

// forget drops, once in a span, the buckets that nobody has called from within it.
func (cd *cooldown) forget(now time.Time) {
	if now.Before(cd.sweep) {
		return
	}
	cd.sweep = now.Add(cd.within)
	for key, s := range cd.calls {
		latest := s.at[(s.next+cd.times-1)%cd.times]
		if now.Sub(latest) >= cd.within {
			delete(cd.calls, key)
		}
	}
}

// cool counts a call against all the route's cooldowns, the outermost first.
func (r *route) cool(c *Context) error {
	for _, cd := range r.cooldowns {
		if err := cd.take(cd.per.key(c), time.Now()); err != nil {
			return err
		}
	}
	return nil
}
