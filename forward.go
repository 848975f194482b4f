package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// Forward sends a copy of a message into a room: its text or file, as its latest edit left it, without what it replied
// to, its thread, and its mentions, so that nobody is notified again. A text is sent with the bot's own msgtype, so
// that no bot takes it for a command of a user; see [WithMessageType]. Fields that mean something to bots are left out.
// The errors are those of [Bot.Send]; a file that is encrypted is refused, since its key is not for another room.
func (b *Bot) Forward(ctx context.Context, m *Message, to id.RoomID, opts ...SendOption) (*Sent, error) {
	fields, err := m.copied()
	if err != nil {
		return nil, fmt.Errorf("forward %s: %w", m.ID, err)
	}
	if m.MsgType != event.MsgText {
		opts = append([]SendOption{AsType(m.MsgType)}, opts...)
	}
	for name, value := range fields {
		opts = append(opts, WithField(name, value))
	}
	return b.post(ctx, to, outgoing{body: Body{Text: m.Body, HTML: m.FormattedBody}}, opts, nil)
}

// copied is the fields of the message's content that a copy has beside its text.
func (m *Message) copied() (map[string]any, error) {
	content := m.kept.Content
	if m.Replaces != "" {
		if edited := syncjson.Get(content, "m.new_content"); syncjson.IsObject(edited) {
			content = edited
		}
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(content), &all); err != nil {
		return nil, err
	}
	if _, ok := all["file"]; ok {
		return nil, errors.New("its file is encrypted, and the key is not for another room")
	}
	fields := make(map[string]any, len(all))
	for name, value := range all {
		if !isText(name) && !isForBots(name) {
			fields[name] = value
		}
	}
	if m.FileName != "" {
		fields["filename"] = m.FileName
	}
	return fields, nil
}

// isText tells whether the field is written anew, or says what the message relates to.
func isText(field string) bool {
	switch field {
	case "msgtype", "body", "format", "formatted_body", "filename", "m.mentions", "m.relates_to", "m.new_content":
		return true
	}
	return false
}

// isForBots tells whether the field makes bots act. In a message of this bot it would have its word.
func isForBots(field string) bool {
	return strings.HasPrefix(field, "org.niobot.") || strings.HasPrefix(field, "org.matrix.msc4391.") ||
		strings.HasPrefix(field, "m.bot_command")
}
