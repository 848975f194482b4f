package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"maunium.net/go/mautrix/id"
)

// Firing is one run of a job. What is sent and stored by its methods is sent and stored once, even if the run is repeated
// after a crash. It is of use until the job's function returns.
type Firing struct {
	Name string    // The job's
	ID   string    // Of what [Job.At] has set; empty for jobs of [Bot.Every] and [Bot.Cron]
	Due  time.Time // The time for which it runs, which may have passed long ago

	run     *run
	log     *slog.Logger
	payload json.RawMessage
}

// Bot is the bot that runs the job.
func (f *Firing) Bot() *Bot { return f.run.call.bot }

// Logger is the bot's logger, or the module's, with the job's name and time.
func (f *Firing) Logger() *slog.Logger {
	return f.log.With("job", f.Name, "job_id", f.ID, "due", f.Due)
}

// Send is [Bot.Send] for a job.
func (f *Firing) Send(ctx context.Context, room id.RoomID, content Content, opts ...SendOption) (*Sent, error) {
	var out outgoing
	if err := out.fill(content); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return f.Bot().post(ctx, room, out, opts, f.run)
}

// SendDirect is [Bot.SendDirect] for a job.
func (f *Firing) SendDirect(ctx context.Context, user id.UserID, content Content, opts ...SendOption) (*Sent, error) {
	room, err := f.Bot().DirectRoom(ctx, user)
	if err != nil {
		return nil, err
	}
	return f.Send(ctx, room, content, opts...)
}

// KV is [Bot.KV] as a part of this run: its changes take effect with the end of the run, in one transaction with the
// note that it has run; none of them where it fails. See [KV.In].
func (f *Firing) KV(name string) *KV {
	return f.Bot().KV(name).In(f)
}

func (f *Firing) changed() *kvBuffer { return f.run.buffer() }

// newFiring is a run of a job for a time. The ids of what it sends are made of both.
func (b *Bot) newFiring(s *schedule, item jobItem, due time.Time) *Firing {
	ctx, cancel := context.WithCancelCause(b.background())
	key := fmt.Sprintf("%s\x00%d", item.key, due.UnixNano())
	r := &run{Context: ctx, cancel: cancel, pool: b.pool, done: make(chan struct{}), call: &Context{
		Message: &Message{Event: &Event{ID: id.EventID(key)}}, Room: newRoom(""), Command: &Command{name: s.name}, bot: b,
	}}
	r.call.run = r
	return &Firing{Name: s.name, ID: item.id(), Due: due.In(s.zone), run: r, log: s.log, payload: item.record.Payload}
}

// jobContext is the context of a job, which is no command.
type jobContext struct{ *run }

// Value implements [context.Context].
func (c jobContext) Value(key any) any {
	if _, ok := key.(contextKey); ok {
		return nil
	}
	return c.run.Value(key)
}
