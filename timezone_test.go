package niobot_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/niobot/niobot"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	return zone
}

// The clocks of Berlin are put back in the night before 25 October 2026, and forward in that before 28 March 2027.
func TestTimesWithoutAZoneAreInTheBotsOwn(t *testing.T) {
	type args struct {
		At time.Time `arg:"at" default:"2026-07-01T18:00"`
	}
	say := func(ctx context.Context, c *niobot.Context, at time.Time) error {
		return c.Reply(ctx, "%s", at.UTC().Format(time.RFC3339))
	}
	at := niobot.NewCommand("at", func(ctx context.Context, c *niobot.Context, a args) error { return say(ctx, c, a.At) })
	when := command("when", func(ctx context.Context, c *niobot.Context) error {
		at, err := niobot.Ask[time.Time](ctx, c, niobot.Plain("when?"))
		if err != nil {
			return err
		}
		return say(ctx, c, at)
	})
	s := setting{commands: []*niobot.Command{at, when}, opts: []niobot.Option{niobot.WithLocation(berlin(t))}}
	inHouse(t, s, func(h *house) {
		for _, tt := range []struct{ said, want string }{
			{"!at 2026-10-24 18:00", "2026-10-24T16:00:00Z"},
			{"!at 2026-10-25 18:00", "2026-10-25T17:00:00Z"},
			{"!at 2027-03-27T18:00", "2027-03-27T17:00:00Z"},
			{"!at 2027-03-28T18:00", "2027-03-28T16:00:00Z"},
			{"!at 2026-10-25", "2026-10-24T22:00:00Z"},
			{"!at 2026-10-25T18:00Z", "2026-10-25T18:00:00Z"},
			{"!at", "2026-07-01T16:00:00Z"},
		} {
			h.alice.say(tt.said)
			h.settle()
			if got := h.last().Content.AsMessage().Body; got != tt.want {
				h.t.Errorf("%s: %s, want %s", tt.said, got, tt.want)
			}
		}
		h.alice.say("!when")
		h.settle()
		h.alice.say("2026-10-25 18:00")
		h.settle()
		if got := h.last().Content.AsMessage().Body; got != "2026-10-25T17:00:00Z" {
			h.t.Errorf("the answer was read as %s", got)
		}
	})
}

func TestJobsAreInTheBotsZone(t *testing.T) {
	var mu sync.Mutex
	var due []string
	note := func(_ context.Context, f *niobot.Firing) error {
		mu.Lock()
		defer mu.Unlock()
		due = append(due, f.Due.Format("15:04 MST"))
		return nil
	}
	s := setting{opts: []niobot.Option{niobot.WithLocation(berlin(t))}, tune: func(b *niobot.Bot) {
		b.Cron("own", "0 18 1 1 *", note)
		b.Cron("utc", "0 18 1 1 *", note, niobot.In(time.UTC))
	}}
	inHouse(t, s, func(h *house) {
		if got := h.bot.Location().String(); got != "Europe/Berlin" {
			h.t.Errorf("the bot's zone is %s", got)
		}
		h.pass(48 * time.Hour) // In a bubble, time begins at midnight of 1 January 2000, UTC.
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"18:00 CET", "18:00 UTC"}; !slices.Equal(due, want) {
			h.t.Errorf("due at %q, want %q", due, want)
		}
	})
}

func TestNoZoneIsRefused(t *testing.T) {
	config := niobot.Config{Homeserver: "example.org", Token: "token", Prefixes: []string{"!"}}
	if _, err := niobot.New(config, niobot.WithLocation(nil)); err == nil {
		t.Error("no error")
	}
}
