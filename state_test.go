package niobot_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// powered starts a bot that has power 100 in a room with alice.
func powered(t *testing.T, opts ...niobottest.Option) (*niobottest.Server, *niobottest.User, id.RoomID) {
	t.Helper()
	bot := newBot(t)
	bot.Add(niobot.NewCommand("ping", ping))
	hs := niobottest.Start(t, bot, opts...)
	alice := hs.User("alice")
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 100)
	hs.Settle()
	return hs, alice, room
}

// stateOf is a piece of state as the server has it, as compact JSON; empty where there is none.
func stateOf(t testing.TB, u *niobottest.User, room id.RoomID, typ event.Type, key string) string {
	t.Helper()
	var raw json.RawMessage
	err := u.Client().StateEvent(t.Context(), room, typ, key, &raw)
	if errors.Is(err, mautrix.MNotFound) {
		return ""
	}
	must(t, err)
	return sorted(t, raw)
}

// sorted is JSON without white space and with sorted keys.
func sorted(t testing.TB, raw []byte) string {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var value any
	must(t, decoder.Decode(&value))
	out, err := json.Marshal(value)
	must(t, err)
	return string(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr wants an error whose text holds all the texts.
func wantErr(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("it went well, want an error with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, which lacks %q", err, text)
		}
	}
}

type weather struct {
	Sky string `json:"sky"`
}

func TestStateIsSetAndReadBack(t *testing.T) {
	hs, alice, room := powered(t)
	sent, err := hs.Bot().SetState(t.Context(), room, stateType, "a/key?", weather{"<blue> & wide"})
	must(t, err)
	if e, err := alice.Client().GetEvent(t.Context(), room, sent); err != nil || e.Type.Type != stateType.Type {
		t.Errorf("the event %s is %+v (%v)", sent, e, err)
	}
	hs.Settle()
	got, err := niobot.State[weather](t.Context(), hs.Bot(), room, stateType, "a/key?")
	must(t, err)
	if got.Sky != "<blue> & wide" {
		t.Errorf("the state reads %q", got.Sky)
	}
	if _, err := niobot.State[weather](t.Context(), hs.Bot(), room, stateType, "other"); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("state that is not there: %v, want ErrNotFound", err)
	}
	_, err = niobot.State[int](t.Context(), hs.Bot(), room, stateType, "a/key?")
	wantErr(t, err, "cannot unmarshal")
	member, err := niobot.State[event.MemberEventContent](t.Context(), hs.Bot(), room, event.StateMember, string(alice.ID()))
	if err != nil || member.Membership != event.MembershipJoin {
		t.Errorf("alice's membership reads %+v (%v)", member, err)
	}
	_, err = niobot.State[weather](t.Context(), hs.Bot(), room, event.StateMember, "@nobody:example.org")
	if !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("a member who is not there: %v, want ErrNotFound", err)
	}
}

func TestStateSurvivesLostAnswersAndRefusalsForTheRate(t *testing.T) {
	hs, alice, room := powered(t)
	for _, fault := range []niobottest.Fault{
		{Path: "/state/", Method: http.MethodPut, Count: 1, Cut: niobottest.CutAfter},
		{Path: "/state/", Method: http.MethodPut, Count: 1, Status: http.StatusBadGateway},
		{Path: "/state/", Count: 1, Status: http.StatusTooManyRequests, RetryForm: niobottest.RetryInBody},
	} {
		active := hs.Fail(fault)
		must(t, hs.Bot().SetRoomName(t.Context(), room, "stubborn"))
		if active.Hits() != 1 {
			t.Errorf("the fault %+v was hit %d times", fault, active.Hits())
		}
	}
	if got := stateOf(t, alice, room, event.StateRoomName, ""); got != `{"name":"stubborn"}` {
		t.Errorf("the name is %s", got)
	}
}

func TestRefusalsTellTheirReason(t *testing.T) {
	hs, alice, _ := powered(t)
	bot := hs.Bot()
	room := alice.NewRoom()
	alice.SetPower(room, hs.BotID(), 20)
	hs.Settle()

	err := bot.SetTopic(t.Context(), room, "no")
	if low, ok := errors.AsType[*niobot.PowerError](err); !ok || low.Need != 50 || low.Have != 20 || low.RoomID != room {
		t.Errorf("set the topic without power: %v", err)
	}
	wantErr(t, err, "to set m.room.topic takes a power level of 50", "the bot has 20", "M_FORBIDDEN")
	if !errors.Is(err, mautrix.MForbidden) {
		t.Error("the server's refusal is lost")
	}

	// Of what takes no power, the server's reason is the only one.
	hs.Fail(niobottest.Fault{Method: http.MethodPut, Path: "/state/m.room.member", Count: 1,
		Status: http.StatusForbidden, ErrCode: "M_FORBIDDEN"})
	err = bot.SetNickname(t.Context(), room, "nick")
	if _, ok := errors.AsType[*niobot.PowerError](err); ok || !errors.Is(err, mautrix.MForbidden) {
		t.Errorf("a nickname that the server refuses: %v", err)
	}

	foreign := roomOf(t, alice)
	for what, err := range map[string]error{
		"set state":  bot.SetTopic(t.Context(), foreign, "no"),
		"edit state": bot.Pin(t.Context(), foreign, "$event"),
		"edit power": bot.SetPower(t.Context(), foreign, alice.ID(), 1),
		"nickname":   bot.SetNickname(t.Context(), foreign, "nick"),
		"kick":       bot.Kick(t.Context(), foreign, alice.ID(), ""),
		"leave":      bot.Leave(t.Context(), foreign, ""),
	} {
		if unknown, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok || unknown.RoomID != foreign {
			t.Errorf("%s in a room that the bot is not in: %v", what, err)
		}
	}
	_, err = niobot.State[weather](t.Context(), bot, foreign, stateType, "")
	if _, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok {
		t.Errorf("read state of a room that the bot is not in: %v", err)
	}

	wantErr(t, bot.SetTopic(t.Context(), "#lobby:localhost", "no"), "is an alias and no room id; see Bot.ResolveAlias")
	wantErr(t, bot.SetTopic(t.Context(), "", "no"), `"" is no room id`)
	wantErr(t, bot.Leave(t.Context(), "room", ""), `"room" is no room id`)
}

func TestEncryptionThatTheBotLacksIsNotSwitchedOn(t *testing.T) {
	hs, alice, room := powered(t)
	_, err := hs.Bot().SetState(t.Context(), room, event.StateEncryption, "",
		event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1})
	if !errors.Is(err, niobot.ErrEncrypted) {
		t.Errorf("switch encryption on: %v, want ErrEncrypted", err)
	}
	if got := stateOf(t, alice, room, event.StateEncryption, ""); got != "" {
		t.Errorf("the room has encryption: %s", got)
	}
}
