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
	queue  fifo[*job]
	closed bool
	rest   chan struct{}  // Closed when no job has a place; nil where nobody asks
	idle   sync.WaitGroup // One for each running job, waiting ones included
}

// job is one piece of work, or one that wants its place back (resume is not nil then).
type job struct {
	run    func(*job)
	limit  *limit
	resume chan struct{}
}

// limit bounds how many jobs of one command run at once. Its fields belong to the pool's lock.
type limit struct {
	most    int
	running int
	waiting fifo[*job]
}

func newPool(places int) *pool { return &pool{places: places, free: places} }

// submit queues run, under l where it is not nil. run is called on a goroutine of its own, with the job by which it
// may give its place back. It reports false, and drops run, once the pool is closed.
func (p *pool) submit(l *limit, run func(*job)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	j := &job{run: run, limit: l}
	if l != nil {
		if l.running >= l.most {
			l.waiting.push(j)
			return true
		}
		l.running++
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
	p.idle.Add(1)
	go func() {
		defer p.finish(j)
		j.run(j)
	}()
}

func (p *pool) finish(j *job) {
	p.mu.Lock()
	p.vacate()
	if l := j.limit; l != nil {
		if next, ok := l.waiting.pop(); ok && !p.closed {
			p.place(next)
		} else {
			l.running--
		}
	}
	p.mu.Unlock()
	p.idle.Done()
}

// vacate gives one place to who waits longest.
func (p *pool) vacate() {
	next, ok := p.queue.pop()
	switch {
	case !ok:
		p.free++
		if p.free == p.places && p.rest != nil {
			close(p.rest)
			p.rest = nil
		}
	case next.resume != nil:
		close(next.resume)
	default:
		p.start(next)
	}
}

// yield gives j's place to other work; its limit stays taken.
func (p *pool) yield(*job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vacate()
}

// regain takes a place for j again, ahead of work that has not started. It does not heed a context: the place is
// needed also by a handler that only wants to return, and running handlers do give places back.
func (p *pool) regain(j *job) {
	p.mu.Lock()
	if p.free > 0 {
		p.free--
		p.mu.Unlock()
		return
	}
	back := &job{resume: make(chan struct{})}
	p.queue.pushFront(back)
	p.mu.Unlock()
	<-back.resume
}

// close drops the work that has not started and takes no more.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var returning []*job
	for {
		j, ok := p.queue.pop()
		if !ok {
			break
		}
		if j.resume != nil {
			returning = append(returning, j)
		}
	}
	for _, j := range returning {
		p.queue.push(j)
	}
}

// wait returns when all that runs has ended, or with ctx's error before.
func (p *pool) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		p.idle.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load is how many jobs wait for a place.
func (p *pool) load() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.len()
}

// resting is closed as soon as no job has a place: all have ended, or wait for events.
func (p *pool) resting() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rest == nil {
		p.rest = make(chan struct{})
	}
	rest := p.rest
	if p.free == p.places {
		close(p.rest)
		p.rest = nil
	}
	return rest
}
