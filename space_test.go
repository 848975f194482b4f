package niobot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/niobottest"
)

// children shows the children of a space that the bot is in, in their order.
func children(t *testing.T, hs *niobottest.Server, space id.RoomID) string {
	t.Helper()
	hs.Settle()
	r, ok := hs.Bot().Room(space)
	if !ok {
		t.Fatalf("the bot does not know %s", space)
	}
	var list []string
	for _, c := range r.Children() {
		list = append(list, fmt.Sprintf("%s %s %s %t", c.RoomID, strings.Join(c.Via, ","), c.Order, c.Suggested))
	}
	return strings.Join(list, "; ")
}

func TestSpaceChildren(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	space, err := bot.CreateRoom(ctx, niobot.NewRoom{Name: "Kitchen", Space: true, Invite: []id.UserID{alice.ID()}})
	must(t, err)
	must(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!b:x"}))
	must(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!a:x", Via: []string{"x", "y"}}))
	must(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!c:x", Order: "2"}))
	must(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!d:x", Order: "1", Suggested: true}))
	want := "!d:x localhost 1 true; !c:x localhost 2 false; !a:x x,y  false; !b:x localhost  false"
	if got := children(t, hs, space); got != want {
		t.Errorf("the children are\n%s\nwant\n%s", got, want)
	}

	_, err = bot.SetState(ctx, space, event.StateSpaceChild, "!d:x",
		map[string]any{"via": []string{"x"}, "order": "1", "org.example": "kept"})
	must(t, err)
	must(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!d:x", Via: []string{"z"}}))
	want = `{"org.example":"kept","suggested":false,"via":["z"]}`
	_, err = alice.Client().JoinRoomByID(ctx, space)
	must(t, err)
	if got := stateOf(t, alice, space, event.StateSpaceChild, "!d:x"); got != want {
		t.Errorf("the child is %s, want %s", got, want)
	}

	must(t, bot.RemoveFromSpace(ctx, space, "!a:x"))
	must(t, bot.RemoveFromSpace(ctx, space, "!a:x"))
	must(t, bot.RemoveFromSpace(ctx, space, "!never:x"))
	want = "!c:x localhost 2 false; !b:x localhost  false; !d:x z  false"
	if got := children(t, hs, space); got != want {
		t.Errorf("the children are\n%s\nwant\n%s", got, want)
	}

	wantErr(t, bot.AddToSpace(ctx, room, niobot.SpaceChild{RoomID: "!a:x"}), "is no space")
	wantErr(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "a"}), `"a" is no room id`)
	wantErr(t, bot.AddToSpace(ctx, space, niobot.SpaceChild{RoomID: "!a:x", Order: strings.Repeat("x", 51)}), "is not 1 to 50")
	if r, _ := bot.Room(room); len(r.Children()) != 0 {
		t.Error("what is no space has children")
	}
}

func TestHierarchyWalksThroughSpaces(t *testing.T) {
	hs, alice, room := powered(t)
	bot, ctx := hs.Bot(), t.Context()
	must(t, bot.SetRoomName(ctx, room, "Tea"))
	top, err := bot.CreateRoom(ctx, niobot.NewRoom{Name: "Top", Topic: "All of it", Space: true})
	must(t, err)
	inner, err := bot.CreateRoom(ctx, niobot.NewRoom{Name: "Inner", Space: true, Parent: top})
	must(t, err)
	must(t, bot.AddToSpace(ctx, inner, niobot.SpaceChild{RoomID: room, Suggested: true}))
	walk := func(depth int) string {
		t.Helper()
		var list []string
		for r, err := range bot.Hierarchy(ctx, top, depth) {
			must(t, err)
			list = append(list, fmt.Sprintf("%s %q %d %d", r.Name, r.Type, r.Members, len(r.Children)))
		}
		return strings.Join(list, "; ")
	}
	if got, want := walk(0), `Top "m.space" 1 1; Inner "m.space" 1 1; Tea "" 2 0`; got != want {
		t.Errorf("the walk is %s, want %s", got, want)
	}
	if got, want := walk(1), `Top "m.space" 1 1; Inner "m.space" 1 1`; got != want {
		t.Errorf("the shallow walk is %s, want %s", got, want)
	}
	for range bot.Hierarchy(ctx, top, 0) {
		break // The walk may be left.
	}
	for _, err := range bot.Hierarchy(ctx, roomOf(t, alice), 0) {
		if _, ok := errors.AsType[*niobot.UnknownRoomError](err); !ok {
			t.Errorf("the walk through a room of others ends with %v", err)
		}
	}
}

func TestHierarchyTakesAllPagesOnce(t *testing.T) {
	hs, _, room := powered(t)
	page := func(from, next string) niobottest.Fault {
		return niobottest.Fault{
			Path:  "/hierarchy",
			Match: func(r *http.Request) bool { return r.URL.Query().Get("from") == from },
			Response: fmt.Appendf(nil, `{"next_batch":%q,"rooms":[null,{"room_id":"!from%s:x","children_state":[null,`+
				`{"type":"m.space.child","state_key":"!k:x","content":{"via":["x"]}}]}]}`, next, from),
		}
	}
	for _, f := range []niobottest.Fault{page("", "1"), page("1", "2"), page("2", "1")} {
		hs.Fail(f)
	}
	var got []id.RoomID
	for r, err := range hs.Bot().Hierarchy(t.Context(), room, 0) {
		must(t, err)
		got = append(got, r.RoomID)
		if len(r.Children) != 1 || r.JoinRule != event.JoinRulePublic {
			t.Errorf("the room is %+v", r)
		}
	}
	if fmt.Sprint(got) != "[!from:x !from1:x !from2:x]" {
		t.Errorf("the rooms are %v", got)
	}
}

func ExampleBot_Hierarchy() {
	rooms := niobot.NewCommand("rooms", func(ctx context.Context, c *niobot.Context, a struct {
		Space id.RoomID `arg:"space"`
	}) error {
		for r, err := range c.Bot().Hierarchy(ctx, a.Space, 2) {
			if err != nil {
				return err
			}
			if err := c.Reply(ctx, "%s: %d members", r.Name, r.Members); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(rooms, rooms.Usage())
	// Output: rooms <space>
}
