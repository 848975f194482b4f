package niobot_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/store/memory"
)

// troubled is a store of which a test decides how it fails.
type troubled struct {
	*mortal
	full  atomic.Bool // Whether commits fail
	hangs atomic.Bool // Whether commits take for ever
	blind atomic.Bool // Whether scans fail
}

func (s *troubled) Commit(ctx context.Context, changes []niobot.Change) error {
	if s.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.full.Load() {
		return &niobot.StoreError{Store: "test", Err: niobot.ErrStoreFull, Cure: "make room"}
	}
	return s.mortal.Commit(ctx, changes)
}

func (s *troubled) Scan(ctx context.Context, table niobot.Table, prefix string) iter.Seq2[niobot.Record, error] {
	if s.blind.Load() {
		return func(yield func(niobot.Record, error) bool) { yield(niobot.Record{}, errors.New("can't be read")) }
	}
	return s.mortal.Scan(ctx, table, prefix)
}

func troubledSetting(commands ...*niobot.Command) (setting, *troubled) {
	store := &troubled{mortal: &mortal{Store: memory.New()}}
	return setting{opts: []niobot.Option{niobot.WithStore(store)}, commands: commands}, store
}

func TestStoreThatHangsDoesNotKeepTheBotFromEnding(t *testing.T) {
	s, store := troubledSetting()
	inHouse(t, s, func(h *house) {
		store.hangs.Store(true)
		h.alice.say("!ping")
		h.pass(time.Second)
		begin := time.Now()
		h.down()
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("the bot took %v to end", took)
		}
	})
}

func TestStoreThatIsFullAtTheEndIsTriedAgain(t *testing.T) {
	var runs atomic.Int32
	s, store := troubledSetting(niobot.NewCommand("count",
		func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			runs.Add(1)
			return c.Reply(ctx, "counted")
		}))
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		store.full.Store(true)
		h.alice.say("!count")
		h.pass(time.Minute)
		h.stop()
		h.settle()
		store.full.Store(false)
		<-h.ended
		h.up(s)
		h.pass(time.Minute)
		h.wantSaid("counted")
		if n := runs.Load(); n != 1 {
			t.Errorf("the command ran %d times, want 1", n)
		}
	})
}

func TestStoreThatIsFullAfterACrashLosesNothing(t *testing.T) {
	s, store := troubledSetting()
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		h.crash(store.mortal)
		h.alice.say("!echo meanwhile")
		stuck := h.fail(fakehs.Fault{Path: "/sync", Latency: time.Second, Count: 1})
		h.up(s)
		store.full.Store(true)
		h.pass(10 * time.Minute)
		stuck.Remove()
		store.full.Store(false)
		h.pass(10 * time.Minute)
		h.wantSaid("echo meanwhile")
	})
}

func TestStartThatFailsForgetsNoCrash(t *testing.T) {
	s, store := troubledSetting()
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		h.crash(store.mortal)
		store.blind.Store(true)
		h.up(s)
		<-h.ended
		if h.err == nil {
			t.Fatal("the bot started though its store can't be read")
		}
		h.must(store.Claim(h.t.Context(), niobot.Account{UserID: h.bot.UserID(), DeviceID: h.bot.DeviceID()}))
		if _, crashed, err := store.Get(h.t.Context(), "meta", "running"); err != nil || !crashed {
			t.Errorf("the crash is forgotten: %v", err)
		}
		h.must(store.Release())
	})
}

func TestMergedEditIsNotSentAgain(t *testing.T) {
	s, store := troubledSetting()
	inHouse(t, s, func(h *house) {
		first, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain("first"))
		h.must(err)
		h.pass(time.Second)
		store.full.Store(true)
		h.fail(fakehs.Fault{Path: "/send/", Status: 429, RetryAfter: 20 * time.Second, RetryForm: fakehs.RetryInBody, Count: 1})
		for _, text := range []string{"before", "a", "b"} {
			go func() { // It returns when the message is stored.
				if text == "before" {
					_, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain(text), niobot.Queued())
					h.must(err)
					return
				}
				h.must(h.bot.Edit(h.t.Context(), h.room, first.ID, niobot.Plain(text), niobot.Queued()))
			}()
			h.pass(time.Second)
		}
		h.pass(time.Minute)
		h.wantSaid("first", "before", "edit of 0: b")
		store.full.Store(false)
		h.pass(time.Minute)
		h.down()
		h.up(s)
		h.pass(time.Minute)
		h.wantSaid("first", "before", "edit of 0: b")
	})
}
