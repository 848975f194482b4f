package syncjson_test

import (
	"fmt"
	"strings"

	"github.com/niobot/niobot/internal/syncjson"
)

// printer prints the messages of a sync.
type printer struct{}

func (printer) Room(r *syncjson.Room) error {
	for i := range r.Timeline {
		e := &r.Timeline[i]
		fmt.Printf("%s in %s: %s\n", e.Sender, r.ID, syncjson.GetString(e.Content, "body"))
	}
	return nil
}

func (printer) Event(kind syncjson.Kind, e *syncjson.View) error {
	fmt.Printf("%s: %s\n", kind, e.Type)
	return nil
}

func (printer) Skipped(s syncjson.Skip) {
	fmt.Printf("skipped in %s of %s: %s: %s\n", s.Kind, s.RoomID, s.Reason, s.Field)
}

func ExampleDecoder() {
	const response = `{"next_batch": "s72595", "rooms": {"join": {"!den:example.org": {"timeline": {"events": [
		{"event_id": "$1", "type": "m.room.message", "sender": "@ann:example.org", "origin_server_ts": 1760000000000,
		 "content": {"msgtype": "m.text", "body": "caf\u00e9?"}},
		{"event_id": "$2", "type": "m.room.message", "origin_server_ts": 1760000000001, "content": {}}
	]}}}}, "account_data": {"events": [{"type": "m.push_rules", "content": {}}]}}`

	var d syncjson.Decoder
	result, err := d.Decode(strings.NewReader(response), printer{})
	fmt.Println(result.NextBatch, result.Events, result.Skipped, err)
	// Output:
	// skipped in timeline of !den:example.org: field missing or of wrong type: sender
	// @ann:example.org in !den:example.org: café?
	// account_data: m.push_rules
	// s72595 2 1 <nil>
}

func ExampleParse() {
	e, ok := syncjson.Parse(`{"type": "m.room.name", "state_key": "", "content": {"name": "Den"}, "unsigned": {"age": 12}}`)
	age, _ := e.Age()
	fmt.Println(ok, e.Type, e.HasStateKey, e.Content, age)
	// Output: true m.room.name true {"name": "Den"} 12
}

func ExampleGet() {
	content := `{"body": "yes", "m.relates_to": {"m.in_reply_to": {"event_id": "$1"}}}`
	fmt.Println(syncjson.Get(content, "m.relates_to"))
	fmt.Println(syncjson.GetString(content, "m.relates_to", "m.in_reply_to", "event_id"))
	// Output:
	// {"m.in_reply_to": {"event_id": "$1"}}
	// $1
}

func ExampleFields() {
	content := `{"body": "hello", "m.mentions": {"user_ids": ["@bot:example.org"]}}`
	for key, value := range syncjson.Fields(content) {
		fmt.Println(key, "is", value)
	}
	for user := range syncjson.Elements(syncjson.Get(content, "m.mentions", "user_ids")) {
		name, _ := syncjson.String(user)
		fmt.Println(name)
	}
	// Output:
	// body is "hello"
	// m.mentions is {"user_ids": ["@bot:example.org"]}
	// @bot:example.org
}
