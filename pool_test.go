package niobot

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// gates lets jobs run until they are let go, and notes the order in which they started.
type gates struct {
	mu      sync.Mutex
	started []int
	dropped []int
	open    map[int]chan struct{}
}

func (g *gates) gate(n int) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = make(map[int]chan struct{})
	}
	if g.open[n] == nil {
		g.open[n] = make(chan struct{})
	}
	return g.open[n]
}

func (g *gates) submit(p *pool, l *limit, n int) bool {
	gate := g.gate(n)
	return p.submit(l, func(*job) {
		g.mu.Lock()
		g.started = append(g.started, n)
		g.mu.Unlock()
		<-gate
	}, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.dropped = append(g.dropped, n)
	})
}

func (g *gates) letGo(n int) {
	close(g.gate(n))
	synctest.Wait()
}

func (g *gates) wantStarted(t *testing.T, want ...int) {
	t.Helper()
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.started, want) {
		t.Errorf("started %v, want %v", g.started, want)
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestPoolRunsAsManyJobsAsItHasPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		p := newPool(2)
		for n := range 5 {
			g.submit(p, nil, n)
			synctest.Wait()
		}
		g.wantStarted(t, 0, 1)
		g.letGo(1)
		g.wantStarted(t, 0, 1, 2)
		g.letGo(0)
		g.letGo(2)
		g.wantStarted(t, 0, 1, 2, 3, 4)
		if p.load() != 0 {
			t.Errorf("load is %d, want 0", p.load())
		}
		g.letGo(3)
		g.letGo(4)
		if !closed(p.resting()) || p.free != 2 {
			t.Errorf("the empty pool is not at rest: %d places free", p.free)
		}
	})
}

func TestPoolLimitHoldsUpNoOtherWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		p := newPool(3)
		l := &limit{most: 1}
		for _, n := range []int{0, 1, 2} {
			g.submit(p, l, n)
			synctest.Wait()
		}
		g.submit(p, nil, 3)
		g.wantStarted(t, 0, 3)
		g.letGo(0)
		g.wantStarted(t, 0, 3, 1)
		g.letGo(1)
		g.wantStarted(t, 0, 3, 1, 2)
		g.letGo(2)
		g.letGo(3)
		if l.running != 0 {
			t.Errorf("%d still run under the limit", l.running)
		}
	})
}

func TestPoolCloseDropsAllThatHasNotStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		p := newPool(2)
		running, queued := &limit{most: 1}, &limit{most: 1}
		g.submit(p, running, 0)
		g.submit(p, running, 1) // Waits under a limit whose job runs.
		g.submit(p, running, 2)
		g.submit(p, nil, 3)
		g.submit(p, nil, 4)
		g.submit(p, queued, 5)
		g.submit(p, queued, 6) // Waits under a limit whose job has not started.
		synctest.Wait()
		p.close()
		if g.submit(p, nil, 7) {
			t.Error("a closed pool took a job")
		}
		g.letGo(0)
		g.letGo(3)
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(g.dropped)
		if want := []int{1, 2, 4, 5, 6}; !slices.Equal(g.dropped, want) {
			t.Errorf("dropped %v, want %v", g.dropped, want)
		}
	})
}

// startJob runs a job until end is called; what it does meanwhile is the test's affair.
func startJob(p *pool) (j *job, end func()) {
	got, gate := make(chan *job, 1), make(chan struct{})
	p.submit(nil, func(j *job) {
		got <- j
		<-gate
	}, nil)
	return <-got, func() { close(gate) }
}

func TestPoolGivesThePlaceOfAWaitingJobAwayOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		j, end := startJob(p)
		p.yield(j)
		p.yield(j) // A second goroutine of the same handler waits as well.
		if p.free != 1 {
			t.Fatalf("%d places are free, want 1", p.free)
		}
		p.regain(j)
		p.regain(j)
		if p.free != 0 || closed(p.resting()) {
			t.Errorf("%d places are free after the job has its place again, want 0", p.free)
		}
		end()
		synctest.Wait()
		if p.free != 1 || !closed(p.resting()) {
			t.Errorf("%d places are free after the end, want 1", p.free)
		}
	})
}

func TestPoolIgnoresWhatAnEndedJobWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		early, endEarly := startJob(p)
		p.yield(early)
		other, endOther := startJob(p)
		returned := make(chan struct{})
		go func() {
			p.regain(early) // Waits for the place of the other job.
			close(returned)
		}()
		synctest.Wait()
		endEarly()
		synctest.Wait()
		endOther()
		<-returned
		synctest.Wait()
		p.yield(other)
		p.regain(early)
		if p.free != 1 || p.busy != 0 {
			t.Errorf("%d places are free and %d jobs busy, want 1 and 0", p.free, p.busy)
		}
	})
}

func TestPoolLetsAWaitingJobBackBeforeNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		p := newPool(1)
		j, end := startJob(p)
		p.yield(j)
		g.submit(p, nil, 0)
		g.submit(p, nil, 1)
		g.wantStarted(t, 0)
		back := make(chan struct{})
		go func() {
			p.regain(j)
			close(back)
		}()
		synctest.Wait()
		g.letGo(0)
		<-back
		g.wantStarted(t, 0)
		end()
		g.wantStarted(t, 0, 1)
		g.letGo(1)
	})
}

func TestPoolIsNotAtRestOnceTheAwaitedEventHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		j, end := startJob(p)
		p.yield(j)
		if !closed(p.resting()) {
			t.Error("the pool is not at rest while its only job waits for an event")
		}
		p.wake(j) // The handler has not run yet.
		if closed(p.resting()) {
			t.Error("the pool is at rest though the event that its job waited for has come")
		}
		p.regain(j)
		end()
	})
}

func TestPoolIsNotAtRestWhileAJobWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		j, end := startJob(p)
		p.lend(j)
		if p.free != 1 || closed(p.resting()) {
			t.Errorf("%d places are free, want 1, and the pool is not at rest", p.free)
		}
		p.regain(j)
		end()
	})
}

func TestFullLimitTakesNoMore(t *testing.T) {
	p, l := newPool(2), &limit{most: 1}
	release, over := make(chan struct{}), make(chan bool, 1)
	p.submit(l, func(*job) { <-release }, func() {})
	for range maxWaiting {
		p.submit(l, func(j *job) {
			if j.over {
				t.Error("one of those that may wait was taken for one too many")
			}
		}, func() {})
	}
	p.submit(l, func(j *job) { over <- j.over }, func() {})
	if !<-over {
		t.Error("one too many has begun as any other")
	}
	close(release)
	if err := p.wait(t.Context()); err != nil {
		t.Error(err)
	}
}
