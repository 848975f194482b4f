package niobot

import (
	"context"
	"encoding/json"
	"fmt"

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

// loadRoom is a room that the bot is in, with its state, and its mark as a direct one, asked of the server where no sync
// has brought them.
func (b *Bot) loadRoom(ctx context.Context, roomID id.RoomID) (*Room, error) {
	room, err := b.viewRoom(ctx, roomID)
	if err != nil {
		return nil, fmt.Errorf("load room %s: %w", roomID, err)
	}
	if known, ok := b.rooms.find(roomID); ok && known == room {
		return room, nil
	}
	if err := b.direct.load(ctx); err != nil {
		return nil, err
	}
	b.direct.mark(room)
	return room, nil
}
