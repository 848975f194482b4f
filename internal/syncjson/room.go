package syncjson

import "maunium.net/go/mautrix/id"

// Section is the list of rooms that a room stands in: the user's membership.
type Section uint8

// The sections of "rooms".
const (
	Join Section = iota + 1
	Invite
	Leave
	Knock
)

// String returns the section's key in the response.
func (s Section) String() string {
	switch s {
	case Join:
		return "join"
	case Invite:
		return "invite"
	case Leave:
		return "leave"
	case Knock:
		return "knock"
	}
	return ""
}

func sectionOf(key []byte) Section {
	switch string(key) {
	case "join":
		return Join
	case "invite":
		return Invite
	case "leave":
		return Leave
	case "knock":
		return Knock
	}
	return 0
}

// Room is one room of a sync response (client-server API, "Syncing": Joined Room, Invited Room, Left Room, Knocked
// Room). It is valid during Handler.Room only, with the exception of its strings. An id that is repeated in one response
// is handed over again.
type Room struct {
	ID      id.RoomID
	Section Section

	State       []View // before the timeline; of an invite or knock its stripped state
	Timeline    []View // oldest first
	Ephemeral   []View // typing, receipts
	AccountData []View

	Limited   bool   // whether events are missing before the timeline
	PrevBatch string // where /messages goes on before the timeline; empty if unknown

	Summary       Summary
	Notifications int64 // unread_notifications.notification_count, -1 if absent
	Highlights    int64 // unread_notifications.highlight_count, -1 if absent
}

// Summary is what names a room without a name. What is absent has not changed since the last sync.
type Summary struct {
	Heroes  []id.UserID // nil if absent; ids that are none are left out
	Joined  int64       // m.joined_member_count, -1 if absent
	Invited int64       // m.invited_member_count, -1 if absent
}

// reset makes r a room without anything in it, and keeps its buffers.
func (r *Room) reset(section Section, roomID id.RoomID) {
	*r = Room{
		ID: roomID, Section: section,
		State: emptied(r.State), Timeline: emptied(r.Timeline),
		Ephemeral: emptied(r.Ephemeral), AccountData: emptied(r.AccountData),
		Summary: noSummary, Notifications: -1, Highlights: -1,
	}
}

var noSummary = Summary{Joined: -1, Invited: -1}

// emptied returns the empty list, on the old memory unless that is large.
func emptied(list []View) []View {
	const kept = 1 << 12
	if cap(list) > kept {
		return nil
	}
	clear(list)
	return list[:0]
}

// list returns the room's list for a kind of events.
func (r *Room) list(kind Kind) *[]View {
	switch kind {
	case KindTimeline:
		return &r.Timeline
	case KindEphemeral:
		return &r.Ephemeral
	case KindRoomAccountData:
		return &r.AccountData
	default:
		return &r.State
	}
}
