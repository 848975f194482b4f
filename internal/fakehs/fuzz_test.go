package fakehs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// fuzzTargets are endpoints that read a body; ROOM, EVENT and TEXT are filled in, the last from the fuzzer.
var fuzzTargets = []string{
	"POST /_matrix/client/v3/createRoom",
	"POST /_matrix/client/v3/login",
	"POST /_matrix/client/v3/register",
	"POST /_synapse/admin/v1/register",
	"PUT /_matrix/client/v3/rooms/ROOM/send/m.room.message/TEXT",
	"PUT /_matrix/client/v3/rooms/ROOM/send/m.room.redaction/TEXT",
	"PUT /_matrix/client/v3/rooms/ROOM/redact/EVENT/TEXT",
	"PUT /_matrix/client/v3/rooms/ROOM/state/m.room.power_levels",
	"PUT /_matrix/client/v3/rooms/ROOM/state/m.room.member/TEXT",
	"PUT /_matrix/client/v3/rooms/ROOM/state/m.room.canonical_alias",
	"PUT /_matrix/client/v3/rooms/ROOM/state/m.room.join_rules/",
	"PUT /_matrix/client/v3/rooms/ROOM/state/TEXT/TEXT",
	"POST /_matrix/client/v3/rooms/ROOM/invite",
	"POST /_matrix/client/v3/rooms/ROOM/ban",
	"POST /_matrix/client/v3/rooms/ROOM/receipt/m.read/EVENT",
	"POST /_matrix/client/v3/rooms/ROOM/read_markers",
	"POST /_matrix/client/v3/rooms/ROOM/upgrade",
	"PUT /_matrix/client/v3/rooms/ROOM/typing/@alice:localhost",
	"POST /_matrix/client/v3/join/TEXT",
	"POST /_matrix/client/v3/user/@alice:localhost/filter",
	"PUT /_matrix/client/v3/user/@alice:localhost/account_data/TEXT",
	"PUT /_matrix/client/v3/user/@alice:localhost/rooms/ROOM/tags/TEXT",
	"PUT /_matrix/client/v3/profile/@alice:localhost/displayname",
	"PUT /_matrix/client/v3/presence/@alice:localhost/status",
	"PUT /_matrix/client/v3/directory/room/TEXT",
	"PUT /_matrix/client/v3/sendToDevice/m.x/TEXT",
	"POST /_matrix/client/v3/keys/upload",
	"POST /_matrix/client/v3/keys/query",
	"POST /_matrix/client/v3/keys/claim",
	"POST /_matrix/client/v3/keys/device_signing/upload",
	"POST /_matrix/client/v3/keys/signatures/upload",
	"POST /_matrix/client/v3/room_keys/version",
	"PUT /_matrix/client/v3/room_keys/keys?version=1",
	"PUT /_matrix/client/v3/devices/TEXT",
	"DELETE /_matrix/client/v3/devices/TEXT",
	"POST /_matrix/client/v3/publicRooms",
	"GET /_matrix/client/v3/sync?timeout=0&filter=TEXT",
	"GET /_matrix/client/v3/sync?timeout=0&since=TEXT",
	"GET /_matrix/client/v3/rooms/ROOM/messages?dir=b&from=TEXT",
	"GET /_matrix/client/v3/rooms/ROOM/messages?dir=f&limit=TEXT",
	"GET /_matrix/client/v1/rooms/ROOM/relations/EVENT/TEXT",
	"GET /_matrix/client/v3/TEXT",
	"TEXT /_matrix/client/v3/sync",
}

// FuzzRequests sends foreign bodies, paths and queries to every kind of endpoint. Whatever comes, the server must
// not panic, must answer in JSON, must give errors a code, and must sync as before.
func FuzzRequests(f *testing.F) {
	bodies := []string{
		``, `{}`, `null`, `[]`, `{"membership":7}`, `{"users":{"@x:y":1e400}}`, `{"users":{"nobody":1}}`, `{"users":null}`,
		`{"m.relates_to":{"rel_type":"m.replace","event_id":"$x"}}`, `{"m.relates_to":[]}`, `{"redacts":{}}`,
		`{"auth":{"type":"m.login.dummy"}}`, `{"auth":7}`, `{"displayname":{"a":1}}`, `{"membership":"ban"}`,
		`{"device_keys":null}`, `{"messages":{"@alice:localhost":{"*":null}}}`, `{"initial_state":[{}]}`,
		`{"initial_state":[{"type":"m.room.member","state_key":"@alice:localhost","content":{"membership":"leave"}}]}`,
		`{"creation_content":{"additional_creators":7},"room_version":"12"}`, `{"power_level_content_override":{"users":7}}`,
		`{"alias":"","alt_aliases":[""]}`, `{"@alice:localhost":{"":null}}`, `{"master_key":7}`, "{\"a\":\"\xff\"}", `{"a":`,
		`{"rooms":{"!r":{"sessions":{"s":null}}}}`, `{"room":{"timeline":{"limit":-1}}}`, `{"new_version":"12"}`,
	}
	for i := range fuzzTargets {
		for _, body := range bodies[:3] {
			f.Add(i, "x", body)
		}
	}
	for i, body := range bodies {
		f.Add(i, "#a:localhost", body)
		f.Add(7, "m.room.member", body)
		f.Add(0, "@alice:localhost", body)
	}
	f.Fuzz(func(t *testing.T, target int, text, body string) {
		hs := fakehs.New(fakehs.Options{RegistrationSecret: "s"})
		defer hs.Close()
		alice := must(hs.Register("alice", "pw"))(t)
		session := must(hs.LogIn(alice, "DEV"))(t)
		room := must(hs.NewRoom(alice, "public_chat"))(t)
		evt := must(hs.SendText(alice, room, "x"))(t)

		method, path := fill(fuzzTargets[uint(target)%uint(len(fuzzTargets))], room, evt, text)
		req, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if err != nil {
			t.Skip("no HTTP client can send this")
		}
		req.Header.Set("Authorization", "Bearer "+session.Token)
		rec := httptest.NewRecorder()
		hs.ServeHTTP(rec, req)
		reply := rec.Body.Bytes()
		if !json.Valid(reply) && method != http.MethodOptions {
			t.Fatalf("%s %s: %d with %q", method, path, rec.Code, reply)
		}
		if rec.Code >= 500 || rec.Code >= 400 && rec.Code != 401 && errCode(string(reply)) == "" {
			t.Fatalf("%s %s: %d %s", method, path, rec.Code, reply)
		}

		status, synced := do(t, hs, session.Token, "GET", "/_matrix/client/v3/sync?full_state=true", "")
		if status != 200 && status != 401 || !json.Valid([]byte(synced)) || !utf8.ValidString(synced) {
			t.Fatalf("afterwards sync gives %d %s", status, synced)
		}
		for _, evt := range hs.Timeline(room) {
			if evt.ID == "" {
				t.Fatalf("the room holds %v", evt)
			}
		}
	})
}

func fill(target string, room id.RoomID, evt id.EventID, text string) (method, path string) {
	method, path, _ = strings.Cut(target, " ")
	if method == "TEXT" {
		method = text
	}
	path, query, hasQuery := strings.Cut(path, "?")
	path = strings.NewReplacer("ROOM", room.String(), "EVENT", evt.String(), "TEXT", url.PathEscape(text)).Replace(path)
	if hasQuery {
		path += "?" + strings.ReplaceAll(query, "TEXT", url.QueryEscape(text))
	}
	return method, "http://localhost" + path
}

// FuzzFilterTypes compares the wildcards of filters with a plain search by parts.
func FuzzFilterTypes(f *testing.F) {
	f.Add("m.*", "m.room.message")
	f.Add("*.message", "m.room.message")
	f.Add("m*r*e", "m.room.message")
	f.Add("", "")
	f.Add("**", "x")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if strings.Count(pattern, "*") > 6 || len(text) > 200 || text == "" || text == "." || text == ".." ||
			!utf8.ValidString(pattern) || !utf8.ValidString(text) {
			t.Skip()
		}
		hs := fakehs.New(fakehs.Options{})
		defer hs.Close()
		alice := must(hs.Register("alice", ""))(t)
		session := must(hs.LogIn(alice, ""))(t)
		room := must(hs.NewRoom(alice, "public_chat"))(t)
		status, _ := do(t, hs, session.Token, "PUT", client+"/rooms/"+room.String()+"/send/"+url.PathEscape(text)+"/t", "{}")
		if status != 200 {
			t.Skip("not a type that can be sent")
		}
		filter, _ := json.Marshal(map[string]any{"types": []string{pattern}})
		_, body := do(t, hs, session.Token, "GET", client+"/rooms/"+room.String()+"/messages?dir=b&limit=1000&filter="+
			url.QueryEscape(string(filter)), "")
		var page struct {
			Chunk []struct {
				Type string `json:"type"`
			} `json:"chunk"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		got := false
		for _, evt := range page.Chunk {
			got = got || evt.Type == text
		}
		if want := fits(pattern, text); got != want {
			t.Errorf("pattern %q lets type %q through: %t, want %t", pattern, text, got, want)
		}
	})
}

func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}
