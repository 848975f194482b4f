package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/arg"
	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/internal/syncjson"
)

// File is the file of a message or of a sticker. As an argument of a command it is read from the command's own message,
// whose caption calls the command, or from the one that the command replies to; see [NewCommand].
type File struct {
	attachment.Info // What the message says of it, none of which need be true

	Event   *Event // That holds it
	content *event.MessageEventContent
	bot     *Bot
}

// Download fetches the file, decrypted and checked; it is to be closed. See [Bot.Download].
func (f *File) Download(ctx context.Context, opts ...attachment.DownloadOption) (*attachment.Received, error) {
	return f.bot.files.Download(ctx, f.content, opts...)
}

// DownloadThumbnail fetches the small picture that the message has of its file, or ends in [attachment.ErrNoMedia].
func (f *File) DownloadThumbnail(ctx context.Context, opts ...attachment.DownloadOption) (*attachment.Received, error) {
	return f.bot.files.DownloadThumbnail(ctx, f.content, opts...)
}

// Source is the file as one to send again, such as into another room: [Attach](attachment.Of(f.Source())).
func (f *File) Source() attachment.Source { return attachment.Message(f.content) }

// File is what a message or a sticker says of its file; ok is false where it has none. Of an edit, it is the new one.
func (e *Event) File() (info attachment.Info, ok bool) { return fileInfo(e) }

// File is what the message says of its file; ok is false where it has none. Of an edited one, it is the latest.
func (m *Message) File() (info attachment.Info, ok bool) { return fileInfo(m.latest()) }

func fileInfo(e *Event) (attachment.Info, bool) {
	content, err := e.media()
	if err != nil {
		return attachment.Info{}, false
	}
	info, err := attachment.Parse(content)
	return info, err == nil
}

// Gallery is the files that a message shows together (MSC4274); ok is false where it is no gallery. Its items are fetched
// by [attachment.Repository.Download]; see [Bot.Repository].
func (m *Message) Gallery() (g *attachment.Gallery, ok bool) {
	g = new(attachment.Gallery)
	err := recovered(func() error { return json.Unmarshal([]byte(m.latest().newest()), g) })
	if err != nil {
		return nil, false
	}
	return g, true
}

// Download fetches the file of a message, decrypted and checked against the hash that the message has; it is to be
// closed. A larger one than 256 MiB, or than [attachment.WithMaxDownload] says, is refused. The errors:
// [attachment.ErrNoMedia], [attachment.ErrTooLarge], [attachment.ErrBadKey], [attachment.ErrHashMismatch], or the
// server's, as mautrix.HTTPError. Nothing is fetched unless it is asked for.
func (b *Bot) Download(ctx context.Context, m *Message, opts ...attachment.DownloadOption) (*attachment.Received, error) {
	content, err := m.latest().media()
	if err != nil {
		return nil, fmt.Errorf("download file of %s: %w", m.ID, err)
	}
	if err := b.connect(ctx); err != nil {
		return nil, err
	}
	received, err := b.files.Download(ctx, content, opts...)
	if err != nil {
		return nil, fmt.Errorf("download file of %s: %w", m.ID, err)
	}
	return received, nil
}

// latest is the event whose content counts: the message's own, or its latest edit's.
func (m *Message) latest() *Event {
	if m.edit != nil {
		return m.edit
	}
	return m.Event
}

// newest is the event's content as JSON; of an edit, the new content.
func (e *Event) newest() string {
	content := e.kept.Content
	if syncjson.GetString(content, "m.relates_to", "rel_type") == string(event.RelReplace) {
		if edited := syncjson.Get(content, "m.new_content"); syncjson.IsObject(edited) {
			return edited
		}
	}
	return content
}

// media is the content of a message or sticker, in which a file is looked for.
func (e *Event) media() (*event.MessageEventContent, error) {
	if e.Type != event.EventMessage && e.Type != event.EventSticker {
		return nil, attachment.ErrNoMedia
	}
	content := new(event.MessageEventContent)
	if err := recovered(func() error { return json.Unmarshal([]byte(e.newest()), content) }); err != nil {
		return nil, fmt.Errorf("%w that can be read: %w", attachment.ErrNoMedia, err)
	}
	return content, nil
}

// fileOf is the file of a message or sticker, nil where it has none. latest is where its content stands.
func (b *Bot) fileOf(e, latest *Event) *File {
	content, err := latest.media()
	if err != nil {
		return nil
	}
	info, err := attachment.Parse(content)
	if err != nil {
		return nil
	}
	return &File{Info: info, Event: e, content: content, bot: b}
}

// findFile is the file of a message with its latest edit, or of a sticker, nil where it has none.
func (b *Bot) findFile(ctx context.Context, room id.RoomID, target id.EventID) (*File, error) {
	m, err := b.Message(ctx, room, target)
	switch {
	case err == nil:
		return b.fileOf(m.Event, m.latest()), nil
	case !errors.Is(err, ErrNotMessage):
		return nil, rejectReference(err)
	}
	e, err := b.Event(ctx, room, target)
	if err != nil {
		return nil, rejectReference(err)
	}
	return b.fileOf(e, e), nil
}

// attached is the word for the file of the command's message, or of the one that it replies to.
const attached = "attached"

type fileArgument struct{}

var _ arg.Converter[*File] = fileArgument{}

func (fileArgument) Kind() arg.Kind { return "file" }

// Default makes the argument be found without a word of the user.
func (fileArgument) Default() string { return attached }

// Convert implements [arg.Converter].
func (fileArgument) Convert(ctx context.Context, text string) (*File, error) {
	c, ok := FromContext(ctx)
	if !ok {
		return nil, errNoContext
	}
	if strings.EqualFold(text, attached) {
		return c.attachedFile(ctx)
	}
	_, room, target, err := findReference(ctx, text)
	if err != nil {
		return nil, err
	}
	f, err := c.bot.findFile(ctx, room, target)
	if f == nil && err == nil {
		err = arg.Reject("that message has no file")
	}
	return f, err
}

// attachedFile is the file of the command's message, or of the one that it replies to.
func (c *Context) attachedFile(ctx context.Context) (f *File, err error) {
	if f := c.bot.fileOf(c.Message.Event, c.Message.latest()); f != nil {
		return f, nil
	}
	to, err := c.repliesTo(ctx)
	if err != nil {
		return nil, err
	}
	if to != "" {
		f, err = c.bot.findFile(ctx, c.Room.id, to)
	}
	if f == nil && err == nil {
		err = arg.Reject("send it in the caption of a file, or as a reply to one")
	}
	return f, err
}
