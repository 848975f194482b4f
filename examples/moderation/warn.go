package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

// warningsData is the name under which a room's warnings are kept in the account data of the bot: the homeserver keeps
// them, so that they are there again when the bot is.
const warningsData = "org.example.moderation.warnings"

// warning is one of them.
type warning struct {
	Reason string    `json:"reason"`
	By     id.UserID `json:"by"`
	At     time.Time `json:"at"`
}

type roomWarnings struct {
	Users map[id.UserID][]warning `json:"users"`
}

// warnings are the commands below !warn.
type warnings struct {
	mu sync.Mutex // Account data is read, changed and written as a whole
}

func newWarnings() *warnings { return new(warnings) }

// command is a group: its checks hold for all commands in it.
func (w *warnings) command() *niobot.Command {
	return niobot.NewGroup("warn",
		niobot.Describe("Keep count of warnings."),
		niobot.Require(niobot.SenderCan(niobot.Kicking)),
		niobot.Sub(
			niobot.NewCommand("add", w.add, niobot.Describe("Warn somebody.")),
			niobot.NewCommand("list", w.list, niobot.Describe("Show somebody's warnings.")),
			niobot.NewCommand("clear", w.clear, niobot.Describe("Forget somebody's warnings.")),
		))
}

type warnArgs struct {
	target
	Reason string `arg:"reason,rest" len:"1..200" help:"what for"`
}

func (w *warnings) add(ctx context.Context, c *niobot.Context, a warnArgs) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	var count int
	err := w.edit(ctx, c, func(r *roomWarnings) {
		r.Users[a.User] = append(r.Users[a.User], warning{a.Reason, c.Sender(), c.Message.Time()})
		count = len(r.Users[a.User])
	})
	if err != nil {
		return err
	}
	return c.Reply(ctx, "%v, this is warning no. %d: %s", render.User(a.User, ""), count, a.Reason)
}

func (w *warnings) list(ctx context.Context, c *niobot.Context, a target) error {
	r, err := load(ctx, c)
	if err != nil {
		return err
	}
	given := r.Users[a.User]
	if len(given) == 0 {
		return c.Reply(ctx, "%s has no warnings.", a.User)
	}
	table := render.Table{Columns: []render.Column{{Name: "Date"}, {Name: "By"}, {Name: "Reason"}}}
	for _, warning := range given {
		table.Add(warning.At.UTC().Format(time.DateOnly), warning.By, warning.Reason)
	}
	_, err = c.Respond(ctx, table.Body())
	return err
}

func (w *warnings) clear(ctx context.Context, c *niobot.Context, a target) error {
	if err := outranked(c, a.User); err != nil {
		return err
	}
	return done(ctx, c, w.edit(ctx, c, func(r *roomWarnings) { delete(r.Users, a.User) }))
}

func (w *warnings) edit(ctx context.Context, c *niobot.Context, change func(r *roomWarnings)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, err := load(ctx, c)
	if err != nil {
		return err
	}
	change(&r)
	return c.Bot().SetRoomAccountData(ctx, c.Room.ID(), warningsData, r)
}

func load(ctx context.Context, c *niobot.Context) (roomWarnings, error) {
	r, err := niobot.RoomAccountData[roomWarnings](ctx, c.Bot(), c.Room.ID(), warningsData)
	if errors.Is(err, niobot.ErrNotFound) {
		err = nil
	}
	if r.Users == nil {
		r.Users = make(map[id.UserID][]warning)
	}
	return r, err
}
