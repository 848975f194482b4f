package syncjson_test

import (
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/syncjson"
)

const long = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" // 64 bytes

// TestBadEventCostsOnlyItself puts one event between two good ones. A fault in one event must not end the sync
// (nio-bot 21).
func TestBadEventCostsOnlyItself(t *testing.T) {
	const id, kind, sender, ts, content = `"event_id":"$e"`, `"type":"t"`, `"sender":"@a:x"`, `"origin_server_ts":1`,
		`"content":{}`
	event := func(members ...string) string { return "{" + strings.Join(members, ",") + "}" }
	tests := []struct {
		name, event string
		reason      syncjson.Reason
		field       string
	}{
		{"null", `null`, syncjson.BadType, ""},
		{"number", `17`, syncjson.BadType, ""},
		{"string", `"{}"`, syncjson.BadType, ""},
		{"array", `[{"type":"t"}]`, syncjson.BadType, ""},
		{"empty", `{}`, syncjson.BadField, "event_id"},
		{"no type", event(id, sender, ts, content), syncjson.BadField, "type"},
		{"empty type", event(id, `"type":""`, sender, ts, content), syncjson.BadField, "type"},
		{"null type", event(id, `"type":null`, sender, ts, content), syncjson.BadField, "type"},
		{"numeric type", event(id, `"type":5`, sender, ts, content), syncjson.BadField, "type"},
		{"no sender", event(id, kind, ts, content), syncjson.BadField, "sender"},
		{"sender without sigil", event(id, kind, `"sender":"a:x"`, ts, content), syncjson.BadID, "sender"},
		{"long sender", event(id, kind, `"sender":"@`+strings.Repeat(long, 4)+`"`, ts, content), syncjson.BadID, "sender"},
		{"id without sigil", event(`"event_id":"e"`, kind, sender, ts, content), syncjson.BadID, "event_id"},
		{"bare sigil", event(`"event_id":"$"`, kind, sender, ts, content), syncjson.BadID, "event_id"},
		{"object as id", event(`"event_id":{}`, kind, sender, ts, content), syncjson.BadField, "event_id"},
		{"no time", event(id, kind, sender, content), syncjson.BadField, "origin_server_ts"},
		{"time as string", event(id, kind, sender, `"origin_server_ts":"1"`, content), syncjson.BadField, "origin_server_ts"},
		{"time with a fraction", event(id, kind, sender, `"origin_server_ts":1.5`, content), syncjson.BadField, "origin_server_ts"},
		{"huge time", event(id, kind, sender, `"origin_server_ts":1e300`, content), syncjson.BadField, "origin_server_ts"},
		{"null content", event(id, kind, sender, ts, `"content":null`), syncjson.BadField, "content"},
		{"content as array", event(id, kind, sender, ts, `"content":[]`), syncjson.BadField, "content"},
		{"numeric state key", event(id, kind, sender, ts, content, `"state_key":1`), syncjson.BadField, "state_key"},
		{"bad redacts", event(id, `"type":"m.room.redaction"`, sender, ts, `"content":{"redacts":"e"}`), syncjson.BadID, "redacts"},
		{"numeric redacts", event(id, `"type":"m.room.redaction"`, sender, ts, content, `"redacts":1`), syncjson.BadField, "redacts"},
		{"too deep", event(id, kind, sender, ts, `"content":{"a":`+strings.Repeat("[", 99)+strings.Repeat("]", 99)+`}`), syncjson.TooDeep, ""},
		{"as deep as 64 KiB allow", event(id, kind, sender, ts, `"content":{"a":`+strings.Repeat("[", 32<<10)+strings.Repeat("]", 32<<10)+`}`), syncjson.TooDeep, ""},
		{"deep objects with strings", event(id, kind, sender, ts, `"content":`+strings.Repeat(`{"]\"}":"{\\","a":`, 5000)+`[1,"[",{}]`+strings.Repeat(`,"b":[[]]}`, 5000)), syncjson.TooDeep, ""},
		{"too large", event(id, kind, sender, ts, `"content":{"a":"`+strings.Repeat(long, syncjson.MaxEventBytes/len(long))+`"}`), syncjson.TooLarge, ""},
		{"far too large", event(id, kind, sender, ts, `"content":{"a":["`+strings.Repeat(long+`","`, 3*syncjson.MaxEventBytes/len(long))+`"]}`), syncjson.TooLarge, ""},
		{"the last of two keys", event(id, kind, sender, ts, content, `"sender":1`), syncjson.BadField, "sender"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, result := decode(t, `{"next_batch":"n","rooms":{"join":{"!r:x":{"timeline":{"events":[`+
				message(1)+","+tt.event+" , "+message(2)+`]}}}}}`)
			if len(rec.lines) != 3 || !strings.HasPrefix(rec.lines[1], "timeline $1 ") ||
				!strings.HasPrefix(rec.lines[2], "timeline $2 ") {
				t.Fatalf("got\n%s", strings.Join(rec.lines, "\n"))
			}
			if len(rec.skips) != 1 || result.Skipped != 1 || result.Events != 2 {
				t.Fatalf("%d skips, result is %+v", len(rec.skips), result)
			}
			want := syncjson.Skip{
				Reason: tt.reason, Kind: syncjson.KindTimeline, Section: syncjson.Join, RoomID: "!r:x",
				Field: tt.field, Count: 1, EventID: rec.skips[0].EventID,
			}
			if rec.skips[0] != want {
				t.Errorf("skip is %+v, want %+v", rec.skips[0], want)
			}
			parsed := tt.reason != syncjson.BadType && tt.reason != syncjson.TooLarge
			if good := parsed && strings.Contains(tt.event, id); (rec.skips[0].EventID == "$e") != good {
				t.Errorf("event id is %q", rec.skips[0].EventID)
			}
		})
	}
}

func TestGoodEvents(t *testing.T) {
	tests := []struct{ name, event, want string }{
		{
			"escapes in keys and values",
			`{"event_id":"$\u0065","t\u0079pe":"a\/b","sender":"@\ud83d\ude00:x","origin_server_ts":1,"content":{"\u0061":1}}`,
			`$e a/b @😀:x key=false:"" ts=1 redacts="" {"\u0061":1}`,
		},
		{
			"the last of two keys",
			`{"event_id":7,"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":[],"content":{"b":2}}`,
			`$e t @a:x key=false:"" ts=1 redacts="" {"b":2}`,
		},
		{
			"null where something may be absent",
			`{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":{},"state_key":null,"redacts":null,"unsigned":null}`,
			`$e t @a:x key=false:"" ts=1 redacts="" {}`,
		},
		{
			"unsigned of a wrong type",
			`{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":{},"unsigned":7}`,
			`$e t @a:x key=false:"" ts=1 redacts="" {}`,
		},
		{
			"time as a float that is whole",
			`{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1.76e12,"content":{}}`,
			`$e t @a:x key=false:"" ts=1760000000000 redacts="" {}`,
		},
		{
			"redaction before room version 11",
			`{"redacts":"$x","event_id":"$e","type":"m.room.redaction","sender":"@a:x","origin_server_ts":1,"content":{"redacts":"$forged"}}`,
			`$e m.room.redaction @a:x key=false:"" ts=1 redacts="$x" {"redacts":"$forged"}`,
		},
		{
			"redaction from room version 11",
			`{"event_id":"$e","content":{"redacts":"$x"},"type":"m.room.redaction","sender":"@a:x","origin_server_ts":1}`,
			`$e m.room.redaction @a:x key=false:"" ts=1 redacts="$x" {"redacts":"$x"}`,
		},
		{
			"redacts where nothing is redacted",
			`{"event_id":"$e","redacts":17,"type":"t","sender":"@a:x","origin_server_ts":1,"content":{"redacts":"$x"}}`,
			`$e t @a:x key=false:"" ts=1 redacts="" {"redacts":"$x"}`,
		},
		{
			"no UTF-8",
			`{"event_id":"$e","type":"t` + "\xff" + `","sender":"@a:x","origin_server_ts":1,"content":{"b":"` + "\xc3\x28" + `"}}`,
			`$e t` + "\ufffd" + ` @a:x key=false:"" ts=1 redacts="" {"b":"` + "\ufffd" + `("}`,
		},
		{
			"a state key that is empty",
			`{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":{},"state_key":""}`,
			`$e t @a:x key=true:"" ts=1 redacts="" {}`,
		},
		{
			"as deep as may be",
			`{"event_id":"$e","type":"t","sender":"@a:x","origin_server_ts":1,"content":{"a":` + strings.Repeat("[", 98) + strings.Repeat("]", 98) + `}}`,
			`$e t @a:x key=false:"" ts=1 redacts="" {"a":` + strings.Repeat("[", 98) + strings.Repeat("]", 98) + `}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, _ := decode(t, `{"next_batch":"n","rooms":{"leave":{"!r:x":{"timeline":{"events":[`+tt.event+`]}}}}}`)
			if len(rec.lines) != 2 || rec.lines[1] != "timeline "+tt.want || len(rec.skips) != 0 {
				t.Errorf("got\n%q\n%+v, want\n%q", rec.lines[1:], rec.skips, "timeline "+tt.want)
			}
		})
	}
}
