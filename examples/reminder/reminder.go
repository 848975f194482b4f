package main

import (
	"context"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// maxPerUser is how many reminders somebody may wait for at once.
const maxPerUser = 20

// reminder is what somebody wants to be told, and where.
type reminder struct {
	Number  int        `json:"number"`
	User    id.UserID  `json:"user"`
	Room    id.RoomID  `json:"room"`
	Message id.EventID `json:"message"` // The command, which the reminder replies to
	Thread  id.EventID `json:"thread,omitempty"`
	Text    string     `json:"text"`
}

// reminders are those that are waited for.
type reminders struct{ job *niobot.Job[reminder] }

func newReminders(bot *niobot.Bot) *reminders {
	return &reminders{job: niobot.NewJob(bot, "remind", remind)}
}

// remind says what is due. It sends by f, so that nobody is reminded twice where the bot crashes in the middle.
func remind(ctx context.Context, f *niobot.Firing, r reminder) error {
	opts := []niobot.SendOption{niobot.InReplyTo(r.Message)}
	if r.Thread != "" {
		opts = append(opts, niobot.InThread(r.Thread))
	}
	_, err := f.Send(ctx, r.Room, niobot.Markdown("⏰ %v: %s", render.User(r.User, ""), r.Text), opts...)
	return err
}

func (r *reminders) command() *niobot.Command {
	return niobot.NewGroup("remind",
		niobot.Describe("Remind you of things."),
		niobot.Sub(
			niobot.NewCommand("in", r.in, niobot.Describe("Remind you in a while, such as 1h30m.")),
			niobot.NewCommand("at", r.at, niobot.Describe("Remind you at a time, such as 2026-12-24T18:00Z.")),
			niobot.NewCommand("list", r.list, niobot.Describe("Show what I shall remind you of.")),
			niobot.NewCommand("drop", r.drop, niobot.Describe("Forget a reminder.")),
		))
}

type inArgs struct {
	Wait time.Duration `arg:"wait" min:"0s" max:"366d" help:"how long from now"`
	Text string        `arg:"text,rest" help:"what of"`
}

func (r *reminders) in(ctx context.Context, c *niobot.Context, a inArgs) error {
	return r.add(ctx, c, time.Now().Add(a.Wait), a.Text)
}

type atArgs struct {
	At   time.Time `arg:"at" help:"when; without a zone it is UTC"`
	Text string    `arg:"text,rest" help:"what of"`
}

func (r *reminders) at(ctx context.Context, c *niobot.Context, a atArgs) error {
	if !a.At.After(time.Now()) {
		return c.Reply(ctx, "That has passed.")
	}
	return r.add(ctx, c, a.At, a.Text)
}

// add sets the job in the run of the command: it takes effect when that ends, together with the number that was counted.
// A run that is repeated after a crash sets it once.
func (r *reminders) add(ctx context.Context, c *niobot.Context, at time.Time, text string) error {
	own, err := r.of(ctx, c.Sender())
	if err != nil {
		return err
	}
	if len(own) >= maxPerUser {
		return c.Reply(ctx, "You have %d reminders already.", maxPerUser)
	}
	number, err := niobot.KVOf[int](c.KV("remind")).Update(ctx, "last number",
		func(last int, _ bool) (int, error) { return last + 1, nil })
	if err != nil {
		return err
	}
	_, err = r.job.In(c).At(ctx, at, reminder{number, c.Sender(), c.Room.ID(), c.Message.ID, c.Message.Thread, text})
	if err != nil {
		return err
	}
	return c.Reply(ctx, "No. %d: I remind you at %s.", number, at.UTC().Format("2006-01-02 15:04:05 MST"))
}

// of is what a user waits for, the nearest first.
func (r *reminders) of(ctx context.Context, user id.UserID) (own []niobot.Scheduled[reminder], err error) {
	all, err := r.job.List(ctx)
	for _, s := range all {
		if s.Payload.User == user {
			own = append(own, s)
		}
	}
	return own, err
}

func (r *reminders) list(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	own, err := r.of(ctx, c.Sender())
	if err != nil {
		return err
	}
	table := render.Table{Columns: []render.Column{{Name: "No.", Align: render.AlignRight}, {Name: "At"}, {Name: "Of"}}}
	for _, s := range own {
		// What was asked for elsewhere may not be for this room.
		if s.Payload.Room == c.Room.ID() {
			table.Add(s.Payload.Number, s.Due.UTC().Format("2006-01-02 15:04 MST"), s.Payload.Text)
		}
	}
	if len(table.Rows) == 0 {
		return c.Reply(ctx, "There is nothing.")
	}
	_, err = c.Respond(ctx, table)
	return err
}

type dropArgs struct {
	Number int `arg:"number" help:"the number of the reminder"`
}

func (r *reminders) drop(ctx context.Context, c *niobot.Context, a dropArgs) error {
	own, err := r.of(ctx, c.Sender())
	if err != nil {
		return err
	}
	for _, s := range own {
		if s.Payload.Number != a.Number {
			continue
		}
		if _, err := r.job.In(c).Cancel(ctx, s.ID); err != nil {
			return err
		}
		_, err := c.React(ctx, "✅")
		return err
	}
	return &niobot.CheckError{Check: "own reminder", Reason: "You have no reminder of that number."}
}
