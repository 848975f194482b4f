package niobot_test

import (
	"errors"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestAliases(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	must(t, bot.CreateAlias(ctx, "#tea:localhost", room))
	must(t, bot.CreateAlias(ctx, "#tea:localhost", room))
	if got, err := bot.ResolveAlias(ctx, "#tea:localhost"); err != nil || got != room {
		t.Errorf("the alias is %s (%v), want %s", got, err, room)
	}
	other := alice.NewRoom()
	wantErr(t, bot.CreateAlias(ctx, "#tea:localhost", other), "create #tea:localhost", "is taken")
	wantErr(t, bot.CreateAlias(ctx, "#tea:elsewhere", room), "M_INVALID_PARAM")
	must(t, bot.DeleteAlias(ctx, "#tea:localhost"))
	if err := bot.DeleteAlias(ctx, "#tea:localhost"); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("delete an alias that is not there: %v, want ErrNotFound", err)
	}
	if _, err := bot.ResolveAlias(ctx, "#tea:localhost"); !errors.Is(err, mautrix.MNotFound) {
		t.Errorf("resolve an alias that is not there: %v", err)
	}
}

func TestAliasesSurviveLostAnswers(t *testing.T) {
	hs, _, room := powered(t)
	hs.Fail(niobottest.Fault{Method: "PUT", Path: "/directory/room/", Count: 1, Cut: niobottest.CutAfter})
	must(t, hs.Bot().CreateAlias(t.Context(), "#tea:localhost", room))
	hs.Fail(niobottest.Fault{Method: "DELETE", Path: "/directory/room/", Count: 1, Cut: niobottest.CutAfter})
	must(t, hs.Bot().DeleteAlias(t.Context(), "#tea:localhost"))
}

func TestCanonicalAliasKeepsTheOtherOnes(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	must(t, bot.CreateAlias(ctx, "#tea:localhost", room))
	must(t, bot.CreateAlias(ctx, "#cake:localhost", room))
	alice.SetState(room, event.StateCanonicalAlias, "",
		map[string]any{"alt_aliases": []string{"#tea:localhost", "#cake:localhost"}, "org.example": 1})
	must(t, bot.SetCanonicalAlias(ctx, room, "#tea:localhost"))
	want := `{"alias":"#tea:localhost","alt_aliases":["#cake:localhost"],"org.example":1}`
	if got := stateOf(t, alice, room, event.StateCanonicalAlias, ""); got != want {
		t.Errorf("the state is %s, want %s", got, want)
	}
	hs.Settle()
	if r, _ := bot.Room(room); r.CanonicalAlias() != "#tea:localhost" {
		t.Errorf("the room's alias is %q", r.CanonicalAlias())
	}
	wantErr(t, bot.SetCanonicalAlias(ctx, room, "#milk:localhost"), "M_BAD_ALIAS")
	must(t, bot.SetCanonicalAlias(ctx, room, ""))
	must(t, bot.SetCanonicalAlias(ctx, room, ""))
	want = `{"alt_aliases":["#cake:localhost"],"org.example":1}`
	if got := stateOf(t, alice, room, event.StateCanonicalAlias, ""); got != want {
		t.Errorf("the state is %s, want %s", got, want)
	}
}
