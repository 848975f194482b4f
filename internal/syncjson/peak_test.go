package syncjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/niobot/niobot/internal/peak"
	"github.com/niobot/niobot/internal/syncjson"
)

// firstSync is a reader that makes the first sync of an account as it is read: rooms with members and one message each.
type firstSync struct {
	rooms, members int
	next           int
	buf            bytes.Buffer
	onRead         func()
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
		f.buf.WriteString(`{"next_batch":"n","rooms":{"join":{`)
	case f.rooms:
		f.buf.WriteString(`}}}`)
		return
	default:
		f.buf.WriteByte(',')
	}
	fmt.Fprintf(&f.buf, `"!room%d:example.org":{"state":{"events":[`, room)
	for n := range f.members {
		if n > 0 {
			f.buf.WriteByte(',')
		}
		fmt.Fprintf(&f.buf, `{"type":"m.room.member","state_key":"@member%d:example.org","sender":"@member%d:example.org",`+
			`"content":{"membership":"join","displayname":"Member number %d","avatar_url":"mxc://example.org/abcdefghijklmnopqrst%d"},`+
			`"event_id":"$anOrdinaryEventIDWith43Characters%06d%03d","origin_server_ts":1760000000000,"unsigned":{"age":%d}}`,
			n, n, n, n, room, n, n)
	}
	fmt.Fprintf(&f.buf, `]},"timeline":{"events":[%s],"limited":true,"prev_batch":"p%d"}}`, message(room), room)
}

// hoarder keeps all state and messages, as a bot without a database would.
type hoarder struct {
	counter
	kept []syncjson.Kept
}

func (h *hoarder) Room(r *syncjson.Room) error {
	for _, list := range [][]syncjson.View{r.State, r.Timeline} {
		for i := range list {
			h.kept = append(h.kept, list[i].Keep())
		}
	}
	return nil
}

// firstSyncPeaks returns the peaks of the decoder, of the decoder with a handler that keeps all events, and of bare
// structs. Of the last the structs and the text that encoding/json holds count, but not what it needs between reads.
func firstSyncPeaks(tb testing.TB, rooms, members int) (streamed, kept, bare uint64) {
	stream := func(sample func()) io.Reader {
		return &firstSync{rooms: rooms, members: members, onRead: sample}
	}
	decode := func(h syncjson.Handler) func(func()) any {
		return func(sample func()) any {
			d := new(syncjson.Decoder)
			result, err := d.Decode(stream(sample), h)
			if err != nil || result.Rooms != rooms || result.Events != rooms*(members+1) {
				tb.Fatalf("%+v, %v", result, err)
			}
			return []any{d, h}
		}
	}
	streamed = peak.Of(decode(&counter{}))
	kept = peak.Of(decode(&hoarder{}))
	bare = peak.Of(func(sample func()) any {
		d, s := json.NewDecoder(stream(sample)), new(bareSync)
		if err := d.Decode(s); err != nil || len(s.Rooms.Join) != rooms {
			tb.Fatal(len(s.Rooms.Join), err)
		}
		return []any{d, s}
	})
	return streamed, kept, bare
}

func TestFirstSyncPeak(t *testing.T) {
	streamed, kept, bare := firstSyncPeaks(t, 500, 20)
	t.Logf("streamed %d, kept %d, bare %d bytes", streamed, kept, bare)
	// The bound is wide: what the collector has not got to yet counts as well.
	if streamed*4 > bare {
		t.Errorf("the decoder peaks at %d bytes, bare structs at %d", streamed, bare)
	}
	if kept*10 > bare*13 {
		t.Errorf("the decoder and all events kept peak at %d bytes, bare structs at %d", kept, bare)
	}
}

// BenchmarkFirstSync measures the memory at the peak of a first sync of 5,000 rooms with 20 members each, against that
// of bare structs.
func BenchmarkFirstSync(b *testing.B) {
	for b.Loop() {
		streamed, kept, bare := firstSyncPeaks(b, 5000, 20)
		b.ReportMetric(float64(streamed)/float64(bare), "peak-ratio")
		b.ReportMetric(float64(kept)/float64(bare), "kept-peak-ratio")
		b.ReportMetric(float64(streamed)/1e6, "peak-MB")
		b.ReportMetric(float64(bare)/1e6, "bare-MB")
	}
}
