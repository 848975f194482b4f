package niobot

import (
	"slices"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	in, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	return in
}

// times are the next times of a rule, as the clock on the wall shows them, with the zone's name.
func times(t *testing.T, expression string, in *time.Location, after time.Time, n int) (shown []string) {
	t.Helper()
	rule, err := parseCron(expression, in)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		next := rule.next(after)
		if !next.After(after) {
			t.Fatalf("%s after %s is %s", expression, after, next)
		}
		after = next
		shown = append(shown, next.Format("Jan 2 15:04 MST"))
	}
	return shown
}

func TestCronWhenClocksChange(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")         // Forward at 02:00 on 29 March 2026, back at 03:00 on 25 October
	lordHowe := zone(t, "Australia/Lord_Howe") // By half an hour: back at 02:00 on 5 April 2026
	for _, test := range []struct {
		name, expression string
		in               *time.Location
		after            time.Time
		want             []string
	}{
		{"workdays", "0 9 * * 1-5", berlin, time.Date(2026, 3, 27, 12, 0, 0, 0, berlin),
			[]string{"Mar 30 09:00 CEST", "Mar 31 09:00 CEST"}},
		{"in the hour that is left out", "30 2 * * *", berlin, time.Date(2026, 3, 28, 0, 0, 0, 0, berlin),
			[]string{"Mar 28 02:30 CET", "Mar 29 03:00 CEST", "Mar 30 02:30 CEST"}},
		{"twice in the hour that is left out", "10,50 2 * * *", berlin, time.Date(2026, 3, 28, 12, 0, 0, 0, berlin),
			[]string{"Mar 29 03:00 CEST", "Mar 30 02:10 CEST"}},
		{"in the hour that comes twice", "30 2 * * *", berlin, time.Date(2026, 10, 24, 12, 0, 0, 0, berlin),
			[]string{"Oct 25 02:30 CEST", "Oct 26 02:30 CET"}},
		{"in that hour, asked within", "30 2 * * *", berlin, time.Date(2026, 10, 25, 0, 45, 0, 0, time.UTC),
			[]string{"Oct 26 02:30 CET"}},
		{"of minutes, forward", "*/30 * * * *", berlin, time.Date(2026, 3, 29, 1, 0, 0, 0, berlin),
			[]string{"Mar 29 01:30 CET", "Mar 29 03:00 CEST", "Mar 29 03:30 CEST"}},
		{"of minutes, back", "*/30 * * * *", berlin, time.Date(2026, 10, 25, 1, 30, 0, 0, berlin),
			[]string{"Oct 25 02:00 CEST", "Oct 25 02:30 CEST", "Oct 25 02:00 CET", "Oct 25 02:30 CET", "Oct 25 03:00 CET"}},
		{"hourly, back", "@hourly", berlin, time.Date(2026, 10, 25, 1, 30, 0, 0, berlin),
			[]string{"Oct 25 02:00 CEST", "Oct 25 02:00 CET", "Oct 25 03:00 CET"}},
		{"by half an hour", "45 1 * * *", lordHowe, time.Date(2026, 4, 4, 12, 0, 0, 0, lordHowe),
			[]string{"Apr 5 01:45 +11", "Apr 6 01:45 +1030"}},
		{"daily", "@daily", time.UTC, time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC),
			[]string{"Mar 1 00:00 UTC", "Mar 2 00:00 UTC"}},
		{"leap day", "0 0 29 2 *", time.UTC, time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC), []string{"Feb 29 00:00 UTC"}},
		{"day of month or of week", "0 0 13 * 5", time.UTC, time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC),
			[]string{"Mar 13 00:00 UTC", "Mar 20 00:00 UTC"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := times(t, test.expression, test.in, test.after, len(test.want)); !slices.Equal(got, test.want) {
				t.Errorf("%s comes at %q, want %q", test.expression, got, test.want)
			}
		})
	}
}

// Through a whole year, a rule comes once on each day, and one of minutes at equal distances.
func TestCronThroughAYear(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	start, end := time.Date(2026, 1, 1, 0, 0, 0, 0, berlin), time.Date(2027, 1, 1, 0, 0, 0, 0, berlin)
	for _, expression := range []string{"30 2 * * *", "0 0 * * *", "59 23 * * *", "0 3 * * *", "15 1 * * *"} {
		rule, err := parseCron(expression, berlin)
		if err != nil {
			t.Fatal(err)
		}
		days := make(map[string]int)
		for at := rule.next(start.Add(-time.Minute)); at.Before(end); at = rule.next(at) {
			days[at.Format(time.DateOnly)]++
		}
		for day, n := range days {
			if n != 1 {
				t.Errorf("%s comes %d times on %s", expression, n, day)
			}
		}
		if len(days) != 365 {
			t.Errorf("%s comes on %d days", expression, len(days))
		}
	}
	rule, err := parseCron("*/10 * * * *", berlin)
	if err != nil {
		t.Fatal(err)
	}
	for at := rule.next(start); at.Before(end); {
		next := rule.next(at)
		if d := next.Sub(at); d != 10*time.Minute {
			t.Fatalf("%s comes %s after %s", next, d, at)
		}
		at = next
	}
}

func TestWrongCron(t *testing.T) {
	for _, expression := range []string{
		"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "a * * * *", "5-1 * * * *",
		"*/0 * * * *", "@every 1h", "@soon", "TZ=UTC 0 0 * * *", "CRON_TZ=UTC 0 0 * * *", "0 0 30 2 *",
	} {
		if _, err := parseCron(expression, time.UTC); err == nil {
			t.Errorf("%q is taken", expression)
		}
	}
}
