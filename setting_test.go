package niobot_test

import (
	"testing"

	"maunium.net/go/mautrix/event"
)

func TestSettingsAreWrittenAsTheSpecificationHasThem(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	tests := []struct {
		name string
		set  func() error
		typ  event.Type
		want string
	}{
		{"name", func() error { return bot.SetRoomName(ctx, room, "Tea & <cake>") }, event.StateRoomName,
			`{"name":"Tea \u0026 \u003ccake\u003e"}`},
		{"name removed", func() error { return bot.SetRoomName(ctx, room, "") }, event.StateRoomName, `{"name":""}`},
		{"topic", func() error { return bot.SetTopic(ctx, room, "All about tea") }, event.StateTopic,
			`{"m.topic":{"m.text":[{"body":"All about tea","mimetype":"text/plain"}]},"topic":"All about tea"}`},
		{"topic removed", func() error { return bot.SetTopic(ctx, room, "") }, event.StateTopic, `{"topic":""}`},
		{"avatar", func() error { return bot.SetRoomAvatar(ctx, room, "mxc://example.org/tea") }, event.StateRoomAvatar,
			`{"url":"mxc://example.org/tea"}`},
		{"avatar removed", func() error { return bot.SetRoomAvatar(ctx, room, "") }, event.StateRoomAvatar, `{}`},
		{"public", func() error { return bot.SetJoinRule(ctx, room, event.JoinRulePublic) }, event.StateJoinRules,
			`{"join_rule":"public"}`},
		{"restricted", func() error { return bot.SetJoinRule(ctx, room, event.JoinRuleRestricted, "!space:example.org") },
			event.StateJoinRules,
			`{"allow":[{"room_id":"!space:example.org","type":"m.room_membership"}],"join_rule":"restricted"}`},
		{"history", func() error { return bot.SetHistoryVisibility(ctx, room, event.HistoryVisibilityJoined) },
			event.StateHistoryVisibility, `{"history_visibility":"joined"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			must(t, test.set())
			if got := stateOf(t, alice, room, test.typ, ""); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	hs, _, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	wantErr(t, bot.SetRoomAvatar(ctx, room, "https://example.org/tea.png"), "is no mxc URI")
	wantErr(t, bot.SetRoomAvatar(ctx, room, "mxc://example.org"), "is no mxc URI")
	wantErr(t, bot.SetAvatar(ctx, "tea.png"), "is no mxc URI")
	wantErr(t, bot.SetJoinRule(ctx, room, event.JoinRuleKnockRestricted), "needs rooms whose members may join")
	wantErr(t, bot.SetJoinRule(ctx, room, event.JoinRulePublic, "!space:example.org"), "takes no rooms")
}
