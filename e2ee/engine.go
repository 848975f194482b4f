//go:build goolm

package e2ee

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"go.mau.fi/util/dbutil"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/logbridge"
)

// engine is encryption while it runs: mautrix' machine for what is encrypted to devices, with this package's own
// handling of device lists, of the keys of rooms, and of all that the machine would do on goroutines of its own.
type engine struct {
	settings settings
	host     niobot.EncryptionHost
	client   *mautrix.Client
	account  niobot.Account
	log      *slog.Logger

	store       *keyStore
	mach        *crypto.OlmMachine
	identityKey id.IdentityKey
	signingKey  id.SigningKey
	identity    atomic.Pointer[crypto.CrossSigningKeysCache] // With the secret keys; never changed in place

	// olm is held by whoever uses olm sessions or the account's keys. It comes before the machine's own lock and before
	// the database's write lock: the machine writes while it holds its own.
	olm sync.Mutex

	devices *deviceList
	rooms   *roomKeys
	missing *missingKeys
	backup  *keyBackup
	mail    *mailbox
	verify  *verifications

	// machineContext is a context with the bridge to the bot's log, which mautrix takes from the context.
	machineContext func(context.Context) context.Context

	ctx    context.Context // Of the goroutines; ends with end
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func newEngine(
	ctx context.Context, db *dbutil.Database, s settings, host niobot.EncryptionHost,
) (*engine, error) {
	g := &engine{
		settings: s, host: host, client: host.Client(), account: host.Account(), log: host.Logger(),
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	key, err := pickleKey(ctx, s.pickleKey, host.Store())
	if err != nil {
		return nil, err
	}
	g.store, err = openKeyStore(ctx, db, g.account, key)
	if err != nil {
		return nil, err
	}
	bridge := logbridge.New(g.log.Handler())
	g.mach = crypto.NewOlmMachine(g.client, &bridge, g.store, noState{})
	// Devices are asked for before a message is decrypted: what happens inside a transaction must not wait for a server.
	g.mach.DisableDecryptKeyFetching = true
	g.mach.DisableDeviceChangeKeyRotation = true
	g.mach.DisableRatchetTracking = true
	g.mach.SessionReceived = g.sessionReceived
	g.machineContext = bridge.WithContext
	g.ctx, g.cancel = context.WithCancel(g.machineContext(context.WithoutCancel(ctx)))
	g.mach.SetBackgroundCtx(g.ctx)
	g.devices = newDeviceList(g)
	g.rooms = newRoomKeys(g)
	g.missing = newMissingKeys(g)
	g.backup = newKeyBackup(g)
	g.mail = newMailbox(g)
	g.store.wanted = g.missing.wants
	g.store.wedged = g.mail.unwedge
	g.store.listed = g.devices.listed
	if g.verify, err = newVerifications(g); err != nil {
		g.cancel()
		return nil, errors.Join(err, g.store.close())
	}
	return g, nil
}

// begin brings account, device and identity to where they should be, and starts the goroutines.
func (g *engine) begin(ctx context.Context) error {
	if err := g.openAccount(ctx); err != nil {
		return err
	}
	if err := g.setUp(ctx); err != nil {
		return err
	}
	g.wg.Go(func() { g.devices.run(g.ctx) })
	g.wg.Go(func() { g.missing.run(g.ctx) })
	g.wg.Go(func() { g.backup.run(g.ctx) })
	g.wg.Go(func() { g.mail.run(g.ctx) })
	return g.verify.begin(ctx)
}

func (g *engine) end() {
	g.verify.end()
	g.cancel()
	g.wg.Wait()
	g.mach.Destroy()
	if err := g.store.close(); err != nil {
		g.log.Debug("the statements of the keys can't be closed", "err", err)
	}
}

// guarded turns a panic in mautrix, such as on foreign keys of a wrong length, into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("handle foreign keys: %v", v)
		}
	}()
	return f()
}

// withOlm runs f in one transaction, alone among those who use olm sessions. Where it fails, what the machine has in
// memory is read from the database again, for it would be ahead of it.
func (g *engine) withOlm(ctx context.Context, f func(context.Context) error) error {
	g.olm.Lock()
	defer g.olm.Unlock()
	_ = g.store.takeFailure() // of those who write without olm, and have seen it themselves
	err := g.store.DB.DoTxn(ctx, nil, func(ctx context.Context) error {
		if err := f(ctx); err != nil {
			return err
		}
		return g.store.takeFailure()
	})
	if err == nil {
		return nil
	}
	g.store.InitFields()
	g.store.Account = nil
	if loadErr := g.mach.Load(context.WithoutCancel(ctx)); loadErr != nil {
		return fmt.Errorf("%w; then load the account: %w", err, loadErr)
	}
	return err
}

type arrivalsKey struct{}

// sessionName names a session; what has another room is not the same.
type sessionName struct {
	room    id.RoomID
	session id.SessionID
}

// arrival is a session that came.
type arrival struct {
	sessionName
	first uint32 // The index of the first message that it can read
}

// collecting returns a context in which arrivals are put into list, since a transaction is not yet committed.
func collecting(ctx context.Context, list *[]arrival) context.Context {
	return context.WithValue(ctx, arrivalsKey{}, list)
}

func (g *engine) sessionReceived(ctx context.Context, room id.RoomID, session id.SessionID, first uint32) {
	if list, ok := ctx.Value(arrivalsKey{}).(*[]arrival); ok {
		*list = append(*list, arrival{sessionName{room, session}, first})
		return
	}
	g.arrived(arrival{sessionName{room, session}, first})
}

func (g *engine) arrived(list ...arrival) {
	if len(list) == 0 {
		return
	}
	g.backup.wake()
	for _, a := range list {
		g.store.forget(a.session) // once more: what was read before the commit may be an older one
		g.missing.arrived(a)
	}
}

// noState keeps the machine from asking about rooms: a key may come for any room, and what the machine would do with
// the answers is done here.
type noState struct{}

func (noState) IsEncrypted(context.Context, id.RoomID) (bool, error) { return true, nil }

func (noState) GetEncryptionEvent(context.Context, id.RoomID) (*event.EncryptionEventContent, error) {
	return nil, nil
}

func (noState) GetHistoryVisibility(
	context.Context, id.RoomID,
) (*event.HistoryVisibilityEventContent, error) {
	return nil, nil
}

func (noState) FindSharedRooms(context.Context, id.UserID) ([]id.RoomID, error) { return nil, nil }
