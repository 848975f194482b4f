//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee/verify"
)

// Encryption reads and writes encrypted rooms for one bot. It may be used from several goroutines once it was started.
type Encryption struct {
	db       Database
	settings settings

	mu       sync.Mutex
	starting bool
	engine   *engine // Nil before Start and after Stop
}

var _ niobot.Encryption = (*Encryption)(nil)

// New makes the encryption of one bot, whose keys are kept in db: the bot's own store.
func New(db Database, opts ...Option) *Encryption {
	return &Encryption{db: db, settings: makeSettings(opts)}
}

// Start implements [niobot.Encryption]. The first start of an account makes its identity, see the package's comment;
// errors are wrapped, and those that a person can mend are this package's.
func (e *Encryption) Start(ctx context.Context, host niobot.EncryptionHost) error {
	e.mu.Lock()
	if e.starting || e.engine != nil {
		e.mu.Unlock()
		return errors.New("start encryption: it is running already")
	}
	e.starting = true
	e.mu.Unlock()
	// Not under the lock: what begin starts may use the encryption before begin returns.
	g, err := e.begin(ctx, host)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.starting, e.engine = false, g
	if err != nil {
		return fmt.Errorf("start encryption: %w", err)
	}
	return nil
}

func (e *Encryption) begin(ctx context.Context, host niobot.EncryptionHost) (*engine, error) {
	g, err := newEngine(ctx, e.db.Database(), e.settings, host)
	if err != nil {
		return nil, err
	}
	if err := g.begin(ctx); err != nil {
		g.end()
		return nil, err
	}
	return g, nil
}

// Stop implements [niobot.Encryption]. It may be called twice, and before Start.
func (e *Encryption) Stop(context.Context) error {
	e.mu.Lock()
	g := e.engine
	e.engine = nil
	e.mu.Unlock()
	if g != nil {
		g.end()
	}
	return nil
}

func (e *Encryption) running() (*engine, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.engine == nil {
		return nil, ErrNotStarted
	}
	return e.engine, nil
}

// Receive implements [niobot.Encryption].
func (e *Encryption) Receive(ctx context.Context, u niobot.DeviceUpdate) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	return g.receive(ctx, u)
}

// Changed implements [niobot.Encryption].
func (e *Encryption) Changed(_ context.Context, room id.RoomID, _ *event.Event) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	g.rooms.changed(room)
	return nil
}

// Decrypt implements [niobot.Encryption]. Its errors wrap [niobot.ErrKeyMissing] or [niobot.ErrUnreadable], and a
// [*WithheldError] where the sender's device has said why it gives no key; others are of the database.
func (e *Encryption) Decrypt(ctx context.Context, evt *event.Event) (niobot.Decrypted, error) {
	g, err := e.running()
	if err != nil {
		return niobot.Decrypted{}, err
	}
	return g.decrypt(ctx, evt)
}

// Encrypt implements [niobot.Encryption].
func (e *Encryption) Encrypt(
	ctx context.Context, room id.RoomID, typ event.Type, content json.RawMessage,
) (json.RawMessage, error) {
	g, err := e.running()
	if err != nil {
		return nil, err
	}
	return g.encrypt(ctx, room, typ, content)
}

// Rotate has the next message into the room begin a new session, whose key is shared anew.
func (e *Encryption) Rotate(_ context.Context, room id.RoomID) error {
	g, err := e.running()
	if err != nil {
		return err
	}
	g.rooms.rotate(room)
	return nil
}

// Verifier is the engine of verifications: it begins them, and finds those that are open. It is nil before Start and
// after Stop.
func (e *Encryption) Verifier() *verify.Engine {
	g, err := e.running()
	if err != nil {
		return nil
	}
	return g.verify.engine
}
