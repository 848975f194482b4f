package niobot

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"maunium.net/go/mautrix/event"

	"github.com/niobot/niobot/internal/syncjson"
	"github.com/niobot/niobot/render"
)

// How often a [Stream] shows what was written, where [Stream.Pace] does not say.
const (
	StreamInterval = time.Second // Between the first edits of a message; later ones are each 8 % further apart
	StreamEdits    = 60          // Edits of one message, the last one included
)

// MaxStream is how long the text of a [Stream] may be, in bytes.
const MaxStream = render.MaxInput

// streamGrowth is by how much each wait is longer than the one before. By default, 60 edits last for 20 minutes.
const streamGrowth = 1.08

// liveField marks a message that is still being written (MSC4357).
const liveField = "org.matrix.msc4357.live"

// liveControl is the state by which a room has no such messages (MSC4357).
var liveControl = event.Type{Type: "org.matrix.msc4357.live_messaging", Class: event.StateEventType}

var errStreamEnded = errors.New("the stream is closed")

// Stream is a reply that is shown while it is being written; see [Context.Stream]. Its methods may be called from any
// goroutine.
type Stream struct {
	c    *Context
	opts []SendOption
	run  *run
	name string       // What its messages' transaction ids are made of
	over func() error // Why nothing more is to be written, as soon as its context has ended
	done chan struct{}

	changed chan struct{} // Holds something while there is something to show
	closing chan struct{} // Closed by the first Close

	mu       sync.Mutex
	text     strings.Builder
	interval time.Duration
	most     int
	closed   bool
	ended    error // What Write returns once nothing is shown any more
	err      error // What Close returns

	parts []*streamPart // Changed by the goroutine that sends alone
	made  uint64        // Messages that were made, of that goroutine
}

// Stream begins a reply that is shown while it is being written: a message that is edited in place, for work that takes
// long and for language models. What is written is Markdown, as it is: what others have said must not be written
// without care. What is open in it is closed for as long as it is not complete.
//
// The message is sent about a second after the first text, and edited at most once a second, at most 60 times, each
// time a little later than the time before. Clients that know MSC4357 show that it is still being written. Close sends
// the last edit; where the handler returns without it, or panics, the bot does so. What does not fit into one message
// goes on in a further one. Meanwhile the bot is shown as typing. In a room whose state forbids live messages (MSC4357),
// all is sent at the end.
//
// When ctx ends, what has been written is still shown. opts are those of [Context.Respond].
func (c *Context) Stream(ctx context.Context, opts ...SendOption) *Stream {
	s := &Stream{
		c: c, opts: opts, run: c.run,
		over: func() error { return cmp.Or(context.Cause(ctx), context.Cause(c.run)) },
		done: make(chan struct{}), closing: make(chan struct{}), changed: make(chan struct{}, 1),
		interval: StreamInterval, most: StreamEdits,
	}
	n, ok := c.run.streams.add(s)
	if !ok {
		s.closed, s.ended, s.err = true, errStreamEnded, errStreamEnded
		close(s.done)
		return s
	}
	s.name = c.Command.name + "\x00stream\x00" + strconv.Itoa(n)
	go s.work(ctx)
	return s
}

// Pace sets how long the first edits are apart, and how many a message gets at most, the last one included; what is less
// than 100 ms or 1 is taken for that. It returns s, and is to be called before the first Write.
func (s *Stream) Pace(interval time.Duration, edits int) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interval, s.most = max(interval, 100*time.Millisecond), max(edits, 1)
	return s
}

// Write implements [io.Writer]: it adds to the text, and returns at once. The errors: [ErrTooLarge] above [MaxStream],
// the end of the context, that of an earlier send, and one that says that the stream is closed.
func (s *Stream) Write(p []byte) (int, error) { return s.WriteString(string(p)) }

// WriteString implements [io.StringWriter]; see [Stream.Write].
func (s *Stream) WriteString(text string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.takes(s.text.Len() + len(text)); err != nil {
		return 0, err
	}
	s.text.WriteString(text)
	s.tell()
	return len(text), nil
}

// Set replaces the whole text. The errors are those of [Stream.Write].
func (s *Stream) Set(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.takes(len(text)); err != nil {
		return err
	}
	s.text.Reset()
	s.text.WriteString(text)
	s.tell()
	return nil
}

// tell says that there is something to show.
func (s *Stream) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *Stream) takes(size int) error {
	switch {
	case s.ended != nil:
		return s.ended
	case s.closed:
		return errStreamEnded
	case size > MaxStream:
		return ErrTooLarge
	}
	return s.over()
}

// Close shows the whole text and ends the stream. It returns when that is on the server, or can't be: with
// [ErrEmptyMessage] where there is no text, or the error of a send. It may be called again, and returns the same.
func (s *Stream) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	s.mu.Unlock()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Sent is the messages that the stream has sent so far; none before the first text is shown.
func (s *Stream) Sent() []*Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := make([]*Sent, len(s.parts))
	for i, part := range s.parts {
		sent[i] = part.sent
	}
	return sent
}

// work shows what is written until the stream is closed, its context ends, or a send fails.
func (s *Stream) work(ctx context.Context) {
	defer close(s.done)
	defer s.c.bot.typing.start(s.c.Room.id)()
	err := recovered(func() error { return s.showAll(ctx) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	if s.ended == nil && s.err != nil {
		s.ended = s.err
	}
}

func (s *Stream) showAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.run, func() { cancel(context.Cause(s.run)) })()
	if s.forbidden() {
		s.await(ctx, nil)
	}
	for s.wait(ctx) {
		if err := s.show(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		s.mu.Lock()
		s.ended = cause
		s.mu.Unlock()
		if errors.Is(cause, errSuperseded) {
			return cause // The run that follows edits or redacts the message.
		}
	}
	longer, endLonger := lingering(ctx, tidyTime)
	defer endLonger()
	return s.finish(longer)
}

// forbidden tells whether the room wants no messages that are still being written.
func (s *Stream) forbidden() bool {
	return syncjson.Get(string(s.c.Room.State(liveControl, "")), "enabled") == "false"
}

// wait returns true when it is time to show what was written, and false when the stream is to end.
func (s *Stream) wait(ctx context.Context) bool {
	if len(s.parts) == 0 {
		// The text's first characters alone are nothing to notify anybody of.
		return s.await(ctx, s.changed) && s.pause(ctx)
	}
	return s.pause(ctx) && s.await(ctx, s.changed)
}

// pause waits for as long as the edits of the latest message are to be apart now.
func (s *Stream) pause(ctx context.Context) bool {
	s.mu.Lock()
	pause := float64(s.interval)
	s.mu.Unlock()
	if n := len(s.parts); n > 0 {
		for range s.parts[n-1].edits {
			pause *= streamGrowth
		}
	}
	t := time.NewTimer(time.Duration(pause))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing:
	case <-ctx.Done():
	}
	return false
}

// await returns true when something comes, and false when the stream is to end.
func (s *Stream) await(ctx context.Context, something <-chan struct{}) bool {
	select {
	case <-something:
		return ctx.Err() == nil && s.left()
	case <-s.closing:
	case <-ctx.Done():
	}
	return false
}

// streams are those of one run.
type streams struct {
	mu     sync.Mutex
	all    []*Stream
	closed bool
}

// add returns the number of the stream in the run; ok is false where the handler has returned.
func (ss *streams) add(s *Stream) (n int, ok bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.closed {
		return 0, false
	}
	ss.all = append(ss.all, s)
	return len(ss.all), true
}

// close ends the streams that the handler has left open, and waits for all.
func (ss *streams) close() {
	ss.mu.Lock()
	ss.closed = true
	all := ss.all
	ss.mu.Unlock()
	for _, s := range all {
		left := s.left()
		err := s.Close()
		if left && err != nil && !errors.Is(err, ErrEmptyMessage) && !errors.Is(err, errSuperseded) {
			s.c.Logger().Error("stream not ended", "err", err, "stack", stackOf(err))
		}
	}
}

// left tells whether the handler has not closed the stream.
func (s *Stream) left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}
