package niobot

import (
	"context"
	"sync"
)

// pool runs handlers on a bounded number of places. Work that finds no place waits in the order in which it came; work
// under a [limit] waits there first, so that one command at its limit holds up no other.
type pool struct {
	mu     sync.Mutex
	places int
	free   int
	busy   int        // Jobs that have started and do not wait for an event
	queue  fifo[*job] // Those that have not started, and in front those that want their place back
	closed bool
	rest   chan struct{}  // Closed when no job is busy; nil where nobody asks
	idle   sync.WaitGroup // One for each running job, waiting ones included
}

// job is one piece of work. Its state belongs to the pool's lock: a handler may wait on several goroutines at once, and
// on some that outlive it.
type job struct {
	run   func(*job)
	over  bool   // Whether too many wait under its limit, so that it runs without and is to be refused
	drop  func() // Called in place of run where the pool is closed before
	limit *limit

	holds  bool          // Whether it has a place
	asleep bool          // Whether it waits for an event
	ended  bool          // Whether run has returned
	back   chan struct{} // Closed when it has a place again; nil unless it asks for one
}

// limit bounds how many jobs of one command run at once. Its fields belong to the pool's lock.
type limit struct {
	most    int
	running int
	waiting fifo[*job]
}

// maxWaiting is how many jobs may wait under one limit.
const maxWaiting = 10000

func newPool(places int) *pool { return &pool{places: places, free: places} }

// submit queues run, under l where it is not nil. run is called on a goroutine of its own, with the job by which it
// may give its place back; drop is called instead where the pool is closed before it has started. Once the pool is
// closed, submit reports false and calls neither.
func (p *pool) submit(l *limit, run func(*job), drop func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	j := &job{run: run, drop: drop, limit: l}
	if l != nil {
		switch {
		case l.running < l.most:
			l.running++
		case l.waiting.len() < maxWaiting:
			l.waiting.push(j)
			return true
		default:
			j.limit, j.over = nil, true
		}
	}
	p.place(j)
	return true
}

// place starts j, or queues it where no place is free.
func (p *pool) place(j *job) {
	if p.free == 0 {
		p.queue.push(j)
		return
	}
	p.free--
	p.start(j)
}

func (p *pool) start(j *job) {
	j.holds = true
	p.busy++
	p.idle.Add(1)
	go func() {
		defer p.finish(j)
		j.run(j)
	}()
}

func (p *pool) finish(j *job) {
	p.mu.Lock()
	if !j.asleep {
		p.busy--
	}
	j.ended = true
	p.vacate(j)
	dropped := p.release(j.limit)
	p.restIfIdle()
	p.mu.Unlock()
	for _, d := range dropped {
		d.drop()
	}
	p.idle.Done()
}

// release lets the next job start under a limit. Where the pool is closed, all that wait there are returned instead, to
// be dropped.
func (p *pool) release(l *limit) (dropped []*job) {
	if l == nil {
		return nil
	}
	if !p.closed {
		if next, ok := l.waiting.pop(); ok {
			p.place(next)
			return nil
		}
	}
	l.running--
	for {
		next, ok := l.waiting.pop()
		if !ok {
			return dropped
		}
		dropped = append(dropped, next)
	}
}

// vacate gives j's place, if it has one, to who waits longest.
func (p *pool) vacate(j *job) {
	if !j.holds {
		return
	}
	j.holds = false
	for {
		next, ok := p.queue.pop()
		switch {
		case !ok:
			p.free++
			return
		case next.back == nil:
			p.start(next)
			return
		}
		close(next.back)
		next.back = nil
		if !next.ended {
			next.holds = true
			return
		}
	}
}

// lend gives j's place to other work, while j waits for another job. Its limit stays taken.
func (p *pool) lend(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vacate(j)
}

// yield is lend for a job that waits for an event, and so is at rest.
func (p *pool) yield(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j.ended || j.asleep {
		return
	}
	j.asleep = true
	p.busy--
	p.vacate(j)
	p.restIfIdle()
}

// wake says that what j waits for has come.
func (p *pool) wake(j *job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wakeLocked(j)
}

func (p *pool) wakeLocked(j *job) {
	if j.asleep && !j.ended {
		j.asleep = false
		p.busy++
	}
}

// regain wakes j and takes a place for it again, ahead of work that has not started. It does not heed a context: the
// place is needed also by a handler that only wants to return, and running handlers do give places back.
func (p *pool) regain(j *job) {
	p.mu.Lock()
	p.wakeLocked(j)
	if j.ended || j.holds {
		p.mu.Unlock()
		return
	}
	if j.back == nil {
		if p.free > 0 {
			p.free--
			j.holds = true
			p.mu.Unlock()
			return
		}
		j.back = make(chan struct{})
		p.queue.pushFront(j)
	}
	back := j.back
	p.mu.Unlock()
	<-back
}

// close drops the work that has not started and takes no more.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	var returning, dropped []*job
	for {
		j, ok := p.queue.pop()
		if !ok {
			break
		}
		if j.back != nil {
			returning = append(returning, j)
			continue
		}
		dropped = append(append(dropped, j), p.release(j.limit)...)
	}
	for _, j := range returning {
		p.queue.push(j)
	}
	p.mu.Unlock()
	for _, j := range dropped {
		j.drop()
	}
}

// wait returns when all that runs has ended, or with ctx's error before.
func (p *pool) wait(ctx context.Context) error {
	return waitGroup(ctx, &p.idle)
}

// load is how many jobs wait for a place.
func (p *pool) load() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.len()
}

// resting is closed as soon as no job is busy: all have ended, or wait for events.
func (p *pool) resting() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rest == nil {
		p.rest = make(chan struct{})
	}
	rest := p.rest
	p.restIfIdle()
	return rest
}

func (p *pool) restIfIdle() {
	if p.busy == 0 && p.rest != nil {
		close(p.rest)
		p.rest = nil
	}
}
