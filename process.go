package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Process runs the command that a message calls, as if a sync had brought it, and returns the handler's error when it
// is done: [ErrNotCommand] where the message calls none. The error is told to the error handler as well, so that the
// user is answered. It is for bots that get their events elsewhere, and for tests; the bot need not run. The room's
// state is loaded where it is not known.
func (b *Bot) Process(ctx context.Context, e *event.Event) error {
	if err := b.connect(ctx); err != nil {
		return err
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("process event: %w", err)
	}
	kept, ok := syncjson.Parse(string(raw))
	if !ok || !validEventID(kept.ID) || e.RoomID == "" {
		return fmt.Errorf("process event: %q in %q is no event of a room", e.ID, e.RoomID)
	}
	room, err := b.loadRoom(ctx, e.RoomID)
	if err != nil {
		return err
	}
	m, ok := newEvent(room, timelineClass(&kept), kept).message()
	if !ok {
		return ErrNotCommand
	}
	r := b.call(m)
	if r == nil {
		return ErrNotCommand
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if !r.giveUp(context.Cause(ctx)) {
			r.cancel(context.Cause(ctx))
			<-r.done
		}
		return context.Cause(ctx)
	}
}

// loadRoom is a room that the bot is in, with its state asked of the server where no sync has brought it.
func (b *Bot) loadRoom(ctx context.Context, roomID id.RoomID) (*Room, error) {
	if room, ok := b.rooms.find(roomID); ok && room.Membership() == event.MembershipJoin {
		return room, nil
	}
	var state []json.RawMessage
	err := retry(ctx, func(ctx context.Context) error {
		_, err := b.client.MakeRequest(ctx, http.MethodGet, b.client.BuildClientURL("v3", "rooms", roomID, "state"), nil, &state)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load room %s: %w", roomID, err)
	}
	room := b.rooms.room(roomID)
	in := &intake{bot: b}
	for _, raw := range state {
		if e, ok := syncjson.Parse([]byte(raw)); ok && e.HasStateKey {
			in.state(room, &e)
		}
	}
	if m, ok := room.Member(b.UserID()); !ok || m.Membership != event.MembershipJoin {
		return nil, &UnknownRoomError{RoomID: roomID}
	}
	room.setMembership(event.MembershipJoin)
	if err := b.direct.load(ctx); err != nil {
		return nil, err
	}
	b.direct.mark(room)
	return room, nil
}
