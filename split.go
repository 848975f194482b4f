package niobot

import (
	"context"
	"fmt"
	"slices"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/render"
)

// MaxParts is how many messages a long body may become; a longer one is [ErrTooLarge], and should be sent as a file.
const MaxParts = 5

// editSize is how large a body may be, as [render.Body.Size] counts, to fit into an edit, which holds it twice.
const editSize = 26 << 10

// split cuts a new message whose body is too long into several; none where it needs no cutting. Edits are not cut.
// What fits into one message, but not into the edit by which r would send it, is cut as well.
func (o *outgoing) split(r *run) ([]outgoing, error) {
	limit := render.MaxSize
	if r.repeating() {
		limit = editSize
	}
	if o.edits != "" || o.body.Size() <= limit {
		return nil, nil
	}
	if o.body.Size() > MaxParts*editSize {
		return nil, fmt.Errorf("%d bytes are too many for %d messages: %w", o.body.Size(), MaxParts, ErrTooLarge)
	}
	// The parts are small enough to be edited in place when the command is edited.
	bodies := render.Split(o.body, editSize)
	if len(bodies) > MaxParts {
		return nil, fmt.Errorf("%d messages are more than %d: %w", len(bodies), MaxParts, ErrTooLarge)
	}
	parts := make([]outgoing, len(bodies))
	for i, body := range bodies {
		parts[i] = outgoing{body: body, msgType: o.msgType, thread: o.thread, queued: o.queued}
	}
	// What notifies, or means something to the receiver, is to do so once.
	parts[0].replyTo, parts[0].mentions, parts[0].extra = o.replyTo, o.mentions, o.extra
	return parts, nil
}

// postParts sends the parts of one message in their order, and returns the first.
func (b *Bot) postParts(ctx context.Context, room id.RoomID, parts []outgoing, r *run) (first *Sent, err error) {
	for i, part := range parts {
		sent, err := b.postOne(ctx, room, part, r)
		if err != nil {
			return nil, fmt.Errorf("part %d of %d: %w", i+1, len(parts), err)
		}
		if first == nil {
			first = sent
		}
	}
	return first, nil
}

// repeating tells whether the next reply of the run edits one of the run that it repeats.
func (r *run) repeating() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.repeats) > 0
}

// Sent is what this call has sent so far, in order: replies and other messages, without edits and reactions. A long
// text that became several messages is several.
func (c *Context) Sent() []*Sent {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	return slices.Clone(c.run.replies)
}
