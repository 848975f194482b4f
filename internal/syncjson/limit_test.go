package syncjson

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// tally is a handler that counts.
type tally struct {
	rooms, timeline int
	skips           []Skip
	content         string // of the last event
}

func (c *tally) Room(r *Room) error {
	c.rooms++
	c.timeline += len(r.Timeline)
	for _, e := range r.Timeline {
		c.content = string(e.Content)
	}
	return nil
}
func (c *tally) Event(Kind, *View) error { return nil }
func (c *tally) Skipped(s Skip)          { c.skips = append(c.skips, s) }

var small = limits{event: 256, depth: 10, section: 3, token: 32 << 10, response: 1 << 20}

func timeline(events ...string) string {
	return `{"next_batch":"n","rooms":{"join":{"!r:x":{"timeline":{"events":[` + strings.Join(events, ",") + `]}}}}}`
}

func sized(n int) string {
	e := `{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":{"a":""}}`
	return strings.Replace(e, `""`, `"`+strings.Repeat("x", n-len(e))+`"`, 1)
}

// padded returns a response of n bytes.
func padded(n int) string {
	const head, tail = `{"next_batch":"n","a":[`, `0]}`
	n -= len(head) + len(tail)
	return head + strings.Repeat("1,", n/2) + strings.Repeat(" ", n%2) + tail
}

func TestLimits(t *testing.T) {
	tests := []struct {
		name     string
		response string
		events   int
		want     error
		skip     Skip
	}{
		{"event that just fits", timeline(sized(256)), 1, nil, Skip{}},
		{"event one byte above", timeline(sized(257), sized(100)), 1, nil, Skip{Reason: TooLarge, Count: 1}},
		{"event above the window", timeline(sized(100), sized(20<<10), sized(100)), 2, nil, Skip{Reason: TooLarge, Count: 1}},
		{"event with a token above the limit", timeline(sized(64 << 10)), 0, ErrTokenTooLong, Skip{}},
		{"events above the section", timeline(sized(100), sized(100), "null", sized(100), sized(100), "null"), 3, nil, Skip{Reason: TooMany, Count: 2}},
		{"key above the limit", `{"` + strings.Repeat("k", 64<<10) + `":1}`, 0, ErrTokenTooLong, Skip{}},
		{"space above the limit", `{"next_batch":` + strings.Repeat(" ", 64<<10) + `"n"}`, 0, ErrTokenTooLong, Skip{}},
		{"part above the limit", `{"next_batch":"n","device_lists":{"a":[` + strings.Repeat(`"@a:x",`, 10<<10) + `""]}}`, 0, ErrTokenTooLong, Skip{}},
		{"unknown part of any length", `{"next_batch":"n","a":[` + strings.Repeat(`"@a:x",`, 10<<10) + `""]}`, 0, nil, Skip{}},
		{"response that just fits", padded(1 << 20), 0, nil, Skip{}},
		{"response above the limit", padded(1<<20 + 1), 0, ErrResponseTooLarge, Skip{}},
		{"response far above the limit", timeline(strings.Repeat("[],", 1<<20)), 0, ErrResponseTooLarge, Skip{}},
	}
	for _, tt := range tests {
		for way, reader := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "in halves": iotest.HalfReader,
		} {
			t.Run(tt.name+" "+way, func(t *testing.T) {
				h, d := new(tally), Decoder{limits: small}
				_, err := d.Decode(reader(strings.NewReader(tt.response)), h)
				if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
					t.Fatalf("error is %v, want %v", err, tt.want)
				}
				if h.timeline != tt.events {
					t.Errorf("got %d events, want %d", h.timeline, tt.events)
				}
				if tt.skip.Reason == 0 {
					return
				}
				last := h.skips[len(h.skips)-1]
				if last.Reason != tt.skip.Reason || last.Count != tt.skip.Count || last.Kind != KindTimeline {
					t.Errorf("skip is %+v, want %+v", last, tt.skip)
				}
			})
		}
	}
}

// TestLargeEventAfterLargeEvent has the stream far ahead of the decoder when the second event begins.
func TestLargeEventAfterLargeEvent(t *testing.T) {
	var events []string
	for n := range 200 {
		events = append(events, sized(100+n*317%(64<<10)), sized(1<<10))
	}
	h, d := new(tally), Decoder{limits: limits{event: 32 << 10, depth: 9, section: 1000, token: 1 << 20, response: 1 << 30}}
	if _, err := d.Decode(strings.NewReader(timeline(events...)), h); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, e := range events {
		if len(e) <= 32<<10 {
			want++
		}
	}
	if h.timeline != want || len(h.skips) != len(events)-want {
		t.Errorf("got %d events and %d skips, want %d and %d", h.timeline, len(h.skips), want, len(events)-want)
	}
}

func TestDecoderLetsGo(t *testing.T) {
	var d Decoder
	if _, err := d.Decode(strings.NewReader(timeline(sized(MaxEventBytes))), new(tally)); err != nil {
		t.Fatal(err)
	}
	many := make([]string, 20_000)
	for n := range many {
		many[n] = sized(100 + n%10)
	}
	if _, err := d.Decode(strings.NewReader(timeline(many...)), new(tally)); err != nil {
		t.Fatal(err)
	}
	held := cap(d.room.Timeline) * 8
	for _, c := range d.events.chunks {
		held += cap(c)
	}
	if held > 2*keptBytes {
		t.Errorf("%d bytes are held", held)
	}
	if d.handler != nil || d.gate.r != nil || d.room.ID != "" || d.view.Raw != nil {
		t.Error("the decoder still holds on to handler, stream or room")
	}
}

// arenaSize is a handler that looks at the decoder's memory when a room is handed over.
type arenaSize struct {
	tally
	d     *Decoder
	bytes int
}

func (a *arenaSize) Room(r *Room) error {
	for _, c := range a.d.events.chunks {
		a.bytes += cap(c)
	}
	return a.tally.Room(r)
}

func TestSkippedEventsHoldNoMemory(t *testing.T) {
	bad := strings.Replace(sized(1<<10), `"$e"`, `"e"`, 1)
	var d Decoder
	h := &arenaSize{d: &d}
	if _, err := d.Decode(strings.NewReader(timeline(slices.Repeat([]string{bad}, 1000)...)), h); err != nil {
		t.Fatal(err)
	}
	if len(h.skips) != 1000 || h.bytes > chunkBytes {
		t.Errorf("%d bytes are held after %d skips", h.bytes, len(h.skips))
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{"": true, "unknown": true}
	check := func(name string) {
		if seen[name] {
			t.Errorf("%q is nobody's name, or that of two", name)
		}
		seen[name] = true
	}
	for k := KindTimeline; k <= KindPresence; k++ {
		check(k.String())
	}
	for r := TooLarge; r <= BadID; r++ {
		check(r.String())
	}
	for s := Join; s <= Knock; s++ {
		check(s.String())
	}
}

func TestArena(t *testing.T) {
	var a arena
	for round := range 3 {
		var want []string
		var got [][]byte
		for n := range 2000 {
			s := strings.Repeat(fmt.Sprint(n, ","), 1+n*7%300)
			got, want = append(got, a.copy([]byte(s))), append(want, s)
			mark := a.mark()
			for range n % 3 {
				a.copy([]byte(strings.Repeat("!", chunkBytes/2+n)))
			}
			a.rewind(mark)
		}
		for n := range want {
			if string(got[n]) != want[n] {
				t.Fatalf("round %d: text %d has changed", round, n)
			}
		}
		a.reset()
	}
}
