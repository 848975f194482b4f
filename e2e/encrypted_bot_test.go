//go:build e2e

package e2e

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// secretBot is a bot with encryption and a store, which can be stopped and started again.
type secretBot struct {
	*niobot.Bot

	t       *testing.T
	hs      Homeserver
	account Account
	path    string // Of the store
	url     string // Of the homeserver, as the bot is told it
	opts    []e2ee.Option
	enc     *e2ee.Encryption

	recoveryKey string // That was handed over; empty where none was made
	heard       *ear
	prepare     func(*niobot.Bot)
	stop        func() // May be called twice
}

// newSecretBot runs a bot of a new account.
func newSecretBot(t *testing.T, hs Homeserver, localpart string, opts ...e2ee.Option) *secretBot {
	t.Helper()
	return secretBotOf(t, hs, hs.Register(t, localpart), opts...)
}

// secretBotOf runs a bot of an account's device, with an empty store.
func secretBotOf(t *testing.T, hs Homeserver, account Account, opts ...e2ee.Option) *secretBot {
	t.Helper()
	b := readySecretBot(t, hs, account, opts...)
	b.start()
	return b
}

// readySecretBot makes a bot that is not started.
func readySecretBot(t *testing.T, hs Homeserver, account Account, opts ...e2ee.Option) *secretBot {
	t.Helper()
	return &secretBot{
		t: t, hs: hs, account: account, path: filepath.Join(t.TempDir(), "bot.db"), url: hs.URL(), opts: opts,
		heard: newEar(), prepare: func(*niobot.Bot) {}, stop: func() {},
	}
}

// start begins a process of the bot, with what its store has.
func (b *secretBot) start() {
	b.t.Helper()
	done := b.launch()
	select {
	case <-b.Ready():
	case err := <-done:
		done <- nil
		b.t.Fatalf("the bot ended: %v", err)
	case <-time.After(scenarioLimit):
		b.t.Fatal("the bot was not ready in time")
	}
}

// launch is start without waiting.
func (b *secretBot) launch() chan error {
	b.t.Helper()
	db, err := sqlite.Open(b.path)
	check(b.t, "open the store", err)
	b.enc = e2ee.New(db, append([]e2ee.Option{e2ee.OnRecoveryKey(func(_ context.Context, key string) error {
		b.recoveryKey = key
		return nil
	})}, b.opts...)...)
	b.Bot, err = niobot.New(niobot.Config{
		Homeserver: b.url, Token: b.account.Token, Prefixes: []string{"!"},
	}, niobot.WithStore(db), niobot.WithEncryption(b.enc))
	check(b.t, "make the bot", err)
	b.Add(ping)
	b.OnMessage(b.heard.hear)
	b.OnUnreadable(b.heard.miss)
	b.prepare(b.Bot)
	done := make(chan error, 1)
	bot := b.Bot
	go func() { done <- bot.Run(context.WithoutCancel(b.t.Context())) }()
	b.stop = sync.OnceFunc(func() {
		if err := errors.Join(bot.Close(), <-done, db.Close()); err != nil {
			b.t.Errorf("stop the bot: %v", err)
		}
	})
	b.t.Cleanup(b.stop)
	return done
}

// says sends a text.
func (b *secretBot) says(room id.RoomID, text string) id.EventID {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), scenarioLimit)
	defer cancel()
	sent, err := b.Send(ctx, room, niobot.Plain(text), niobot.AsType(event.MsgText))
	check(b.t, "send "+text, err)
	return sent.ID
}

// hears waits until the bot has read the message.
func (b *secretBot) hears(message id.EventID, want string) *niobot.Message {
	b.t.Helper()
	m, err := b.heard.wait(b.t.Context(), message)
	check(b.t, "read "+want, err)
	if m.Body != want {
		b.t.Fatalf("%s reads %q, want %q", b.account.UserID, m.Body, want)
	}
	if _, ok := m.Origin(); !ok {
		b.t.Fatalf("%q came in the clear", want)
	}
	return m
}

// secretRoom makes an encrypted room of the bots, the first of whom creates it, and returns when all know it.
func secretRoom(bots ...*secretBot) id.RoomID {
	creator := bots[0]
	creator.t.Helper()
	ctx, cancel := context.WithTimeout(creator.t.Context(), scenarioLimit)
	defer cancel()
	client, err := creator.Client(ctx)
	check(creator.t, "get the client", err)
	created, err := client.CreateRoom(ctx, &mautrix.ReqCreateRoom{
		Preset: "public_chat",
		InitialState: []*event.Event{{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		}},
	})
	check(creator.t, "create a room", err)
	for _, b := range bots[1:] {
		_, err := b.Join(ctx, created.RoomID.String())
		check(creator.t, "join", err)
	}
	for i, b := range bots {
		for _, later := range bots[i:] {
			b.knows(ctx, created.RoomID, later.account.UserID)
		}
	}
	return created.RoomID
}

// knows waits until the bot knows that the user is in the room. Before that, it gives the user no keys.
func (b *secretBot) knows(ctx context.Context, roomID id.RoomID, user id.UserID) {
	b.t.Helper()
	for look := time.NewTicker(20 * time.Millisecond); ; {
		if room, ok := b.Room(roomID); ok {
			if m, ok := room.Member(user); ok && m.Membership == event.MembershipJoin {
				look.Stop()
				return
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			b.t.Fatalf("%s does not hear that %s is in the room", b.account.UserID, user)
		}
	}
}

// ear keeps what a bot reads, over its restarts.
type ear struct {
	mu      sync.Mutex
	read    map[id.EventID][]*niobot.Message
	failed  map[id.EventID]error
	changed chan struct{} // Closed, and made anew, by each message
}

func newEar() *ear {
	return &ear{
		read: make(map[id.EventID][]*niobot.Message), failed: make(map[id.EventID]error), changed: make(chan struct{}),
	}
}

func (e *ear) hear(_ context.Context, m *niobot.Message) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read[m.ID] = append(e.read[m.ID], m)
	close(e.changed)
	e.changed = make(chan struct{})
	return nil
}

func (e *ear) miss(_ context.Context, evt *niobot.Event, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed[evt.ID] = err
	close(e.changed)
	e.changed = make(chan struct{})
}

func (e *ear) wait(ctx context.Context, message id.EventID) (*niobot.Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, scenarioLimit, errors.New("the message was not read in time"))
	defer cancel()
	for {
		e.mu.Lock()
		read, err, changed := e.read[message], e.failed[message], e.changed
		e.mu.Unlock()
		switch {
		case len(read) > 1:
			return nil, errors.New("the message was read twice")
		case len(read) == 1:
			return read[0], nil
		case err != nil:
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// answer waits for the sender's reply to a message.
func (e *ear) answer(ctx context.Context, sender id.UserID, to id.EventID) (*niobot.Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, scenarioLimit, errors.New("no answer came in time"))
	defer cancel()
	for {
		e.mu.Lock()
		changed := e.changed
		for _, read := range e.read {
			if m := read[0]; m.Sender == sender && m.ReplyTo == to {
				e.mu.Unlock()
				return m, nil
			}
		}
		e.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
