package syncjson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
)

// messages returns a response with the rooms and so many messages of about 400 bytes in each.
func messages(rooms, each int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"next_batch":"s1_2_3","rooms":{"join":{`)
	for r := range rooms {
		if r > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"!room%d:example.org":{"timeline":{"limited":false,"prev_batch":"p%d","events":[`, r, r)
		for n := range each {
			if n > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"type":"m.room.message","sender":"@someone%d:example.org","content":{"msgtype":"m.text",`+
				`"body":"message number %d of a conversation with \"quotes\" and some length to it","m.mentions":{}},`+
				`"origin_server_ts":%d,"unsigned":{"age":%d,"membership":"join"},`+
				`"event_id":"$aVeryOrdinaryEventIDWith43Characters%04d%03d","room_id":"!room%d:example.org",`+
				`"user_id":"@someone%d:example.org","age":%d}`, n, n, 1760000000000+n, n, n, r, r, n, n)
		}
		b.WriteString(`]},"state":{"events":[]},"unread_notifications":{"notification_count":0,"highlight_count":0}}`)
	}
	b.WriteString(`}}}`)
	return b.Bytes()
}

// counter is a handler that counts, and keeps events if asked to.
type counter struct {
	keep   bool
	events int
	bytes  int
	kept   syncjson.Kept
}

func (c *counter) Room(r *syncjson.Room) error {
	for i := range r.Timeline {
		e := &r.Timeline[i]
		c.events++
		if c.keep {
			c.kept = e.Keep()
			c.bytes += len(c.kept.Content)
		}
	}
	return nil
}

func (c *counter) Event(syncjson.Kind, *syncjson.View) error { return nil }
func (c *counter) Skipped(s syncjson.Skip)                   { panic(fmt.Sprintf("%+v", s)) }

// The least that a program needs to know of an event, for encoding/json.
type bareEvent struct {
	ID        string          `json:"event_id"`
	Type      string          `json:"type"`
	Sender    string          `json:"sender"`
	StateKey  *string         `json:"state_key"`
	Timestamp int64           `json:"origin_server_ts"`
	Content   json.RawMessage `json:"content"`
}

type bareEvents struct {
	Events    []bareEvent `json:"events"`
	Limited   bool        `json:"limited"`
	PrevBatch string      `json:"prev_batch"`
}

type bareSync struct {
	NextBatch string `json:"next_batch"`
	Rooms     struct {
		Join map[string]struct {
			State    bareEvents `json:"state"`
			Timeline bareEvents `json:"timeline"`
		} `json:"join"`
	} `json:"rooms"`
}

// BenchmarkDecode compares ways to get at the events of 10 rooms with 100 messages each.
func BenchmarkDecode(b *testing.B) {
	const events = 1000
	response := messages(10, events/10)
	b.Logf("%d bytes per event", len(response)/events)
	perEvent := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
		b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
	}
	for _, keep := range []bool{false, true} {
		b.Run(map[bool]string{false: "syncjson", true: "syncjson-kept"}[keep], func(b *testing.B) {
			b.ReportAllocs()
			var d syncjson.Decoder
			r := bytes.NewReader(response)
			for b.Loop() {
				r.Reset(response)
				c := counter{keep: keep}
				if _, err := d.Decode(r, &c); err != nil || c.events != events {
					b.Fatal(c.events, err)
				}
			}
			perEvent(b)
		})
	}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s bareSync
			if err := json.NewDecoder(bytes.NewReader(response)).Decode(&s); err != nil || len(s.Rooms.Join) != 10 {
				b.Fatal(err)
			}
		}
		perEvent(b)
	})
	b.Run("mautrix", func(b *testing.B) {
		b.ReportAllocs()
		syncer := mautrix.NewDefaultSyncer()
		seen := 0
		syncer.OnEventType(event.EventMessage, func(context.Context, *event.Event) { seen++ })
		for b.Loop() {
			var s mautrix.RespSync
			seen = 0
			if err := json.NewDecoder(bytes.NewReader(response)).Decode(&s); err != nil {
				b.Fatal(err)
			}
			if err := syncer.ProcessResponse(b.Context(), &s, "since"); err != nil || seen != events {
				b.Fatal(seen, err)
			}
		}
		perEvent(b)
	})
}

// BenchmarkFields picks the fields of a message that a command router looks at.
func BenchmarkFields(b *testing.B) {
	content := `{"msgtype":"m.text","body":"!ban @someone:example.org --for 1h","m.mentions":{"user_ids":["@b:x"]},` +
		`"m.relates_to":{"m.in_reply_to":{"event_id":"$abc"}}}`
	b.ReportAllocs()
	for b.Loop() {
		if !strings.HasPrefix(syncjson.GetString(content, "body"), "!") ||
			syncjson.GetString(content, "m.relates_to", "m.in_reply_to", "event_id") != "$abc" {
			b.Fatal("not found")
		}
	}
}
