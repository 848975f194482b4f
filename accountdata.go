package niobot

import (
	"context"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// AccountData is a piece of the bot account's own data, decoded into a T (spec: Client-Server API, "Client Config"). It
// is kept by the server and seen by nobody else but its administrators. The errors: [ErrNotFound] where it was never
// set, one that tells what of it does not fit the T, or the server's, as mautrix.HTTPError.
func AccountData[T any](ctx context.Context, b *Bot, name string) (T, error) {
	return accountData[T](ctx, b, name, func(ctx context.Context, raw *json.RawMessage) error {
		return b.client.GetAccountData(ctx, name, raw)
	})
}

// RoomAccountData is [AccountData] that belongs to one room.
func RoomAccountData[T any](ctx context.Context, b *Bot, room id.RoomID, name string) (T, error) {
	if err := b.connectFor(ctx, room); err != nil {
		var none T
		return none, fmt.Errorf("read account data %s: %w", name, err)
	}
	return accountData[T](ctx, b, name, func(ctx context.Context, raw *json.RawMessage) error {
		return b.client.GetRoomAccountData(ctx, room, name, raw)
	})
}

func accountData[T any](
	ctx context.Context, b *Bot, name string, get func(ctx context.Context, raw *json.RawMessage) error,
) (content T, err error) {
	if err := b.connect(ctx); err != nil {
		return content, fmt.Errorf("read account data %s: %w", name, err)
	}
	var raw json.RawMessage
	err = retry(ctx, func(ctx context.Context) error {
		raw = nil
		return get(ctx, &raw)
	})
	if err != nil {
		return content, fmt.Errorf("read account data %s: %w", name, markNotFound(err))
	}
	if err := json.Unmarshal(raw, &content); err != nil {
		return content, fmt.Errorf("read account data %s: %w", name, err)
	}
	return content, nil
}

// SetAccountData sets a piece of the bot account's own data. content is encoded as JSON, must be an object, and
// replaces what was there. Data can't be deleted; an empty object is the nearest to it. The errors are the server's.
func (b *Bot) SetAccountData(ctx context.Context, name string, content any) error {
	body, err := encodeContent(content)
	if err != nil {
		return fmt.Errorf("set account data %s: %w", name, err)
	}
	if err := b.connect(ctx); err != nil {
		return fmt.Errorf("set account data %s: %w", name, err)
	}
	if name == event.AccountDataDirectChats.Type {
		err = b.direct.replace(ctx, body)
	} else {
		err = retry(ctx, func(ctx context.Context) error { return b.client.SetAccountData(ctx, name, body) })
	}
	if err != nil {
		return fmt.Errorf("set account data %s: %w", name, err)
	}
	return nil
}

// SetRoomAccountData is [Bot.SetAccountData] for data that belongs to one room.
func (b *Bot) SetRoomAccountData(ctx context.Context, room id.RoomID, name string, content any) error {
	body, err := encodeContent(content)
	if err != nil {
		return fmt.Errorf("set account data %s of %s: %w", name, room, err)
	}
	if err := b.connectFor(ctx, room); err != nil {
		return fmt.Errorf("set account data %s: %w", name, err)
	}
	err = retry(ctx, func(ctx context.Context) error { return b.client.SetRoomAccountData(ctx, room, name, body) })
	if err != nil {
		return fmt.Errorf("set account data %s of %s: %w", name, room, err)
	}
	return nil
}
