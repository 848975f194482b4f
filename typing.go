package niobot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// A typing notification is renewed well before the server lets it lapse (spec: Client-Server API, "Typing
// Notifications").
const (
	typingTimeout = 30 * time.Second
	typingRenewal = 20 * time.Second
)

// typing shows the bot as typing in rooms, for as long as anything there wants it.
type typing struct {
	send func(ctx context.Context, room id.RoomID, typing bool) error
	log  *slog.Logger

	mu     sync.Mutex
	rooms  map[id.RoomID]*typist
	closed bool
	work   sync.WaitGroup
}

// typist renews the notification of one room. All its requests come from one goroutine, so that none that starts
// typing can land after the one that ends it.
type typist struct {
	users int
	stop  context.CancelFunc
	done  chan struct{}
}

// start begins, or goes on with, typing in the room. The returned function ends it; it may be called twice.
func (t *typing) start(room id.RoomID) (stop func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return func() {}
	}
	if t.rooms == nil {
		t.rooms = make(map[id.RoomID]*typist)
	}
	now := t.rooms[room]
	if now == nil || now.users == 0 {
		var before chan struct{}
		if now != nil {
			before = now.done
		}
		ctx, cancel := context.WithCancel(context.Background())
		now = &typist{stop: cancel, done: make(chan struct{})}
		t.rooms[room] = now
		t.work.Add(1)
		go t.loop(ctx, room, now, before)
	}
	now.users++
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if now.users--; now.users == 0 {
			now.stop()
		}
	})
}

func (t *typing) loop(ctx context.Context, room id.RoomID, self *typist, before chan struct{}) {
	defer t.work.Done()
	defer close(self.done)
	if before != nil {
		<-before
	}
	if ctx.Err() == nil {
		t.try(ctx, room, true)
		for sleep(ctx, typingRenewal) == nil {
			t.try(ctx, room, true)
		}
		t.try(ctx, room, false)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rooms[room] == self {
		delete(t.rooms, room)
	}
}

// try sends one notification. A lost one does no harm, so it is not repeated.
func (t *typing) try(ctx context.Context, room id.RoomID, on bool) {
	// A request under way is not cut off: the server may take it up after the one that ends typing.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), typingTimeout/3)
	defer cancel()
	if err := t.send(limited, room, on); err != nil {
		t.log.Debug("typing notification not sent", "room_id", room, "err", err)
	}
}

// close ends all notifications, also those that nobody has ended, and returns when none is on its way any more.
func (t *typing) close() {
	t.mu.Lock()
	t.closed = true
	for _, typist := range t.rooms {
		typist.stop()
	}
	t.mu.Unlock()
	t.work.Wait()
}
