package niobot

import (
	"context"
	"encoding/json"

	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/internal/syncjson"
)

// structuredKey is where a message holds the call of a command as data, beside a text for those who don't know it
// (MSC4391).
const structuredKey = "org.matrix.msc4391.command"

// structured is what a message calls by data rather than by its text, which is used where the data does not say. found,
// c and ok are what the text calls.
func (b *Bot) structured(room *Room, m *Message, found *route, c *Context, ok bool) (*route, *Context, bool) {
	own := b.UserID()
	if !m.Mentions(own) && len(m.MentionsUsers) > 0 {
		return nil, nil, false // It is for another bot, whose prefix may be the same.
	}
	if !m.Mentions(own) || len(m.MentionsUsers) > 1 {
		return found, c, ok
	}
	path, isText := syncjson.String(syncjson.Get(m.structured, "command"))
	called, known := b.router.find(path)
	if !isText || !known {
		return found, c, ok
	}
	made := b.newContext(room, m, called)
	made.Called = path
	if ok && found == called {
		made.Prefix, made.Called, made.Text = c.Prefix, c.Called, c.Text
	}
	made.form = json.RawMessage(syncjson.Get(m.structured, "arguments"))
	if len(made.form) == 0 {
		made.form = json.RawMessage("{}")
	}
	return called, made, true
}

// bind fills the arguments in, from what the user wrote or from what a client made of a form.
func (c *Context) bind(ctx context.Context, plan *arg.Plan, dst any) error {
	in := c.input()
	if c.form == nil {
		return plan.Bind(ctx, in, dst)
	}
	return plan.BindValues(ctx, arg.Values{JSON: c.form, Resolver: in.Resolver, Location: in.Location}, dst)
}
