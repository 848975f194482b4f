package syncjson_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestGeneratedResponses makes responses that are right for the most part and wrong in places, deep enough inside that
// bytes changed by chance would not get there.
func TestGeneratedResponses(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for seed := range rounds {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 0))}
		response := g.response()
		compare(t, []byte(response))
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, response)
		}
	}
}

// generator makes JSON.
type generator struct{ *rand.Rand }

func (g generator) one(of ...string) string { return of[g.IntN(len(of))] }

// wrong returns the value, or now and then one of any type.
func (g generator) wrong(value string) string {
	if g.IntN(25) > 0 {
		return value
	}
	return g.one(`null`, `true`, `false`, `0`, `-1.5`, `1e3`, `1e400`, `""`, `"x"`, `"1"`, `[]`, `{}`, `[null]`, `{"events":[{}]}`)
}

// object makes an object of most of the members, out of order, and now and then of one twice.
func (g generator) object(members ...string) string {
	var out []string
	for i := 0; i+1 < len(members); i += 2 {
		for range []int{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}[g.IntN(16)] {
			key := members[i]
			if g.IntN(30) == 0 {
				key = fmt.Sprintf(`\u%04x%s`, key[0], key[1:])
			}
			out = append(out, g.space()+`"`+key+`"`+g.space()+":"+g.space()+g.wrong(members[i+1]))
		}
	}
	g.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return "{" + strings.Join(out, ",") + g.space() + "}"
}

func (g generator) space() string { return g.one("", "", "", " ", "\n\t", "\r ") }

func (g generator) list(most int, element func() string) string {
	out := make([]string, g.IntN(most+1))
	for i := range out {
		out[i] = g.space() + g.wrong(element())
	}
	return "[" + strings.Join(out, ",") + g.space() + "]"
}

func (g generator) eventID() string {
	return g.one(`"$a"`, `"$b:x"`, `"\u0024c"`, `"$\/"`, `"$é"`, `"e"`, "\"$\xff\"")
}
func (g generator) userID() string {
	return g.one(`"@a:x"`, `"@b:x"`, `"@\ud83d\ude00:x"`, `"@\ud83d:x"`, `"u"`)
}

func (g generator) content() string {
	deep := 96 + g.IntN(5)
	return g.object("body", `"a\"b\\"`, "redacts", g.eventID(), "n", g.one(`[[[[]]]]`, `{"a":{"b":"}"}}`, `-1e5`,
		strings.Repeat("[", deep)+strings.Repeat("]", deep), `7`, `7`, `""`))
}

func (g generator) event() string {
	members := []string{
		"event_id", g.eventID(), "type", g.one(`"t"`, `"m.room.redaction"`, `"m.room.redaction"`, `"\u0074"`), "sender", g.userID(),
		"origin_server_ts", g.one(`1`, `1760000000000`, `1.0`, `-5`), "content", g.content(), "unsigned", `{"age":1}`,
	}
	if g.IntN(2) == 0 {
		members = append(members, "state_key", g.one(`""`, `"k"`, `"\n"`))
	}
	if g.IntN(3) == 0 {
		members = append(members, "redacts", g.eventID())
	}
	return g.object(members...)
}

func (g generator) part() string {
	return g.object("events", g.list(2, g.event), "limited", g.one("true", "false"), "prev_batch", g.one(`"p"`, `"\u0070"`, `""`))
}

func (g generator) room() string {
	return g.object(
		"state", g.part(), "timeline", g.part(), "invite_state", g.part(), "knock_state", g.part(),
		"ephemeral", g.part(), "account_data", g.part(),
		"summary", g.object("m.heroes", g.list(3, g.userID), "m.joined_member_count", `5`, "m.invited_member_count", `1`),
		"unread_notifications", g.object("notification_count", `3`, "highlight_count", `2`))
}

func (g generator) section() string {
	return g.object("!a:x", g.room(), g.one("c", `!\\`, `!é`, "!\xc3", "!"), g.room())
}

func (g generator) response() string {
	return g.object(
		"next_batch", g.one(`"n"`, `"\u006e"`), "account_data", g.part(), "to_device", g.part(), "presence", g.part(),
		"rooms", g.object("join", g.section(), "invite", g.section(), "leave", g.section(), "knock", g.section()),
		"device_lists", `{"changed":[]}`, "x", g.section())
}
