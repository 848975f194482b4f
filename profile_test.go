package niobot_test

import (
	"errors"
	"net/http"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestProfile(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	want := func(user id.UserID, want niobot.Profile) {
		t.Helper()
		if got, err := bot.Profile(ctx, user); err != nil || got != want {
			t.Errorf("the profile of %s is %+v (%v), want %+v", user, got, err, want)
		}
	}
	want(hs.BotID(), niobot.Profile{DisplayName: "bot"})
	must(t, bot.SetDisplayName(ctx, "Tea & <Bot>"))
	must(t, bot.SetAvatar(ctx, "mxc://localhost/tea"))
	want(hs.BotID(), niobot.Profile{DisplayName: "Tea & <Bot>", AvatarURL: "mxc://localhost/tea"})
	hs.Settle()
	if r, _ := bot.Room(room); r != nil {
		if m, _ := r.Member(hs.BotID()); m.DisplayName != "Tea & <Bot>" {
			t.Errorf("in the room, the bot is %+v", m)
		}
	}
	must(t, bot.SetDisplayName(ctx, ""))
	must(t, bot.SetAvatar(ctx, ""))
	want(hs.BotID(), niobot.Profile{})

	must(t, alice.Client().SetDisplayName(ctx, "Alice"))
	want(alice.ID(), niobot.Profile{DisplayName: "Alice"})
	if _, err := bot.Profile(ctx, "@nobody:localhost"); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("the profile of nobody: %v, want ErrNotFound", err)
	}
	_, err := bot.Profile(ctx, "nobody")
	wantErr(t, err, `"nobody" is no user id`)
	hs.Fail(niobottest.Fault{Path: "/profile/", Count: 1, Response: []byte(`{"displayname":7,"avatar_url":[]}`)})
	want(alice.ID(), niobot.Profile{})
}

// nio-bot 83.
func TestNicknameKeepsAllElseOfTheMembership(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	must(t, bot.SetDisplayName(ctx, "Bot"))
	must(t, bot.SetAvatar(ctx, "mxc://localhost/bot"))
	client, err := bot.Client(ctx)
	must(t, err)
	_, err = client.SendStateEvent(ctx, room, event.StateMember, string(hs.BotID()), map[string]any{
		"membership": "join", "displayname": "Bot", "avatar_url": "mxc://localhost/room", "org.example.pronouns": []string{"it"},
		"join_authorised_via_users_server": "@alice:localhost",
	})
	must(t, err)
	const rest = `"membership":"join","org.example.pronouns":["it"]}`
	want := func(what, want string) {
		t.Helper()
		if got := stateOf(t, alice, room, event.StateMember, string(hs.BotID())); got != want {
			t.Errorf("%s: the membership is %s, want %s", what, got, want)
		}
	}
	must(t, bot.SetNickname(ctx, room, "Teabot"))
	want("set", `{"avatar_url":"mxc://localhost/room","displayname":"Teabot",`+rest)
	must(t, bot.SetNickname(ctx, room, ""))
	want("cleared", `{"avatar_url":"mxc://localhost/room","displayname":"Bot",`+rest)
	must(t, bot.SetNickname(ctx, room, "Teabot"))
	puts := hs.Fail(niobottest.Fault{Method: http.MethodPut, Path: "/state/"})
	must(t, bot.SetNickname(ctx, room, "Teabot"))
	if puts.Hits() != 0 {
		t.Error("the nickname that the bot has was set again")
	}

	other := alice.NewRoom()
	must(t, bot.SetDisplayName(ctx, ""))
	must(t, bot.SetNickname(ctx, other, "Cakebot"))
	must(t, bot.SetNickname(ctx, other, ""))
	if got := stateOf(t, alice, other, event.StateMember, string(hs.BotID())); got !=
		`{"avatar_url":"mxc://localhost/bot","membership":"join"}` {
		t.Errorf("without a usual name, the membership is %s", got)
	}
}

// nio-bot 83: a bot that has left can't set its name, and does not come back by trying.
func TestNicknameDoesNotJoin(t *testing.T) {
	hs, alice, room := powered(t)
	must(t, hs.Bot().Leave(t.Context(), room, ""))
	puts := hs.Fail(niobottest.Fault{Method: http.MethodPut, Path: "/state/"})
	err := hs.Bot().SetNickname(t.Context(), room, "Teabot")
	if _, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok {
		t.Errorf("the error is %v", err)
	}
	if puts.Hits() != 0 {
		t.Error("a membership was sent")
	}
	if got := memberOf(t, alice, room, hs.BotID()); got != "leave: " {
		t.Errorf("the membership is %q", got)
	}
}
