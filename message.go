package niobot

import (
	"slices"
	"strings"
	"unicode/utf8"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Message is an m.room.message event with what bots read most taken out of its content
// (spec: Client-Server API, "Instant Messaging"). Of an edit, these are the new content.
type Message struct {
	*Event

	MsgType       event.MessageType
	Body          string // The plain text, without the quoted fallback of a reply
	FormattedBody string // The HTML, empty where there is none
	FileName      string // Of media; empty where the body is the file's name

	ReplyTo  id.EventID // The message this one replies to, empty where it is no reply
	Thread   id.EventID // The root of the thread that this one is in, empty where it is in none
	Replaces id.EventID // The message that this one edits, empty where it is no edit

	MentionsUsers []id.UserID // Of m.mentions
	MentionsRoom  bool
	hasMentions   bool
	structured    string // What it calls as data, as JSON; see Bot.structured
	edit          *Event // The latest edit, where the text is that of one
}

// maxMentions is how many mentioned users are read of one message.
const maxMentions = 100

// parseMessage makes the event's message, if its content has a type and a body.
func (e *Event) parseMessage() {
	m := e.space
	if m == nil {
		m = new(Message)
	}
	m.Event = e
	m.read(e.kept.Content)
	if m.Replaces != "" {
		if content := syncjson.Get(e.kept.Content, "m.new_content"); syncjson.IsObject(content) {
			m.MsgType, m.Body, m.FormattedBody, m.FileName, m.structured = "", "", "", "", ""
			m.readText(content)
		}
	}
	if m.MsgType == "" || m.Body == "" {
		return
	}
	if m.ReplyTo != "" {
		m.Body = withoutFallback(m.Body)
		m.FormattedBody = withoutHTMLFallback(m.FormattedBody)
	}
	e.text = m
}

func (m *Message) read(content string) {
	m.readText(content)
	relation := syncjson.Get(content, "m.relates_to")
	if !syncjson.IsObject(relation) {
		return
	}
	var target id.EventID
	var typ string
	fallback := false
	for key, value := range syncjson.Fields(relation) {
		switch key {
		case "rel_type":
			typ, _ = syncjson.String(value)
		case "event_id":
			text, _ := syncjson.String(value)
			target = id.EventID(text)
		case "is_falling_back":
			fallback = value == "true"
		case "m.in_reply_to":
			m.ReplyTo = id.EventID(syncjson.GetString(value, "event_id"))
		}
	}
	switch event.RelationType(typ) {
	case event.RelThread:
		m.Thread = target
		if fallback {
			m.ReplyTo = ""
		}
	case event.RelReplace:
		m.Replaces = target
	}
}

func (m *Message) readText(content string) {
	html := ""
	format := ""
	for key, value := range syncjson.Fields(content) {
		switch key {
		case "msgtype":
			text, _ := syncjson.String(value)
			m.MsgType = event.MessageType(text)
		case "body":
			text, _ := syncjson.String(value)
			m.Body = validText(text)
		case "formatted_body":
			html, _ = syncjson.String(value)
		case "format":
			format, _ = syncjson.String(value)
		case "filename":
			m.FileName, _ = syncjson.String(value)
		case "m.mentions":
			m.readMentions(value)
		case structuredKey:
			m.structured = value
		}
	}
	if format == string(event.FormatHTML) {
		m.FormattedBody = validText(html)
	}
	if m.FileName == m.Body {
		m.FileName = ""
	}
}

func (m *Message) readMentions(value string) {
	if !syncjson.IsObject(value) {
		return
	}
	m.hasMentions = true
	m.MentionsRoom = syncjson.Get(value, "room") == "true"
	m.MentionsUsers = nil
	for user := range syncjson.Elements(syncjson.Get(value, "user_ids")) {
		if text, ok := syncjson.String(user); ok && len(m.MentionsUsers) < maxMentions {
			m.MentionsUsers = append(m.MentionsUsers, id.UserID(text))
		}
	}
}

// Mentions tells whether the message mentions the user (spec: "User and room mentions").
func (m *Message) Mentions(user id.UserID) bool { return slices.Contains(m.MentionsUsers, user) }

// isCaption tells whether the body is a text that goes with a file (MSC2530).
func (m *Message) isCaption() bool { return m.MsgType.IsMedia() && m.FileName != "" }

// validText is text as UTF-8, whatever came.
func validText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// withoutFallback removes the quote that older clients put before the text of a reply.
func withoutFallback(body string) string {
	if !strings.HasPrefix(body, "> <") {
		return body
	}
	rest := body
	for strings.HasPrefix(rest, "> ") || rest == ">" || strings.HasPrefix(rest, ">\n") {
		_, after, found := strings.Cut(rest, "\n")
		if !found {
			return body
		}
		rest = after
	}
	if text, ok := strings.CutPrefix(rest, "\n"); ok && text != "" {
		return text
	}
	return body
}

func withoutHTMLFallback(html string) string {
	const end = "</mx-reply>"
	if strings.HasPrefix(html, "<mx-reply>") {
		if i := strings.Index(html, end); i >= 0 {
			return html[i+len(end):]
		}
	}
	return html
}
