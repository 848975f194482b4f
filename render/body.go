package render

import (
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Body is a message in both of its forms. The zero Body is an empty message.
type Body struct {
	// Text is the plain text, for clients and notifications that show no HTML. It reads well alone: without the marks of
	// markdown, links with their URL, tables in columns.
	Text string
	// HTML is the formatted text. It is empty if Text says all there is to say.
	HTML string
	// Mentions says who is notified. Text and HTML never decide that.
	Mentions Mentions
}

// Mentions says whom a message notifies (client-server API, "User and room mentions"). The zero value notifies nobody.
type Mentions struct {
	// Users holds the users to notify, each of them once.
	Users []id.UserID
	// Room notifies everybody in the room, if the sender has the power to.
	Room bool
}

var _ Value = Body{}

// Plain returns text as a body. Line ends become "\n"; control characters and invalid UTF-8 are removed.
func Plain(text string) Body {
	return Body{Text: clean(truncate(text, MaxInput))}
}

// String returns the plain text.
func (b Body) String() string { return b.Text }

// Body returns b itself, so that a Body can be an argument of [Markdown].
func (b Body) Body() Body { return b }

// Content returns the body as the content of an m.room.message event of the given type, such as [event.MsgText],
// [event.MsgNotice] or [event.MsgEmote]. It always carries m.mentions, also when nobody is mentioned, so that servers
// and clients do not search the text for names (client-server API, "User and room mentions").
func (b Body) Content(msgType event.MessageType) *event.MessageEventContent {
	content := &event.MessageEventContent{
		MsgType:  msgType,
		Body:     b.Text,
		Mentions: &event.Mentions{UserIDs: slices.Clone(b.Mentions.Users), Room: b.Mentions.Room},
	}
	if b.HTML != "" {
		content.Format = event.FormatHTML
		content.FormattedBody = b.HTML
	}
	return content
}

// Size returns how many bytes Text and HTML take in a JSON event, counted as encoding/json writes them: a "<" takes
// six bytes. It is what [Split] measures.
func (b Body) Size() int { return jsonSize(b.Text) + jsonSize(b.HTML) }

func jsonSize(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '<' || c == '>' || c == '&':
			n += len(`\u003c`) - 1
		case c == '"' || c == '\\' || c == '\n' || c == '\t':
			n++
		case c == 0xe2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2]&^1 == 0xa8:
			n += len(`\u2028`) - len("\u2028")
		}
	}
	return n
}

// add mentions everyone that other does.
func (m *Mentions) add(other Mentions) {
	m.Room = m.Room || other.Room
	for _, user := range other.Users {
		if !slices.Contains(m.Users, user) {
			m.Users = append(m.Users, user)
		}
	}
}
