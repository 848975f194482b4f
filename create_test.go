package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

func TestCreateRoom(t *testing.T) {
	hs, alice, _ := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	room, err := bot.CreateRoom(ctx, niobot.NewRoom{
		Name: "Tea", Topic: "All about tea", Avatar: "mxc://localhost/tea", Alias: "tea", Public: true, Version: "10",
		Invite: []id.UserID{alice.ID()},
	})
	must(t, err)
	_, err = alice.Client().JoinRoomByID(ctx, room)
	must(t, err)
	hs.Settle()
	r, ok := bot.Room(room)
	if !ok {
		t.Fatal("the bot does not know its room")
	}
	got := fmt.Sprintf("%s|%s|%s|%s|%s|%t|%s",
		r.Name(hs.BotID()), r.Topic(), r.CanonicalAlias(), r.JoinRule(), r.Version(), r.Direct(), r.Type())
	if want := "Tea|All about tea|#tea:localhost|public|10|false|"; got != want {
		t.Errorf("the room is %q, want %q", got, want)
	}
	if got := stateOf(t, alice, room, event.StateRoomAvatar, ""); got != `{"url":"mxc://localhost/tea"}` {
		t.Errorf("the avatar is %s", got)
	}

	private, err := bot.CreateRoom(ctx, niobot.NewRoom{})
	must(t, err)
	if _, err := alice.Client().JoinRoomByID(ctx, private); err == nil {
		t.Error("anybody may join a private room")
	}
}

func TestCreateDirectRoomIsMarked(t *testing.T) {
	hs, alice, _ := powered(t)
	room, err := hs.Bot().CreateRoom(t.Context(), niobot.NewRoom{Direct: true, Invite: []id.UserID{alice.ID()}})
	must(t, err)
	if got, want := direct(t, hs), fmt.Sprintf(`{"@alice:localhost":[%q]}`, room); got != want {
		t.Errorf("m.direct is %s, want %s", got, want)
	}
	if same, err := hs.Bot().DirectRoom(t.Context(), alice.ID()); err != nil || same != room {
		t.Errorf("the direct room is %s (%v), want %s", same, err, room)
	}
}

func TestCreateRoomInASpace(t *testing.T) {
	hs, alice, other := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	space, err := bot.CreateRoom(ctx, niobot.NewRoom{Space: true})
	must(t, err)
	room, err := bot.CreateRoom(ctx, niobot.NewRoom{Parent: space})
	must(t, err)
	if got, want := children(t, hs, space), string(room)+" localhost  false"; got != want {
		t.Errorf("the children are %s, want %s", got, want)
	}
	// What was made is not lost where the rest fails.
	for _, parent := range []id.RoomID{other, roomOf(t, alice)} {
		room, err = bot.CreateRoom(ctx, niobot.NewRoom{Parent: parent})
		if room == "" {
			t.Error("the room that was made is not told")
		}
		wantErr(t, err, string(room)+" is not in the space")
	}
}

func TestCreateRoomMakesOneRoom(t *testing.T) {
	hs, _, _ := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	posts := hs.Fail(niobottest.Fault{Path: "/createRoom"})
	hs.Fail(niobottest.Fault{Path: "/createRoom", Count: 1, Status: http.StatusTooManyRequests, RetryForm: niobottest.RetryInBody})
	_, err := bot.CreateRoom(ctx, niobot.NewRoom{})
	must(t, err)
	if posts.Hits() != 2 {
		t.Errorf("%d requests were made, want one that was refused for the rate and one more", posts.Hits())
	}
	hs.Fail(niobottest.Fault{Path: "/createRoom", Count: 1, Cut: niobottest.CutAfter})
	if _, err := bot.CreateRoom(ctx, niobot.NewRoom{}); err == nil {
		t.Error("a lost answer is no error")
	}
	if posts.Hits() != 3 {
		t.Errorf("the request whose answer was lost was made %d times", posts.Hits()-2)
	}
	hs.Fail(niobottest.Fault{Path: "/createRoom", Count: 1, Response: []byte(`{}`)})
	_, err = bot.CreateRoom(ctx, niobot.NewRoom{})
	wantErr(t, err, "names no room")
}

func TestCreateRoomRefusesWhatMakesNoSense(t *testing.T) {
	hs, alice, _ := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	tests := []struct {
		room niobot.NewRoom
		want string
	}{
		{niobot.NewRoom{Direct: true}, "needs somebody to invite"},
		{niobot.NewRoom{Direct: true, Public: true, Invite: []id.UserID{alice.ID()}}, "is not public"},
		{niobot.NewRoom{Invite: []id.UserID{"alice"}}, `"alice" is no user id`},
		{niobot.NewRoom{Avatar: "tea.png"}, "is no mxc URI"},
		{niobot.NewRoom{Encrypted: true}, niobot.ErrEncrypted.Error()},
		{niobot.NewRoom{Version: "none"}, "M_UNSUPPORTED_ROOM_VERSION"},
	}
	for _, test := range tests {
		room, err := bot.CreateRoom(ctx, test.room)
		wantErr(t, err, "create room: ", test.want)
		if room != "" {
			t.Errorf("%+v: a room was made", test.room)
		}
	}
	_, err := bot.CreateRoom(ctx, niobot.NewRoom{Alias: "tea"})
	must(t, err)
	if _, err := bot.CreateRoom(ctx, niobot.NewRoom{Alias: "tea"}); !errors.Is(err, mautrix.MRoomInUse) {
		t.Errorf("an alias that is taken: %v", err)
	}
}

func ExampleBot_CreateRoom() {
	project := niobot.NewCommand("project", func(ctx context.Context, c *niobot.Context, a struct {
		Name string `arg:"name,rest"`
	}) error {
		room, err := c.Bot().CreateRoom(ctx, niobot.NewRoom{
			Name:   a.Name,
			Topic:  "Talk about " + a.Name,
			Invite: []id.UserID{c.Sender()},
			Parent: "!projects:example.org",
		})
		if err != nil {
			return err
		}
		return c.Reply(ctx, "I have made %s and invited you.", room)
	})
	fmt.Println(project, project.Usage())
	// Output: project <name…>
}
