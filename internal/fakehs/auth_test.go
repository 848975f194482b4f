package fakehs_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/fakehs"
)

// cast is a room with an owner (100), a moderator (50), two members (0) and a stranger outside.
type cast struct {
	hs    *fakehs.Server
	room  id.RoomID
	users map[string]id.UserID
}

func newCast(t *testing.T, version id.RoomVersion) cast {
	t.Helper()
	hs := fakehs.New(fakehs.Options{DefaultRoomVersion: version})
	t.Cleanup(func() { _ = hs.Close() })
	c := cast{hs: hs, users: make(map[string]id.UserID)}
	for _, name := range []string{"owner", "moderator", "member", "other", "stranger"} {
		c.users[name] = must(hs.Register(name, ""))(t)
	}
	c.room = must(hs.NewRoom(c.users["owner"], "public_chat", c.users["moderator"], c.users["member"], c.users["other"]))(t)
	c.setPower(t, map[string]int64{"moderator": 50})
	return c
}

func (c cast) powers(levels map[string]int64) map[string]any {
	users := make(map[id.UserID]int64)
	if create := c.hs.State(c.room, event.StateCreate, ""); create.Content.Raw["room_version"] != "12" {
		users[c.users["owner"]] = 100
	}
	for name, level := range levels {
		users[c.users[name]] = level
	}
	return map[string]any{"users": users, "state_default": 50, "ban": 50, "kick": 50, "redact": 50, "invite": 50,
		"events": map[string]int{"m.room.power_levels": 50, "org.example.high": 75}}
}

func (c cast) setPower(t *testing.T, levels map[string]int64) {
	t.Helper()
	must(c.hs.SendState(c.users["owner"], c.room, event.StatePowerLevels, "", c.powers(levels)))(t)
}

// refused checks that err is there or not as wanted, and is a refusal.
func refused(t *testing.T, what string, err error, want bool) {
	t.Helper()
	switch {
	case want && err == nil:
		t.Errorf("%s is allowed", what)
	case !want && err != nil:
		t.Errorf("%s is refused: %v", what, err)
	case want && !strings.Contains(err.Error(), "M_FORBIDDEN"):
		t.Errorf("%s is refused with %v, want M_FORBIDDEN", what, err)
	}
}

func TestMembershipRules(t *testing.T) {
	tests := []struct {
		sender, target, membership string
		refuse                     bool
	}{
		{"owner", "member", "leave", false},
		{"moderator", "member", "leave", false},
		{"member", "other", "leave", true},
		{"moderator", "owner", "leave", true},
		{"moderator", "moderator", "leave", false},
		{"moderator", "member", "ban", false},
		{"member", "other", "ban", true},
		{"moderator", "owner", "ban", true},
		{"moderator", "stranger", "ban", false},
		{"stranger", "member", "ban", true},
		{"moderator", "stranger", "invite", false},
		{"member", "stranger", "invite", true},
		{"moderator", "member", "invite", true},
		{"stranger", "stranger", "join", false},
		{"moderator", "stranger", "join", true},
		{"stranger", "stranger", "leave", true},
		{"stranger", "stranger", "knock", true},
	}
	for _, version := range []id.RoomVersion{id.RoomV10, id.RoomV11, id.RoomV12} {
		for _, tc := range tests {
			t.Run(fmt.Sprintf("v%s/%s/%s/%s", version, tc.sender, tc.membership, tc.target), func(t *testing.T) {
				c := newCast(t, version)
				err := c.hs.SetMembership(c.users[tc.sender], c.room, c.users[tc.target], tc.membership)
				refused(t, "the change", err, tc.refuse)
				got := c.hs.Members(c.room)[c.users[tc.target]] == event.Membership(tc.membership)
				if got == tc.refuse && tc.target != "member" || !tc.refuse && !got {
					t.Errorf("afterwards the membership is %s", c.hs.Members(c.room)[c.users[tc.target]])
				}
			})
		}
	}
}

func TestBannedUsersStayOutUntilUnbanned(t *testing.T) {
	c := newCast(t, "")
	steps := []struct {
		sender, membership string
		refuse             bool
	}{
		{"moderator", "ban", false},
		{"member", "join", true},
		{"moderator", "invite", true},
		{"other", "leave", true},
		{"member", "leave", true},
		{"moderator", "leave", false},
		{"member", "join", false},
	}
	for i, step := range steps {
		err := c.hs.SetMembership(c.users[step.sender], c.room, c.users["member"], step.membership)
		refused(t, fmt.Sprintf("step %d, %s by %s,", i, step.membership, step.sender), err, step.refuse)
	}
}

func TestJoinRules(t *testing.T) {
	tests := []struct {
		rule, first string
		refuse      bool
	}{
		{"public", "", false},
		{"invite", "", true},
		{"invite", "invite", false},
		{"private", "", true},
		{"knock", "", true},
		{"knock", "invite", false},
		{"restricted", "", true},
		{"restricted", "invite", false},
		{"restricted", "other room", false},
		{"knock_restricted", "other room", false},
	}
	for _, tc := range tests {
		t.Run(tc.rule+" "+tc.first, func(t *testing.T) {
			c := newCast(t, "")
			stranger := c.users["stranger"]
			other := must(c.hs.NewRoom(c.users["owner"], "public_chat"))(t)
			must(c.hs.SendState(c.users["owner"], c.room, event.StateJoinRules, "", map[string]any{
				"join_rule": tc.rule, "allow": []any{map[string]any{"type": "m.room_membership", "room_id": other}},
			}))(t)
			switch tc.first {
			case "invite":
				refused(t, "the invite", c.hs.SetMembership(c.users["owner"], c.room, stranger, "invite"), false)
			case "other room":
				refused(t, "the other room", c.hs.SetMembership(stranger, other, stranger, "join"), false)
			}
			refused(t, "joining", c.hs.SetMembership(stranger, c.room, stranger, "join"), tc.refuse)
		})
	}
}

func TestKnocking(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob := person(t, hs, "alice"), person(t, hs, "bob")
	room := must(hs.NewRoom(alice.UserID, "private_chat"))(t)
	_, err := bob.KnockRoom(deadline(t), room.String(), nil)
	wantCode(t, err, 403, "M_FORBIDDEN")
	must(hs.SendState(alice.UserID, room, event.StateJoinRules, "", map[string]string{"join_rule": "knock"}))(t)
	must(bob.KnockRoom(deadline(t), room.String(), &mautrix.ReqKnockRoom{Reason: "please"}))(t)
	if syncOnce(t, bob, "").Rooms.Knock[room] == nil {
		t.Error("the knock is not in the sync")
	}
	must(alice.InviteUser(deadline(t), room, &mautrix.ReqInviteUser{UserID: bob.UserID}))(t)
	must(bob.JoinRoomByID(deadline(t), room))(t)
}

func TestSendingByPowerLevel(t *testing.T) {
	c := newCast(t, "")
	message, state := map[string]string{"body": "x", "msgtype": "m.text"}, map[string]string{"topic": "x"}
	high := event.Type{Type: "org.example.high", Class: event.MessageEventType}
	send := func(name string, typ event.Type) error {
		_, err := c.hs.Send(c.users[name], c.room, typ, message)
		return err
	}
	set := func(name, typ, key string) error {
		_, err := c.hs.SendState(c.users[name], c.room, event.NewEventType(typ), key, state)
		return err
	}
	refused(t, "a message by a member", send("member", event.EventMessage), false)
	refused(t, "a message by a stranger", send("stranger", event.EventMessage), true)
	refused(t, "an event at 75 by the moderator", send("moderator", high), true)
	refused(t, "an event at 75 by the owner", send("owner", high), false)
	refused(t, "a topic by a member", set("member", "m.room.topic", ""), true)
	refused(t, "a topic by the moderator", set("moderator", "m.room.topic", ""), false)
	refused(t, "state in another user's name", set("owner", "org.example", c.users["member"].String()), true)
	refused(t, "state in one's own name", set("owner", "org.example", c.users["owner"].String()), false)
	refused(t, "a second create event", set("owner", "m.room.create", ""), true)
}

func TestPowerLevelChangesAreBounded(t *testing.T) {
	tests := []struct {
		name, sender string
		change       func(c cast, levels map[string]any)
		refuse       bool
	}{
		{"moderator makes a moderator", "moderator", user("member", 50), false},
		{"moderator makes an owner", "moderator", user("member", 100), true},
		{"moderator rises", "moderator", user("moderator", 60), true},
		{"moderator steps down", "moderator", user("moderator", 0), false},
		{"moderator lowers the owner", "moderator", user("owner", 0), true},
		{"moderator lowers an equal", "moderator", user("other", 0), true},
		{"owner lowers the moderator", "owner", user("moderator", 0), false},
		{"moderator raises ban within reach", "moderator", field("ban", 40), false},
		{"moderator raises ban beyond reach", "moderator", field("ban", 60), true},
		{"moderator changes a level above", "moderator",
			field("events", map[string]int{"m.room.power_levels": 50, "org.example.high": 10}), true},
		{"member changes anything", "member", field("ban", 0), true},
	}
	for _, version := range []id.RoomVersion{id.RoomV10, id.RoomV11} {
		for _, tc := range tests {
			t.Run("v"+string(version)+" "+tc.name, func(t *testing.T) {
				c := newCast(t, version)
				levels := map[string]int64{"moderator": 50, "other": 50}
				c.setPower(t, levels)
				content := c.powers(levels)
				tc.change(c, content)
				_, err := c.hs.SendState(c.users[tc.sender], c.room, event.StatePowerLevels, "", content)
				refused(t, "the change", err, tc.refuse)
			})
		}
	}
}

func user(name string, level int64) func(cast, map[string]any) {
	return func(c cast, levels map[string]any) { levels["users"].(map[id.UserID]int64)[c.users[name]] = level }
}

func field(name string, value any) func(cast, map[string]any) {
	return func(_ cast, levels map[string]any) { levels[name] = value }
}

func TestRoomVersion12(t *testing.T) {
	c := newCast(t, id.RoomV12)
	if strings.Contains(c.room.String(), ":") || len(c.room) != 44 {
		t.Errorf("room id %s is no hash", c.room)
	}
	create := c.hs.State(c.room, event.StateCreate, "")
	if create.ID.String()[1:] != c.room.String()[1:] {
		t.Errorf("room %s is not named after its create event %s", c.room, create.ID)
	}
	content := c.powers(nil)
	user("owner", 100)(c, content)
	_, err := c.hs.SendState(c.users["owner"], c.room, event.StatePowerLevels, "", content)
	if err == nil || !strings.Contains(err.Error(), "M_BAD_JSON") {
		t.Errorf("power levels that list the creator: %v", err)
	}
	// Nobody reaches the creator, however high.
	c.setPower(t, map[string]int64{"moderator": 9000})
	refused(t, "kicking the creator", c.hs.SetMembership(c.users["moderator"], c.room, c.users["owner"], "leave"), true)
	refused(t, "the creator kicking", c.hs.SetMembership(c.users["owner"], c.room, c.users["moderator"], "leave"), false)
}

func TestRedactionRules(t *testing.T) {
	for _, version := range []id.RoomVersion{id.RoomV10, id.RoomV11} {
		c := newCast(t, version)
		target := must(c.hs.SendText(c.users["member"], c.room, "oops"))(t)
		_, err := c.hs.Redact(c.users["other"], c.room, target, "")
		refused(t, "redacting another's message", err, true)
		_, err = c.hs.Redact(c.users["member"], c.room, target, "")
		refused(t, "redacting one's own message", err, false)
		target = must(c.hs.SendText(c.users["member"], c.room, "oops"))(t)
		by, err := c.hs.Redact(c.users["moderator"], c.room, target, "rude")
		refused(t, "redacting as a moderator", err, false)

		timeline := c.hs.Timeline(c.room)
		stripped, redaction := timeline[len(timeline)-2], timeline[len(timeline)-1]
		if len(stripped.Content.Raw) != 0 {
			t.Errorf("v%s: the redacted event keeps %v", version, stripped.Content.Raw)
		}
		if because := stripped.Unsigned.RedactedBecause; because == nil || because.ID != by ||
			because.Content.Raw["reason"] != "rude" {
			t.Errorf("v%s: redacted because of %v", version, because)
		}
		if redaction.Redacts != target {
			t.Errorf("v%s: the redaction names %q at the top", version, redaction.Redacts)
		}
		if _, inContent := redaction.Content.Raw["redacts"]; inContent != (version != id.RoomV10) {
			t.Errorf("v%s: redacts in the content: %t", version, inContent)
		}
	}
}

func TestRedactedStateKeepsWhatAuthorisationNeeds(t *testing.T) {
	c := newCast(t, "")
	owner := c.users["owner"]
	member := c.hs.State(c.room, event.StateMember, owner.String())
	must(c.hs.Redact(owner, c.room, member.ID, ""))(t)
	got := c.hs.State(c.room, event.StateMember, owner.String()).Content.Raw
	if len(got) != 1 || got["membership"] != "join" {
		t.Errorf("the member event keeps %v", got)
	}
	levels := c.hs.State(c.room, event.StatePowerLevels, "")
	must(c.hs.Redact(owner, c.room, levels.ID, ""))(t)
	_, err := c.hs.SendState(c.users["moderator"], c.room, event.StateTopic, "", map[string]string{"topic": "x"})
	refused(t, "the moderator after power levels were redacted", err, false)
}

func TestEventLimits(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, _, room := pair(t, hs)
	path := "/_matrix/client/v3/rooms/" + room.String() + "/send/m.room.message/"
	tests := []struct {
		name, body string
		status     int
		code       string
	}{
		{"too large", `{"body":"` + strings.Repeat("x", 65536) + `"}`, http.StatusRequestEntityTooLarge, "M_TOO_LARGE"},
		{"large", `{"body":"` + strings.Repeat("x", 60000) + `"}`, http.StatusOK, ""},
		{"float", `{"n":1.5}`, http.StatusBadRequest, "M_BAD_JSON"},
		{"big integer", `{"n":9007199254740992}`, http.StatusBadRequest, "M_BAD_JSON"},
		{"biggest integer", `{"n":-9007199254740991}`, http.StatusOK, ""},
		{"number in a string", `{"n":"1.5 \" 2.5"}`, http.StatusOK, ""},
		{"not JSON", `{"n":`, http.StatusBadRequest, "M_NOT_JSON"},
		{"not UTF-8", "{\"n\":\"\xff\"}", http.StatusBadRequest, "M_NOT_JSON"},
		{"array", `[1]`, http.StatusBadRequest, "M_BAD_JSON"},
		{"deep", strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101), http.StatusBadRequest, "M_BAD_JSON"},
		{"deep enough", strings.Repeat(`{"a":`, 99) + "1" + strings.Repeat("}", 99), http.StatusOK, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			status, body := do(t, hs, alice.AccessToken, "PUT", path+strings.ReplaceAll(tc.name, " ", "-"), tc.body)
			if status != tc.status || tc.code != "" && errCode(body) != tc.code {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
}

func TestEqualsCannotRemoveEachOther(t *testing.T) {
	c := newCast(t, "")
	c.setPower(t, map[string]int64{"moderator": 50, "other": 50})
	for _, membership := range []string{"leave", "ban"} {
		err := c.hs.SetMembership(c.users["moderator"], c.room, c.users["other"], membership)
		refused(t, membership+" between equals", err, true)
	}
}

func TestRedactedPowerLevelsCountAsTheyAre(t *testing.T) {
	c := newCast(t, id.RoomV10)
	member, stranger := c.users["member"], c.users["stranger"]
	refused(t, "the invite at level 50", c.hs.SetMembership(member, c.room, stranger, "invite"), true)
	levels := c.hs.State(c.room, event.StatePowerLevels, "")
	must(c.hs.Redact(c.users["owner"], c.room, levels.ID, ""))(t)
	// Room version 10 strips the invite level, version 11 keeps it.
	refused(t, "the invite at no level", c.hs.SetMembership(member, c.room, stranger, "invite"), false)
}

func TestRestrictedJoinNamesTheMemberWhoAllowsIt(t *testing.T) {
	hs := newServer(t, fakehs.Options{})
	alice, bob, hall := pair(t, hs)
	room := must(hs.NewRoom(alice.UserID, "private_chat"))(t)
	must(hs.SendState(alice.UserID, room, event.StateJoinRules, "", map[string]any{
		"join_rule": "restricted", "allow": []any{map[string]any{"type": "m.room_membership", "room_id": hall}},
	}))(t)
	must(bob.JoinRoomByID(deadline(t), room))(t)
	member := hs.State(room, event.StateMember, bob.UserID.String())
	if got := member.Content.Raw["join_authorised_via_users_server"]; got != alice.UserID.String() {
		t.Errorf("authorised via %v", got)
	}
}
