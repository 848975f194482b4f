package niobot

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// cronParser reads the five fields of cron, and names such as @daily.
var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// cronRule is a cron expression in a time zone. The library counts on clocks that are never put back or forward, and
// what those mean is decided here.
type cronRule struct {
	schedule cron.Schedule
	in       *time.Location
	hourly   bool // Whether the hours are not named, so that the rule is about time passing rather than the clock's hour
}

func parseCron(expression string, in *time.Location) (*cronRule, error) {
	expression = strings.TrimSpace(expression)
	switch {
	case strings.HasPrefix(expression, "@every"):
		return nil, errors.New("@every is what Every is for")
	case strings.Contains(expression, "TZ="):
		return nil, errors.New("a time zone is set by In")
	}
	schedule, err := cronParser.Parse(expression)
	if err != nil {
		return nil, err
	}
	rule := &cronRule{schedule: schedule, in: in, hourly: expression == "@hourly"}
	if fields := strings.Fields(expression); len(fields) == 5 {
		rule.hourly = strings.HasPrefix(fields[1], "*")
	}
	if schedule.Next(time.Unix(0, 0).UTC()).IsZero() {
		return nil, fmt.Errorf("%q is no time that ever comes", expression)
	}
	return rule, nil
}

// next is the first time after another that the rule names; the zero time where there is none within five years.
//
// When clocks are put forward, what is named within the hour that is left out comes at its end. When they are put back,
// what is named within the hour that comes twice comes the first time. A rule that names no hours, such as one of every
// ten minutes, goes on in each hour that there is.
func (c *cronRule) next(after time.Time) time.Time {
	after = after.In(c.in)
	if c.hourly {
		return c.nextPassing(after)
	}
	wall := onWall(after)
	for range maxCronSteps {
		if wall = c.schedule.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := c.firstAt(wall); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// maxCronSteps bounds how many times are passed over since they have come a first time already.
const maxCronSteps = 1000

// onWall is what the clock on the wall shows, as a time in a zone whose clocks are never changed.
func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// firstAt is the first time at which the clock on the wall shows, or has passed, that.
func (c *cronRule) firstAt(wall time.Time) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, c.in)
	start, end := at.ZoneBounds()
	if shown := onWall(at); !shown.Equal(wall) {
		// There is no such time, and package time has gone to one side of the change.
		if shown.Before(wall) {
			return end
		}
		return start
	}
	if !start.IsZero() {
		// The time may have been shown before the change as well.
		_, before := start.Add(-time.Second).Zone()
		if earlier := wall.Add(-time.Duration(before) * time.Second); earlier.Before(start) {
			return earlier.In(c.in)
		}
	}
	return at
}

// nextPassing is next for rules that name no hours: in each span between two changes of the clocks, the rule is what it
// would be without them.
func (c *cronRule) nextPassing(after time.Time) time.Time {
	for range maxCronSteps {
		_, offset := after.Zone()
		_, end := after.ZoneBounds()
		at := c.schedule.Next(after.In(time.FixedZone("", offset)))
		if at.IsZero() || end.IsZero() || at.Before(end) {
			return at.In(c.in)
		}
		_, offset = end.Zone()
		if at = end.In(time.FixedZone("", offset)); c.schedule.Next(at.Add(-time.Second)).Equal(at) {
			return end
		}
		after = end
	}
	return time.Time{}
}
