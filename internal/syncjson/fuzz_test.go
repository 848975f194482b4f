package syncjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/niobot/niobot/internal/syncjson"
)

// FuzzDecode holds the decoder against the reference: the same events in the same order, whatever the chunks.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		sample, string(messages(2, 2)), fullEvent, `{}`, `[]`, `{"next_batch":"n"} x`,
		`{"rooms":{"join":{"!r:x":{"timeline":{"events":[` + fullEvent + `]},"timeline":null}}},"next_batch":"n"}`,
		`{"rooms":{"knock":{"!r:x":{"knock_state":{"events":[` + fullEvent + `,[]]}}}},"to_device":{"events":[` + fullEvent + `]}}`,
		`{"rooms":{"leave":{"!\u0072:x":{"state":{"events":[{"event_id":"$e","type":"m.room.redaction","sender":"@a:x",` +
			`"origin_server_ts":1e3,"state_key":"","content":{"redacts":"$x"}}]}}}},"presence":{"events":null},"next_batch":"\ud83d"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(compare)
}

// compare decodes a response with the decoder, twice, and with the reference.
func compare(t *testing.T, response []byte) {
	rec, halves := new(recorder), new(recorder)
	var d syncjson.Decoder
	result, err := d.Decode(bytes.NewReader(response), rec)
	again, errAgain := d.Decode(iotest.HalfReader(bytes.NewReader(response)), halves)
	if !slices.Equal(rec.lines, halves.lines) || !slices.Equal(rec.skips, halves.skips) ||
		result.NextBatch != again.NextBatch || (err == nil) != (errAgain == nil) {
		t.Fatalf("at once\n%s\n%v\nin halves\n%s\n%v",
			strings.Join(rec.lines, "\n"), err, strings.Join(halves.lines, "\n"), errAgain)
	}
	if !json.Valid(response) {
		// What nests too deep is not looked at by the decoder, and broken to encoding/json.
		deep := bytes.Count(response, []byte("["))+bytes.Count(response, []byte("{")) > 1000
		if err == nil && !deep {
			t.Error("no error for broken JSON")
		}
		return
	}
	want := new(reference)
	want.response(utf8Only(response))
	switch {
	case bytes.TrimLeft(response, " \r\n\t")[0] != '{':
		if !errors.Is(err, syncjson.ErrNotObject) {
			t.Errorf("error is %v", err)
		}
	case want.nextBatch == "":
		if !errors.Is(err, syncjson.ErrNoNextBatch) {
			t.Errorf("error is %v", err)
		}
	case err != nil || result.NextBatch != want.nextBatch:
		t.Errorf("next_batch is %q, want %q; error is %v", result.NextBatch, want.nextBatch, err)
	}
	for n := range max(len(rec.lines), len(want.lines)) {
		got, want := line(rec.lines, n), line(want.lines, n)
		if got != want {
			t.Errorf("line %d is\n%s\nwant\n%s", n, got, want)
			break
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("whole JSON counts as cut")
	}
}

func line(lines []string, n int) string {
	if n < len(lines) {
		return lines[n]
	}
	return "nothing"
}

// utf8Only replaces each byte that is no UTF-8.
func utf8Only(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		out = utf8.AppendRune(out, r)
	}
	return out
}
