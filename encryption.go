package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Encryption reads and writes encrypted rooms; package e2ee has the implementation. Its methods but Start and Stop are
// called from several goroutines; those of one room keep their order.
type Encryption interface {
	// Start is called once, when the account is known and its store is claimed, before the first sync.
	Start(ctx context.Context, host EncryptionHost) error

	// Receive takes what a sync response says of devices and keys, before its rooms' events are decrypted and before
	// its token is stored: after a crash it may come again. An error has the response asked for again.
	Receive(ctx context.Context, u DeviceUpdate) error

	// Changed is told of state that encryption depends on: m.room.member, with the membership before, and
	// m.room.history_visibility. It is called before anything is sent that was not under way already.
	Changed(ctx context.Context, room id.RoomID, e *event.Event) error

	// Decrypt reads an m.room.encrypted event, which has its id, sender, type, room, time, and its content as it came, in
	// Content.VeryRaw. Where its key may yet come, the error wraps [ErrKeyMissing], and [EncryptionHost.KeyArrived] is
	// called when it has.
	Decrypt(ctx context.Context, e *event.Event) (Decrypted, error)

	// Encrypt makes the content of an m.room.encrypted event of a room that is encrypted. It shares the key with those
	// who are to read it first. In doubt it fails.
	Encrypt(ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage) (json.RawMessage, error)

	// Stop ends what Start has begun, and waits for it.
	Stop(ctx context.Context) error
}

// EncryptionHost is the bot as its [Encryption] sees it. Its methods may be called from any goroutine.
type EncryptionHost interface {
	Bot() *Bot
	Client() *mautrix.Client
	Account() Account
	Logger() *slog.Logger
	Store() Store             // The bot's store; never nil
	IsOwner(id.UserID) bool   // Whether the user stands in [Config.Owners]
	Go(func(context.Context)) // Runs f until it returns, at the latest shortly after its context ended with the bot

	// RoomEncryption is a room's m.room.encryption, nil where it is not encrypted. What the store does not know is
	// asked of the server; in doubt it is an error.
	RoomEncryption(ctx context.Context, room id.RoomID) (*event.EncryptionEventContent, error)

	// HistoryVisibility is who may read what was sent before they joined.
	HistoryVisibility(ctx context.Context, room id.RoomID) (event.HistoryVisibility, error)

	// Readers are those who get the keys of what is sent into the room: all joined members and, unless history is
	// hidden from them, the invited. The member list is completed from the server where it is not known to be whole.
	Readers(ctx context.Context, room id.RoomID) ([]id.UserID, error)

	// SharedRooms are the encrypted rooms that the user is known to be in, together with the bot.
	SharedRooms(ctx context.Context, user id.UserID) ([]id.RoomID, error)

	// SendPlain sends an event into a room as it stands, for what is never encrypted, or is so already.
	SendPlain(ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage, txn string) (id.EventID, error)

	// KeyArrived has the events of a room that wait for the session's key decrypted again, in their order. An empty
	// session is all that wait in the room.
	KeyArrived(room id.RoomID, session id.SessionID)
}

// DeviceUpdate is what a sync response says of devices and keys (spec: Client-Server API, "Extensions to /sync").
type DeviceUpdate struct {
	ToDevice      []*event.Event // In their order; contents are not parsed
	Changed, Left []id.UserID    // Of device_lists
	OneTimeKeys   map[id.KeyAlgorithm]int
	HasKeyCounts  bool // Whether OneTimeKeys and FallbackKeys were in the response
	FallbackKeys  []id.KeyAlgorithm
	First         bool // Whether this is the first sync of a new store, whose device lists are not told
}

// Decrypted is what an encrypted event holds.
type Decrypted struct {
	Type    event.Type
	Content json.RawMessage // With the m.relates_to of the encrypted event, where that has one and the plaintext none
	Origin  Origin
}

// Origin is what is known of the device that an event was encrypted by.
type Origin struct {
	DeviceID  id.DeviceID // Empty where the device is not known
	SenderKey id.SenderKey
	SessionID id.SessionID
	Trust     id.TrustState
	Forwarded bool // Whether the key came from elsewhere than that device, so that the origin is hearsay
}

var (
	// ErrKeyMissing means that an event can't be read yet.
	ErrKeyMissing = errors.New("the key of the message has not come")

	// ErrUnreadable means that an event can't be read, and waiting will not help.
	ErrUnreadable = errors.New("the message can't be decrypted")
)
