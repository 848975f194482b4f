package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// maxPerUser is how many reminders somebody may wait for at once.
const maxPerUser = 20

// reminder is what somebody wants to be told, and where.
type reminder struct {
	user    id.UserID
	room    id.RoomID
	message id.EventID // The command, which the reminder replies to
	thread  id.EventID
	at      time.Time
	text    string
}

// reminders are those that are waited for.
type reminders struct {
	mu      sync.Mutex
	last    int
	waiting map[int]reminder
}

func newReminders() *reminders { return &reminders{waiting: make(map[int]reminder)} }

func (r *reminders) command() *niobot.Command {
	return niobot.NewGroup("remind",
		niobot.Describe("Remind you of things.\n\nI forget them when I am restarted."),
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

// add waits for the time on a goroutine of the bot's. The handler returns long before, and the command's context and
// Context end with it, so all that is needed later is copied.
func (r *reminders) add(ctx context.Context, c *niobot.Context, at time.Time, text string) error {
	number, ok := r.keep(reminder{c.Sender(), c.Room.ID(), c.Message.ID, c.Message.Thread, at, text})
	if !ok {
		return c.Reply(ctx, "You have %d reminders already.", maxPerUser)
	}
	bot := c.Bot()
	bot.Go(func(ctx context.Context) error {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil // The bot stops.
		}
		if due, ok := r.take(number, c.Sender()); ok {
			return due.send(ctx, bot)
		}
		return nil
	})
	return c.Reply(ctx, "No. %d: I remind you at %s.", number, at.UTC().Format("2006-01-02 15:04:05 MST"))
}

func (d reminder) send(ctx context.Context, bot *niobot.Bot) error {
	opts := []niobot.SendOption{niobot.InReplyTo(d.message)}
	if d.thread != "" {
		opts = append(opts, niobot.InThread(d.thread))
	}
	_, err := bot.Send(ctx, d.room, niobot.Markdown("⏰ %v: %s", render.User(d.user, ""), d.text), opts...)
	return err
}

func (r *reminders) list(ctx context.Context, c *niobot.Context, _ niobot.NoArgs) error {
	table := render.Table{Columns: []render.Column{{Name: "No.", Align: render.AlignRight}, {Name: "At"}, {Name: "Of"}}}
	r.mu.Lock()
	for _, number := range slices.SortedFunc(maps.Keys(r.waiting), func(a, b int) int {
		return cmp.Or(r.waiting[a].at.Compare(r.waiting[b].at), cmp.Compare(a, b))
	}) {
		// What was asked for elsewhere may not be for this room.
		if d := r.waiting[number]; d.user == c.Sender() && d.room == c.Room.ID() {
			table.Add(number, d.at.UTC().Format("2006-01-02 15:04 MST"), d.text)
		}
	}
	r.mu.Unlock()
	if len(table.Rows) == 0 {
		return c.Reply(ctx, "There is nothing.")
	}
	_, err := c.Respond(ctx, table.Body())
	return err
}

type dropArgs struct {
	Number int `arg:"number" help:"the number of the reminder"`
}

func (r *reminders) drop(ctx context.Context, c *niobot.Context, a dropArgs) error {
	if _, ok := r.take(a.Number, c.Sender()); !ok {
		return &niobot.CheckError{Check: "own reminder", Reason: "You have no reminder of that number."}
	}
	_, err := c.React(ctx, "✅")
	return err
}

// keep adds a reminder, and returns its number; ok is false where its user has too many.
func (r *reminders) keep(d reminder) (number int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for _, other := range r.waiting {
		if other.user == d.user {
			count++
		}
	}
	if count >= maxPerUser {
		return 0, false
	}
	r.last++
	r.waiting[r.last] = d
	return r.last, true
}

// take removes a user's reminder.
func (r *reminders) take(number int, user id.UserID) (reminder, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.waiting[number]
	if !ok || d.user != user {
		return reminder{}, false
	}
	delete(r.waiting, number)
	return d, true
}

// warn says in the log what is forgotten when the bot ends.
func (r *reminders) warn(context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) > 0 {
		slog.Warn("reminders are forgotten", "count", len(r.waiting))
	}
}
