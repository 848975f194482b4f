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

func setTime(_ context.Context, e env, text string, v reflect.Value) error {
	location := e.location
	if location == nil {
		location = time.UTC
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, location); err == nil {
			*v.Addr().Interface().(*time.Time) = t
			return nil
		}
	}
	return rejectKind(text, KindTime, nil)
}

func compareTime(a, b reflect.Value) int {
	return a.Addr().Interface().(*time.Time).Compare(*b.Addr().Interface().(*time.Time))
}
