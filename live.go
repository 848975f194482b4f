package niobot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot/internal/syncjson"
)

// tableLive holds the messages of streams that are still being written, by room and event. What is in it at the start
// was left by a crash, and maybe by a run that is not repeated.
const tableLive Table = "live"

// liveEnd is how long the start may take for such messages; what is left then waits for the next start.
const liveEnd = 30 * time.Second

func liveKey(room id.RoomID, message id.EventID) string {
	return string(room) + "\x00" + string(message)
}

// noteLive remembers a message that is still being written.
func (b *Bot) noteLive(s *Sent) {
	if key := liveKey(s.RoomID, s.ID); b.journal != nil && fits(key) {
		b.journal.put(Put(tableLive, key, nil))
	}
}

// noteWritten forgets it, since it is written.
func (b *Bot) noteWritten(s *Sent) {
	if key := liveKey(s.RoomID, s.ID); b.journal != nil && fits(key) {
		b.journal.put(Delete(tableLive, key))
	}
}

// endLive finishes the messages that a crash has left as still being written, with the text that they show. It comes
// before all other work, so that a run that is repeated has the last word.
func (b *Bot) endLive(ctx context.Context) {
	if !b.keeps() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, liveEnd)
	defer cancel()
	for record, err := range b.settings.store.Scan(ctx, tableLive, "") {
		if err != nil {
			b.log.Warn("messages that were being written not read", "err", err)
			return
		}
		room, message, _ := strings.Cut(record.Key, "\x00")
		if err := b.endMessage(ctx, id.RoomID(room), id.EventID(message)); err != nil {
			b.log.Warn("message that was being written not finished", "room_id", room, "event_id", message, "err", err)
			if ctx.Err() != nil {
				return
			}
		}
		b.journal.put(Delete(tableLive, record.Key))
	}
}

// endMessage edits a message so that it says what it says, without the mark of what is still being written.
func (b *Bot) endMessage(ctx context.Context, room id.RoomID, message id.EventID) error {
	e, err := b.Event(ctx, room, message)
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	if e.Redacted() || e.Sender != b.UserID() {
		return nil
	}
	content := e.kept.Content
	edit, err := b.latestEdit(ctx, e)
	if err != nil {
		return err
	}
	if edit != nil {
		content = syncjson.Get(edit.kept.Content, "m.new_content")
	}
	if syncjson.Get(content, liveField) == "" {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(content), &fields); err != nil {
		return fmt.Errorf("read %s: %w", message, err)
	}
	delete(fields, liveField)
	delete(fields, "m.relates_to")
	body := syncjson.GetString(content, "body")
	written := map[string]any{
		"msgtype": fields["msgtype"], "body": "* " + body, "m.mentions": struct{}{}, "m.new_content": fields,
		"m.relates_to": event.RelatesTo{Type: event.RelReplace, EventID: message},
	}
	_, err = b.outbox.send(ctx, room, event.EventMessage, written, newTransaction())
	return err
}
