package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
)

// errNoRooms is returned for what only a running bot knows.
var errNoRooms = errors.New("no bot is running that knows of rooms")

// withEncryption starts the encryption of an account whose bot does not run, calls f, and stops it. It reads no sync:
// what is new for the bot stays new. A store that is not there yet is made where mayMake says so.
func (a *account) withEncryption(
	ctx context.Context, env Env, mayMake bool, f func(ctx context.Context, encryption *e2ee.Encryption) error,
) (err error) {
	if err := a.check(); err != nil {
		return err
	}
	if a.store == "" {
		return &usageError{reason: errors.New("--store is needed")}
	}
	if _, err := os.Stat(a.store); errors.Is(err, fs.ErrNotExist) && !mayMake {
		return fmt.Errorf("store %s: is not there; name the one that the bot was run with", a.store)
	}
	logger := newLogger(env.Stderr, *a.level)
	bot, err := niobot.New(a.config, niobot.WithLogger(logger), niobot.WithMention()) // Nobody will call it
	if err != nil {
		return inFlags(err)
	}
	client, err := bot.Client(ctx)
	if err != nil {
		return err
	}
	store, err := a.open(logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	host := &idleHost{
		client: client, account: niobot.Account{UserID: bot.UserID(), DeviceID: bot.DeviceID()}, logger: logger, store: store,
	}
	if err := store.Claim(ctx, host.account); err != nil {
		return a.explain(err, "stop the bot first")
	}
	encryption := a.encryption(&env, store)
	if err := encryption.Start(ctx, host); err != nil {
		return a.explain(err, "stop the bot first")
	}
	err = f(ctx, encryption)
	return errors.Join(a.explain(err, "stop the bot first"), encryption.Stop(context.WithoutCancel(ctx)))
}

// idleHost is a bot that does not run, as its encryption sees it.
type idleHost struct {
	client  *mautrix.Client
	account niobot.Account
	logger  *slog.Logger
	store   niobot.Store
}

var _ niobot.EncryptionHost = (*idleHost)(nil)

// Bot implements [niobot.EncryptionHost].
func (h *idleHost) Bot() *niobot.Bot { return nil }

// Client implements [niobot.EncryptionHost].
func (h *idleHost) Client() *mautrix.Client { return h.client }

// Account implements [niobot.EncryptionHost].
func (h *idleHost) Account() niobot.Account { return h.account }

// Logger implements [niobot.EncryptionHost].
func (h *idleHost) Logger() *slog.Logger { return h.logger }

// Store implements [niobot.EncryptionHost].
func (h *idleHost) Store() niobot.Store { return h.store }

// IsOwner implements [niobot.EncryptionHost]: nobody can verify a bot that does not run.
func (h *idleHost) IsOwner(id.UserID) bool { return false }

// Go implements [niobot.EncryptionHost]: nothing that is to be done in rooms is done here.
func (h *idleHost) Go(func(context.Context)) {}

// RoomEncryption implements [niobot.EncryptionHost].
func (h *idleHost) RoomEncryption(context.Context, id.RoomID) (*event.EncryptionEventContent, error) {
	return nil, errNoRooms
}

// HistoryVisibility implements [niobot.EncryptionHost].
func (h *idleHost) HistoryVisibility(context.Context, id.RoomID) (event.HistoryVisibility, error) {
	return "", errNoRooms
}

// Readers implements [niobot.EncryptionHost].
func (h *idleHost) Readers(context.Context, id.RoomID) ([]id.UserID, error) { return nil, errNoRooms }

// SharedRooms implements [niobot.EncryptionHost].
func (h *idleHost) SharedRooms(context.Context, id.UserID) ([]id.RoomID, error) {
	return nil, errNoRooms
}

// SendPlain implements [niobot.EncryptionHost].
func (h *idleHost) SendPlain(
	context.Context, id.RoomID, event.Type, json.RawMessage, string,
) (id.EventID, error) {
	return "", errNoRooms
}

// KeyArrived implements [niobot.EncryptionHost]: what waits for the key is in the inbox, and is read when the bot runs.
func (h *idleHost) KeyArrived(id.RoomID, id.SessionID) {}
