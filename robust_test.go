package niobot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/fakehs"
)

// brackets nests n arrays.
func brackets(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// malformed are events as no server should send them: what stands before the content, and the content.
func malformed() map[string]string {
	const head = `"type":"m.room.message","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1`
	text := func(fields string) string {
		return `{` + head + `,"content":{"msgtype":"m.text","body":"!echo odd"` + fields + `}}`
	}
	return map[string]string{
		"null":                       `null`,
		"number":                     `7`,
		"text":                       `"event"`,
		"array":                      `[]`,
		"empty":                      `{}`,
		"no type":                    `{"event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"type a number":              `{"type":7,"event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"no id":                      `{"type":"m.room.message","sender":"@alice:localhost","origin_server_ts":1,"content":{"body":"!ping"}}`,
		"id that is none":            `{"type":"m.room.message","event_id":"odd","sender":"@alice:localhost","origin_server_ts":1,"content":{"body":"!ping"}}`,
		"sender that is none":        `{"type":"m.room.message","event_id":"$odd","sender":"alice","origin_server_ts":1,"content":{"body":"!ping"}}`,
		"sender null":                `{"type":"m.room.message","event_id":"$odd","sender":null,"origin_server_ts":1,"content":{"body":"!ping"}}`,
		"time a text":                `{"type":"m.room.message","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":"now","content":{}}`,
		"content null":               `{` + head + `,"content":null}`,
		"content a text":             `{` + head + `,"content":"!ping"}`,
		"content an array":           `{` + head + `,"content":[]}`,
		"content empty":              `{` + head + `,"content":{}}`,
		"body a number":              `{` + head + `,"content":{"msgtype":"m.text","body":7}}`,
		"body null":                  `{` + head + `,"content":{"msgtype":"m.text","body":null}}`,
		"body empty":                 `{` + head + `,"content":{"msgtype":"m.text","body":""}}`,
		"body white":                 `{` + head + `,"content":{"msgtype":"m.text","body":" \n\t "}}`,
		"msgtype a number":           `{` + head + `,"content":{"msgtype":7,"body":"!ping"}}`,
		"only a prefix":              `{` + head + `,"content":{"msgtype":"m.text","body":"!"}}`,
		"prefixes":                   `{` + head + `,"content":{"msgtype":"m.text","body":"` + strings.Repeat("!", 30000) + `"}}`,
		"huge name":                  `{` + head + `,"content":{"msgtype":"m.text","body":"!` + strings.Repeat("x", 60000) + `"}}`,
		"invalid escapes":            `{` + head + `,"content":{"msgtype":"m.text","body":"!\ud800\udc00 \ud800"}}`,
		"deep content":               `{` + head + `,"content":{"msgtype":"m.text","body":"!ping","deep":` + brackets(5000) + `}}`,
		"very deep content":          `{` + head + `,"content":{"msgtype":"m.text","body":"!ping","deep":` + brackets(9000) + `}}`,
		"too large":                  `{` + head + `,"content":{"msgtype":"m.text","body":"!echo ` + strings.Repeat("x", 2<<20) + `"}}`,
		"state key a number":         `{` + head + `,"state_key":7,"content":{"msgtype":"m.text","body":"!ping"}}`,
		"message as state":           `{` + head + `,"state_key":"","content":{"msgtype":"m.text","body":"!ping"}}`,
		"redaction of nothing":       `{"type":"m.room.redaction","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"redaction of a number":      `{"type":"m.room.redaction","redacts":7,"event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"encrypted without content":  `{"type":"m.room.encrypted","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"member without membership":  `{"type":"m.room.member","state_key":"@alice:localhost","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"member of wrong membership": `{"type":"m.room.member","state_key":"@alice:localhost","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{"membership":"king"}}`,
		"power levels a text":        `{"type":"m.room.power_levels","state_key":"","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{"users":"all","events":7}}`,
		"create without content":     `{"type":"m.room.create","state_key":"","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{}}`,
		"tombstone to nowhere":       `{"type":"m.room.tombstone","state_key":"","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{"replacement_room":"nowhere"}}`,
		"tombstone to a number":      `{"type":"m.room.tombstone","state_key":"","event_id":"$odd","sender":"@alice:localhost","origin_server_ts":1,"content":{"replacement_room":7}}`,
		"relation a text":            text(`,"m.relates_to":"$odd"`),
		"relation of numbers":        text(`,"m.relates_to":{"rel_type":7,"event_id":[],"m.in_reply_to":"$x"}`),
		"reply to a number":          text(`,"m.relates_to":{"m.in_reply_to":{"event_id":7}}`),
		"edit of what is no event":   text(`,"m.relates_to":{"rel_type":"m.replace","event_id":"nothing"},"m.new_content":7`),
		"edit without new content":   text(`,"m.relates_to":{"rel_type":"m.replace","event_id":"$other"}`),
		"edit of itself":             text(`,"m.relates_to":{"rel_type":"m.replace","event_id":"$odd"},"m.new_content":{"msgtype":"m.text","body":"!ping"}`),
		"thread of nothing":          text(`,"m.relates_to":{"rel_type":"m.thread","event_id":""}`),
		"mentions a text":            text(`,"m.mentions":"@bot:localhost"`),
		"mentions of numbers":        text(`,"m.mentions":{"user_ids":[7,null,{}],"room":"yes"}`),
		"HTML a number":              text(`,"format":"org.matrix.custom.html","formatted_body":7`),
		"format a number":            text(`,"format":7,"formatted_body":"<b>x</b>"`),
		"keys twice":                 text(`,"body":"!echo twice","body":7,"msgtype":null`),
	}
}

// No event, however odd, stops the bot, and none takes more than a line in the log.
func TestMalformedEventIsSurvived(t *testing.T) {
	for name, raw := range malformed() {
		t.Run(name, func(t *testing.T) {
			inHouse(t, setting{opts: []niobot.Option{niobot.WithMention(), niobot.WithBareDirect()}}, func(h *house) {
				h.bot.OnMessage(everyMessage)
				before := len(h.logs.with())
				_, err := h.hs.InjectTimeline(h.room, json.RawMessage(raw))
				h.must(err)
				h.settle()
				if lines := h.logs.with(); len(lines)-before > 1 {
					t.Errorf("logged %q", lines[before:])
				}
				known := len(h.said(h.room))
				h.alice.say("!ping")
				h.settle()
				if said := h.said(h.room); len(said) != known+1 || said[known] != "pong" {
					t.Errorf("afterwards, the bot said %q", said)
				}
			})
		})
	}
}

// everyMessage reads all of a message that can be read.
func everyMessage(_ context.Context, m *niobot.Message) error {
	_, _ = m.Matrix()
	_ = m.Decode(new(event.MessageEventContent))
	_, _ = m.Age()
	_ = fmt.Sprint(m.Time(), m.Redacted(), m.Mentions("@bot:localhost"), m.Room().ID(), len(m.JSON()), len(m.Content()))
	return nil
}

// useAll makes the bot send each of its requests. What they come to is not looked at.
func (h *house) useAll() {
	h.t.Helper()
	ctx, bot := h.t.Context(), h.bot
	done := make(chan struct{})
	go func() {
		defer close(done)
		sent, err := bot.Send(ctx, h.room, niobot.Plain("x"))
		if err == nil {
			_ = sent.Redact(ctx, "")
			_ = sent.Edit(ctx, niobot.Plain("y"))
		}
		_, _ = bot.Send(ctx, "!elsewhere:localhost", niobot.Plain("x"))
		_, _ = bot.React(ctx, h.room, "$x", "👍")
		_ = bot.Redact(ctx, h.room, "$x", "")
		if stop, err := bot.Typing(ctx, h.room); err == nil {
			stop()
		}
		_, _ = bot.DirectRoom(ctx, h.alice.UserID)
		_, _ = bot.Join(ctx, "!elsewhere:localhost")
		_, _ = bot.ResolveAlias(ctx, "#elsewhere:localhost")
		_, _ = bot.Member(ctx, "!elsewhere:localhost", h.alice.UserID)
		_ = bot.Leave(ctx, "!elsewhere:localhost", "")
	}()
	select {
	case <-done:
	case <-time.After(3 * time.Hour):
		h.t.Error("the requests did not end within 3 hours")
	}
}

// Each part of a sync response of each wrong shape.
func TestMalformedSyncResponseIsSurvived(t *testing.T) {
	values := []string{`null`, `7`, `"text"`, `[]`, `[null,7,"x",[],{}]`, `{}`, `{"":null}`, `{"events":null}`,
		`{"events":{}}`, `{"events":[null,7,"x",[],{},{"type":7},{"type":"m.direct"},{"type":"m.direct","content":[]},` +
			`{"type":"m.direct","content":{"@a:b":7,"x":["!y"]}},{"type":"m.room.message","content":{"body":"!ping"}}]}`}
	for _, place := range []string{
		`{"next_batch":VALUE}`,
		`{"rooms":VALUE}`,
		`{"account_data":VALUE}`,
		`{"to_device":VALUE}`,
		`{"presence":VALUE}`,
		`{"device_lists":VALUE}`,
		`{"rooms":{"join":VALUE}}`,
		`{"rooms":{"invite":VALUE}}`,
		`{"rooms":{"leave":VALUE}}`,
		`{"rooms":{"knock":VALUE}}`,
		`{"rooms":{"join":{"ROOM":VALUE}}}`,
		`{"rooms":{"join":{"no room":VALUE}}}`,
		`{"rooms":{"join":{"!new:localhost":VALUE}}}`,
		`{"rooms":{"invite":{"!new:localhost":VALUE}}}`,
		`{"rooms":{"invite":{"!new:localhost":{"invite_state":VALUE}}}}`,
		`{"rooms":{"leave":{"!new:localhost":{"timeline":VALUE}}}}`,
		`{"rooms":{"knock":{"!new:localhost":{"knock_state":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"state":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"timeline":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"timeline":{"limited":VALUE}}}}}`,
		`{"rooms":{"join":{"ROOM":{"timeline":{"limited":true,"prev_batch":VALUE}}}}}`,
		`{"rooms":{"join":{"ROOM":{"ephemeral":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"account_data":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"summary":VALUE}}}}`,
		`{"rooms":{"join":{"ROOM":{"summary":{"m.heroes":VALUE,"m.joined_member_count":VALUE}}}}}`,
		`{"rooms":{"join":{"ROOM":{"unread_notifications":VALUE}}}}`,
	} {
		t.Run(place, func(t *testing.T) {
			inHouse(t, setting{}, func(h *house) {
				h.bot.OnMessage(everyMessage)
				for i, value := range values {
					if value == `"text"` && strings.Contains(place, "next_batch") {
						continue // It is a token like any other, which the server does not know afterwards.
					}
					// The whole answer is replaced, since what is laid over one is merged with it.
					body := strings.ReplaceAll(strings.ReplaceAll(place, "VALUE", value), "ROOM", string(h.room))
					if i%2 == 0 {
						h.must(h.hs.InjectSync(h.botID, json.RawMessage(body)))
					} else {
						h.fail(fakehs.Fault{Path: "/sync", Response: []byte(body), Count: 1})
						h.alice.say("nothing")
					}
					h.pass(2 * time.Minute)
				}
				h.alice.say("!ping")
				h.pass(3 * time.Minute)
				h.wantSaid("pong")
				if lines := h.logs.with("panic"); len(lines) > 0 {
					t.Errorf("logged %s", lines)
				}
			})
		})
	}
}

// Answers to requests, in place of what the server should say.
func TestMalformedAnswerIsSurvived(t *testing.T) {
	for _, path := range []string{"/versions", "/whoami", "/filter", "/send/", "/join/", "/receipt/", "/typing/", "/redact/",
		"/createRoom", "/account_data/", "/state/", "/joined_members", "/leave"} {
		for _, answer := range []string{`null`, `{}`, `[]`, `7`, `"x"`, `{"event_id":7,"room_id":[],"user_id":{},"filter_id":null}`,
			`<html>`, ``} {
			t.Run(path+" "+answer, func(t *testing.T) {
				inHouse(t, setting{}, func(h *house) {
					h.fail(fakehs.Fault{Path: path, Response: []byte(answer)})
					h.useAll()
					h.alice.say("!ping") // What it comes to depends on the answer.
					h.pass(15 * time.Minute)
					if lines := h.logs.with("panic"); len(lines) > 0 {
						t.Errorf("logged %s", lines)
					}
				})
				inHouse(t, setting{}, func(h *house) {
					fault := h.fail(fakehs.Fault{Path: path, Response: []byte(answer)})
					h.useAll()
					fault.Remove()
					h.pass(15 * time.Minute)
					before := len(h.said(h.room))
					h.alice.say("!ping")
					h.settle()
					if said := h.said(h.room); len(said) != before+1 || said[before] != "pong" {
						t.Errorf("after the trouble, the bot said %q", said)
					}
				})
			})
		}
	}
}
