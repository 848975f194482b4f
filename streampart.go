package niobot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/niobot/niobot/render"
)

// streamPart is one message of a stream.
type streamPart struct {
	sent  *Sent
	shown Body
	live  bool // Whether it is marked as one that is still being written
	sure  bool // Whether shown is what the server has
	edits int
}

// show brings the messages to what was written so far.
func (s *Stream) show(ctx context.Context) error {
	text, most := s.written()
	bodies := composed(halfway(text))
	for i, body := range bodies {
		live := i == len(bodies)-1
		if i == len(s.parts) {
			if err := s.add(ctx, body, live); err != nil {
				return err
			}
			continue
		}
		part := s.parts[i]
		ends := part.live && !live
		if part.shows(body, live) || !ends && part.edits >= most-1 {
			continue // The last edit is kept for what ends the message.
		}
		if err := s.edit(ctx, i, body, live); err != nil {
			return err
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	return s.drop(ctx, len(bodies))
}

// finish brings the messages to the whole text, and takes the marks of what is still being written away. All is tried.
func (s *Stream) finish(ctx context.Context) error {
	text, _ := s.written()
	bodies := composed(text)
	if len(bodies) == 0 {
		if len(s.parts) == 0 {
			return ErrEmptyMessage
		}
		bodies = []Body{s.parts[0].shown} // There is no message without text.
	}
	var errs []error
	for i, body := range bodies {
		switch {
		case i == len(s.parts):
			if err := s.add(ctx, body, false); err != nil {
				return errors.Join(append(errs, err)...)
			}
			if s.parts[i].sure {
				continue
			}
			errs = append(errs, s.edit(ctx, i, body, false))
		case !s.parts[i].sure || !s.parts[i].shows(body, false):
			errs = append(errs, s.edit(ctx, i, body, false))
		}
	}
	return errors.Join(append(errs, s.drop(ctx, len(bodies)))...)
}

func (s *Stream) written() (text string, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.most
}

func (p *streamPart) shows(body Body, live bool) bool {
	return p.live == live && p.shown.Text == body.Text && p.shown.HTML == body.HTML
}

// add sends one more message. Its transaction id is the same in a run that is repeated after a crash, whatever else that
// run sends, so that the message is not there twice. What the server has then is what the message said at first.
func (s *Stream) add(ctx context.Context, body Body, live bool) error {
	out := outgoing{body: body, thread: s.c.thread()}
	if len(s.parts) == 0 {
		out.replyTo = s.c.Message.original()
	}
	s.made++
	out.transaction = s.run.transactionOf(s.name, s.made)
	sent, err := s.c.bot.post(ctx, s.c.Room.id, out, s.options(len(s.parts), live), s.run)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if live {
		s.c.bot.noteLive(sent)
	}
	entry := s.c.Message.entry
	part := &streamPart{sent: sent, shown: body, live: live, sure: entry == nil || !entry.left}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, part)
	return nil
}

// edit changes a message. The transaction id is new each time: how many edits there are, and what they say, is not the
// same in a run that is repeated.
func (s *Stream) edit(ctx context.Context, i int, body Body, live bool) error {
	part := s.parts[i]
	out := outgoing{body: body, edits: part.sent.ID, transaction: newTransaction()}
	if _, err := s.c.bot.post(ctx, s.c.Room.id, out, s.options(i, live), s.run); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if part.live && !live {
		s.c.bot.noteWritten(part.sent)
	}
	part.shown, part.live, part.sure = body, live, true
	part.edits++
	return nil
}

// drop redacts the messages that the text no longer fills.
func (s *Stream) drop(ctx context.Context, from int) error {
	for i := len(s.parts) - 1; i >= from; i-- {
		sent := s.parts[i].sent
		if err := s.c.bot.outbox.redact(ctx, sent.RoomID, sent.ID, "", newTransaction()); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		s.run.unsent(sent)
		s.c.bot.noteWritten(sent)
		s.mu.Lock()
		s.parts = s.parts[:i]
		s.mu.Unlock()
	}
	return nil
}

// unsent forgets a message, which is gone.
func (r *run) unsent(s *Sent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replies = slices.DeleteFunc(r.replies, func(other *Sent) bool { return other == s })
}

// options are those of a message: of the first, what was asked for; of others, what does not notify or mean anything to
// who receives it, since that is to be so once.
func (s *Stream) options(i int, live bool) []SendOption {
	var opts []SendOption
	if i == 0 {
		opts = append(opts, s.opts...)
	} else {
		var first outgoing
		first.thread = s.c.thread()
		for _, opt := range s.opts {
			opt(&first)
		}
		opts = append(opts, InThread(first.thread), AsType(s.parts[0].sent.msgType))
	}
	if live {
		opts = append(opts, WithField(liveField, struct{}{}))
	}
	return opts
}

// composed is a text in Markdown, which is no format, as the bodies of its messages; none where there is no text.
func composed(text string) []Body {
	text = strings.TrimRight(strings.TrimLeft(text, "\r\n"), " \t\r\n")
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return render.Split(Markdown(strings.ReplaceAll(text, "%", "%%"), noArguments...), editSize)
}

var noArguments []any
