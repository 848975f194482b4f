package fakehs

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"
)

// CutPoint says where a [Fault] ends a connection.
type CutPoint int

// The places where a connection can end.
const (
	CutNone   CutPoint = iota
	CutBefore          // before the request is processed: nothing happened
	CutAfter           // after it was processed, before the answer: the client can't know
	CutMiddle          // halfway through the body of the answer
)

// RetryAfterForm says how a 429 tells the wait.
type RetryAfterForm int

// The forms that servers use: Synapse sends both, Dendrite only the body's.
const (
	RetryInHeader RetryAfterForm = iota + 1 // the Retry-After header, rounded up to seconds
	RetryInBody                             // retry_after_ms in the body
	RetryInBoth
)

// Fault is something that goes wrong for the requests that it matches. What is set happens, several things together;
// a Fault without a cause does nothing but count.
type Fault struct {
	// Method matches the HTTP method; "" matches any.
	Method string
	// Path matches if the endpoint's pattern or the request's path contains it; "" matches any.
	// Example: "/send/", "/sync", "/rooms/{room}/redact/".
	Path string
	// User matches the caller; "" matches any.
	User id.UserID
	// Match, if not nil, must agree too. It must not call the server.
	Match func(*http.Request) bool

	// Skip is how many matching requests pass before the first is hit.
	Skip int
	// Count is how many requests are hit; 0 means all until the fault is removed.
	Count int
	// Probability is the share of requests hit, from 0 to 1; 0 means 1.
	Probability float64
	// Seed makes Probability and Shuffle repeatable.
	Seed uint64

	// Latency delays the request before it is processed.
	Latency time.Duration
	// Status answers with this HTTP status and without processing, e.g. 429, 500, 502.
	Status int
	// ErrCode is the error code beside Status. Default M_LIMIT_EXCEEDED for 429, else M_UNKNOWN.
	ErrCode string
	// RetryAfter and RetryForm tell the wait along with a 429. RetryForm 0 means none is told.
	RetryAfter time.Duration
	RetryForm  RetryAfterForm
	// Response answers 200 (or Status) with these bytes, verbatim, and without processing.
	Response []byte
	// Cut ends the connection. Mind that net/http by itself repeats a GET, though not a PUT or POST, if a connection that
	// it has used before ends without an answer.
	Cut CutPoint

	// Duplicate gives each timeline event of a sync response twice.
	Duplicate bool
	// Shuffle puts the timeline events of a sync response in another order.
	Shuffle bool
	// Replay begins each timeline of a sync response with so many events that came before it.
	Replay int
	// TimelineLimit cuts each timeline of a sync response to so many events, as a gap with limited and prev_batch.
	TimelineLimit int
}

// ActiveFault is a [Fault] that a server was told of.
type ActiveFault struct {
	Fault

	s    *Server
	rng  *rand.Rand
	seen int
	hits int
}

// Fail makes f happen from now on, until it has hit Fault.Count requests or is removed. Of several faults that match
// a request, all that are due take effect, the first added deciding where they contradict.
func (s *Server) Fail(f Fault) *ActiveFault {
	active := &ActiveFault{Fault: f, s: s, rng: rand.New(rand.NewPCG(f.Seed, 0x6e696f626f74))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, active)
	return active
}

// Faults returns the faults that can still happen.
func (s *Server) Faults() []*ActiveFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Remove ends the fault. It may be called more than once.
func (a *ActiveFault) Remove() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.faults = slices.DeleteFunc(a.s.faults, func(b *ActiveFault) bool { return b == a })
}

// Hits returns how many requests the fault has hit.
func (a *ActiveFault) Hits() int {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.hits
}

// effects is what faults do to a request later on its way.
type effects struct {
	cut       CutPoint
	duplicate bool
	shuffle   *rand.Rand
	replay    int
	limit     int
}

func (a *ActiveFault) matches(c *call) bool {
	return (a.Method == "" || a.Method == c.r.Method) &&
		(a.Path == "" || strings.Contains(c.route.pattern, a.Path) || strings.Contains(c.r.URL.Path, a.Path)) &&
		(a.User == "" || c.user != nil && c.user.id == a.User) &&
		(a.Match == nil || a.Match(c.r))
}

// due counts a matching request and reports whether the fault hits it. The caller holds s.mu.
func (a *ActiveFault) due() bool {
	a.seen++
	if a.seen <= a.Skip || a.Count > 0 && a.hits >= a.Count {
		return false
	}
	if a.Probability > 0 && a.rng.Float64() >= a.Probability {
		return false
	}
	a.hits++
	return true
}

// dueFaults returns the faults that hit the request, and forgets those that are used up.
func (s *Server) dueFaults(c *call) []*ActiveFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*ActiveFault
	for _, a := range s.faults {
		if a.matches(c) && a.due() {
			due = append(due, a)
		}
	}
	s.faults = slices.DeleteFunc(s.faults, func(a *ActiveFault) bool { return a.Count > 0 && a.hits >= a.Count })
	return due
}

// applyFaults lets the due faults happen. A reply or an error takes the handler's place.
func (s *Server) applyFaults(c *call) (any, error) {
	var reply any
	var replyErr error
	for _, a := range s.dueFaults(c) {
		if a.Latency > 0 && !s.pause(c, a.Latency) {
			panic(http.ErrAbortHandler)
		}
		if a.Cut == CutBefore {
			panic(http.ErrAbortHandler)
		}
		if c.effects.cut == CutNone {
			c.effects.cut = a.Cut
		}
		c.effects.duplicate = c.effects.duplicate || a.Duplicate
		c.effects.replay = max(c.effects.replay, a.Replay)
		if a.Shuffle && c.effects.shuffle == nil {
			c.effects.shuffle = a.rng
		}
		if c.effects.limit == 0 {
			c.effects.limit = a.TimelineLimit
		}
		if reply == nil && replyErr == nil {
			reply, replyErr = a.answer()
		}
	}
	return reply, replyErr
}

// answer returns what the fault says in the handler's place, if anything.
func (a *ActiveFault) answer() (any, error) {
	if a.Response != nil {
		return rawReply{status: a.Status, body: a.Response}, nil
	}
	if a.Status == 0 {
		return nil, nil
	}
	code := a.ErrCode
	switch {
	case code != "":
	case a.Status == http.StatusTooManyRequests:
		code = "M_LIMIT_EXCEEDED"
	default:
		code = "M_UNKNOWN"
	}
	err := fail(a.Status, code, "fault on demand")
	if a.RetryForm == RetryInBody || a.RetryForm == RetryInBoth {
		err.extra = map[string]any{"retry_after_ms": a.RetryAfter.Milliseconds()}
	}
	if a.RetryForm == RetryInHeader || a.RetryForm == RetryInBoth {
		seconds := int64((a.RetryAfter + time.Second - 1) / time.Second)
		err.header = http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}}
	}
	return nil, err
}

// pause waits for d and reports whether the request is still wanted then.
func (s *Server) pause(c *call, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.r.Context().Done():
		return false
	case <-s.ctx.Done():
		return false
	}
}
