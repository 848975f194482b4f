package niobot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/peak"
	"github.com/niobot/niobot/internal/syncjson"
)

// firstSync is the first sync of an account, made as it is read: rooms with their usual state, members who are each in
// one room, and the latest message.
type firstSync struct {
	rooms, members int
	onRead         func()
	next           int
	buf            bytes.Buffer
}

func (f *firstSync) Read(p []byte) (int, error) {
	f.onRead()
	for f.buf.Len() == 0 && f.next <= f.rooms {
		f.write(f.next)
		f.next++
	}
	return f.buf.Read(p)
}

func (f *firstSync) write(room int) {
	switch room {
	case 0:
		f.buf.WriteString(`{"next_batch":"s1","rooms":{"join":{`)
	case f.rooms:
		f.buf.WriteString(`}}}`)
		return
	default:
		f.buf.WriteByte(',')
	}
	fmt.Fprintf(&f.buf, `%q:{"state":{"events":[`, benchRoom(room))
	for i, state := range []string{
		`"type":"m.room.create","content":{"room_version":"11"}`,
		`"type":"m.room.power_levels","content":{"users":{"@m0rROOM:example.org":100},"invite":50,"redact":50}`,
		`"type":"m.room.join_rules","content":{"join_rule":"invite"}`,
		`"type":"m.room.history_visibility","content":{"history_visibility":"shared"}`,
		`"type":"m.room.name","content":{"name":"Room ROOM"}`,
	} {
		f.buf.WriteString(`{` + strings.ReplaceAll(state, "ROOM", strconv.Itoa(room)))
		fmt.Fprintf(&f.buf, `,"state_key":"","sender":"@m0r%d:example.org","event_id":"$anOrdinaryStateEventID%015d%05d",`+
			`"origin_server_ts":1760000000000,"unsigned":{"age":77}},`, room, room, i)
	}
	for n := range f.members {
		if n > 0 {
			f.buf.WriteByte(',')
		}
		fmt.Fprintf(&f.buf, `{"type":"m.room.member","state_key":"@m%[1]dr%[2]d:example.org","sender":"@m%[1]dr%[2]d:example.org",`+
			`"content":{"membership":"join","displayname":"Member %[1]d of %[2]d","avatar_url":"mxc://example.org/abcdefghijklm%05[1]d%05[2]d"},`+
			`"event_id":"$anOrdinaryMemberEventID%015[2]d%04[1]d","origin_server_ts":1760000000000,"unsigned":{"age":77}}`, n, room)
	}
	fmt.Fprintf(&f.buf, `]},"timeline":{"events":[{"type":"m.room.message","sender":"@m0r%[1]d:example.org",`+
		`"content":{"msgtype":"m.text","body":"the latest message"},"event_id":"$anOrdinaryMessageEventID%019[1]d",`+
		`"origin_server_ts":1760000000000}],"limited":true,"prev_batch":"p"}}`, room)
}

// firstSyncPeaks are the peaks of a bot that takes a first sync in, and of decoding it into bare structs.
func firstSyncPeaks(tb testing.TB, rooms, members int) (bot, bare uint64) {
	stream := func(sample func()) io.Reader { return &firstSync{rooms: rooms, members: members, onRead: sample} }
	b := offlineBot(tb, 0)
	bot = peak.Of(func(sample func()) any {
		in := &intake{bot: b}
		if _, err := new(syncjson.Decoder).Decode(stream(sample), in); err != nil {
			tb.Fatal(err)
		}
		if err := in.finish(""); err != nil {
			tb.Fatal(err)
		}
		return b
	})
	if got := len(b.Rooms()); got != rooms {
		tb.Fatalf("got %d rooms, want %d", got, rooms)
	}
	room, _ := b.Room(benchRoom(rooms - 1))
	if got := len(room.Members()); got != members || room.text(event.StateRoomName, "name") == "" {
		tb.Fatalf("got %d members and the name %q", got, room.Name(""))
	}
	bare = peak.Of(func(sample func()) any {
		decoder, response := json.NewDecoder(stream(sample)), new(bareSync)
		if err := decoder.Decode(response); err != nil || len(response.Rooms.Join) != rooms {
			tb.Fatal(len(response.Rooms.Join), err)
		}
		return []any{decoder, response}
	})
	return bot, bare
}

func TestFirstSyncNeedsNoMoreMemoryThanBareStructs(t *testing.T) {
	bot, bare := firstSyncPeaks(t, 500, 20)
	t.Logf("bot %d bytes, bare structs %d bytes, ratio %.2f", bot, bare, float64(bot)/float64(bare))
	if bot*10 > bare*13 {
		t.Errorf("the bot peaks at %d bytes, bare structs at %d", bot, bare)
	}
}

// BenchmarkFirstSync measures the memory at the peak of a first sync of 5,000 rooms with 20 members each, against that
// of decoding it into bare structs.
func BenchmarkFirstSync(b *testing.B) {
	for b.Loop() {
		bot, bare := firstSyncPeaks(b, 5000, 20)
		b.ReportMetric(float64(bot)/float64(bare), "peak-ratio")
		b.ReportMetric(float64(bot)/1e6, "bot-MB")
		b.ReportMetric(float64(bare)/1e6, "bare-MB")
	}
}
