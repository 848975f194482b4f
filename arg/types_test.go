package arg_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/niobot/niobot/arg"
)

// one is a struct with a single required argument of type T.
type one[T any] struct {
	X T
}

// row is an input for one[T]; the error, if any, is without the parameter's name and blames all of the input.
type row[T any] struct {
	input   string
	want    T
	wantErr string
}

func runType[T any](t *testing.T, rows []row[T], opts ...arg.Option) {
	t.Helper()
	var tests []bindTest[one[T]]
	for _, r := range rows {
		tt := bindTest[one[T]]{input: r.input, want: one[T]{r.want}}
		if r.wantErr != "" {
			tt.wantErr, tt.blame = "x: "+r.wantErr, r.input
		}
		tests = append(tests, tt)
	}
	runBind(t, mustPlan[one[T]](t, opts...), tests)
}

func TestBindString(t *testing.T) {
	type name string
	runType(t, []row[string]{
		{input: "a", want: "a"},
		{input: `"a b"`, want: "a b"},
		{input: `""`, want: ""},
		{input: "-5", want: "-5"},
		{input: "-", want: "-"},
		{input: "---", want: "---"},
		{input: "-_-", want: "-_-"},
		{input: `"--x"`, want: "--x"},
		{input: "-- --x", want: "--x"},
		{input: "--x=--x", want: "--x"},
		{input: `--x "--x"`, want: "--x"},
		{input: "--x -y", want: "-y"},
		{input: "—y", want: "—y"},
	})
	runType(t, []row[name]{{input: "a", want: "a"}})
}

func TestBindBool(t *testing.T) {
	type consent bool
	const bad = " is not yes or no"
	var rows []row[bool]
	for _, yes := range []string{"1", "y", "yes", "true", "on", "Y", "YES", "True", "oN"} {
		rows = append(rows, row[bool]{input: yes, want: true})
	}
	for _, no := range []string{"0", "n", "no", "false", "off", "N", "No", "FALSE", "Off"} {
		rows = append(rows, row[bool]{input: no, want: false})
	}
	runType(t, append(rows,
		row[bool]{input: "2", wantErr: `"2"` + bad},
		row[bool]{input: "maybe", wantErr: `"maybe"` + bad},
		row[bool]{input: "t", wantErr: `"t"` + bad},
		row[bool]{input: "--x yes", want: true},
	))
	runType(t, []row[consent]{{input: "on", want: true}})
}

func TestBindInteger(t *testing.T) {
	type level int16
	const not = " is not a whole number"
	runType(t, []row[int]{
		{input: "0", want: 0},
		{input: "42", want: 42},
		{input: "+42", want: 42},
		{input: "-42", want: -42},
		{input: "007", want: 7},
		{input: `"5"`, want: 5},
		{input: "9223372036854775807", want: math.MaxInt64},
		{input: "-9223372036854775808", want: math.MinInt64},
		{input: "9223372036854775808", wantErr: `"9223372036854775808" is not between -9223372036854775808 and 9223372036854775807`},
		{input: "x", wantErr: `"x"` + not},
		{input: "5x", wantErr: `"5x"` + not},
		{input: "1.5", wantErr: `"1.5"` + not},
		{input: "1_000", wantErr: `"1_000"` + not},
		{input: "0x10", wantErr: `"0x10"` + not},
		{input: "٣", wantErr: `"٣"` + not},
		{input: "-", wantErr: `"-"` + not},
		{input: "--5", wantErr: `"--5"` + not},
	})
	runType(t, []row[int8]{
		{input: "127", want: 127}, {input: "-128", want: -128},
		{input: "128", wantErr: `"128" is not between -128 and 127`},
		{input: "-129", wantErr: `"-129" is not between -128 and 127`},
	})
	runType(t, []row[level]{
		{input: "32767", want: 32767},
		{input: "32768", wantErr: `"32768" is not between -32768 and 32767`},
	})
	runType(t, []row[int32]{
		{input: "-2147483648", want: math.MinInt32},
		{input: "2147483648", wantErr: `"2147483648" is not between -2147483648 and 2147483647`},
	})
	runType(t, []row[int64]{{input: "-5", want: -5}})
	runType(t, []row[uint]{
		{input: "5", want: 5}, {input: "+5", want: 5},
		{input: "-5", wantErr: `"-5" is not between 0 and 18446744073709551615`},
		{input: "+-5", wantErr: `"+-5"` + not},
		{input: "++5", wantErr: `"++5"` + not},
		{input: "x", wantErr: `"x"` + not},
	})
	runType(t, []row[uint8]{
		{input: "255", want: 255}, {input: "0", want: 0},
		{input: "256", wantErr: `"256" is not between 0 and 255`},
	})
	runType(t, []row[uint16]{{input: "65536", wantErr: `"65536" is not between 0 and 65535`}})
	runType(t, []row[uint32]{{input: "4294967295", want: math.MaxUint32}})
	runType(t, []row[uint64]{
		{input: "18446744073709551615", want: math.MaxUint64},
		{input: "18446744073709551616", wantErr: `"18446744073709551616" is not between 0 and 18446744073709551615`},
	})
}

func TestBindFloat(t *testing.T) {
	const not = " is not a number like 1.5"
	runType(t, []row[float64]{
		{input: "1.5", want: 1.5},
		{input: "-1.5", want: -1.5},
		{input: "-.5", want: -.5},
		{input: "1e3", want: 1000},
		{input: "3", want: 3},
		{input: "nan", wantErr: `"nan"` + not}, // nio-bot 55
		{input: "NaN", wantErr: `"NaN"` + not},
		{input: "inf", wantErr: `"inf"` + not},
		{input: "+Inf", wantErr: `"+Inf"` + not},
		{input: "infinity", wantErr: `"infinity"` + not},
		{input: "0x1p4", wantErr: `"0x1p4"` + not},
		{input: "1e400", wantErr: `"1e400" is too large a number`},
		{input: "1,5", wantErr: `"1,5"` + not},
		{input: "x", wantErr: `"x"` + not},
	})
	runType(t, []row[float32]{
		{input: "0.25", want: 0.25},
		{input: "1e39", wantErr: `"1e39" is too large a number`},
	})
}

func TestBindDuration(t *testing.T) {
	const not = " is not a duration like 90s, 1h30m or 2d"
	const unit = " has no unit; write s, m, h, d or w behind the number"
	const long = " is longer than 292 years"
	day := 24 * time.Hour
	runType(t, []row[time.Duration]{
		{input: "0", want: 0},
		{input: "-0", want: 0},
		{input: "90s", want: 90 * time.Second},
		{input: "1h30m", want: 90 * time.Minute},
		{input: "1d12h", want: 36 * time.Hour},
		{input: "2w", want: 14 * day},
		{input: "1w2d3h4m5s", want: 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second},
		{input: "1.5d", want: 36 * time.Hour},
		{input: ".5h", want: 30 * time.Minute},
		{input: "1.h", want: time.Hour},
		{input: "100ms", want: 100 * time.Millisecond},
		{input: "5us", want: 5 * time.Microsecond},
		{input: "5µs", want: 5 * time.Microsecond},
		{input: "5μs", want: 5 * time.Microsecond},
		{input: "7ns", want: 7},
		{input: "-5m", want: -5 * time.Minute},
		{input: "+5m", want: 5 * time.Minute},
		{input: "0.3333333333333333333333s", want: 333333333},
		{input: "1.99999999999999999999999s", want: 2*time.Second - 1},
		{input: "99999.999999999999999999s", want: 100000*time.Second - 1},
		{input: "9223372036854775807ns", want: math.MaxInt64},
		{input: "-9223372036854775808ns", want: math.MinInt64},
		{input: "9223372036854775808ns", wantErr: `"9223372036854775808ns"` + long},
		{input: "300000w", wantErr: `"300000w"` + long},
		{input: "99999999999999999999999d", wantErr: `"99999999999999999999999d"` + long},
		{input: "15000w15000w", wantErr: `"15000w15000w"` + long},
		{input: "5", wantErr: `"5"` + unit},
		{input: "1h30", wantErr: `"1h30"` + unit},
		{input: "24x", wantErr: `"24x"` + not},
		{input: "h", wantErr: `"h"` + not},
		{input: "x", wantErr: `"x"` + not},
		{input: ".h", wantErr: `".h"` + not},
		{input: "1..5h", wantErr: `"1..5h"` + not},
		{input: "-", wantErr: `"-"` + not},
		{input: "1h-5m", wantErr: `"1h-5m"` + not},
	})
}

// TestParseDuration compares with the standard library where both know the units.
func TestParseDuration(t *testing.T) {
	for _, text := range []string{"1ns", "1h2m3s4ms5us6ns", "-1.5h", "0.001s", "1.234567891s", "2562047h47m16.854775807s",
		"-2562047h47m16.854775808s", "2562047h47m16.854775808s", "", "3", "1x", ".s", "1h 2m", "0.000000001h"} {
		want, wantErr := time.ParseDuration(text)
		got, err := arg.ParseDuration(text)
		if got != want || (err == nil) != (wantErr == nil) {
			t.Errorf("%q: got %v, %v, want %v, %v", text, got, err, want, wantErr)
		}
	}
}

func TestBindTime(t *testing.T) {
	east := time.FixedZone("", 2*60*60)
	at := func(h, m, s, ns int, zone *time.Location) time.Time { return time.Date(2026, 1, 31, h, m, s, ns, zone) }
	tests := []struct {
		input string
		want  time.Time
	}{
		{"2026-01-31", at(0, 0, 0, 0, time.UTC)},
		{"2026-01-31T15:04", at(15, 4, 0, 0, time.UTC)},
		{"2026-01-31T15:04:05", at(15, 4, 5, 0, time.UTC)},
		{"2026-01-31T15:04:05.5", at(15, 4, 5, 5e8, time.UTC)},
		{"2026-01-31T15:04Z", at(15, 4, 0, 0, time.UTC)},
		{"2026-01-31T15:04:05Z", at(15, 4, 5, 0, time.UTC)},
		{"2026-01-31T15:04+02:00", at(15, 4, 0, 0, east)},
		{"2026-01-31T15:04:05.123+02:00", at(15, 4, 5, 123e6, east)},
		{`"2026-01-31 15:04"`, at(15, 4, 0, 0, time.UTC)},
		{"2026-01-31 15:04", at(15, 4, 0, 0, time.UTC)},
		{"2026-01-31 15:04:05", at(15, 4, 5, 0, time.UTC)},
		{"2026-01-31 15:04+02:00", at(15, 4, 0, 0, east)},
		{"2026-01-31 15:04:05+02:00", at(15, 4, 5, 0, east)},
	}
	p := mustPlan[one[time.Time]](t)
	for _, tt := range tests {
		var got one[time.Time]
		if err := p.Bind(t.Context(), arg.Input{Text: tt.input}, &got); err != nil || !got.X.Equal(tt.want) {
			t.Errorf("%q: got %v, %v, want %v", tt.input, got.X, err, tt.want)
		}
	}
	var got one[time.Time]
	if err := p.Bind(t.Context(), arg.Input{Text: "2026-01-31T15:04", Location: east}, &got); err != nil || !got.X.Equal(at(15, 4, 0, 0, east)) {
		t.Errorf("with a location: got %v, %v", got.X, err)
	}
	for _, bad := range []string{"tomorrow", "2026-02-30", "31.1.2026", "15:04", "2026-01-31T25:00", "2026-1-31"} {
		err := p.Bind(t.Context(), arg.Input{Text: bad}, &got)
		checkError(t, err, bad, `x: "`+bad+`" is not a time like 2026-01-31 or 2026-01-31T15:04Z`, bad)
	}
	input := "2026-01-31 15:04"
	type dated struct {
		Day  time.Time
		Note string `arg:"note"`
	}
	for _, note := range []string{"lunch", "15h"} {
		var d dated
		if err := mustPlan[dated](t).Bind(t.Context(), arg.Input{Text: "2026-01-31 " + note}, &d); err != nil || d.Note != note {
			t.Errorf("date and %s: got %+v, %v", note, d, err)
		}
	}
	var d dated
	err := mustPlan[dated](t).Bind(t.Context(), arg.Input{Text: input}, &d)
	checkError(t, err, input, "note: missing; expected text", "")
}

func TestErrorShowsLongWordsCut(t *testing.T) {
	input := strings.Repeat("ä", 1000)
	err := mustPlan[one[int]](t).Bind(t.Context(), arg.Input{Text: input}, new(one[int]))
	checkError(t, err, input, `x: "`+strings.Repeat("ä", 39)+`…" is not a whole number`, input)
}
