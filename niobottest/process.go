package niobottest

import (
	"context"
	"sync/atomic"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/testbed"
)

// process is one life of a bot, as its store sees it.
type process struct{ dead atomic.Bool }

// mortal is a store of a process that may die: what is committed after that is lost.
type mortal struct {
	niobot.Store
	process *process
}

// Commit implements [niobot.Store].
func (m mortal) Commit(ctx context.Context, changes []niobot.Change) error {
	if m.process.dead.Load() {
		return nil
	}
	return m.Store.Commit(ctx, changes)
}

// run runs a bot on the account, and returns when it is ready.
func (s *Server) run(bot *niobot.Bot) {
	s.t.Helper()
	s.bot, s.ended, s.runErr, s.process = bot, make(chan struct{}), nil, new(process)
	s.bed.Homeserver = s.hs.URL()
	life := s.process
	s.bed.Store = func(store any) any {
		kept, ok := store.(niobot.Store)
		if !ok {
			return store
		}
		return mortal{kept, life}
	}
	bot.On(event.Type{Type: testbed.MarkerType}, s.mark)
	ctx, cancel := context.WithCancel(testbed.Put(context.Background(), s.bed))
	s.stop = cancel
	ended := s.ended
	go func() {
		defer close(ended)
		s.runErr = bot.Run(ctx)
	}()
	select {
	case <-bot.Ready():
	case <-s.ended:
		s.t.Fatalf("niobottest: the bot ended before it was ready: %v", s.runErr)
	case <-time.After(s.timeout):
		s.t.Fatalf("niobottest: the bot was not ready within %s", s.timeout)
	}
}

// runs tells whether the bot's Run has not returned yet.
func (s *Server) runs() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// Stop stops the bot as the end of its context does, waits for it, and returns what [niobot.Bot.Run] returned. It may
// be called twice.
func (s *Server) Stop() error {
	s.stop()
	<-s.ended
	return s.runErr
}

// Crash ends the bot in the middle of whatever it does, as the death of its process would: from then on nothing that it
// sends reaches the homeserver, and nothing that it stores is kept; handlers have their context cancelled, and are waited
// for. Its store can be given to the next bot; see [Server.Resume].
func (s *Server) Crash() {
	s.t.Helper()
	if !s.runs() {
		s.t.Fatal("niobottest: the bot can't crash: it has ended")
	}
	cut := s.hs.Fail(Fault{User: s.botID, Cut: CutBefore})
	defer cut.Remove()
	s.process.dead.Store(true)
	s.bed.Kill()
	_ = s.Stop() // Whatever it says, the test has brought it about.
	s.runErr = nil
}

// Resume runs the next bot on the account and the device of the one before, which is stopped where it still runs, and
// returns when it is ready. With the same [niobot.Store], the next bot goes on where that one ended:
//
//	db := memory.New()
//	hs := niobottest.Start(t, newBot(db))
//	...
//	hs.Crash()
//	hs.Resume(newBot(db))
func (s *Server) Resume(bot *niobot.Bot) {
	s.t.Helper()
	if err := s.Stop(); err != nil {
		s.t.Fatalf("niobottest: the bot before ended with an error: %v", err)
	}
	s.run(bot)
}

// StartBot runs another bot on the same homeserver, and returns the server as that bot's tests see it: all of its methods
// are about that bot, and so is what its users expect. Users and rooms are the same: User("alice") of both is one
// account.
//
//	hs := niobottest.Start(t, newGreeter())
//	clock := hs.StartBot("clock", newClock())
//	alice := hs.User("alice")
//	room := alice.NewRoom() // With both bots
//	alice.Say(room, "!time")
//	clock.User("alice").ExpectReply("noon")
//	hs.ExpectNothing(room)
func (s *Server) StartBot(localpart string, bot *niobot.Bot) *Server {
	s.t.Helper()
	other := s.house(localpart, bot)
	other.run(bot)
	return other
}

// Ended is closed when [niobot.Bot.Run] has returned.
func (s *Server) Ended() <-chan struct{} { return s.ended }
