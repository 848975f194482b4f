package niobot

import "context"

// place is what a goroutine of the bot works on, and gives back while it waits: a place of the pool for a command's
// handler, the room's turn for a listener.
type place interface {
	yield()  // Gives it to others
	wake()   // Says that the event has come, ahead of regain
	regain() // Takes it back
}

type placeKey struct{}

// placeOf is the place that [Bot.WaitFor] gives back below ctx; nil where there is none.
func placeOf(ctx context.Context) place {
	p, _ := ctx.Value(placeKey{}).(place)
	return p
}
