package niobot

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// ReceiptMode says whether and for whom the bot marks messages as read (spec: Client-Server API, "Receipts").
type ReceiptMode int

// The modes of [WithReadReceipts].
const (
	ReceiptsPublic  ReceiptMode = iota // Everybody in the room sees them
	ReceiptsPrivate                    // Only the bot's own devices do
	ReceiptsOff                        // None are sent
)

func (m ReceiptMode) receiptType() event.ReceiptType {
	if m == ReceiptsPrivate {
		return event.ReceiptTypeReadPrivate
	}
	return event.ReceiptTypeRead
}

// receiptInterval is the least time between two receipts for one room: what was read meanwhile is covered by the next.
const receiptInterval = time.Second

// receipts sends read receipts, apart from all other work. One covers all that came in a room since the last.
type receipts struct {
	mode   ReceiptMode
	client *mautrix.Client
	log    *slog.Logger

	mu     sync.Mutex
	latest map[id.RoomID]id.EventID
	wake   chan struct{}
}

func newReceipts(mode ReceiptMode, client *mautrix.Client, log *slog.Logger) *receipts {
	return &receipts{
		mode: mode, client: client, log: log,
		latest: make(map[id.RoomID]id.EventID), wake: make(chan struct{}, 1),
	}
}

// note says that everything in the room up to the event has been read. It does not block.
func (r *receipts) note(room id.RoomID, latest id.EventID) {
	if r.mode == ReceiptsOff {
		return
	}
	r.mu.Lock()
	r.latest[room] = latest
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run sends what is noted until ctx ends.
func (r *receipts) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		r.mu.Lock()
		batch := r.latest
		r.latest = make(map[id.RoomID]id.EventID)
		r.mu.Unlock()
		for room, latest := range batch {
			err := retry(ctx, func(ctx context.Context) error {
				return r.client.SendReceipt(ctx, room, latest, r.mode.receiptType(), nil)
			})
			if err != nil && ctx.Err() == nil {
				r.log.Debug("read receipt not sent", "room_id", room, "event_id", latest, "err", err)
			}
		}
		if sleep(ctx, receiptInterval) != nil {
			return
		}
	}
}
