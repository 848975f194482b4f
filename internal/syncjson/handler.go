package syncjson

import "maunium.net/go/mautrix/id"

// Handler takes what a Decoder finds, in the order of the stream and on the goroutine that called Decode. All that is
// passed by pointer is valid during the call only.
type Handler interface {
	// Room takes one room when its object is complete. A homeserver that repeats a room's key has it handed over again.
	// An error ends the decoding and is returned by Decode.
	Room(*Room) error

	// Event takes one event from outside the rooms: of KindAccountData, KindToDevice or KindPresence. An error ends the
	// decoding and is returned by Decode.
	Event(Kind, *View) error

	// Skipped is told what was left out, for one line in a log.
	Skipped(Skip)
}

// Kind is the part of the response that an event stands in. It decides which fields the event must have.
type Kind uint8

// The parts of the response. Zero is none of them: the response, or a room as a whole.
const (
	KindTimeline        Kind = iota + 1 // event_id, type, sender, origin_server_ts and content
	KindState                           // the same and state_key
	KindStripped                        // state of an invite or knock: type, sender, state_key and content
	KindEphemeral                       // type and content
	KindRoomAccountData                 // type and content
	KindAccountData                     // type and content
	KindToDevice                        // type, sender and content
	KindPresence                        // type, sender and content
)

// String returns the kind's name as in the response.
func (k Kind) String() string {
	switch k {
	case KindTimeline:
		return "timeline"
	case KindState:
		return "state"
	case KindStripped:
		return "stripped state"
	case KindEphemeral:
		return "ephemeral"
	case KindRoomAccountData:
		return "room account_data"
	case KindAccountData:
		return "account_data"
	case KindToDevice:
		return "to_device"
	case KindPresence:
		return "presence"
	}
	return ""
}

// Reason is why something was skipped.
type Reason uint8

// The reasons.
const (
	TooLarge Reason = iota + 1 // an event above MaxEventBytes
	TooDeep                    // an event that nests deeper than MaxDepth
	TooMany                    // events above MaxSectionEvents
	BadType                    // a value of the wrong JSON type: a room that is null, an event that is a number
	BadField                   // an event's field that is missing or of the wrong type
	BadID                      // an identifier without its sigil or above 255 bytes
)

// String returns the reason in a few words.
func (r Reason) String() string {
	switch r {
	case TooLarge:
		return "too large"
	case TooDeep:
		return "nested too deep"
	case TooMany:
		return "too many events"
	case BadType:
		return "wrong JSON type"
	case BadField:
		return "field missing or of wrong type"
	case BadID:
		return "not an identifier"
	}
	return "unknown"
}

// Skip tells of an event, a room, or a part of the response that was left out. Its texts are foreign, but at most a few
// hundred bytes long, and stay valid.
type Skip struct {
	Reason  Reason
	Kind    Kind       // where; zero if it was no event
	Section Section    // the room's section; zero outside rooms
	RoomID  id.RoomID  // the room; empty outside rooms, and if the id itself was bad
	EventID id.EventID // the event, where it is known
	Field   string     // the name of the field or key at fault, where there is one
	Count   int        // how many events, at least 1
}
