package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// everything is a module that adds all that a scope can add, and notes what it is told.
type everything struct {
	name string
	menu *niobot.Menu

	mu   sync.Mutex
	told map[string]int
	job  *niobot.Job[string]
}

func newEverything(name string) *everything {
	e := &everything{name: name, told: make(map[string]int)}
	e.menu = niobot.NewMenu("vote-"+name, func(ctx context.Context, c *niobot.Context, p niobot.Press) error {
		return c.Reply(ctx, "%s takes %s", p.User.Localpart(), p.Data)
	})
	return e
}

func (e *everything) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told[what]++
}

// since is what was noted since the last call.
func (e *everything) since() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	told := e.told
	e.told = make(map[string]int)
	return told
}

func (e *everything) Name() string { return e.name }

func (e *everything) Commands() []*niobot.Command {
	return []*niobot.Command{
		command("offer", func(ctx context.Context, c *niobot.Context) error {
			_, err := c.Offer(ctx, e.menu, niobot.Plain("lunch?"), niobot.Button{Key: "🍕", Data: "pizza"})
			return err
		}),
		command("set", func(ctx context.Context, c *niobot.Context) error {
			_, err := e.job.In(c).After(ctx, time.Minute, "tea")
			return err
		}),
		command("trip", func(context.Context, *niobot.Context) error { return errors.New("tripped") }),
	}
}

func (e *everything) Setup(_ context.Context, s *niobot.Scope) error {
	s.On(event.EventReaction, func(context.Context, *niobot.Event) error { e.note("On"); return nil })
	s.OnMessage(func(context.Context, *niobot.Message) error { e.note("OnMessage"); return nil })
	niobot.Listen(s, event.StateTopic, func(context.Context, *niobot.Event, *event.TopicEventContent) error {
		e.note("Listen")
		return nil
	})
	s.Trigger(regexp.MustCompile("pull"), func(ctx context.Context, c *niobot.Context, _ []string) error {
		return c.Reply(ctx, "pulled by %s", c.Called)
	})
	s.AddMenu(e.menu)
	s.OnStart(func(context.Context) { e.note("OnStart") })
	s.OnReady(func(ctx context.Context) {
		e.note("OnReady")
		<-ctx.Done()
		e.note("OnReady ended")
	})
	s.OnStop(func(context.Context) { e.note("OnStop") })
	s.OnCommand(func(context.Context, *niobot.Context) { e.note("OnCommand") })
	s.OnDone(func(context.Context, *niobot.Context, niobot.Outcome) { e.note("OnDone") })
	s.OnCancelled(func(context.Context, *niobot.Context, error) { e.note("OnCancelled") })
	s.OnUnreadable(func(context.Context, *niobot.Event, error) { e.note("OnUnreadable") })
	s.Every("beat", time.Hour, func(_ context.Context, f *niobot.Firing) error { e.note(f.Name); return nil })
	s.Cron("noon", "0 12 * * *", func(_ context.Context, f *niobot.Firing) error { e.note(f.Name); return nil })
	e.job = niobot.NewJob(s, "later", func(ctx context.Context, f *niobot.Firing, what string) error {
		e.note(what)
		return s.KV().In(f).Put(ctx, "last", []byte(what))
	})
	s.OnError(func(ctx context.Context, c *niobot.Context, err error) { _ = c.Reply(ctx, "oh, %v", err) })
	s.Use(func(next niobot.Handler) niobot.Handler {
		return func(ctx context.Context, c *niobot.Context) error {
			e.note("Use")
			return next(ctx, c)
		}
	})
	s.Require(func(context.Context, *niobot.Context) error { e.note("Require"); return nil })
	return nil
}

var _ niobot.ModuleSetup = (*everything)(nil)

func TestScopeAddsWhatGoesWithTheModule(t *testing.T) {
	e := newEverything("all")
	s := kept(setting{tune: func(b *niobot.Bot) {
		if err := b.Mount(t.Context(), e); err != nil {
			t.Error(err)
		}
	}})
	inHouse(t, s, func(h *house) {
		turn := func(when string, mounted bool, missed int) {
			h.t.Helper()
			before := len(h.said(h.room))
			h.alice.say("!offer")
			h.settle()
			offered := h.last().ID
			h.alice.react(offered, "🍕")
			h.alice.say("pull")
			h.alice.say("!trip")
			h.alice.say("!set")
			_, err := h.alice.SendStateEvent(h.t.Context(), h.room, event.StateTopic, "", map[string]string{"topic": when})
			h.must(err)
			h.pass(25 * time.Hour)
			said := h.said(h.room)[before:]
			told := e.since()
			if !mounted {
				if len(said) > 0 || len(told) > 0 {
					h.t.Errorf("%s: the module said %q and was told %v", when, said, told)
				}
				return
			}
			slices.Sort(said)
			if want := []string{"alice takes pizza", "lunch?", "oh, tripped", "pulled by pull"}; !slices.Equal(said, want) {
				h.t.Errorf("%s: said %q, want %q", when, said, want)
			}
			want := map[string]int{
				"On": 2, "OnMessage": 4, "Listen": 1, "OnCommand": 5, "OnDone": 5, "Use": 5, "Require": 5,
				"beat": 25 + missed, "noon": 1 + missed, "tea": 1,
			}
			for what, n := range want {
				if told[what] != n {
					h.t.Errorf("%s: told %d times of %s, want %d; all: %v", when, told[what], what, n, told)
				}
			}
		}
		if told := e.since(); told["OnStart"] != 1 || told["OnReady"] != 1 {
			h.t.Errorf("at the start, the module was told %v", told)
		}
		turn("mounted", true, 0)
		h.must(h.bot.Unmount(h.t.Context(), e))
		if told := e.since(); told["OnReady ended"] != 1 || len(told) != 1 {
			h.t.Errorf("unmounted, the module was told %v", told)
		}
		turn("unmounted", false, 0)
		// The rhythms go on: what was missed is made up for once. Nothing else piles up.
		for i, missed := range []int{1, 0} {
			e.since() // What was missed may be made up for as soon as the module is mounted.
			h.must(h.bot.Mount(h.t.Context(), e))
			turn(fmt.Sprint("mounted again ", i), true, missed)
			h.must(h.bot.Unmount(h.t.Context(), e))
		}
		h.must(h.bot.Mount(h.t.Context(), e))
		h.settle()
		e.since()
		h.down()
		if told := e.since(); told["OnStop"] != 1 || told["OnReady ended"] != 1 {
			h.t.Errorf("at the end, the module was told %v", told)
		}
	})
}

// Two modules, and the bot itself, may have jobs of one name, and each finds its own after a restart.
func TestJobsOfModulesAreTheirOwn(t *testing.T) {
	var mu sync.Mutex
	var fired []string
	own := func(who string) func(context.Context, *niobot.Firing, string) error {
		return func(_ context.Context, f *niobot.Firing, what string) error {
			mu.Lock()
			defer mu.Unlock()
			fired = append(fired, fmt.Sprintf("%s: %s %s", who, f.Name, what))
			return nil
		}
	}
	var jobs []*niobot.Job[string]
	s := kept(setting{tune: func(b *niobot.Bot) {
		jobs = []*niobot.Job[string]{niobot.NewJob(b, "later", own("bot"))}
		for _, name := range []string{"a", "b"} {
			m := setUp{name, func(s *niobot.Scope) { jobs = append(jobs, niobot.NewJob(s, "later", own(name))) }}
			if err := b.Mount(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
	}})
	inHouse(t, s, func(h *house) {
		for i, job := range jobs {
			_, err := job.After(h.t.Context(), time.Hour+time.Duration(i)*time.Minute, fmt.Sprint(i))
			h.must(err)
		}
		h.pass(time.Second)
		h.down()
		h.up(s)
		for i, job := range jobs {
			if all, err := job.List(h.t.Context()); err != nil || len(all) != 1 || all[0].Payload != fmt.Sprint(i) {
				h.t.Errorf("job %d has %+v, %v", i, all, err)
			}
		}
		h.pass(2 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"bot: later 0", "a: later 1", "b: later 2"}; !slices.Equal(fired, want) {
			h.t.Errorf("fired %q, want %q", fired, want)
		}
	})
}

// setUp is a module that has a Setup only.
type setUp struct {
	name string
	f    func(*niobot.Scope)
}

func (m setUp) Name() string                { return m.name }
func (m setUp) Commands() []*niobot.Command { return []*niobot.Command{saying(m.name, "hello")} }

func (m setUp) Setup(_ context.Context, s *niobot.Scope) error {
	m.f(s)
	return nil
}

func TestScopeRemovesBeforeTheModuleGoes(t *testing.T) {
	var removed []string
	var remove func()
	var scope *niobot.Scope
	m := setUp{"m", func(s *niobot.Scope) {
		scope = s
		s.Defer(func() { removed = append(removed, "first") })
		remove = s.AddMenu(newEverything("x").menu)
	}}
	bot := newBot(t)
	if err := bot.Mount(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	remove()
	again := newEverything("x").menu
	bot.AddMenu(again) // The name is free.
	if err := bot.Unmount(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if _, err := bot.Offer(t.Context(), "!r:x", again, niobot.Plain("?")); err == nil || strings.Contains(err.Error(), "AddMenu") {
		t.Errorf("the other's menu of the same name went with the module: %v", err)
	}
	scope.Defer(func() { removed = append(removed, "late") })
	if want := []string{"first", "late"}; !slices.Equal(removed, want) {
		t.Errorf("removed %q, want %q", removed, want)
	}
}

// What a module demands of its own commands is not demanded of others.
func TestScopeRequiresOfItsOwnOnly(t *testing.T) {
	m := setUp{"secret", func(s *niobot.Scope) {
		s.Trigger(regexp.MustCompile("^psst"), func(ctx context.Context, c *niobot.Context, _ []string) error {
			return c.Reply(ctx, "psst")
		})
		s.Require(niobot.OwnerOnly())
	}}
	bot := newBot(t)
	bot.Add(saying("open", "come in"))
	if err := bot.Mount(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.Say(room, "psst")
	hs.ExpectNothing(room)
	alice.Say(room, "!secret")
	alice.ExpectReplyMatch("owner")
	alice.Say(room, "!open")
	alice.ExpectReply("come in")
}

func TestMountRefusesNamesThatCanNotBeKept(t *testing.T) {
	for _, name := range []string{"", "a\x00b", strings.Repeat("x", niobot.MaxKVName+1)} {
		if err := newBot(t).Mount(t.Context(), setUp{name, func(*niobot.Scope) {}}); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}

// A trigger that comes back has the name that it had, by which what it left is found.
func TestTriggerComesBackUnderItsName(t *testing.T) {
	bot := newBot(t)
	expression := regexp.MustCompile("pull")
	say := func(ctx context.Context, c *niobot.Context, _ []string) error { return c.Reply(ctx, "%s", c.Called) }
	first := bot.Trigger(expression, say)
	bot.Trigger(expression, say)
	first()
	first()
	bot.Trigger(expression, say)
	hs := niobottest.Start(t, bot)
	alice := hs.User("alice")
	alice.Say(alice.NewRoom(), "pull")
	got := []string{alice.ExpectReplyMatch("").Body, alice.ExpectReplyMatch("").Body}
	slices.Sort(got)
	if want := []string{"pull", "pull (2)"}; !slices.Equal(got, want) {
		t.Errorf("the triggers are %q, want %q", got, want)
	}
}
