package main

import (
	"context"
	"fmt"

	"github.com/niobot/niobot/bench/ledger"
	"github.com/niobot/niobot/bench/town"
)

// converse says commands, of which so many are open at once, until all are answered.
func converse(ctx context.Context, t *town.Town, commands, crowd int) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for said := 0; said < commands; {
		open, changed := t.Ledger.Open()
		if open >= crowd {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return fmt.Errorf("%d commands are not answered: %w", open, context.Cause(ctx))
			}
		}
		room := t.Rooms[said%len(t.Rooms)]
		answer := []ledger.Answer{{Body: fmt.Sprintf("echo %d", said)}}
		if err := t.Say(room, fmt.Sprintf("!echo %d", said), answer); err != nil {
			return err
		}
		said++
	}
	return t.Ledger.Settle(ctx)
}
