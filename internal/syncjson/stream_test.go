package syncjson_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/niobot/niobot/internal/syncjson"
)

// sample is a response with something of everything, faults included.
var sample = `{"next_batch":"n\u0065xt","account_data":{"events":[{"type":"m.direct","content":{}}]},
	"rooms":{"join":{"!r:x":{"state":{"events":[
		{"event_id":"$s","type":"m.room.topic","sender":"@a:x","origin_server_ts":1,"state_key":"","content":{"topic":"ü\n"}}]},
		"summary":{"m.heroes":["@h:x"],"m.joined_member_count":2},
		"timeline":{"events":[` + message(1) + `,null,` + message(2) + `,{"event_id":5}],"limited":true,"prev_batch":"p"},
		"unread_notifications":{"notification_count":1,"highlight_count":0}},
		"!s:x":{},"no room":{"timeline":{"events":[` + message(3) + `]}}},
	"invite":{"!i:x":{"invite_state":{"events":[{"type":"t","sender":"@a:x","state_key":"k","content":{"a":[1,{"b":null}]}}]}}}},
	"to_device":{"events":[{"type":"t","sender":"@a:x","content":{"n":-1.5e3}}]},"device_lists":{"left":["@a:x"]}}`

func TestChunking(t *testing.T) {
	whole, result := decode(t, sample)
	if len(whole.lines) != 9 || len(whole.skips) != 3 {
		t.Fatalf("the sample gives\n%s\n%+v", strings.Join(whole.lines, "\n"), whole.skips)
	}
	var d syncjson.Decoder
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"one byte":           iotest.OneByteReader,
		"half":               iotest.HalfReader,
		"data with the end":  iotest.DataErrReader,
		"bytes with the end": func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
		"with space behind":  func(r io.Reader) io.Reader { return io.MultiReader(r, strings.NewReader(" \r\n\t")) },
		"with empty reads":   func(r io.Reader) io.Reader { return &emptyReads{r: r} },
	} {
		rec := new(recorder)
		got, err := d.Decode(reader(strings.NewReader(sample)), rec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(rec.lines, whole.lines) || !slices.Equal(rec.skips, whole.skips) {
			t.Errorf("%s: got\n%s\n%+v", name, strings.Join(rec.lines, "\n"), rec.skips)
		}
		if got.NextBatch != "next" || got.Rooms != result.Rooms || got.Events != result.Events ||
			string(got.DeviceLists) != string(result.DeviceLists) {
			t.Errorf("%s: result is %+v, want %+v", name, got, result)
		}
	}
}

// emptyReads reads nothing each second time.
type emptyReads struct {
	r     io.Reader
	empty bool
}

func (e *emptyReads) Read(p []byte) (int, error) {
	if e.empty = !e.empty; e.empty {
		return 0, nil
	}
	return e.r.Read(p[:min(len(p), 7)])
}

func TestCutStream(t *testing.T) {
	whole, _ := decode(t, sample)
	var d syncjson.Decoder
	for n := range len(sample) {
		rec := new(recorder)
		_, err := d.Decode(strings.NewReader(sample[:n]), rec)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut at %d: error is %v", n, err)
		}
		if len(rec.lines) > len(whole.lines) || !slices.Equal(rec.lines, whole.lines[:len(rec.lines)]) {
			t.Fatalf("cut at %d: got\n%s", n, strings.Join(rec.lines, "\n"))
		}
		if len(rec.skips) > len(whole.skips) || !slices.Equal(rec.skips, whole.skips[:len(rec.skips)]) {
			t.Fatalf("cut at %d: skips are %+v", n, rec.skips)
		}
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("connection reset")
	var d syncjson.Decoder
	for n := range len(sample) {
		rec := new(recorder)
		r := io.MultiReader(strings.NewReader(sample[:n]), iotest.ErrReader(broken))
		if _, err := d.Decode(r, rec); !errors.Is(err, broken) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("after %d bytes: error is %v", n, err)
		}
	}
	once := &lastWords{text: sample[:100], err: broken}
	if _, err := d.Decode(once, new(recorder)); !errors.Is(err, broken) {
		t.Errorf("error that came with the last bytes has become %v", err)
	}
	if _, err := d.Decode(stuck{}, new(recorder)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error of a reader that gives nothing is %v", err)
	}
}

// lastWords gives a text and an error at once, and then nothing but the end.
type lastWords struct {
	text string
	err  error
}

func (l *lastWords) Read(p []byte) (int, error) {
	n := copy(p, l.text)
	if l.text = l.text[n:]; l.text != "" {
		return n, nil
	}
	err := l.err
	l.err = io.EOF
	return n, err
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestBrokenResponses(t *testing.T) {
	tests := []struct {
		name, response string
		want           error // nil for any
	}{
		{"nothing", ``, io.ErrUnexpectedEOF},
		{"array", `[]`, syncjson.ErrNotObject},
		{"null", `null`, syncjson.ErrNotObject},
		{"HTML", `<html>`, nil},
		{"no next_batch", `{}`, syncjson.ErrNoNextBatch},
		{"null next_batch", `{"next_batch":null}`, syncjson.ErrNoNextBatch},
		{"last next_batch is a number", `{"next_batch":"n","next_batch":1}`, syncjson.ErrNoNextBatch},
		{"two responses", `{"next_batch":"n"}{"next_batch":"n"}`, nil},
		{"rubbish behind", `{"next_batch":"n"}x`, nil},
		{"comma at the end", `{"next_batch":"n",}`, nil},
		{"brackets crossed", `{"next_batch":"n","rooms":{"join":{"!r:x":{"timeline":{"events":[}]}}}}`, nil},
		{"bare word", `{"next_batch":"n","rooms":{"join":{"!r:x":{"timeline":{"events":[nul]}}}}}`, nil},
		{"control character", "{\"next_batch\":\"n\",\"rooms\":{\"join\":{\"!r:x\":{\"timeline\":{\"events\":[{\"a\":\"\x01\"}]}}}}}", nil},
		{"nested without end", `{"next_batch":"n","a":` + strings.Repeat("[", 20_000), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := new(recorder)
			var d syncjson.Decoder
			_, err := d.Decode(strings.NewReader(tt.response), rec)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if len(rec.lines) > 0 {
				t.Errorf("got\n%s", strings.Join(rec.lines, "\n"))
			}
		})
	}
}

func TestHandlerEndsDecode(t *testing.T) {
	stop := errors.New("enough")
	rec := &recorder{fail: stop}
	var d syncjson.Decoder
	_, err := d.Decode(strings.NewReader(`{"rooms":{"join":{"!a:x":{},"!b:x":{}}},"next_batch":"n"}`), rec)
	if err != stop || len(rec.lines) != 1 {
		t.Errorf("error is %v after\n%s", err, strings.Join(rec.lines, "\n"))
	}
}
