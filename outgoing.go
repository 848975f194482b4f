package niobot

import "maunium.net/go/mautrix/event"

// Content is what [Bot.Send] and its kin send: a [Body], which is text, [Files], a [Sticker], a [Location], a
// [Poll], or any other value that has a body, such as a [render.Table].
type Content interface {
	// Body is what the content says where only text can be shown.
	Body() Body
}

// eventContent is Content that is more than text, in an event of a type of its own.
type eventContent interface {
	Content
	// event is the event's type and its content without what every message may have. An error says what of it is wrong.
	event() (typ event.Type, content any, err error)
}

var (
	_ Content      = Body{}
	_ eventContent = Sticker{}
	_ eventContent = Location{}
	_ eventContent = Poll{}
)

// fill takes over what is to be sent.
func (o *outgoing) fill(content Content) error {
	if content == nil {
		return ErrEmptyMessage
	}
	o.body = content.Body()
	if files, ok := content.(Files); ok {
		o.files = &files
		return files.check()
	}
	special, ok := content.(eventContent)
	if !ok {
		return nil
	}
	typ, made, err := special.event()
	o.typ, o.special = typ, made
	return err
}

// event is the message as an event: its type, and its content with what every message may have.
func (o *outgoing) event() (typ event.Type, content any) {
	switch {
	case o.media != nil && o.edits != "":
		return event.EventMessage, o.mediaEdit()
	case o.special == nil:
		return event.EventMessage, o.content()
	}
	mentions := o.mentions
	return o.typ, withFields(specialContent{o.special, &mentions, o.relation()}, o.extra)
}

type specialContent struct {
	special   any
	mentions  *event.Mentions
	relatesTo *event.RelatesTo
}

// MarshalJSON implements [json.Marshaler].
func (c specialContent) MarshalJSON() ([]byte, error) {
	extra := map[string]any{"m.mentions": c.mentions}
	if c.relatesTo != nil {
		extra["m.relates_to"] = c.relatesTo
	}
	return fieldsOver{c.special, extra}.MarshalJSON()
}
