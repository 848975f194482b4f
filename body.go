package niobot

import (
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/render"
)

// Body is what a message says: plain text and HTML together. Package render makes it.
type Body = render.Body

// Plain is a body of text that is shown as it is.
func Plain(text string) Body { return render.Plain(text) }

// Markdown is a body made of a format in Markdown and of arguments that are text, which is escaped for where it
// stands: see [render.Markdown].
func Markdown(format string, args ...any) Body { return render.Markdown(format, args...) }

// HTML is a body of HTML of which only what the specification allows is kept.
func HTML(html string) Body { return render.HTML(html) }

// RawHTML is a body of HTML that is sent as it is.
func RawHTML(html string) Body { return render.RawHTML(html) }

// SendOption changes how one message is sent.
type SendOption func(*outgoing)

// outgoing is one message on its way.
type outgoing struct {
	body     Body
	msgType  event.MessageType
	replyTo  id.EventID
	thread   id.EventID
	edits    id.EventID
	mentions event.Mentions
	extra    map[string]any
	queued   bool

	typ         event.Type                 // Of what is no text; empty for text
	special     any                        // Its content
	files       *Files                     // Files to upload and send
	media       *event.MessageEventContent // Of one file that was uploaded
	transaction string                     // Empty: that of the run's next send
}

// InReplyTo makes the message a reply to another of its room.
func InReplyTo(message id.EventID) SendOption { return func(o *outgoing) { o.replyTo = message } }

// InThread puts the message into the thread with that root (spec: "Threading").
func InThread(root id.EventID) SendOption { return func(o *outgoing) { o.thread = root } }

// OutsideThread keeps the message out of the thread that the command is in.
func OutsideThread() SendOption { return func(o *outgoing) { o.thread = "" } }

// AsType sets the message's msgtype: m.text, m.notice or m.emote.
func AsType(t event.MessageType) SendOption { return func(o *outgoing) { o.msgType = t } }

// Mention notifies the users (spec: "User and room mentions"). The text should name them too; render.User does both.
func Mention(users ...id.UserID) SendOption {
	return func(o *outgoing) { o.mentions.UserIDs = append(o.mentions.UserIDs, users...) }
}

// MentionRoom notifies everybody in the room, where the bot has the power for it.
func MentionRoom() SendOption { return func(o *outgoing) { o.mentions.Room = true } }

// WithField adds a field to the content, over what is there. Fields outside the specification should bear a name
// such as "org.example.field".
func WithField(name string, value any) SendOption {
	return func(o *outgoing) {
		if o.extra == nil {
			o.extra = make(map[string]any)
		}
		o.extra[name] = value
	}
}

// textContent is the part of a message's content that an edit replaces.
type textContent struct {
	MsgType       event.MessageType `json:"msgtype"`
	Body          string            `json:"body"`
	Format        event.Format      `json:"format,omitempty"`
	FormattedBody string            `json:"formatted_body,omitempty"`
	Mentions      *event.Mentions   `json:"m.mentions"`
}

type messageContent struct {
	textContent
	NewContent any              `json:"m.new_content,omitempty"`
	RelatesTo  *event.RelatesTo `json:"m.relates_to,omitempty"`
}

// content is the message's m.room.message content.
func (o *outgoing) content() any {
	mentions := o.mentions
	mentions.UserIDs = append(mentions.UserIDs, o.body.Mentions.Users...)
	mentions.Room = mentions.Room || o.body.Mentions.Room
	text := textContent{MsgType: o.msgType, Body: o.body.Text, FormattedBody: o.body.HTML, Mentions: &mentions}
	if text.FormattedBody != "" {
		text.Format = event.FormatHTML
	}
	content := messageContent{textContent: text, RelatesTo: o.relation()}
	if o.edits != "" {
		// Clients without edits see the fallback. Who was mentioned before is not notified again.
		content.NewContent = withFields(text, o.extra)
		content.Body = "* " + content.Body
		if content.FormattedBody != "" {
			content.FormattedBody = "* " + content.FormattedBody
		}
		content.Mentions = &event.Mentions{}
	}
	return withFields(content, o.extra)
}

func (o *outgoing) relation() *event.RelatesTo {
	switch {
	case o.edits != "":
		return &event.RelatesTo{Type: event.RelReplace, EventID: o.edits}
	case o.thread != "" && o.replyTo != "":
		return &event.RelatesTo{Type: event.RelThread, EventID: o.thread, InReplyTo: &event.InReplyTo{EventID: o.replyTo}}
	case o.thread != "":
		// Clients without threads show the message as a reply to the thread's root.
		return &event.RelatesTo{Type: event.RelThread, EventID: o.thread, IsFallingBack: true,
			InReplyTo: &event.InReplyTo{EventID: o.thread}}
	case o.replyTo != "":
		return &event.RelatesTo{InReplyTo: &event.InReplyTo{EventID: o.replyTo}}
	}
	return nil
}

// withFields is content with extra fields laid over it.
func withFields(content any, extra map[string]any) any {
	if len(extra) == 0 {
		return content
	}
	return fieldsOver{content, extra}
}

type fieldsOver struct {
	content any
	extra   map[string]any
}

// MarshalJSON implements [json.Marshaler].
func (f fieldsOver) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(f.content)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	for name, value := range f.extra {
		if fields[name], err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	return json.Marshal(fields)
}
