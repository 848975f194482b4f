package main

import (
	"context"
	"errors"
	"log/slog"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// member is a user of encrypted rooms.
type member struct {
	bot   *niobot.Bot
	stop  context.CancelFunc
	ended chan struct{} // Closed when the bot has ended
	err   error         // Why, after that
	store *sqlite.Store
}

// letIn logs the user in and begins to read.
func (c *circle) letIn(user id.UserID, path string, log *slog.Logger) (m *member, err error) {
	session, err := c.town.Homeserver.LogIn(user, "")
	if err != nil {
		return nil, err
	}
	store, err := sqlite.Open(path, sqlite.WithLogger(log))
	if err != nil {
		return nil, err
	}
	forget := func(context.Context, string) error { return nil }
	bot, err := niobot.New(niobot.Config{Homeserver: c.url, Token: session.Token, Prefixes: []string{"?"}},
		niobot.WithLogger(log.With("user_id", user)), niobot.WithStore(store),
		niobot.WithEncryption(e2ee.New(store, e2ee.OnRecoveryKey(forget))))
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	bot.On(event.EventMessage, func(_ context.Context, e *niobot.Event) error { return c.hear(user, e) })
	ctx, stop := context.WithCancel(context.Background())
	m = &member{bot: bot, stop: stop, ended: make(chan struct{}), store: store}
	go func() {
		defer close(m.ended)
		m.err = bot.Run(ctx)
	}()
	return m, nil
}

// close ends the user's bot and waits for it.
func (m *member) close() error {
	m.stop()
	<-m.ended
	return errors.Join(m.err, m.store.Close())
}
