package niobot

import "context"

// Handler runs a command whose arguments are bound. See [Middleware].
type Handler func(ctx context.Context, c *Context) error

// Middleware makes a handler of another: it may act before and after it, change its context, or not call it at all.
// It runs after the checks, with arguments that were found right.
type Middleware func(next Handler) Handler

// chain composes middleware around h, the first outermost.
func chain(middleware []Middleware, h Handler) Handler {
	for i := len(middleware) - 1; i >= 0; i-- {
		h = middleware[i](h)
	}
	return h
}
