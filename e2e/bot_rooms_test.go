//go:build e2e

package e2e

import (
	"errors"
	"slices"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// withPower is a room in which the bot has all power, made by the bot; the user is in it.
func (u *user) withPower(bot *niobot.Bot, n niobot.NewRoom) id.RoomID {
	u.t.Helper()
	n.Invite = append(n.Invite, u.UserID)
	room, err := bot.CreateRoom(u.ctx, n)
	check(u.t, "have the bot make a room", err)
	u.join(room)
	return room
}

// wantState compares one text field of a room's state.
func (u *user) wantState(room id.RoomID, kind event.Type, key, field, want string) {
	u.t.Helper()
	var content map[string]any
	check(u.t, "read "+kind.Type, u.StateEvent(u.ctx, room, kind, key, &content))
	if got, _ := content[field].(string); got != want {
		u.t.Errorf("%s of %s is %q, want %q", field, kind.Type, got, want)
	}
}

func botFurnishesRoom(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room := alice.withPower(bot, niobot.NewRoom{Name: "Tea", Topic: "All about tea", Avatar: "mxc://localhost/tea"})
	alice.wantState(room, event.StateRoomName, "", "name", "Tea")
	alice.wantState(room, event.StateRoomAvatar, "", "url", "mxc://localhost/tea")
	check(t, "set the name", bot.SetRoomName(alice.ctx, room, "Coffee"))
	check(t, "set the topic", bot.SetTopic(alice.ctx, room, "Tea & more"))
	check(t, "set the join rule", bot.SetJoinRule(alice.ctx, room, event.JoinRulePublic))
	check(t, "set the visibility", bot.SetHistoryVisibility(alice.ctx, room, event.HistoryVisibilityJoined))
	alice.wantState(room, event.StateRoomName, "", "name", "Coffee")
	alice.wantState(room, event.StateTopic, "", "topic", "Tea & more")
	alice.wantState(room, event.StateJoinRules, "", "join_rule", "public")
	alice.wantState(room, event.StateHistoryVisibility, "", "history_visibility", "joined")
	said := alice.say(room, "remember this")
	check(t, "pin", bot.Pin(alice.ctx, room, said))
	check(t, "pin again", bot.Pin(alice.ctx, room, said))
	var pins event.PinnedEventsEventContent
	check(t, "read the pins", alice.StateEvent(alice.ctx, room, event.StatePinnedEvents, "", &pins))
	if !slices.Equal(pins.Pinned, []id.EventID{said}) {
		t.Errorf("the pins are %v, want %s", pins.Pinned, said)
	}
	check(t, "unpin", bot.Unpin(alice.ctx, room, said))
}

func botModerates(t *testing.T, hs Homeserver) {
	bot, alice, bob := startBot(t, hs), newUser(t, hs, "alice"), newUser(t, hs, "bob")
	room := alice.withPower(bot, niobot.NewRoom{})
	member := func(want string) {
		t.Helper()
		alice.wantState(room, event.StateMember, bob.UserID.String(), "membership", want)
	}
	check(t, "invite", bot.Invite(alice.ctx, room, bob.UserID, "welcome"))
	member("invite")
	bob.join(room)
	check(t, "kick", bot.Kick(alice.ctx, room, bob.UserID, "be nice"))
	member("leave")
	alice.wantState(room, event.StateMember, bob.UserID.String(), "reason", "be nice")
	check(t, "ban", bot.Ban(alice.ctx, room, bob.UserID, "be gone"))
	member("ban")
	check(t, "unban", bot.Unban(alice.ctx, room, bob.UserID, ""))
	member("leave")

	weak := alice.with(bot)
	err := bot.Kick(alice.ctx, weak, alice.UserID, "")
	if low, ok := errors.AsType[*niobot.PowerError](err); !ok || low.Have != 0 {
		t.Errorf("kick without power: %v", err)
	}
	err = bot.SetTopic(alice.ctx, alice.createRoom(), "no")
	if _, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok {
		t.Errorf("set the topic of a room of others: %v", err)
	}
}

func botEditsPower(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room := alice.withPower(bot, niobot.NewRoom{})
	check(t, "edit the power levels", bot.EditPower(alice.ctx, room, func(p *niobot.PowerEdit) {
		p.Users[alice.UserID] = 60
		p.Events["m.room.topic"] = 55
		p.Kick = 60
		p.NotifyRoom = 60
	}))
	_, err := alice.SendStateEvent(alice.ctx, room, event.StateTopic, "", &event.TopicEventContent{Topic: "mine"})
	check(t, "set the topic with the new power", err)
	check(t, "step down", bot.SetPower(alice.ctx, room, bot.UserID(), 60))
	err = bot.SetPower(alice.ctx, room, bot.UserID(), 100)
	if low, ok := errors.AsType[*niobot.PowerError](err); !ok || low.Have != 60 {
		t.Errorf("step up again: %v", err)
	}
}

func botKeepsAccountData(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room := alice.with(bot)
	type data struct {
		Sky string `json:"sky"`
	}
	const name = "org.example.weather"
	if _, err := niobot.AccountData[data](alice.ctx, bot, name); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("account data that was never set: %v", err)
	}
	if _, err := niobot.RoomAccountData[data](alice.ctx, bot, room, name); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("room account data that was never set: %v", err)
	}
	check(t, "set account data", bot.SetAccountData(alice.ctx, name, data{"blue"}))
	check(t, "set room account data", bot.SetRoomAccountData(alice.ctx, room, name, data{"grey"}))
	global, err := niobot.AccountData[data](alice.ctx, bot, name)
	check(t, "read account data", err)
	local, err := niobot.RoomAccountData[data](alice.ctx, bot, room, name)
	check(t, "read room account data", err)
	if global.Sky != "blue" || local.Sky != "grey" {
		t.Errorf("the data are %+v and %+v", global, local)
	}
}

func botShowsItself(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room := alice.with(bot)
	check(t, "set the display name", bot.SetDisplayName(alice.ctx, "Teabot"))
	check(t, "set the avatar", bot.SetAvatar(alice.ctx, "mxc://localhost/bot"))
	profile, err := bot.Profile(alice.ctx, bot.UserID())
	check(t, "read the profile", err)
	if want := (niobot.Profile{DisplayName: "Teabot", AvatarURL: "mxc://localhost/bot"}); profile != want {
		t.Errorf("the profile is %+v, want %+v", profile, want)
	}
	own := bot.UserID().String()
	// Dendrite carries a new profile into rooms a moment later.
	alice.await("the new avatar", func(resp *mautrix.RespSync) bool {
		member := findState(timeline(resp, room), event.StateMember, own)
		return member != nil && member.Content.Raw["avatar_url"] == "mxc://localhost/bot"
	})
	check(t, "set the nickname", bot.SetNickname(alice.ctx, room, "Cakebot"))
	alice.wantState(room, event.StateMember, own, "displayname", "Cakebot")
	alice.wantState(room, event.StateMember, own, "avatar_url", "mxc://localhost/bot")
	check(t, "clear the nickname", bot.SetNickname(alice.ctx, room, ""))
	alice.wantState(room, event.StateMember, own, "displayname", "Teabot")
}

func botNamesRoom(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room := alice.withPower(bot, niobot.NewRoom{})
	localpart := alice.UserID.Localpart()
	alias := id.NewRoomAlias(localpart, alice.UserID.Homeserver())
	check(t, "create the alias", bot.CreateAlias(alice.ctx, alias, room))
	check(t, "create the alias again", bot.CreateAlias(alice.ctx, alias, room))
	resolved, err := bot.ResolveAlias(alice.ctx, alias)
	check(t, "resolve the alias", err)
	if resolved != room {
		t.Errorf("the alias stands for %s, want %s", resolved, room)
	}
	check(t, "make it the main one", bot.SetCanonicalAlias(alice.ctx, room, alias))
	alice.wantState(room, event.StateCanonicalAlias, "", "alias", alias.String())
	check(t, "have none", bot.SetCanonicalAlias(alice.ctx, room, ""))
	check(t, "delete the alias", bot.DeleteAlias(alice.ctx, alias))
	if err := bot.DeleteAlias(alice.ctx, alias); !errors.Is(err, niobot.ErrNotFound) {
		t.Errorf("delete an alias that is not there: %v", err)
	}
}

func botBuildsSpace(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	space := alice.withPower(bot, niobot.NewRoom{Name: "Kitchen", Space: true})
	room := alice.withPower(bot, niobot.NewRoom{Name: "Tea", Parent: space})
	walk := func() (names []string) {
		t.Helper()
		for r, err := range bot.Hierarchy(alice.ctx, space, 0) {
			check(t, "walk through the space", err)
			names = append(names, r.Name)
		}
		return names
	}
	if got := walk(); !slices.Equal(got, []string{"Kitchen", "Tea"}) {
		t.Errorf("the space holds %q", got)
	}
	check(t, "take the room out", bot.RemoveFromSpace(alice.ctx, space, room))
	if got := walk(); !slices.Equal(got, []string{"Kitchen"}) {
		t.Errorf("the space holds %q", got)
	}
}

func botUpgradesRoom(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs, ping), newUser(t, hs, "alice")
	old := alice.withPower(bot, niobot.NewRoom{Name: "Tea", Public: true, Version: "10"})
	next, err := bot.Upgrade(alice.ctx, old, "11")
	check(t, "upgrade", err)
	alice.wantState(old, event.StateTombstone, "", "replacement_room", next.String())
	alice.join(next)
	alice.wantState(next, event.StateRoomName, "", "name", "Tea")
	alice.hearReply(next, bot.UserID(), alice.say(next, "!ping"), "pong")
}

func botLeavesDirectRoom(t *testing.T, hs Homeserver) {
	bot, alice := startBot(t, hs), newUser(t, hs, "alice")
	room, err := bot.DirectRoom(alice.ctx, alice.UserID)
	check(t, "make the direct room", err)
	check(t, "leave", bot.Leave(alice.ctx, room, "good bye"))
	marks, err := niobot.AccountData[map[id.UserID][]id.RoomID](alice.ctx, bot, event.AccountDataDirectChats.Type)
	check(t, "read m.direct", err)
	if len(marks) != 0 {
		t.Errorf("m.direct is %v", marks)
	}
	check(t, "forget", bot.Forget(alice.ctx, room))
	next, err := bot.DirectRoom(alice.ctx, alice.UserID)
	check(t, "make another direct room", err)
	if next == room {
		t.Error("the room that was left is used again")
	}
}
