// Package redirect lets the test kit send a bot to its own homeserver, whatever the bot was configured with.
package redirect

import "context"

// Target is a homeserver and the account there.
type Target struct {
	Homeserver string // Base URL
	Token      string
}

type key struct{}

// To makes a bot that connects with the returned context go to the target.
func To(ctx context.Context, t Target) context.Context { return context.WithValue(ctx, key{}, t) }

// From is the target that ctx was made with by [To].
func From(ctx context.Context) (t Target, ok bool) {
	t, ok = ctx.Value(key{}).(Target)
	return t, ok
}
