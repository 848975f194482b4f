package arg

import (
	"context"
	"reflect"
	"time"
)

// layouts are the accepted notations of a time, tried in order. The parser takes fractions of a second by itself.
var layouts = [...]string{
	time.RFC3339,
	time.DateOnly,
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04Z07:00",
	time.DateTime,
	"2006-01-02 15:04",
}

// A default is converted anew each time, since it may be without a zone. The limits of a parameter are in UTC then.
var timeCodec = codec{kind: KindTime, set: setTime, span: spanTime, compare: compareTime, pure: true}

func setTime(_ context.Context, e env, text string, v reflect.Value) error {
	location := e.location
	if location == nil {
		location = time.UTC
	}
	t, ok := readTime(text, location)
	if !ok {
		return rejectKind(text, KindTime, nil)
	}
	*v.Addr().Interface().(*time.Time) = t
	return nil
}

func readTime(text string, location *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, location); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// spanTime lets a date and a time of day stand side by side without quotes: 2026-01-31 15:04.
func spanTime(text string) (value string, length int, err error) {
	date := wordLen(text)
	if date != len(time.DateOnly) || date == len(text) || text[date] != ' ' {
		return "", 0, nil
	}
	length = date + 1 + wordLen(text[date+1:])
	if _, ok := readTime(text[:length], time.UTC); !ok {
		return "", 0, nil
	}
	return text[:length], length, nil
}

func compareTime(a, b reflect.Value) int {
	return a.Addr().Interface().(*time.Time).Compare(*b.Addr().Interface().(*time.Time))
}
