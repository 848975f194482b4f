package niobot

import (
	"slices"
	"testing"

	"maunium.net/go/mautrix/id"
)

// A message to the user that is sent before m.direct is written must not make a second room.
func TestAcceptedDirectRoomIsOneOfTheUsersRooms(t *testing.T) {
	bot := offlineBot(t, 2)
	alice := id.UserID("@alice:example.org")
	bot.direct.learn(`{"@alice:example.org":["!room0:example.org"]}`)
	bot.direct.expect(alice, bot.rooms.room(benchRoom(1)))
	if got := bot.direct.roomsOf(alice); !slices.Equal(got, []id.RoomID{benchRoom(0), benchRoom(1)}) {
		t.Errorf("got the rooms %v", got)
	}
	bot.direct.learn(`{"@alice:example.org":["!room0:example.org","!room1:example.org"]}`)
	if got := bot.direct.roomsOf(alice); len(got) != 2 {
		t.Errorf("got the rooms %v once m.direct has both", got)
	}
}
