package niobot

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// maxIDBytes is how long an event's id may be (spec: Appendices, "Common Identifier Format").
const maxIDBytes = 255

// The reactions of [Context.Pages].
const (
	keyBack  = "◀\uFE0F"
	keyNext  = "▶\uFE0F"
	keyClose = "✖\uFE0F"
)

// Pages answers the command with a message that shows one page at a time, and returns when nobody turns them any more:
//
//	err := c.Pages(ctx, pages)
//
// The bot puts ◀️, ▶️ and ✖️ on the message. The user who called the command turns the pages by them, or everybody by
// [ByAnyone], and the message is edited in place. Where the bot has the power to redact, it takes the users' reactions
// away so that they can be tapped on again; else taking one back counts as another tap.
//
// It ends by ✖️, when no page was turned for as long as [Within] says, when the message is redacted, or the user leaves
// the room; all these are no errors. The last page that was shown stays, and the bot's reactions are taken back. A
// single page is just sent. Each page must fit into an edit: about 28 KiB; else the error is [ErrTooLarge] and
// nothing is sent. The other errors are those of [Context.Respond] and of [Sent.Edit], and the cause of ctx's end.
func (c *Context) Pages(ctx context.Context, pages []Body, opts ...AskOption) error {
	if len(pages) == 0 {
		return ErrEmptyMessage
	}
	if len(pages) == 1 {
		_, err := c.Respond(ctx, pages[0])
		return err
	}
	p := &pager{c: c, set: newAsking(opts)}
	for i, page := range pages {
		body := Markdown("%s\n\n%d/%d", page, i+1, len(pages))
		edit := outgoing{body: body, msgType: c.bot.settings.messageType, edits: "$"}
		if content, err := encodeContent(edit.content()); err != nil || len(content) > maxContentBytes-maxIDBytes {
			return fmt.Errorf("page %d: %w", i+1, errors.Join(err, ErrTooLarge))
		}
		p.pages = append(p.pages, body)
	}
	// The question's own patience must not end what each turn prolongs.
	set := *p.set
	set.patience = 0
	q := &question{undo: true, keys: []string{keyBack, keyNext, keyClose}}
	err := c.pose(ctx, p.pages[0], &set, q, p.turn)
	if errors.Is(err, ErrTimeout) || errors.Is(err, ErrWithdrawn) || errors.Is(err, ErrAskedLeft) {
		return nil
	}
	return err
}

// pager is one message with pages.
type pager struct {
	c     *Context
	set   *asking
	pages []Body
	at    int
	taps  map[id.EventID]string // Reactions that can't be redacted, which users may take back
	mild  bool                  // Whether the server has refused to redact
}

// turn turns pages until nobody wants to any more.
func (p *pager) turn(ctx context.Context, q *question) error {
	for {
		shown := p.at
		done, err := p.hear(ctx, q)
		if err != nil || done {
			return err
		}
		if p.at != shown {
			if err := p.c.bot.Edit(ctx, q.room.id, q.message, p.pages[p.at]); err != nil {
				return err
			}
		}
	}
}

// hear waits for the next tap, and takes those that have come meanwhile: one edit does for all of them.
func (p *pager) hear(ctx context.Context, q *question) (done bool, err error) {
	limited, cancel := p.set.limit(ctx)
	defer cancel()
	a, err := q.answer(limited)
	for ; err == nil; a, err = p.pending(ctx, q) {
		if a == nil {
			return false, nil
		}
		key := a.key
		if a.undone != "" {
			key = p.taps[a.undone]
			delete(p.taps, a.undone)
		}
		switch key {
		case plainKey(keyBack):
			p.at = max(p.at-1, 0)
		case plainKey(keyNext):
			p.at = min(p.at+1, len(p.pages)-1)
		case plainKey(keyClose):
			done = true
		default:
			continue
		}
		if a.undone == "" {
			p.release(ctx, q, a)
		}
		if done {
			return true, nil
		}
	}
	return false, err
}

// pending is the next tap that has come already; nil where there is none.
func (p *pager) pending(ctx context.Context, q *question) (*answer, error) {
	for {
		e, ok := q.poll(ctx)
		if !ok {
			return nil, nil
		}
		if a, err := q.read(e); a != nil || err != nil {
			return a, err
		}
	}
}

// release takes a user's reaction away, so that it can be tapped on again, or else remembers it.
func (p *pager) release(ctx context.Context, q *question, a *answer) {
	levels := q.room.PowerLevels()
	need := max(levels.Redact, levels.Event(event.EventRedaction))
	if !p.mild && levels.User(q.bot.UserID()) >= need {
		err := q.bot.outbox.redact(ctx, q.room.id, a.event, "", newTransaction())
		if err == nil {
			return
		}
		p.mild = errors.Is(err, mautrix.MForbidden)
	}
	if p.taps == nil {
		p.taps = make(map[id.EventID]string)
	}
	if len(p.taps) < maxHeard {
		p.taps[a.event] = a.key
	}
}
