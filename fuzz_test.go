package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"testing"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// FuzzEvent takes any event through what the bot does with it before a handler runs: it is cut out of its JSON, folded
// into the room or read as a message, and routed.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"m.room.message","event_id":"$a","sender":"@a:b","content":{"msgtype":"m.text","body":"!ping x"}}`,
		`{"type":"m.room.message","event_id":"$a","sender":"@a:b","content":{"msgtype":"m.text","body":"* !ping",` +
			`"m.new_content":{"msgtype":"m.text","body":"!ping"},"m.relates_to":{"rel_type":"m.replace","event_id":"$b"}}}`,
		`{"type":"m.room.message","event_id":"$a","sender":"@a:b","content":{"msgtype":"m.text","body":"> <@a:b> x\n\n@bot:example.org: ping",` +
			`"m.relates_to":{"m.in_reply_to":{"event_id":"$c"}},"m.mentions":{"user_ids":["@bot:example.org"]}}}`,
		`{"type":"m.room.message","event_id":"$a","sender":"@a:b","content":{"msgtype":"m.image","filename":"x.png","body":"!ping"}}`,
		`{"type":"m.room.power_levels","state_key":"","sender":"@a:b","content":{"users":{"@a:b":"50"},"ban":7.5}}`,
		`{"type":"m.room.create","state_key":"","sender":"@a:b","content":{"room_version":"12","additional_creators":["@c:d",7]}}`,
		`{"type":"m.room.member","state_key":"@a:b","sender":"@a:b","content":{"membership":"join","displayname":7}}`,
		`{"type":"m.room.tombstone","state_key":"","sender":"@a:b","content":{"replacement_room":"!x:y"}}`,
		`{"type":"m.room.redaction","event_id":"$a","sender":"@a:b","content":{"redacts":"$c"}}`,
	} {
		f.Add(seed)
	}
	bot, err := New(Config{Homeserver: "http://localhost", Token: "t", Prefixes: []string{"!", "hey ", "ẞ"}},
		WithLogger(slog.New(slog.DiscardHandler)), WithMention(), WithBareDirect(),
		WithPrefixRegexp(regexp.MustCompile(`bot\d*[:,]?\s*`)),
		WithPrefixFunc(func(*Room, id.UserID) []string { return []string{"?", ""} }))
	if err != nil {
		f.Fatal(err)
	}
	bot.Add(NewCommand("ping", func(context.Context, *Context, NoArgs) error { return nil }))
	f.Fuzz(func(t *testing.T, raw string) {
		if !json.Valid([]byte(raw)) {
			return
		}
		e, ok := syncjson.Parse([]byte(raw))
		if !ok {
			return
		}
		room := newRoom("!room:example.org")
		if e.HasStateKey {
			(&intake{bot: bot}).state(room, &e)
			_, _, _, _ = room.Name("@bot:example.org"), room.Topic(), room.JoinRule(), room.MemberCount()
			if level := room.PowerLevels().User(id.UserID(e.Sender)); level > 1<<53 && level != CreatorPower {
				t.Errorf("a power level of %d", level)
			}
		}
		kept := newEvent(room, timelineClass(&e), e.Keep())
		_, _ = kept.Matrix()
		m, ok := kept.Message()
		if !ok {
			return
		}
		if m.Body == "" || !utf8.ValidString(m.Body) || !utf8.ValidString(m.FormattedBody) {
			t.Errorf("the body is %q and the HTML %q", m.Body, m.FormattedBody)
		}
		bot.cache.put(m)
		found, c, ok := bot.route(room, m)
		if !ok {
			return
		}
		if found == nil || c.Command == nil || c.Called == "" {
			t.Fatalf("routed to nothing: %+v", c)
		}
		if whole := fmt.Sprintf("%s%s%s", c.Prefix, c.Called, c.Text); len(whole) > len(m.Body) {
			t.Errorf("%q was cut into %q, %q and %q", m.Body, c.Prefix, c.Called, c.Text)
		}
	})
}

// FuzzFold holds folding to its properties: it is idempotent, keeps valid text valid, and agrees with cutPrefix.
func FuzzFold(f *testing.F) {
	for _, seed := range [][2]string{{"Bot!", "bOT! ping"}, {"ßß", "ẞß ab"}, {"K", "k"}, {"ſ", "S"}, {"Σ", "ς"}, {"İ", "i̇"}, {"\xff", "\xff"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, prefix, text string) {
		if fold(fold(text)) != fold(text) {
			t.Errorf("folding %q twice gives %q", text, fold(fold(text)))
		}
		rest, ok := cutPrefix(text, prefix, false)
		if !ok {
			return
		}
		if len(rest) > len(text) || text[len(text)-len(rest):] != rest {
			t.Fatalf("the rest of %q is %q", text, rest)
		}
		if cut := text[:len(text)-len(rest)]; utf8.ValidString(text) && utf8.ValidString(prefix) && fold(cut) != fold(prefix) {
			t.Errorf("%q was cut for the prefix %q", cut, prefix)
		}
	})
}
