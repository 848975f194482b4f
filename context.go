package niobot

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
)

// Context is one call of a command: where it came from and the means to answer. Its fields must not be changed. Its
// methods may be called from several goroutines; what is sent by one goroutine keeps its order. A Context is of use
// until the handler has returned.
type Context struct {
	Message *Message // The message that called the command; of an edited one, the latest text
	Room    *Room    // Where it was sent
	Command *Command // What it called
	Prefix  string   // What it began with, as the user wrote it; empty where none was needed
	Called  string   // The name or alias that the user wrote
	Text    string   // All that follows the name, as the user wrote it

	bot        *Bot
	run        *run
	route      *route
	form       json.RawMessage // The arguments as data; nil where Text holds them
	press      *Press          // Where a menu's button called it
	failed     error           // Why the command is not run
	middleware []Middleware
}

type contextKey struct{}

// FromContext is the command's context below whose handler, check, middleware or converter ctx was made; ok is false
// elsewhere.
func FromContext(ctx context.Context) (c *Context, ok bool) {
	c, ok = ctx.Value(contextKey{}).(*Context)
	return c, ok
}

// Bot is the bot that runs the command.
func (c *Context) Bot() *Bot { return c.bot }

// Sender is the user who called the command.
func (c *Context) Sender() id.UserID { return c.Message.Sender }

// Logger is the bot's logger with the call's room, sender, event and command.
func (c *Context) Logger() *slog.Logger {
	return c.bot.log.With("command", c.Command.name, "room_id", c.Room.id, "sender", c.Message.Sender,
		"event_id", c.Message.ID)
}

// Reply answers the command with a text in Markdown. The format is printf's; what the arguments say is text wherever
// it stands, and makes no markup, no link and no mention: see [render.Markdown]. The reply stays in the command's
// thread. Where the command is an edit of an earlier one, the replies to that are edited.
func (c *Context) Reply(ctx context.Context, format string, args ...any) error {
	_, err := c.Respond(ctx, Markdown(format, args...))
	return err
}

// Respond answers the command with a text or anything else that is [Content]; [Context.Reply] says how. Only a text takes
// the place of an earlier reply.
func (c *Context) Respond(ctx context.Context, content Content, opts ...SendOption) (*Sent, error) {
	return c.send(ctx, content, c.Message.original(), opts)
}

// Send sends a message into the command's room, and thread if it is in one, that is no reply.
func (c *Context) Send(ctx context.Context, content Content, opts ...SendOption) (*Sent, error) {
	return c.send(ctx, content, "", opts)
}

func (c *Context) send(ctx context.Context, content Content, replyTo id.EventID, opts []SendOption) (*Sent, error) {
	out := outgoing{replyTo: replyTo, thread: c.thread()}
	if err := out.fill(content); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return c.bot.post(ctx, c.Room.id, out, opts, c.run)
}

// thread is the thread that the command is in; that of an edited one stands in the original.
func (c *Context) thread() id.EventID {
	if c.Message.Replaces != "" {
		if original, ok := c.bot.cache.find(c.Room.id, c.Message.Replaces); ok {
			return original.Thread
		}
	}
	return c.Message.Thread
}

// EditReply changes the text of the latest message that this call sent, and replies where it has sent none. It is
// meant for work in steps: "working…", then the result.
func (c *Context) EditReply(ctx context.Context, format string, args ...any) error {
	if sent := c.run.latest(); sent != nil {
		return sent.Edit(ctx, Markdown(format, args...))
	}
	return c.Reply(ctx, format, args...)
}

// React puts a reaction, such as "👍", on the command's message.
func (c *Context) React(ctx context.Context, key string) (id.EventID, error) {
	return c.bot.react(ctx, c.Room.id, c.Message.original(), key, c.run)
}

// Redact removes the command's message, where the bot has the power for it. reason may be empty.
func (c *Context) Redact(ctx context.Context, reason string) error {
	return c.bot.redact(ctx, c.run, c.Room.id, c.Message.original(), reason)
}

// Typing shows the bot as typing in the room until the handler returns. It returns at once; trouble with it is logged
// at Debug.
func (c *Context) Typing() { c.run.typing(c.bot, c.Room.id) }

// WaitForMessage returns the next message by the command's sender in the same room and thread that match accepts; nil
// accepts all. See [Bot.WaitFor].
func (c *Context) WaitForMessage(ctx context.Context, match func(*Message) bool) (*Message, error) {
	return c.bot.WaitForMessage(ctx, c.Room.id, c.Message.Sender, func(m *Message) bool {
		return m.Thread == c.Message.Thread && (match == nil || match(m))
	})
}

// WaitFor returns the next event that the filter accepts in the command's room; see [Bot.WaitFor].
func (c *Context) WaitFor(ctx context.Context, f Filter) (*Event, error) {
	if f.RoomID == "" {
		f.RoomID = c.Room.id
	}
	return c.bot.WaitFor(ctx, f)
}

// Latency is how old the command's message was when the homeserver sent it to the bot, by the homeserver's clock;
// zero where it did not say.
func (c *Context) Latency() time.Duration {
	age, _ := c.Message.Age()
	return age
}

// input is what the arguments are bound from.
func (c *Context) input() arg.Input {
	return arg.Input{
		Text: c.Text, HTML: c.Message.FormattedBody, Resolver: resolver{c.bot}, Location: c.bot.Location(),
	}
}

// original is the message's id, or that of the message it edits: what relations point to.
func (m *Message) original() id.EventID {
	if m.Replaces != "" {
		return m.Replaces
	}
	return m.ID
}

// Sent is a message that the bot sent.
type Sent struct {
	ID     id.EventID // Empty where the message waits to be sent; see [Queued]
	RoomID id.RoomID

	bot     *Bot
	run     *run    // nil outside commands
	queued  *queued // Where it was sent with Queued
	msgType event.MessageType
	special bool                       // Whether it is more than a text
	media   *event.MessageEventContent // Of a file
}

// Edit replaces the message's text; of a file, the caption.
func (s *Sent) Edit(ctx context.Context, body Body, opts ...SendOption) error {
	message, err := s.arrived(ctx)
	if err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	opts = append([]SendOption{AsType(s.msgType)}, opts...)
	_, err = s.bot.post(ctx, s.RoomID, outgoing{body: body, edits: message, media: s.media}, opts, s.run)
	return err
}

// React puts a reaction on the message and returns the reaction's id, with which [Bot.Redact] takes it back.
func (s *Sent) React(ctx context.Context, key string) (id.EventID, error) {
	message, err := s.arrived(ctx)
	if err != nil {
		return "", fmt.Errorf("react: %w", err)
	}
	return s.bot.react(ctx, s.RoomID, message, key, s.run)
}

// Redact removes the message's content. reason may be empty.
func (s *Sent) Redact(ctx context.Context, reason string) error {
	message, err := s.arrived(ctx)
	if err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	return s.bot.redact(ctx, s.run, s.RoomID, message, reason)
}

// arrived is the message's id, once it has one.
func (s *Sent) arrived(ctx context.Context) (id.EventID, error) {
	if s.ID != "" {
		return s.ID, nil
	}
	return s.Wait(ctx)
}
