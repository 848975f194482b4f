package syncjson_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/syncjson"
)

// recorder writes down what a decoder hands over, a line for each thing.
type recorder struct {
	lines []string
	skips []syncjson.Skip
	fail  error // returned for each room
}

var _ syncjson.Handler = (*recorder)(nil)

func (r *recorder) Room(room *syncjson.Room) error {
	r.add("room %s %s limited=%t prev=%q heroes=%q joined=%d invited=%d unread=%d/%d", room.Section, room.ID,
		room.Limited, room.PrevBatch, room.Summary.Heroes, room.Summary.Joined, room.Summary.Invited,
		room.Notifications, room.Highlights)
	for _, part := range []struct {
		name   string
		events []syncjson.View
	}{
		{"state", room.State}, {"timeline", room.Timeline},
		{"ephemeral", room.Ephemeral}, {"account", room.AccountData},
	} {
		for i := range part.events {
			r.event(part.name, &part.events[i])
		}
	}
	return r.fail
}

func (r *recorder) Event(kind syncjson.Kind, e *syncjson.View) error {
	r.event(kind.String(), e)
	return nil
}

func (r *recorder) Skipped(s syncjson.Skip) { r.skips = append(r.skips, s) }

func (r *recorder) add(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) event(where string, e *syncjson.View) {
	r.add("%s %s %s %s key=%t:%q ts=%d redacts=%q %s", where, e.ID, e.Type, e.Sender, e.HasStateKey, e.StateKey,
		e.Timestamp, e.Redacts, e.Content)
}

// event returns a message event with a small id.
func message(n int) string {
	return fmt.Sprintf(`{"event_id":"$%d","type":"m.room.message","sender":"@a:x","origin_server_ts":%d,`+
		`"content":{"body":"%d"}}`, n, n, n)
}

func decode(t *testing.T, response string) (*recorder, syncjson.Result) {
	t.Helper()
	rec := new(recorder)
	var d syncjson.Decoder
	result, err := d.Decode(strings.NewReader(response), rec)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return rec, result
}

func TestDecodeKeyOrder(t *testing.T) {
	state := `{"event_id":"$s","type":"m.room.name","sender":"@a:x","origin_server_ts":1,"state_key":"","content":{}}`
	want := []string{
		`room join !r:x limited=true prev="p" heroes=["@h:x"] joined=2 invited=-1 unread=3/-1`,
		`state $s m.room.name @a:x key=true:"" ts=1 redacts="" {}`,
		`timeline $1 m.room.message @a:x key=false:"" ts=1 redacts="" {"body":"1"}`,
		`timeline $2 m.room.message @a:x key=false:"" ts=2 redacts="" {"body":"2"}`,
	}
	summary := `"summary":{"m.heroes":["@h:x"],"m.joined_member_count":2},"unread_notifications":{"notification_count":3}`
	timeline := `"timeline":{"prev_batch":"p","events":[` + message(1) + `,` + message(2) + `],"limited":true}`
	for _, response := range []string{
		`{"next_batch":"n","rooms":{"join":{"!r:x":{"state":{"events":[` + state + `]},` + timeline + `,` + summary + `}}}}`,
		`{"rooms":{"join":{"!r:x":{` + summary + `,` + timeline + `,"state":{"events":[` + state + `]}}}},"next_batch":"n"}`,
	} {
		rec, result := decode(t, response)
		if got := strings.Join(rec.lines, "\n"); got != strings.Join(want, "\n") || len(rec.skips) > 0 {
			t.Errorf("got\n%s\n%v, want\n%s", got, rec.skips, strings.Join(want, "\n"))
		}
		if result.NextBatch != "n" || result.Rooms != 1 || result.Events != 3 {
			t.Errorf("result is %+v", result)
		}
	}
}
