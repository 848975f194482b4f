package niobot

import (
	"context"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// How fast the bot sends once a server has refused it for that.
const (
	firstPace  = 50 * time.Millisecond
	slowest    = 5 * time.Second
	fastEnough = time.Millisecond // A shorter interval is none

	// together is how close refusals in two rooms must be for the server to mean the account and not the room.
	together = 10 * time.Second

	urgentInARow = 9 // So many urgent requests begin before one of the others does
)

// pacer keeps what the bot sends to the pace that the server lets pass. It learns that from refusals (status 429): the
// time between requests is doubled at each, and shrinks by a small part with each that passes. A room waits by itself;
// when the server refuses in several rooms, the whole account does, and then what answers a command goes before all else.
type pacer struct {
	mu      sync.Mutex
	rooms   map[id.RoomID]*pace
	account pace
	refused id.RoomID // Where the server has refused last
	at      time.Time // And when
	urgent  fifo[*pacing]
	bulk    fifo[*pacing]
	row     int  // How many urgent ones have begun since the last of the others
	armed   bool // Whether a timer runs that starts the next one
}

// pace is the times at which requests of one kind may begin.
type pace struct {
	next     time.Time
	interval time.Duration
}

// pacing is a request that waits for the account's turn.
type pacing struct {
	ready chan struct{}
	gone  bool // Whether it does not wait any more
}

// enter waits until a request for the room may begin.
func (p *pacer) enter(ctx context.Context, room id.RoomID, urgent bool) error {
	for {
		p.mu.Lock()
		now := time.Now()
		if own := p.rooms[room]; own != nil && own.next.After(now) {
			pause := own.next.Sub(now)
			p.mu.Unlock()
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		if p.account.interval == 0 && !p.account.next.After(now) {
			p.begin(room, now)
			p.mu.Unlock()
			return nil
		}
		w := &pacing{ready: make(chan struct{})}
		if urgent {
			p.urgent.push(w)
		} else {
			p.bulk.push(w)
		}
		p.start(now)
		p.mu.Unlock()
		return p.await(ctx, room, w)
	}
}

// begin notes that a request for the room begins.
func (p *pacer) begin(room id.RoomID, now time.Time) {
	if own := p.rooms[room]; own != nil {
		own.next = now.Add(own.interval)
	}
}

func (p *pacer) await(ctx context.Context, room id.RoomID, w *pacing) error {
	select {
	case <-w.ready:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.begin(room, time.Now())
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		w.gone = true
		return context.Cause(ctx)
	}
}

// start lets those begin whose time has come, the urgent ones first, and sees to the others later.
func (p *pacer) start(now time.Time) {
	for !p.account.next.After(now) {
		queue := &p.urgent
		if p.urgent.len() == 0 || p.row >= urgentInARow && p.bulk.len() > 0 {
			queue = &p.bulk
		}
		w, ok := queue.pop()
		if !ok {
			return
		}
		if w.gone {
			continue
		}
		if p.row++; queue == &p.bulk {
			p.row = 0
		}
		close(w.ready)
		p.account.next = now.Add(p.account.interval)
	}
	if p.armed || p.urgent.len()+p.bulk.len() == 0 {
		return
	}
	p.armed = true
	time.AfterFunc(p.account.next.Sub(now), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.armed = false
		p.start(time.Now())
	})
}

// slow notes that the server has refused a request for the room, and wants none for some time.
func (p *pacer) slow(room id.RoomID, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.rooms == nil {
		p.rooms = make(map[id.RoomID]*pace)
	}
	own := p.rooms[room]
	if own == nil {
		own = &pace{}
		p.rooms[room] = own
	}
	own.slow(now, wait)
	if p.refused != room && p.refused != "" && now.Sub(p.at) < together {
		p.account.slow(now, wait)
	}
	p.refused, p.at = room, now
}

func (p *pace) slow(now time.Time, wait time.Duration) {
	p.interval = min(max(2*p.interval, firstPace), slowest)
	if until := now.Add(wait); until.After(p.next) {
		p.next = until
	}
}

// pass notes that the server has taken a request for the room.
func (p *pacer) pass(room id.RoomID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own := p.rooms[room]; own != nil && own.hasten() {
		delete(p.rooms, room)
	}
	p.account.hasten()
}

// hasten shortens the interval, and reports whether there is none any more.
func (p *pace) hasten() bool {
	if p.interval -= p.interval / 16; p.interval < fastEnough {
		p.interval = 0
	}
	return p.interval == 0
}
