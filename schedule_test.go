package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// jobClock is a bot whose jobs say when they run.
type jobClock struct {
	ran []string
	job *niobot.Job[string]
}

func (c *jobClock) note(f *niobot.Firing, what string) {
	c.ran = append(c.ran, fmt.Sprintf("%s %s", what, f.Due.Format("15:04:05")))
}

func (c *jobClock) tick(_ context.Context, f *niobot.Firing) error {
	c.note(f, f.Name)
	return nil
}

func (c *jobClock) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(c.ran, want) {
		t.Errorf("ran\n\t%s\nwant\n\t%s", strings.Join(c.ran, "\n\t"), strings.Join(want, "\n\t"))
	}
	c.ran = nil
}

// The clock of a bubble begins at midnight UTC.

func TestEvery(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		var c jobClock
		remove := h.bot.Every("tick", time.Hour, c.tick)
		h.pass(3*time.Hour + time.Minute)
		c.want(t, "tick 01:00:00", "tick 02:00:00", "tick 03:00:00")
		remove()
		h.pass(3*time.Hour + 30*time.Minute)
		c.want(t)
		h.bot.Every("tick", time.Hour, c.tick, niobot.Missed(niobot.RunNone)) // It goes on as it was.
		h.pass(time.Hour)
		c.want(t, "tick 07:00:00")
	})
}

func TestCronRuns(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Skipf("no time zones on this machine: %v", err)
		}
		var c jobClock
		h.bot.Cron("morning", "0 9 * * 1-5", c.tick, niobot.In(zone))
		h.pass(4 * 24 * time.Hour) // From a Saturday
		c.want(t, "morning 09:00:00", "morning 09:00:00")
	})
}

func TestRhythmGoesOnOverARestart(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		var c jobClock
		h.bot.Every("tick", time.Hour, c.tick)
		h.pass(90 * time.Minute)
		c.want(t, "tick 01:00:00")
		h.down()
		h.up(s)
		h.bot.Every("tick", time.Hour, c.tick)
		h.pass(time.Hour)
		c.want(t, "tick 02:00:00")
	})
}

func TestMissedRuns(t *testing.T) {
	for _, test := range []struct {
		name   string
		missed niobot.MissedRuns
		want   []string
	}{
		{"once", niobot.RunOnce, []string{"tick 04:00:00", "tick 05:00:00"}},
		{"skipped", niobot.RunNone, []string{"tick 05:00:00"}},
		{"all", niobot.RunAll, []string{"tick 01:00:00", "tick 02:00:00", "tick 03:00:00", "tick 04:00:00", "tick 05:00:00"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := kept(setting{})
			inHouse(t, s, func(h *house) {
				var c jobClock
				h.bot.Every("tick", time.Hour, c.tick)
				h.pass(time.Minute)
				h.down()
				h.pass(4*time.Hour + 30*time.Minute)
				h.up(s)
				h.bot.Every("tick", time.Hour, c.tick, niobot.Missed(test.missed))
				h.pass(time.Hour)
				c.want(t, test.want...)
			})
		})
	}
}

func TestVeryManyMissedRuns(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		n := 0
		count := func(context.Context, *niobot.Firing) error { n++; return nil }
		h.bot.Every("tick", time.Hour, count)
		h.pass(time.Minute)
		h.down()
		h.pass(3000 * time.Hour)
		h.up(s)
		h.bot.Every("tick", time.Hour, count, niobot.Missed(niobot.RunAll))
		h.pass(30 * time.Minute)
		if n != 1000 {
			t.Errorf("ran %d times, want 1000\n%s", n, strings.Join(h.logs.with(), "\n"))
		}
	})
}

func TestJobThatTakesLongIsNotRunTwiceAtOnce(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		var c jobClock
		running := 0
		h.bot.Every("tick", time.Hour, func(ctx context.Context, f *niobot.Firing) error {
			if running++; running > 1 {
				t.Error("it runs twice at once")
			}
			select {
			case <-time.After(150 * time.Minute):
			case <-ctx.Done():
			}
			running--
			c.note(f, "tick")
			return nil
		})
		h.pass(7*time.Hour + time.Minute)
		c.want(t, "tick 01:00:00", "tick 03:00:00")
	})
}

func TestJobErrorsAreLogged(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		n := 0
		h.bot.Every("tick", time.Hour, func(context.Context, *niobot.Firing) error {
			if n++; n == 1 {
				return errors.New("broken")
			}
			panic("broken too")
		})
		h.pass(2*time.Hour + time.Minute)
		h.logs.wait(t, "job ended with an error", "job=tick", "err=broken")
		h.logs.wait(t, "job ended with an error", "err=panic: broken too")
	})
}

// reminding is a bot with a job that says its payload in the house's room.
func (h *house) reminding(c *jobClock, opts ...niobot.ScheduleOption) {
	c.job = niobot.NewJob(h.bot, "remind", func(ctx context.Context, f *niobot.Firing, text string) error {
		c.note(f, text)
		_, err := f.Send(ctx, h.room, niobot.Plain(text))
		return err
	}, opts...)
}

func TestJobAt(t *testing.T) {
	withAndWithoutStore(t, setting{}, func(h *house) {
		var c jobClock
		h.reminding(&c)
		ctx := h.t.Context()
		later, err := c.job.After(ctx, 2*time.Hour, "later")
		h.must(err)
		_, err = c.job.After(ctx, time.Hour, "soon")
		h.must(err)
		_, err = c.job.After(ctx, -time.Hour, "at once")
		h.must(err)
		h.wantSaid("at once")
		all, err := c.job.List(ctx)
		h.must(err)
		if len(all) != 2 || all[0].Payload != "soon" || all[1].ID != later || all[1].Due.Hour() != 2 {
			t.Errorf("what is set is %+v", all)
		}
		for _, want := range []bool{true, false} {
			if cancelled, err := c.job.Cancel(ctx, later); err != nil || cancelled != want {
				t.Errorf("cancelled: %t, %v", cancelled, err)
			}
		}
		h.pass(3 * time.Hour)
		h.wantSaid("at once", "soon")
		if all, err := c.job.List(ctx); err != nil || len(all) != 0 {
			t.Errorf("what is set is %+v, %v", all, err)
		}
	})
}

func TestJobOutlivesTheBot(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		var c jobClock
		h.reminding(&c)
		for _, wait := range []time.Duration{time.Hour, 3 * time.Hour} {
			_, err := c.job.After(h.t.Context(), wait, wait.String())
			h.must(err)
		}
		h.down()
		h.pass(2 * time.Hour)
		h.up(s)
		h.reminding(&c)
		h.pass(time.Minute)
		h.wantSaid("1h0m0s")
		h.pass(2 * time.Hour)
		h.wantSaid("1h0m0s", "3h0m0s")
	})
}

func TestLateJobIsPassedOverWhereThatIsAsked(t *testing.T) {
	s := kept(setting{})
	inHouse(t, s, func(h *house) {
		var c jobClock
		h.reminding(&c)
		_, err := c.job.After(h.t.Context(), time.Hour, "late")
		h.must(err)
		h.down()
		h.pass(2 * time.Hour)
		h.up(s)
		h.reminding(&c, niobot.Missed(niobot.RunNone))
		h.pass(time.Minute)
		h.wantSaid()
		if all, err := c.job.List(h.t.Context()); err != nil || len(all) != 0 {
			t.Errorf("what is set is %+v, %v", all, err)
		}
	})
}

// A job that the bot's end has interrupted is run again for the same time, and what it has sent is not there twice.
func TestInterruptedJobIsRepeated(t *testing.T) {
	s := kept(setting{config: func(c *niobot.Config) { c.Drain = -1 }})
	inHouse(t, s, func(h *house) {
		runs := 0
		every := func() {
			h.bot.Every("tick", time.Hour, func(ctx context.Context, f *niobot.Firing) error {
				runs++
				count := niobot.KVOf[int](f.KV("count"))
				n, err := count.Update(ctx, "n", func(n int, _ bool) (int, error) { return n + 1, nil })
				if err != nil {
					return err
				}
				if _, err := f.Send(ctx, h.room, niobot.Markdown("begun %s, %d", f.Due.Format("15:04"), n)); err != nil {
					return err
				}
				if runs < 3 {
					<-ctx.Done()
					return ctx.Err()
				}
				_, err = f.Send(ctx, h.room, niobot.Plain("ended"))
				return err
			})
		}
		every()
		h.pass(time.Hour + time.Minute)
		for range 2 {
			h.down()
			h.pass(90 * time.Minute)
			h.up(s)
			every()
			h.pass(time.Minute)
		}
		h.wantSaid("begun 01:00, 1", "ended", "begun 04:00, 2", "ended")
		if runs != 4 {
			t.Errorf("it ran %d times", runs)
		}
	})
}

// What a command sets in its run is set when that ends well, and once.
func TestJobOfARun(t *testing.T) {
	var c jobClock
	s := setting{commands: []*niobot.Command{command("set", func(ctx context.Context, call *niobot.Context) error {
		if _, err := c.job.In(call).After(ctx, 0, "due"); err != nil {
			return err
		}
		if all, err := c.job.In(call).List(ctx); err != nil || len(all) != 1 {
			t.Errorf("the run sees %d, %v", len(all), err)
		}
		if all, err := c.job.List(ctx); err != nil || len(all) != 0 {
			t.Errorf("others see %d, %v", len(all), err)
		}
		<-time.After(time.Hour)
		if err := call.Reply(ctx, "set"); err != nil {
			return err
		}
		return nil
	})}}
	withAndWithoutStore(t, s, func(h *house) {
		h.reminding(&c)
		h.alice.say("!set")
		h.pass(30 * time.Minute)
		h.wantSaid()
		h.pass(time.Hour)
		h.wantSaid("set", "due")
	})
}

func TestFiringSendsDirect(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		n := 0
		h.bot.Every("tick", time.Hour, func(ctx context.Context, f *niobot.Firing) error {
			n++
			if _, ok := niobot.FromContext(ctx); ok {
				t.Error("a job has a command's context")
			}
			_, err := f.SendDirect(ctx, h.alice.UserID, niobot.Plain("hello"))
			return err
		})
		h.pass(time.Hour + time.Minute)
		rooms := slices.DeleteFunc(h.hs.Rooms(h.botID), func(r id.RoomID) bool { return r == h.room })
		if n != 1 || len(rooms) != 1 || !slices.Equal(h.said(rooms[0]), []string{"hello"}) {
			t.Errorf("ran %d times; the rooms are %q", n, rooms)
		}
	})
}

func TestWrongSchedulesPanic(t *testing.T) {
	bot := newBot(t)
	f := func(context.Context, *niobot.Firing) error { return nil }
	bot.Every("taken", time.Hour, f)
	for name, wrong := range map[string]func(){
		"no name":      func() { bot.Every("", time.Hour, f) },
		"a long name":  func() { bot.Every(strings.Repeat("n", 100), time.Hour, f) },
		"a taken name": func() { bot.Cron("taken", "@daily", f) },
		"no function":  func() { bot.Every("a", time.Hour, nil) },
		"no interval":  func() { bot.Every("a", 0, f) },
		"no cron":      func() { bot.Cron("a", "soon", f) },
		"no zone":      func() { bot.Cron("a", "@daily", f, niobot.In(nil)) },
		"no job":       func() { niobot.NewJob[int](bot, "a", nil) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(fmt.Sprint(v), "niobot: ") {
					t.Errorf("%s: the panic is %v", name, v)
				}
			}()
			wrong()
		}()
	}
	bot.Every("a", time.Hour, f)() // Nothing of what was wrong is left.
}

func TestJobBounds(t *testing.T) {
	inHouse(t, setting{}, func(h *house) {
		var c jobClock
		h.reminding(&c)
		if _, err := c.job.After(h.t.Context(), time.Hour, strings.Repeat("x", niobot.MaxJobPayload)); err == nil {
			t.Error("a payload that is too large is taken")
		}
		if _, err := c.job.At(h.t.Context(), time.Time{}, "x"); err == nil {
			t.Error("no time is taken")
		}
		if cancelled, err := c.job.Cancel(h.t.Context(), strings.Repeat("x", 2000)); cancelled || err != nil {
			t.Errorf("a wrong id: %t, %v", cancelled, err)
		}
	})
}
