package niobot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/attachment"
	"github.com/niobot/niobot/render"
)

// Files is [Content] that sends files; [Attach] makes it. It is a value that may be sent many times.
type Files struct {
	attachments []*attachment.Attachment
	caption     Body
	gallery     bool
}

var _ Content = Files{}

// Attach is one file to send, or several, each shown as package attachment finds out or is told: pictures with a
// thumbnail, sounds and videos with a player. In an encrypted room the files are encrypted, and their names and previews
// with them.
//
//	c.Respond(ctx, niobot.Attach(attachment.Of(attachment.Path("cat.jpg"))))
//
// All files are uploaded before the first message is sent, so that either all of them are shown or, where one fails,
// none. The errors are also those of [attachment.Attachment.Prepare] and [attachment.Prepared.Upload], such as
// [attachment.ErrTooLarge] with the server's limit. The message of a file takes no earlier reply's place: where an edited
// command runs again, the earlier file is redacted and the new one sent. [Sent.Edit] changes the caption.
func Attach(attachments ...*attachment.Attachment) Files {
	return Files{attachments: slices.Clone(attachments)}
}

// Captioned is the files with a text that is shown below the first of them (spec: Client-Server API, "Media captions"),
// or below the gallery. It takes the place of [attachment.Caption].
func (f Files) Captioned(caption Body) Files {
	f.caption = caption
	return f
}

// AsGallery is the files in one message in place of one for each (MSC4274). Clients that do not know galleries show the
// caption alone, or the files' names.
func (f Files) AsGallery() Files {
	f.gallery = true
	return f
}

// Body implements [Content] by the caption.
func (f Files) Body() Body { return f.caption }

// check tells what is wrong before anything is uploaded.
func (f Files) check() error {
	switch {
	case len(f.attachments) == 0 || slices.Contains(f.attachments, nil):
		return fmt.Errorf("%w: a file is missing", ErrEmptyMessage)
	case f.caption.Size() > render.MaxSize:
		return fmt.Errorf("caption of %d bytes: %w", f.caption.Size(), ErrTooLarge)
	}
	return nil
}

// postFiles uploads files and sends the messages that show them, of which it returns the first.
func (b *Bot) postFiles(ctx context.Context, room id.RoomID, out outgoing, r *run) (*Sent, error) {
	encrypted, err := b.mustEncrypt(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("send files: %w", err)
	}
	parts, err := b.uploadAll(ctx, *out.files, encrypted)
	if err != nil {
		return nil, fmt.Errorf("send files: %w", err)
	}
	out.mentions.UserIDs = append(slices.Clone(out.mentions.UserIDs), out.body.Mentions.Users...)
	out.mentions.Room = out.mentions.Room || out.body.Mentions.Room
	var first *Sent
	for i := 0; i < len(parts); i++ {
		part := parts[i]
		part.thread, part.queued, part.msgType = out.thread, out.queued, out.msgType
		if i == 0 {
			// What notifies, or means something to the receiver, is to do so once.
			part.replyTo, part.mentions, part.extra = out.replyTo, out.mentions, out.extra
		}
		if !part.queued {
			part.transaction = r.transaction() // The same for both attempts, so that a run after a crash repeats it.
		}
		sent, err := b.postOne(withClearFile(ctx, !encrypted), room, part, r)
		if errors.Is(err, errClearFile) {
			encrypted = true
			if parts, err = b.uploadAll(ctx, *out.files, encrypted); err == nil {
				part.special, part.media = parts[i].special, parts[i].media
				sent, err = b.postOne(ctx, room, part, r)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("file %d of %d: %w", i+1, len(parts), err)
		}
		if first == nil {
			first = sent
		}
	}
	return first, nil
}

// errClearFile is the error of a message that is to be encrypted and shows a file that is not.
var errClearFile = errors.New("the room is encrypted, and the file was uploaded before that")

type clearFileKey struct{}

// withClearFile notes that what is sent shows a file that lies on the server in the clear.
func withClearFile(ctx context.Context, clear bool) context.Context {
	if !clear {
		return ctx
	}
	return context.WithValue(ctx, clearFileKey{}, true)
}

// showsClearFile reports whether withClearFile has noted that.
func showsClearFile(ctx context.Context) bool { return ctx.Value(clearFileKey{}) != nil }

// uploadAll makes the messages that show the files: one for each, or one for all.
func (b *Bot) uploadAll(ctx context.Context, files Files, encrypted bool) ([]outgoing, error) {
	parts := make([]outgoing, len(files.attachments))
	gallery := &attachment.Gallery{Caption: files.caption.Text, CaptionHTML: files.caption.HTML}
	for i, a := range files.attachments {
		var caption Body
		if i == 0 && !files.gallery {
			caption = files.caption
		}
		content, err := b.upload(ctx, a, caption, encrypted)
		if err != nil {
			return nil, fmt.Errorf("file %d of %d: %w", i+1, len(parts), err)
		}
		gallery.Items = append(gallery.Items, content)
		parts[i] = outgoing{typ: event.EventMessage, special: content, media: content}
	}
	if files.gallery {
		return []outgoing{{typ: event.EventMessage, special: gallery}}, nil
	}
	return parts, nil
}

func (b *Bot) upload(
	ctx context.Context, a *attachment.Attachment, caption Body, encrypted bool,
) (content *event.MessageEventContent, err error) {
	p, err := a.Prepare(ctx, b.files)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := p.Close(); err == nil {
			err = closeErr
		}
	}()
	if caption.Text != "" {
		p.Caption, p.CaptionHTML = caption.Text, caption.HTML
	}
	return p.Upload(ctx, b.files, encrypted)
}

// mediaEdit is the content of an edit that gives a file's message another caption. The file is repeated, as the
// specification asks, so that clients go on to show it.
func (o *outgoing) mediaEdit() any {
	mentions := o.mentions
	mentions.UserIDs = append(slices.Clone(mentions.UserIDs), o.body.Mentions.Users...)
	mentions.Room = mentions.Room || o.body.Mentions.Room
	fresh := *o.media
	fresh.FileName = fresh.GetFileName()
	fresh.Body, fresh.Format, fresh.FormattedBody = o.body.Text, "", ""
	fallback := fresh
	fallback.Body = "* " + fresh.Body
	if o.body.HTML != "" {
		fresh.Format, fresh.FormattedBody = event.FormatHTML, o.body.HTML
		fallback.Format, fallback.FormattedBody = event.FormatHTML, "* "+o.body.HTML
	}
	changed := withFields(specialContent{&fresh, &mentions, nil}, o.extra)
	return withFields(fieldsOver{
		specialContent{&fallback, &event.Mentions{}, o.relation()},
		map[string]any{"m.new_content": changed},
	}, o.extra)
}
