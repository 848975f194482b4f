package niobot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// offlineBot is a bot that believes to be connected, in rooms that it has joined.
func offlineBot(b testing.TB, rooms int, opts ...Option) *Bot {
	b.Helper()
	bot, err := New(Config{Homeserver: "http://localhost", Token: "t", Prefixes: []string{"!"}},
		append(opts, WithLogger(slog.New(slog.DiscardHandler)), WithReadReceipts(ReceiptsOff))...)
	if err != nil {
		b.Fatal(err)
	}
	bot.client = &mautrix.Client{UserID: "@bot:example.org"}
	bot.outbox = newOutbox(bot.client, bot.seal, &bot.echoes, DefaultMaxSendAge)
	bot.receipts = newReceipts(ReceiptsOff, bot.client, bot.log)
	bot.connected.Store(true)
	bot.dispatcher.begin(bot.life)
	for r := range rooms {
		bot.rooms.room(benchRoom(r)).setMembership(event.MembershipJoin)
	}
	b.Cleanup(func() { _ = bot.Close() })
	return bot
}

// burst is a sync response with messages of about 400 bytes, whose event ids can be made new ones.
type burst struct {
	body  []byte
	ids   [][]byte // The counters within body
	round int
}

const idDigits = 12

func newBurst(rooms, each int, typ, text string) *burst {
	var w bytes.Buffer
	var at []int
	w.WriteString(`{"next_batch":"s1_2_3","rooms":{"join":{`)
	for r := range rooms {
		if r > 0 {
			w.WriteByte(',')
		}
		fmt.Fprintf(&w, `%q:{"timeline":{"limited":false,"prev_batch":"p%d","events":[`, benchRoom(r), r)
		for n := range each {
			if n > 0 {
				w.WriteByte(',')
			}
			fmt.Fprintf(&w, `{"type":%q,"sender":"@someone%d:example.org","content":{"msgtype":"m.text",`+
				`"body":%q,"m.mentions":{}},"origin_server_ts":%d,"unsigned":{"age":%d,"membership":"join"},`+
				`"event_id":"$anOrdinaryEventIDOf43Characters`, typ, n, text, 1760000000000+n, n)
			at = append(at, w.Len())
			fmt.Fprintf(&w, `%0*d","room_id":%q,"user_id":"@someone%d:example.org","age":%d}`, idDigits, 0, benchRoom(r), n, n)
		}
		w.WriteString(`]},"state":{"events":[]},"unread_notifications":{"notification_count":0,"highlight_count":0}}`)
	}
	w.WriteString(`}}}`)
	b := &burst{body: w.Bytes()}
	for _, i := range at {
		b.ids = append(b.ids, b.body[i:i+idDigits])
	}
	return b
}

// next gives all events ids that were not there before.
func (b *burst) next() *bytes.Reader {
	b.round++
	for i, digits := range b.ids {
		n := b.round*len(b.ids) + i
		for d := len(digits) - 1; d >= 0; d-- {
			digits[d] = byte('0' + n%10)
			n /= 10
		}
	}
	return bytes.NewReader(b.body)
}

// take decodes a response and dispatches it.
func (b *burst) take(t *testing.B, bot *Bot, decoder *syncjson.Decoder) {
	in := &intake{bot: bot, since: "s0"}
	if _, err := decoder.Decode(b.next(), in); err != nil {
		t.Fatal(err)
	}
	if err := in.finish(""); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkDispatch decodes a sync response of 1,000 messages in 10 rooms and dispatches them: to a command's handler,
// to a listener, to nobody; and, to compare with, as mautrix does it to a listener, and into bare structs by
// encoding/json to nobody.
func BenchmarkDispatch(b *testing.B) {
	const rooms, each = 10, 100
	const events = rooms * each
	perEvent := func(b *testing.B, before, after *runtime.MemStats) {
		b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N*events), "allocs/event")
	}
	measure := func(b *testing.B, f func()) {
		var before, after runtime.MemStats
		f() // What is made once, such as buffers and the rooms' lanes
		b.ReportAllocs()
		runtime.ReadMemStats(&before)
		b.ResetTimer()
		for range b.N {
			f()
		}
		b.StopTimer()
		runtime.ReadMemStats(&after)
		perEvent(b, &before, &after)
	}

	b.Run("command", func(b *testing.B) {
		bot := offlineBot(b, rooms)
		var done sync.WaitGroup
		bot.Add(NewCommand("say", func(context.Context, *Context, struct {
			Words string `arg:"words,rest"`
		}) error {
			done.Done()
			return nil
		}))
		sync := newBurst(rooms, each, "m.room.message", "!say what is said in a message of quite an ordinary length")
		var decoder syncjson.Decoder
		measure(b, func() {
			done.Add(events)
			sync.take(b, bot, &decoder)
			done.Wait()
		})
	})
	b.Run("listener", func(b *testing.B) {
		bot := offlineBot(b, rooms)
		var done sync.WaitGroup
		bot.On(event.EventMessage, func(context.Context, *Event) error {
			done.Done()
			return nil
		})
		sync := newBurst(rooms, each, "m.room.message", "a message of quite an ordinary length that is no command")
		var decoder syncjson.Decoder
		measure(b, func() {
			done.Add(events)
			sync.take(b, bot, &decoder)
			done.Wait()
		})
	})
	b.Run("nobody", func(b *testing.B) {
		bot := offlineBot(b, rooms)
		sync := newBurst(rooms, each, "m.room.message", "a message of quite an ordinary length that is no command")
		var decoder syncjson.Decoder
		measure(b, func() {
			sync.take(b, bot, &decoder)
			<-bot.dispatcher.resting()
		})
	})
	b.Run("mautrix", func(b *testing.B) {
		syncer := mautrix.NewDefaultSyncer()
		seen := 0
		syncer.OnEventType(event.EventMessage, func(context.Context, *event.Event) { seen++ })
		sync := newBurst(rooms, each, "m.room.message", "a message of quite an ordinary length that is no command")
		measure(b, func() {
			seen = 0
			var response mautrix.RespSync
			if err := json.NewDecoder(sync.next()).Decode(&response); err != nil {
				b.Fatal(err)
			}
			if err := syncer.ProcessResponse(b.Context(), &response, "s0"); err != nil || seen != events {
				b.Fatal(seen, err)
			}
		})
	})
	b.Run("bare", func(b *testing.B) {
		sync := newBurst(rooms, each, "m.room.message", "a message of quite an ordinary length that is no command")
		measure(b, func() {
			var response bareSync
			if err := json.NewDecoder(sync.next()).Decode(&response); err != nil || len(response.Rooms.Join) != rooms {
				b.Fatal(err)
			}
		})
	})
}

// bareSync is the least that a program needs to know of a sync response, for encoding/json.
type bareSync struct {
	NextBatch string `json:"next_batch"`
	Rooms     struct {
		Join map[string]struct {
			State    bareEvents `json:"state"`
			Timeline bareEvents `json:"timeline"`
		} `json:"join"`
	} `json:"rooms"`
}

type bareEvents struct {
	Events    []bareEvent `json:"events"`
	Limited   bool        `json:"limited"`
	PrevBatch string      `json:"prev_batch"`
}

type bareEvent struct {
	ID        string          `json:"event_id"`
	Type      string          `json:"type"`
	Sender    string          `json:"sender"`
	StateKey  *string         `json:"state_key"`
	Timestamp int64           `json:"origin_server_ts"`
	Content   json.RawMessage `json:"content"`
}

func benchRoom(n int) id.RoomID { return id.RoomID(fmt.Sprintf("!room%d:example.org", n)) }
