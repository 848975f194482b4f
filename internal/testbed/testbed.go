// Package testbed joins a bot and the test kit, without a word of it in the bot's own API.
package testbed

import (
	"context"
	"net/http"
)

// Bed is where a bot under test runs.
type Bed struct {
	Homeserver string // Base URL, in place of the configured one
	Token      string // In place of the configured one

	// Transport takes the bot's requests in place of the network, unless it is nil.
	Transport http.RoundTripper

	// Store stands between the bot and its store, which is the argument: both are a niobot.Store. It may be nil, and is
	// not called where the bot has none.
	Store func(store any) any

	// Kill is set by the bot when it connects. It ends the context of all that the bot does at once, as nothing but a
	// crash does.
	Kill func()

	// Idle is set by the bot when it connects. It returns when nothing that has come is being worked on any more,
	// except by handlers that wait for an event, and all of it is in the store.
	Idle func(ctx context.Context) error
}

type key struct{}

// Put makes a bot that connects with the returned context run in the bed.
func Put(ctx context.Context, b *Bed) context.Context { return context.WithValue(ctx, key{}, b) }

// Of is the bed that ctx was made with by [Put], or nil.
func Of(ctx context.Context) *Bed {
	b, _ := ctx.Value(key{}).(*Bed)
	return b
}
