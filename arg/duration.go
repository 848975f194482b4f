package arg

import (
	"context"
	"math/bits"
	"reflect"
	"strings"
	"time"
)

// unit is a unit of time; units are tried in order, so that a longer name comes before its own beginning.
var units = [...]struct {
	name string
	size time.Duration
}{
	{"ns", time.Nanosecond},
	{"us", time.Microsecond},
	{"µs", time.Microsecond}, // U+00B5
	{"μs", time.Microsecond}, // U+03BC
	{"ms", time.Millisecond},
	{"s", time.Second},
	{"m", time.Minute},
	{"h", time.Hour},
	{"d", 24 * time.Hour},
	{"w", 7 * 24 * time.Hour},
}

func setDuration(_ context.Context, _ env, text string, v reflect.Value) error {
	d, err := ParseDuration(text)
	if err == nil {
		v.SetInt(int64(d))
	}
	return err
}

// ParseDuration reads a duration in the notation of [time.ParseDuration] with two more units: d is 24 hours and w is 7
// days, as in 1w2d or 1.5d. The error is one that [Reject] might have made.
func ParseDuration(text string) (time.Duration, error) {
	rest, negative := strings.CutPrefix(text, "-")
	if !negative {
		rest = strings.TrimPrefix(text, "+")
	}
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, rejectKind(text, KindDuration, nil)
	}
	var sum uint64
	for rest != "" {
		amount, size, after, ok := durationPart(rest)
		if !ok {
			return 0, rejectKind(text, KindDuration, nil)
		}
		if size == 0 {
			return 0, &rejection{reason: show(text) + " has no unit; write s, m, h, d or w behind the number"}
		}
		part, ok := amount.times(size)
		if sum += part; !ok || sum > 1<<63 || (sum == 1<<63 && !negative) {
			return 0, &rejection{reason: show(text) + " is longer than 292 years"}
		}
		rest = after
	}
	if negative {
		return time.Duration(-sum), nil
	}
	return time.Duration(sum), nil
}

// decimal is the number whole/scale; excess says that it was too large to hold.
type decimal struct {
	whole  uint64
	scale  uint64
	excess bool
}

func (d decimal) times(size time.Duration) (product uint64, ok bool) {
	high, low := bits.Mul64(d.whole, uint64(size))
	if d.excess || high >= d.scale {
		return 0, false
	}
	product, _ = bits.Div64(high, low, d.scale)
	return product, product <= 1<<63
}

// durationPart reads a number and its unit. A size of 0 says that no unit follows.
func durationPart(text string) (amount decimal, size time.Duration, rest string, ok bool) {
	amount.scale = 1
	digits, fraction := 0, false
	i := 0
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !fraction {
			fraction = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		digits++
		room := amount.whole <= (1<<64-10)/10
		if fraction && (!room || amount.scale >= 1e15) {
			continue // finer than a nanosecond
		}
		if !room {
			amount.excess = true
			continue
		}
		if fraction {
			amount.scale *= 10
		}
		amount.whole = amount.whole*10 + uint64(c-'0')
	}
	if digits == 0 {
		return amount, 0, text, false
	}
	rest = text[i:]
	if rest == "" {
		return amount, 0, "", true
	}
	for _, u := range units {
		if after, found := strings.CutPrefix(rest, u.name); found {
			return amount, u.size, after, true
		}
	}
	return amount, 0, rest, false
}
