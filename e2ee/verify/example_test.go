package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/e2ee/verify"
)

// smallRoom is a room with two members, and all that their engines need.
type smallRoom struct {
	users map[id.UserID]*verify.Engine
	queue []verify.Event
}

// member is a user of the room, with one device.
type member struct {
	*smallRoom
	user id.UserID
}

func (m member) ToDevice(context.Context, id.UserID, id.DeviceID, event.Type, json.RawMessage) error {
	return nil
}

func (m member) InRoom(_ context.Context, in id.RoomID, typ event.Type, content json.RawMessage) (id.EventID, error) {
	eventID := id.EventID(fmt.Sprint("$", m.user, len(m.queue)))
	m.queue = append(m.queue, verify.Event{
		Type: typ, Sender: m.user, Room: in, ID: eventID, Time: time.Now(), Content: content,
	})
	return eventID, nil
}

func (m member) Own(context.Context) (verify.OwnKeys, error) {
	return verify.OwnKeys{Device: ed(string(m.user)), Master: ed("master of " + string(m.user)), MasterTrusted: true}, nil
}

func (m member) Peer(_ context.Context, user id.UserID, _ id.DeviceID) (verify.PeerKeys, error) {
	return verify.PeerKeys{Device: ed(string(user)), Master: ed("master of " + string(user))}, nil
}

func (m member) Devices(context.Context, id.UserID) ([]id.DeviceID, error) {
	return []id.DeviceID{"DEVICE"}, nil
}

func (m member) Trust(_ context.Context, proof verify.Proof) error {
	fmt.Println(m.user, "signs the master key of", proof.User)
	return nil
}

// The owner verifies the bot in a room, by emoji. Both compare what they see, and confirm.
func Example() {
	ctx := context.Background()
	r := &smallRoom{users: map[id.UserID]*verify.Engine{}}
	for _, user := range []id.UserID{robot, alice} {
		engine, err := verify.New(verify.Config{
			User: user, Device: id.DeviceID("DEVICE OF " + user), Transport: member{r, user}, Keys: member{r, user},
			Policy: verify.Policy{Admit: func(p verify.Peer) verify.Decision {
				if p.User == alice {
					return verify.Accept
				}
				return verify.Decline
			}},
			Hook: verify.HookFunc(func(ctx context.Context, s *verify.Session, state verify.State) {
				if state == verify.StateComparing {
					fmt.Println(user, "sees", len(s.Emoji()), "emoji")
					_ = s.Confirm(ctx) // As the person says
				}
			}),
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		r.users[user] = engine
	}
	if _, err := r.users[alice].RequestInRoom(ctx, "!room:example.org", robot); err != nil {
		fmt.Println(err)
	}
	for len(r.queue) > 0 {
		evt := r.queue[0]
		r.queue = r.queue[1:]
		for _, user := range []id.UserID{robot, alice} {
			if err := r.users[user].Handle(ctx, evt); err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// @robot:example.org sees 7 emoji
	// @alice:example.org sees 7 emoji
	// @alice:example.org signs the master key of @robot:example.org
	// @robot:example.org signs the master key of @alice:example.org
}

func ExampleParseQR() {
	_, err := verify.ParseQR([]byte("https://example.org"))
	fmt.Println(err)
	// Output: not the QR code of a verification
}
