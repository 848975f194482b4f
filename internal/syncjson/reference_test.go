package syncjson_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// reference decodes a sync response with encoding/json only, in the plainest way, and writes down the same as the
// recorder. It knows no limits but that of an event's depth.
type reference struct {
	recorder
	nextBatch string
}

func (r *reference) response(raw []byte) {
	keys, values := members(raw)
	for i, key := range keys {
		switch key {
		case "next_batch":
			r.nextBatch, _ = text(values[i])
		case "account_data":
			r.outside(syncjson.KindAccountData, values[i])
		case "to_device":
			r.outside(syncjson.KindToDevice, values[i])
		case "presence":
			r.outside(syncjson.KindPresence, values[i])
		case "rooms":
			r.rooms(values[i])
		}
	}
}

func (r *reference) outside(kind syncjson.Kind, raw []byte) {
	keys, values := members(raw)
	for i, key := range keys {
		if key == "events" {
			for _, e := range r.events(kind, values[i]) {
				_ = r.Event(kind, &e)
			}
		}
	}
}

func (r *reference) rooms(raw []byte) {
	sections := map[string]syncjson.Section{
		"join": syncjson.Join, "invite": syncjson.Invite, "leave": syncjson.Leave, "knock": syncjson.Knock,
	}
	keys, values := members(raw)
	for i, key := range keys {
		ids, rooms := members(values[i])
		for n, roomID := range ids {
			if sections[key] != 0 && identifier(roomID, "!") && object(rooms[n]) != nil {
				r.room(sections[key], id.RoomID(roomID), object(rooms[n]))
			}
		}
	}
}

func (r *reference) room(section syncjson.Section, roomID id.RoomID, o map[string]json.RawMessage) {
	room := &syncjson.Room{ID: roomID, Section: section}
	part := func(kind syncjson.Kind, name string) []syncjson.View {
		return r.events(kind, object(o[name])["events"])
	}
	switch section {
	case syncjson.Invite:
		room.State = part(syncjson.KindStripped, "invite_state")
	case syncjson.Knock:
		room.State = part(syncjson.KindStripped, "knock_state")
	default:
		room.State = part(syncjson.KindState, "state")
		room.Timeline = part(syncjson.KindTimeline, "timeline")
		timeline := object(o["timeline"])
		room.Limited = string(timeline["limited"]) == "true"
		room.PrevBatch, _ = text(timeline["prev_batch"])
	}
	room.Ephemeral = part(syncjson.KindEphemeral, "ephemeral")
	room.AccountData = part(syncjson.KindRoomAccountData, "account_data")
	count := func(raw []byte) int64 {
		if n, ok := integer(raw); ok {
			return n
		}
		return -1
	}
	summary := object(o["summary"])
	room.Summary.Joined = count(summary["m.joined_member_count"])
	room.Summary.Invited = count(summary["m.invited_member_count"])
	var heroes []json.RawMessage
	_ = json.Unmarshal(summary["m.heroes"], &heroes)
	for _, raw := range heroes[:min(len(heroes), 100)] {
		if hero, ok := text(raw); ok && identifier(hero, "@") {
			room.Summary.Heroes = append(room.Summary.Heroes, id.UserID(hero))
		}
	}
	unread := object(o["unread_notifications"])
	room.Notifications, room.Highlights = count(unread["notification_count"]), count(unread["highlight_count"])
	_ = r.Room(room)
}

func (r *reference) events(kind syncjson.Kind, raw []byte) (events []syncjson.View) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for _, raw := range list {
		if e, ok := oneEvent(kind, raw); ok {
			events = append(events, e)
		}
	}
	return events
}

// oneEvent decodes one event. It reports false for one that has to be skipped.
func oneEvent(kind syncjson.Kind, raw []byte) (e syncjson.View, ok bool) {
	o := object(raw)
	if o == nil || depth(raw) > syncjson.MaxDepth {
		return e, false
	}
	ok = true
	field := func(name string, needed bool, sigil string) (string, bool) {
		s, isText := text(o[name])
		switch {
		case isText && (sigil == "" || identifier(s, sigil)):
			return s, true
		case isText || needed || !isNull(o[name]):
			ok = false
		}
		return "", false
	}
	inRoom := kind == syncjson.KindTimeline || kind == syncjson.KindState
	stateful := kind == syncjson.KindState || kind == syncjson.KindStripped
	sent := inRoom || stateful || kind == syncjson.KindToDevice || kind == syncjson.KindPresence

	eventID, _ := field("event_id", inRoom, "$")
	eventType, _ := field("type", true, "")
	sender, _ := field("sender", sent, "@")
	stateKey, hasKey := field("state_key", stateful, "")
	redacts := ""
	content := object(o["content"])
	if eventType == "m.room.redaction" {
		if isNull(o["redacts"]) {
			o["redacts"] = content["redacts"]
		}
		redacts, _ = field("redacts", false, "$")
	}
	ts, hasTime := integer(o["origin_server_ts"])
	if !hasTime && (inRoom || !isNull(o["origin_server_ts"])) {
		ok = false
	}
	return syncjson.View{
		ID: []byte(eventID), Type: []byte(eventType), Sender: []byte(sender), StateKey: []byte(stateKey),
		Redacts: []byte(redacts), Content: o["content"], Timestamp: ts, HasStateKey: hasKey,
	}, ok && eventType != "" && content != nil
}

func object(raw []byte) (o map[string]json.RawMessage) {
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	return o
}

func text(raw []byte) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

func integer(raw []byte) (int64, bool) {
	var f *float64
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	if json.Unmarshal(raw, &f) != nil || f == nil || *f != math.Trunc(*f) || math.Abs(*f) > 1<<53 {
		return 0, false
	}
	return int64(*f), true
}

func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

func identifier(s, sigil string) bool {
	return len(s) > 1 && len(s) <= 255 && strings.HasPrefix(s, sigil)
}

func depth(raw []byte) (deepest int) {
	open := 0
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a float may not hold it
	for {
		switch token, err := d.Token(); {
		case err != nil:
			return deepest
		case token == json.Delim('{') || token == json.Delim('['):
			open++
			deepest = max(deepest, open)
		case token == json.Delim('}') || token == json.Delim(']'):
			open--
		}
	}
}
