package main

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

type purgeArgs struct {
	Count int        `arg:"count" min:"1" max:"100" help:"how many messages"`
	From  *id.UserID `arg:"--from,-f" help:"of this user only"`
	Yes   bool       `arg:"--yes,-y" help:"without asking"`
}

// purgeCommand runs once at a time: two at once would remove twice as much as either was told to.
var purgeCommand = niobot.NewCommand("purge", purge,
	niobot.Describe("Remove the latest messages."), may(niobot.Redacting), niobot.RejectAbove(1))

// Bounds of how far back messages are looked for.
const (
	pageSize = 100
	maxPages = 10
)

func purge(ctx context.Context, c *niobot.Context, a purgeArgs) error {
	// The messages are those that stood there before anybody was asked.
	messages, err := latest(ctx, c, a)
	if err != nil {
		return err
	}
	if len(messages) == 0 {
		return c.Reply(ctx, "There are none.")
	}
	if !a.Yes {
		question := niobot.Markdown("Remove **%d** messages?", len(messages))
		if ok, err := c.Confirm(ctx, question, niobot.Within(time.Minute)); err != nil || !ok {
			return err
		}
	}
	for _, message := range messages {
		if err := c.Bot().Redact(ctx, c.Room.ID(), message, onBehalf(c, "")); err != nil {
			return fmt.Errorf("remove %s: %w", message, err)
		}
	}
	return done(ctx, c, nil)
}

// latest asks the server for the latest messages before the command. Those that are redacted have nothing to remove;
// the command itself stays, since it would be cancelled by its end.
func latest(ctx context.Context, c *niobot.Context, a purgeArgs) ([]id.EventID, error) {
	client, err := c.Bot().Client(ctx)
	if err != nil {
		return nil, err
	}
	var found []id.EventID
	from := ""
	for range maxPages {
		page, err := client.Messages(ctx, c.Room.ID(), from, "", mautrix.DirectionBackward, nil, pageSize)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		for _, e := range page.Chunk {
			if e.ID == c.Message.ID || e.Unsigned.RedactedBecause != nil || !isMessage(e) {
				continue
			}
			if a.From != nil && e.Sender != *a.From {
				continue
			}
			if found = append(found, e.ID); len(found) == a.Count {
				return found, nil
			}
		}
		if from = page.End; from == "" || len(page.Chunk) == 0 {
			break
		}
	}
	return found, nil
}

func isMessage(e *event.Event) bool {
	return e.Type == event.EventMessage || e.Type == event.EventEncrypted || e.Type == event.EventSticker
}
