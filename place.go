package niobot

import "context"

// place is what a goroutine of the bot works on, and gives back while it waits: a place of the pool for a command's
// handler, the room's turn for a listener.
type place interface {
	yield()
	regain()
}

type placeKey struct{}

// withPlace makes p findable for [Bot.WaitFor] below ctx.
func withPlace(ctx context.Context, p place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

func placeOf(ctx context.Context) place {
	p, _ := ctx.Value(placeKey{}).(place)
	return p
}
