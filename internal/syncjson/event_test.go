package syncjson_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/syncjson"
)

const fullEvent = `{"event_id":"$e","type":"m.room.topic","sender":"@a:x","origin_server_ts":5,"state_key":"k",` +
	`"content":{"topic":"ü"},"unsigned":{"age":-7,"transaction_id":"t1","prev_content":{"topic":"o"},` +
	`"redacted_because":{"type":"m.room.redaction"}}}`

func TestParse(t *testing.T) {
	e, ok := syncjson.Parse(fullEvent)
	if !ok || e.Raw != fullEvent || e.ID != "$e" || e.Type != "m.room.topic" || e.Sender != "@a:x" ||
		!e.HasStateKey || e.StateKey != "k" || e.Timestamp != 5 || e.Content != `{"topic":"ü"}` {
		t.Errorf("got %+v, %t", e, ok)
	}
	if age, ok := e.Age(); age != -7 || !ok {
		t.Errorf("age is %d, %t", age, ok)
	}
	if got := e.TransactionID(); got != "t1" {
		t.Errorf("transaction id is %q", got)
	}
	if got := e.PrevContent(); got != `{"topic":"o"}` {
		t.Errorf("previous content is %s", got)
	}
	if !e.Redacted() {
		t.Error("not redacted")
	}
}

func TestParseLess(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want bool
	}{
		{`{"type":"t","content":{}}`, true},
		{`{"type":"t","content":{},"event_id":5,"unsigned":{"age":"7","transaction_id":1,"prev_content":[],"redacted_because":null}}`, true},
		{`{"type":"","content":{}}`, false},
		{`{"type":"t","content":null}`, false},
		{`{"content":{}}`, false},
		{`{}`, false},
		{`null`, false},
		{``, false},
	} {
		e, ok := syncjson.Parse([]byte(tt.raw))
		if ok != tt.want {
			t.Errorf("Parse(%s) is %t", tt.raw, ok)
		}
		if _, ok := e.Age(); ok || e.Redacted() || len(e.ID)+len(e.TransactionID())+len(e.PrevContent()) > 0 {
			t.Errorf("Parse(%s) gives %+v", tt.raw, e)
		}
	}
}

// keeper keeps the events of the timelines.
type keeper struct {
	counter
	kept []syncjson.Kept
}

func (k *keeper) Room(r *syncjson.Room) error {
	for i := range r.Timeline {
		k.kept = append(k.kept, r.Timeline[i].Keep())
	}
	return nil
}

func TestKeptEventsOutliveTheDecoder(t *testing.T) {
	response := messages(3, 50)
	var d syncjson.Decoder
	k := new(keeper)
	if _, err := d.Decode(bytes.NewReader(response), k); err != nil {
		t.Fatal(err)
	}
	overwrite := bytes.ReplaceAll(response, []byte("message"), []byte("MESSAGE"))
	if _, err := d.Decode(bytes.NewReader(overwrite), &counter{}); err != nil {
		t.Fatal(err)
	}
	if len(k.kept) != 150 {
		t.Fatalf("kept %d events", len(k.kept))
	}
	for _, e := range k.kept {
		if !bytes.Contains(response, []byte(e.Raw)) || e.Type != "m.room.message" ||
			!strings.HasPrefix(syncjson.GetString(e.Content, "body"), "message number ") {
			t.Fatalf("kept event has become %+v", e)
		}
	}
}

func TestAllocations(t *testing.T) {
	response := messages(10, 100)
	r := bytes.NewReader(response)
	var d syncjson.Decoder
	perEvent := func(c *counter) float64 {
		return testing.AllocsPerRun(20, func() {
			r.Reset(response)
			if _, err := d.Decode(r, c); err != nil {
				t.Fatal(err)
			}
		}) / 1000
	}
	if got := perEvent(&counter{}); got > 0.05 {
		t.Errorf("%.3f allocations for an event that nobody keeps", got)
	}
	if got := perEvent(&counter{keep: true}); got > 1.05 {
		t.Errorf("%.3f allocations for an event that is kept", got)
	}
	e, _ := syncjson.Parse(fullEvent)
	sum := 0
	if got := testing.AllocsPerRun(100, func() {
		for key, value := range syncjson.Fields(e.Raw) {
			sum += len(key) + len(value)
		}
		age, _ := e.Age()
		sum += int(age) + len(e.TransactionID()) + len(e.PrevContent())
	}); got > 0 || sum == 0 {
		t.Errorf("%v allocations for looking at fields", got)
	}
}
