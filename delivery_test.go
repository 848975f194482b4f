package niobot_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
	"github.com/niobot/niobot/store/memory"
)

// kept is a setting whose bots share a store.
func kept(s setting, opts ...niobot.Option) setting {
	s.opts = append(append(slices.Clip(s.opts), niobot.WithStore(memory.New())), opts...)
	return s
}

// down ends the bot as its operator would.
func (h *house) down() {
	h.t.Helper()
	h.stop()
	<-h.ended
	if h.err != nil {
		h.t.Fatalf("the bot ended with %v", h.err)
	}
}

// up starts another bot like the first one.
func (h *house) up(s setting) {
	h.t.Helper()
	config := niobot.Config{Homeserver: "http://localhost", Token: "token", Prefixes: []string{"!"}}
	if s.config != nil {
		s.config(&config)
	}
	h.logs = newRecords()
	bot, err := niobot.New(config, append([]niobot.Option{h.logs.option()}, s.opts...)...)
	h.must(err)
	bot.Add(niobot.NewCommand("ping", ping), echo())
	bot.Add(s.commands...)
	if s.tune != nil {
		s.tune(bot)
	}
	h.bot, h.ended, h.err = bot, make(chan struct{}), nil
	ctx, cancel := context.WithCancel(h.bed(context.Background()))
	h.stop = cancel
	ended := h.ended
	go func() {
		defer close(ended)
		h.err = bot.Run(ctx)
	}()
	h.settle()
}

func TestWhatCameWhileTheBotWasDownIsAnsweredOnce(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) { // nio-bot 9, 10
		h.alice.say("!echo before")
		h.wantSaid("echo before")
		h.pass(time.Second)
		h.down()
		h.alice.say("!echo meanwhile")
		h.up(s)
		h.wantSaid("echo before", "echo meanwhile")
		h.down()
		h.up(s)
		h.alice.say("!echo after")
		h.wantSaid("echo before", "echo meanwhile", "echo after")
	})
}

func TestRestartAsksForNoFirstSync(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) { // nio-bot 11
		_, err := h.alice.SendStateEvent(h.t.Context(), h.room, event.StateTopic, "", map[string]string{"topic": "stays"})
		h.must(err)
		h.pass(time.Second)
		h.down()
		before := len(h.hs.Requests())
		h.up(s)
		h.pass(time.Second)
		for _, r := range h.hs.Requests()[before:] {
			if strings.Contains(r.Path, "/filter") {
				t.Errorf("the restart asked for %s %s", r.Method, r.Path)
			}
		}
		room, ok := h.bot.Room(h.room)
		if !ok || room.Topic() != "stays" || room.Membership() != event.MembershipJoin {
			t.Fatalf("the room is not known as it was: %v", ok)
		}
		if m, ok := room.Member(h.alice.UserID); !ok || m.Membership != event.MembershipJoin {
			t.Errorf("alice is %+v, %t", m, ok)
		}
		if room.PowerLevels().User(h.alice.UserID) != 100 {
			t.Error("alice has lost her power")
		}
	})
}

func TestOldBacklogIsPassedOver(t *testing.T) {
	s := kept(setting{config: func(c *niobot.Config) { c.Backlog = time.Hour }})
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		h.down()
		h.alice.say("!echo old")
		h.pass(2 * time.Hour)
		h.alice.say("!echo young")
		h.pass(30 * time.Minute)
		h.up(s)
		h.wantSaid("echo young")
	})
}

func TestInterruptedCommandIsFinishedByTheNextStart(t *testing.T) {
	var runs atomic.Int32
	release := make(chan struct{})
	s := kept(setting{
		config: func(c *niobot.Config) { c.Drain = -1 },
		commands: []*niobot.Command{
			niobot.NewCommand("slow", func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
				runs.Add(1)
				if err := c.Reply(ctx, "begun"); err != nil {
					return err
				}
				select {
				case <-release:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				return c.Reply(ctx, "done")
			}),
		},
	})
	inHouse(t, s, func(h *house) {
		release = make(chan struct{})
		h.alice.say("!slow")
		h.wantSaid("begun")
		h.down()
		h.wantSaid("begun")
		h.up(s)
		close(release)
		h.wantSaid("begun", "done")
		if n := runs.Load(); n != 2 {
			t.Errorf("the command ran %d times, want 2", n)
		}
		h.pass(time.Second)
		h.down()
		h.up(s)
		h.wantSaid("begun", "done")
		if n := runs.Load(); n != 2 {
			t.Errorf("the command ran %d times after a further start, want 2", n)
		}
	})
}

func TestReplyIsEditedAfterARestart(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		command := h.alice.say("!echo one")
		h.settle()
		gone := h.alice.say("!echo two")
		h.wantSaid("echo one", "echo two")
		h.pass(time.Second)
		h.down()
		h.alice.edit(command, "!echo three")
		h.alice.redact(gone)
		h.up(s)
		h.wantSaid("echo one", "gone", "edit of 0: echo three")
	})
}

func TestGapOfTheDowntimeIsFilled(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) { // nio-bot 14
		h.alice.say("!echo first")
		h.wantSaid("echo first")
		h.pass(time.Second)
		h.down()
		want := []string{"echo first"}
		for i := range 120 {
			text := strings.Repeat("x", i+1)
			h.alice.say("!echo " + text)
			want = append(want, "echo "+text)
		}
		h.fail(fakehs.Fault{Path: "/messages", Status: 502, Count: 2})
		h.up(s)
		h.pass(time.Minute)
		got := h.said(h.room)
		slices.SortFunc(got[1:], func(a, b string) int { return len(a) - len(b) })
		if !slices.Equal(got, want) {
			t.Errorf("%d answers, want %d", len(got), len(want))
		}
	})
}

// flaky is a store that can be made to fail.
type flaky struct {
	niobot.Store
	err atomic.Pointer[error]
}

func (f *flaky) Commit(ctx context.Context, changes []niobot.Change) error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return f.Store.Commit(ctx, changes)
}

func TestFullStoreLosesNothing(t *testing.T) {
	store := &flaky{Store: memory.New()}
	s := setting{opts: []niobot.Option{niobot.WithStore(store)}}
	inHouse(t, s, func(h *house) {
		full := error(&niobot.StoreError{Store: "test", Err: niobot.ErrStoreFull, Cure: "make room"})
		store.err.Store(&full)
		for _, text := range []string{"!echo a", "!echo b", "!echo c"} {
			h.alice.say(text)
			h.pass(time.Second)
		}
		if lines := h.logs.with("make room"); len(lines) == 0 {
			t.Error("no line of the log tells of the full store and its cure")
		}
		store.err.Store(nil)
		for range 2 {
			h.pass(time.Minute)
			got := h.said(h.room)
			if slices.Sort(got); !slices.Equal(got, []string{"echo a", "echo b", "echo c"}) {
				t.Errorf("the bot said %q", got)
			}
			h.down()
			h.up(s)
		}
	})
}

func TestLostStoreEndsTheBot(t *testing.T) {
	store := &flaky{Store: memory.New()}
	inHouse(t, setting{opts: []niobot.Option{niobot.WithStore(store)}}, func(h *house) {
		lost := error(&niobot.StoreError{Store: "test", Err: niobot.ErrStoreLost})
		store.err.Store(&lost)
		h.alice.say("!ping")
		<-h.ended
		if !errors.Is(h.err, niobot.ErrStoreLost) {
			t.Errorf("Run returned %v, want ErrStoreLost", h.err)
		}
	})
}

func TestSecondBotStandsBy(t *testing.T) {
	s := kept(setting{}, niobot.WithStandby())
	inHouse(t, s, func(h *house) {
		h.alice.say("!echo one")
		h.wantSaid("echo one")
		h.pass(time.Second)
		stopFirst, firstEnded := h.stop, h.ended
		h.up(s)
		h.pass(time.Minute)
		h.alice.say("!echo two")
		h.wantSaid("echo one", "echo two")
		h.pass(time.Second)
		stopFirst()
		<-firstEnded
		h.alice.say("!echo three")
		h.pass(5 * time.Second)
		h.wantSaid("echo one", "echo two", "echo three")
	})
}

func TestStoreInUseIsRefused(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		stopFirst, firstEnded := h.stop, h.ended
		h.up(s)
		<-h.ended
		if !errors.Is(h.err, niobot.ErrStoreInUse) {
			t.Errorf("the second bot ended with %v, want ErrStoreInUse", h.err)
		}
		stopFirst()
		<-firstEnded
	})
}

// mortal is a store whose process can die: what is committed after that is lost.
type mortal struct {
	niobot.Store
	dead atomic.Bool
	last atomic.Pointer[niobot.Table] // It dies after a commit to that table
}

func (m *mortal) Claim(ctx context.Context, owner niobot.Account) error {
	m.dead.Store(false)
	return m.Store.Claim(ctx, owner)
}

func (m *mortal) Commit(ctx context.Context, changes []niobot.Change) error {
	if m.dead.Load() {
		return nil
	}
	if last := m.last.Load(); last != nil {
		to := func(c niobot.Change) bool { return c.Table == *last }
		m.dead.Store(slices.ContainsFunc(changes, to))
	}
	return m.Store.Commit(ctx, changes)
}

// crash ends the bot without anything that it does at its end being kept.
func (h *house) crash(m *mortal) {
	m.dead.Store(true)
	h.down()
}

func mortalSetting(commands ...*niobot.Command) (setting, *mortal) {
	store := &mortal{Store: memory.New()}
	return setting{
		config:   func(c *niobot.Config) { c.Drain = -1 },
		opts:     []niobot.Option{niobot.WithStore(store)},
		commands: commands,
	}, store
}

func TestAnswersAreHeardAgainAfterACrash(t *testing.T) {
	for name, ask := range map[string]func(ctx context.Context, c *niobot.Context, what string) (string, error){
		"wait": func(ctx context.Context, c *niobot.Context, what string) (string, error) {
			if err := c.Reply(ctx, "%s?", what); err != nil {
				return "", err
			}
			m, err := c.WaitForMessage(ctx, nil)
			if err != nil {
				return "", err
			}
			return m.Body, nil
		},
		"question": func(ctx context.Context, c *niobot.Context, what string) (string, error) {
			m, err := c.Ask(ctx, niobot.Plain(what+"?"))
			if err != nil {
				return "", err
			}
			return m.Body, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, store := mortalSetting(niobot.NewCommand("meet",
				func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
					first, err := ask(ctx, c, "first")
					if err != nil {
						return err
					}
					second, err := ask(ctx, c, "second")
					if err != nil {
						return err
					}
					return c.Reply(ctx, "%s %s", first, second)
				}))
			inHouse(t, s, func(h *house) {
				h.alice.say("!meet")
				h.wantSaid("first?")
				h.pass(time.Second)
				h.crash(store)
				h.up(s)
				h.pass(stragglers)
				h.alice.say("Ada")
				h.wantSaid("first?", "second?")
				h.pass(time.Second)
				h.crash(store)
				h.up(s)
				h.pass(10 * time.Second)
				h.wantSaid("first?", "second?")
				h.alice.say("Lovelace")
				h.pass(stragglers)
				h.wantSaid("first?", "second?", "Ada Lovelace")
				h.pass(time.Second)
				h.crash(store)
				h.up(s)
				h.pass(time.Second)
				h.wantSaid("first?", "second?", "Ada Lovelace")
			})
		})
	}
}

func TestRestartIsReadyAtOnce(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		h.pass(time.Second)
		h.down()
		h.up(s)
		select {
		case <-h.bot.Ready():
		default:
			t.Error("the bot waits for something to happen before it is ready")
		}
	})
}

func TestOneCrashHoldsUpNobody(t *testing.T) {
	s, store := mortalSetting(niobot.NewCommand("slow",
		func(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
			select {
			case <-time.After(time.Minute):
				return c.Reply(ctx, "slow")
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}))
	inHouse(t, s, func(h *house) {
		for range 3 {
			h.alice.say("!slow")
		}
		h.pass(time.Second)
		h.crash(store)
		h.up(s)
		h.alice.say("!echo quick")
		h.wantSaid("echo quick")
		h.pass(time.Minute)
		h.wantSaid("echo quick", "slow", "slow", "slow")
	})
}

// Some servers take a transaction id that comes while its first request is under way for a new one.
func TestRepeatedSendsWaitForThoseOfTheProcessThatCrashed(t *testing.T) {
	s, store := mortalSetting()
	inHouse(t, s, func(h *house) {
		broken := h.fail(fakehs.Fault{Path: "/send/", Status: 502})
		h.alice.say("!echo one")
		h.pass(time.Second)
		h.crash(store)
		broken.Remove()
		h.up(s)
		h.alice.say("!echo two")
		h.wantSaid("echo two")
		h.pass(stragglers)
		h.wantSaid("echo two", "echo one")
	})
}

// stragglers is above the time for which they wait.
const stragglers = 3 * time.Second

func TestAtMostOnceIsNotRepeated(t *testing.T) {
	var runs, told atomic.Int32
	s, store := mortalSetting(niobot.NewCommand("pay",
		func(ctx context.Context, _ *niobot.Context, _ niobot.NoArgs) error {
			runs.Add(1)
			<-ctx.Done()
			return context.Cause(ctx)
		}, niobot.AtMostOnce(), niobot.OnError(func(_ context.Context, _ *niobot.Context, err error) {
			if errors.Is(err, niobot.ErrInterrupted) {
				told.Add(1)
			}
		})))
	inHouse(t, s, func(h *house) {
		h.alice.say("!pay")
		h.pass(time.Second)
		for range 3 {
			h.crash(store)
			h.up(s)
			h.pass(10 * time.Second)
		}
		if runs.Load() != 1 || told.Load() != 1 {
			t.Errorf("the command ran %d times, its error handler was told %d times; want 1 and 1", runs.Load(), told.Load())
		}
	})
}

func TestPoisonIsSetAside(t *testing.T) {
	var runs atomic.Int32
	var dies *mortal
	var h *house
	s, dies := mortalSetting(niobot.NewCommand("boom",
		func(ctx context.Context, _ *niobot.Context, _ niobot.NoArgs) error {
			runs.Add(1)
			dies.dead.Store(true) // What a real crash does to the process, as far as the store sees it
			h.stop()
			<-ctx.Done()
			return context.Cause(ctx)
		}))
	inHouse(t, s, func(started *house) {
		h = started
		h.alice.say("!echo well")
		h.wantSaid("echo well")
		h.alice.say("!boom")
		for range 10 {
			h.pass(time.Second)
			select {
			case <-h.ended:
				h.up(s)
			default:
			}
		}
		if n := runs.Load(); n != 6 {
			t.Errorf("the poison ran %d times, want when it came, twice with all else, and 3 times alone", n)
		}
		h.alice.say("!echo alive")
		h.pass(time.Second)
		if got := h.said(h.room); len(got) != 3 || got[2] != "echo alive" {
			t.Errorf("the bot said %q, want an answer to the poison, and to what came after it", got)
		}
	})
}

func TestQueuedMessagesSurviveACrash(t *testing.T) {
	s, store := mortalSetting()
	inHouse(t, s, func(h *house) {
		h.fail(fakehs.Fault{Path: "/send/", Status: 502})
		for _, text := range []string{"one", "two", "three"} {
			sent, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain(text), niobot.Queued())
			h.must(err)
			if sent.ID != "" {
				t.Errorf("a queued message has the id %s before it was sent", sent.ID)
			}
		}
		h.pass(time.Second)
		h.wantSaid()
		h.crash(store)
		for _, f := range h.hs.Faults() {
			f.Remove()
		}
		h.up(s)
		h.pass(time.Minute)
		h.wantSaid("one", "two", "three")
		sent, err := h.bot.Send(h.t.Context(), h.room, niobot.Plain("four"), niobot.Queued())
		h.must(err)
		four, err := sent.Wait(h.t.Context())
		h.must(err)
		h.must(sent.Edit(h.t.Context(), niobot.Plain("five")))
		h.wantSaid("one", "two", "three", "four", "edit of 3: five")
		h.fail(fakehs.Fault{Path: "/send/", Status: 429, RetryAfter: 20 * time.Second, RetryForm: fakehs.RetryInBody, Count: 1})
		_, err = h.bot.Send(h.t.Context(), h.room, niobot.Plain("before"), niobot.Queued())
		h.must(err)
		h.pass(time.Second)
		for _, text := range []string{"a", "b", "c"} {
			h.must(h.bot.Edit(h.t.Context(), h.room, four, niobot.Plain(text), niobot.Queued()))
		}
		h.pass(time.Minute)
		h.wantSaid("one", "two", "three", "four", "edit of 3: five", "before", "edit of 3: c")
	})
}

func TestOneRefusedRoomHoldsUpNoOther(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		other := h.alice.newRoom()
		h.fail(fakehs.Fault{
			Path: "/rooms/" + string(h.room) + "/send/", Status: 429,
			RetryAfter: time.Minute, RetryForm: fakehs.RetryInBody, Count: 1,
		})
		h.alice.say("!echo slow")
		h.settle()
		h.alice.sayIn(other, "!echo quick")
		h.settle()
		if got := h.said(other); !slices.Equal(got, []string{"echo quick"}) {
			t.Errorf("the other room was answered %q", got)
		}
		h.wantSaid()
		h.pass(time.Minute)
		h.wantSaid("echo slow")
	})
}

func TestAnswersGoBeforeAnnouncementsWhenTheAccountIsRefused(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		rooms := []id.RoomID{h.room, h.alice.newRoom(), h.alice.newRoom(), h.alice.newRoom(), h.alice.newRoom()}
		for _, room := range rooms[1:4] {
			h.fail(fakehs.Fault{
				Path: "/rooms/" + string(room) + "/send/", Status: 429,
				RetryAfter: 10 * time.Second, RetryForm: fakehs.RetryInHeader, Count: 1,
			})
			for range 5 {
				_, err := h.bot.Send(h.t.Context(), room, niobot.Plain("news"), niobot.Queued())
				h.must(err)
			}
		}
		h.settle()
		h.alice.sayIn(rooms[4], "!ping")
		h.settle()
		before := len(h.hs.Requests())
		h.pass(time.Minute)
		var order []string
		for _, r := range h.hs.Requests()[before:] {
			if r.User == h.botID && strings.Contains(r.Path, "/send/") && r.Status == 200 {
				order = append(order, r.At.Format("05.000 ")+r.Path)
			}
		}
		if len(order) != 16 || !slices.ContainsFunc(order[:3], func(path string) bool {
			return strings.Contains(path, string(rooms[4]))
		}) {
			t.Errorf("%d messages were sent, the answer not among the first of them:\n%s", len(order), strings.Join(order, "\n"))
		}
	})
}
