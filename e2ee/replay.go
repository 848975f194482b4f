//go:build goolm

package e2ee

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"
)

// heard is what one message of a session was read from.
type heard struct {
	event id.EventID
	at    int64 // As the event says, in milliseconds since 1970
}

// firstHearing notes what the message with the index in its session is read from, and reports false where it was read
// from another event before: somebody who can't write such a message has sent it again (spec: Client-Server API,
// "Algorithm m.megolm.v1.aes-sha2"). The same event may come again, as after a crash.
//
// The note is in the database before the message is handed on. If it came any later, a crash would have the message
// forgotten that was acted on, and it could be sent again.
func (s *keyStore) firstHearing(ctx context.Context, session id.SessionID, index uint, from heard) (bool, error) {
	// One statement of its own ends soon, and to watch the context for its end would cost about as much.
	ctx = context.WithoutCancel(ctx)
	result, err := s.DB.Exec(ctx, `INSERT INTO crypto_message_index (session_id, "index", event_id, timestamp)
		VALUES ($1, $2, $3, $4) ON CONFLICT (session_id, "index") DO NOTHING`, session, index, from.event, from.at)
	if err != nil {
		return false, fmt.Errorf("note that the message was read: %w", err)
	}
	if noted, err := result.RowsAffected(); err != nil || noted == 1 {
		return err == nil, err
	}
	var before heard
	err = s.DB.QueryRow(ctx, `SELECT event_id, timestamp FROM crypto_message_index WHERE session_id=$1 AND "index"=$2`,
		session, index).Scan(&before.event, &before.at)
	if err != nil {
		return false, fmt.Errorf("look up what the message was read from: %w", err)
	}
	return before == from, nil
}
