package syncjson_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/niobot/niobot/internal/syncjson"
)

const plainRoom = ` limited=false prev="" heroes=[] joined=-1 invited=-1 unread=-1/-1`

func TestRooms(t *testing.T) {
	stripped := `{"type":"m.room.member","sender":"@a:x","state_key":"@b:x","content":{"membership":"invite"}}`
	tests := []struct {
		name, rooms string
		want        []string
		skips       []syncjson.Skip
	}{
		{
			"invite", `{"invite":{"!r:x":{"invite_state":{"events":[` + stripped + `]}}}}`,
			[]string{
				"room invite !r:x" + plainRoom,
				`state  m.room.member @a:x key=true:"@b:x" ts=0 redacts="" {"membership":"invite"}`,
			}, nil,
		},
		{
			"knock", `{"knock":{"!r:x":{"knock_state":{"events":[` + stripped + `]}}}}`,
			[]string{
				"room knock !r:x" + plainRoom,
				`state  m.room.member @a:x key=true:"@b:x" ts=0 redacts="" {"membership":"invite"}`,
			}, nil,
		},
		{
			"stripped state has to have a key",
			`{"invite":{"!r:x":{"invite_state":{"events":[{"type":"t","sender":"@a:x","content":{}}]}}}}`,
			[]string{"room invite !r:x" + plainRoom},
			[]syncjson.Skip{{Reason: syncjson.BadField, Kind: syncjson.KindStripped, Section: syncjson.Invite, RoomID: "!r:x", Field: "state_key"}},
		},
		{
			"state has to have a key", `{"join":{"!r:x":{"state":{"events":[` + message(1) + `]}}}}`,
			[]string{"room join !r:x" + plainRoom},
			[]syncjson.Skip{{Reason: syncjson.BadField, Kind: syncjson.KindState, Section: syncjson.Join, RoomID: "!r:x", EventID: "$1", Field: "state_key"}},
		},
		{
			"events of another section's kind are not taken", `{"join":{"!r:x":{"invite_state":{"events":[` + stripped + `]}}}}`,
			[]string{"room join !r:x" + plainRoom}, nil,
		},
		{
			"receipts and account data",
			`{"join":{"!r:x":{"ephemeral":{"events":[{"type":"m.typing","content":{"user_ids":[]}}]},"account_data":{"events":[{"type":"m.tag","content":{}}]}}}}`,
			[]string{
				"room join !r:x" + plainRoom,
				`ephemeral  m.typing  key=false:"" ts=0 redacts="" {"user_ids":[]}`,
				`account  m.tag  key=false:"" ts=0 redacts="" {}`,
			}, nil,
		},
		{
			"null counts as absent (nio-bot 13)",
			`{"join":{"!r:x":{"summary":null,"timeline":null,"state":{"events":null},"unread_notifications":null,"ephemeral":null}},"leave":null}`,
			[]string{"room join !r:x" + plainRoom}, nil,
		},
		{
			"parts of a wrong type",
			`{"join":{"!r:x":{"summary":[],"timeline":{"limited":1,"prev_batch":2,"events":{}},"unread_notifications":{"highlight_count":"3"}}}}`,
			[]string{"room join !r:x" + plainRoom},
			[]syncjson.Skip{
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!r:x", Field: "summary"},
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!r:x", Field: "limited"},
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!r:x", Field: "prev_batch"},
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!r:x", Field: "events"},
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!r:x", Field: "highlight_count"},
			},
		},
		{
			"rooms that are none", `{"join":{"!a:x":null,"b:x":{},"!c:x":[],"!` + strings.Repeat(long, 4) + `":{},"!d:x":{}}}`,
			[]string{"room join !d:x" + plainRoom},
			[]syncjson.Skip{
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!a:x"},
				{Reason: syncjson.BadID, Section: syncjson.Join},
				{Reason: syncjson.BadType, Section: syncjson.Join, RoomID: "!c:x"},
				{Reason: syncjson.BadID, Section: syncjson.Join},
			},
		},
		{
			"the last of two keys",
			`{"join":{"!r:x":{"timeline":{"limited":true,"prev_batch":"p","events":[` + message(1) + `],"events":[` + message(2) + `]},` +
				`"timeline":{"events":[` + message(3) + `],"events":[` + message(4) + `]},"summary":{"m.joined_member_count":1},"summary":{}}}}`,
			[]string{
				"room join !r:x" + plainRoom,
				`timeline $4 m.room.message @a:x key=false:"" ts=4 redacts="" {"body":"4"}`,
			}, nil,
		},
		{
			"heroes that are none", `{"join":{"!r:x":{"summary":{"m.heroes":[null,"@a:x",5,"b",{"c":"@d"},"@\u0065:x"]}}}}`,
			[]string{`room join !r:x limited=false prev="" heroes=["@a:x" "@e:x"] joined=-1 invited=-1 unread=-1/-1`}, nil,
		},
		{"rooms of a wrong type", `[]`, nil, []syncjson.Skip{{Reason: syncjson.BadType, Field: "rooms"}}},
		{"a section of a wrong type", `{"join":[],"unheard_of":5}`, nil, []syncjson.Skip{{Reason: syncjson.BadType, Field: "join"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, _ := decode(t, `{"next_batch":"n","rooms":`+tt.rooms+`}`)
			if !slices.Equal(rec.lines, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(rec.lines, "\n"), strings.Join(tt.want, "\n"))
			}
			for i := range tt.skips {
				tt.skips[i].Count = 1
			}
			if !slices.Equal(rec.skips, tt.skips) {
				t.Errorf("skips are\n%+v\nwant\n%+v", rec.skips, tt.skips)
			}
		})
	}
}

func TestEventsOutsideRooms(t *testing.T) {
	rec, result := decode(t, `{
		"device_lists": {"changed": ["@a:x"]},
		"device_one_time_keys_count": {"signed_curve25519": 50},
		"device_unused_fallback_key_types": ["signed_curve25519"],
		"to_device": {"events": [
			{"type": "m.room_key", "sender": "@a:x", "content": {"k": 1}},
			{"type": "m.room_key", "content": {}}
		]},
		"account_data": {"events": [{"type": "m.direct", "content": {"@a:x": ["!r:x"]}}, 5]},
		"presence": {"events": [{"type": "m.presence", "sender": "@a:x", "content": {"presence": "online"}}]},
		"org.example.unknown": [[{}]],
		"next_batch": "n"
	}`)
	want := []string{
		`to_device  m.room_key @a:x key=false:"" ts=0 redacts="" {"k": 1}`,
		`account_data  m.direct  key=false:"" ts=0 redacts="" {"@a:x": ["!r:x"]}`,
		`presence  m.presence @a:x key=false:"" ts=0 redacts="" {"presence": "online"}`,
	}
	if !slices.Equal(rec.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(rec.lines, "\n"), strings.Join(want, "\n"))
	}
	skips := []syncjson.Skip{
		{Reason: syncjson.BadField, Kind: syncjson.KindToDevice, Field: "sender", Count: 1},
		{Reason: syncjson.BadType, Kind: syncjson.KindAccountData, Count: 1},
	}
	if !slices.Equal(rec.skips, skips) {
		t.Errorf("skips are %+v, want %+v", rec.skips, skips)
	}
	if got := string(result.DeviceLists); got != `{"changed": ["@a:x"]}` {
		t.Errorf("device lists are %s", got)
	}
	if got := string(result.OneTimeKeyCounts); got != `{"signed_curve25519": 50}` {
		t.Errorf("one-time key counts are %s", got)
	}
	if got := string(result.FallbackKeyTypes); got != `["signed_curve25519"]` {
		t.Errorf("fallback key types are %s", got)
	}
}
