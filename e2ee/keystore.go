//go:build goolm

package e2ee

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mau.fi/util/dbutil"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// maxCachedSessions bounds the sessions that are kept unpickled, which a busy bot reads from again and again.
const maxCachedSessions = 512

var (
	errNotAskedFor = errors.New("a forwarded key that nobody asked for")
	errOtherRoom   = errors.New("the session belongs to another room")
	errOtherSender = errors.New("the session belongs to another device")
)

// keyStore is mautrix' store of keys, with what the machine leaves unchecked: errors of writes, which it logs only,
// forwarded keys, which it takes from anybody, and a session's room and sender, which it lets anybody change who has the
// session.
type keyStore struct {
	*crypto.SQLCryptoStore

	wanted func(context.Context, *crypto.InboundGroupSession) bool // Whether a forwarded key was asked for
	wedged func(id.SenderKey)                                      // Told of a device that can't be understood
	listed func(id.UserID, id.DeviceID) *id.Device                 // A device that is in memory, or nil

	mu      sync.Mutex
	failure error
	cache   map[id.SessionID]*inbound

	statements *statements // nil for a database that keeps them itself
}

// inbound is a session that can be read from. Its ratchet moves while it decrypts.
type inbound struct {
	mu sync.Mutex
	*crypto.InboundGroupSession
}

func openKeyStore(
	ctx context.Context, db *dbutil.Database, account niobot.Account, key []byte,
) (*keyStore, error) {
	s := &keyStore{
		SQLCryptoStore: crypto.NewSQLCryptoStore(db, dbutil.NoopLogger, string(account.UserID), account.DeviceID, key),
		cache:          make(map[id.SessionID]*inbound),
	}
	if err := s.DB.Upgrade(ctx); err != nil {
		return nil, fmt.Errorf("upgrade the tables of keys: %w", err)
	}
	if s.DB.Dialect == dbutil.SQLite {
		s.statements = newStatements(s.DB.RawDB)
		s.DB.LoggingDB.UnderlyingExecable = s.statements
	}
	return s, nil
}

// close lets go of the database, which stays open.
func (s *keyStore) close() error {
	if s.statements == nil {
		return nil
	}
	return s.statements.close()
}

func (s *keyStore) note(err error) error {
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failure = errors.Join(s.failure, err)
	}
	return err
}

// takeFailure returns the failed writes since it was last called.
func (s *keyStore) takeFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.failure
	s.failure = nil
	return err
}

// PutAccount implements [crypto.Store].
func (s *keyStore) PutAccount(ctx context.Context, account *crypto.OlmAccount) error {
	return s.note(s.SQLCryptoStore.PutAccount(ctx, account))
}

// HasSession implements [crypto.Store]. It asks the database alone: mautrix' own looks into a map that others write to.
func (s *keyStore) HasSession(ctx context.Context, key id.SenderKey) bool {
	var has bool
	err := s.DB.QueryRow(ctx, "SELECT EXISTS(SELECT 1 FROM crypto_olm_session WHERE sender_key=$1 AND account_id=$2)",
		key, s.AccountID).Scan(&has)
	return err == nil && has
}

// AddSession implements [crypto.Store].
func (s *keyStore) AddSession(ctx context.Context, key id.SenderKey, session *crypto.OlmSession) error {
	return s.note(s.SQLCryptoStore.AddSession(ctx, key, session))
}

// UpdateSession implements [crypto.Store].
func (s *keyStore) UpdateSession(ctx context.Context, key id.SenderKey, session *crypto.OlmSession) error {
	return s.note(s.SQLCryptoStore.UpdateSession(ctx, key, session))
}

// PutOlmHash implements [crypto.Store].
func (s *keyStore) PutOlmHash(ctx context.Context, hash [32]byte, at time.Time) error {
	return s.note(s.SQLCryptoStore.PutOlmHash(ctx, hash, at))
}

// GetNewestSessionCreationTS implements [crypto.Store]. The machine asks before it mends a broken olm session on a
// goroutine that nobody waits for; it is told that there is nothing to do, and the mailbox does it.
func (s *keyStore) GetNewestSessionCreationTS(_ context.Context, key id.SenderKey) (time.Time, error) {
	s.wedged(key)
	return time.Now(), nil
}

// GetDevice implements [crypto.Store].
func (s *keyStore) GetDevice(ctx context.Context, user id.UserID, device id.DeviceID) (*id.Device, error) {
	if found := s.listed(user, device); found != nil {
		return found, nil
	}
	return s.SQLCryptoStore.GetDevice(ctx, user, device)
}

// PutWithheldGroupSession implements [crypto.Store]. Nobody vouches for what it says, so it is not stored, see
// [missingKeys.withhold].
func (s *keyStore) PutWithheldGroupSession(context.Context, event.RoomKeyWithheldEventContent) error {
	return nil
}

// PutGroupSession implements [crypto.Store].
func (s *keyStore) PutGroupSession(ctx context.Context, session *crypto.InboundGroupSession) error {
	if session.KeySource == id.KeySourceForward && !s.wanted(ctx, session) {
		return errNotAskedFor
	}
	if err := s.owned(ctx, session); err != nil {
		return err
	}
	defer s.forget(session.ID())
	return s.note(s.SQLCryptoStore.PutGroupSession(ctx, session))
}

// forget has the session read from the database again.
func (s *keyStore) forget(session id.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cache, session)
}

// owned checks that a session, where it is known, stays that of the same room and device. All who can read it could
// say otherwise, and have the messages of its owner be taken for those of somebody else, who has not written them.
func (s *keyStore) owned(ctx context.Context, session *crypto.InboundGroupSession) error {
	var room id.RoomID
	var sender id.SenderKey
	var user id.UserID
	err := s.DB.QueryRow(ctx, `SELECT room_id, COALESCE(sender_key, ''), source_user FROM crypto_megolm_inbound_session
		WHERE session_id=$1 AND account_id=$2 AND session IS NOT NULL`,
		session.ID(), s.AccountID).Scan(&room, &sender, &user)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return s.note(fmt.Errorf("look up whose session it is: %w", err))
	case room != session.RoomID:
		return errOtherRoom
	case sender != session.SenderKey:
		return errOtherSender
	case session.KeySource != id.KeySourceDirect || session.SourceUser == user:
		return nil
	}
	// What was known from a backup or by hearsay has come by a device: whoever sent it must have the session's.
	device, err := s.FindDeviceByKey(ctx, session.SourceUser, session.SenderKey)
	if err != nil {
		return s.note(fmt.Errorf("look up whose session it is: %w", err))
	}
	if device == nil {
		return errOtherSender
	}
	return nil
}

// inbound returns the session to read with, or nil.
func (s *keyStore) inbound(ctx context.Context, room id.RoomID, session id.SessionID) (*inbound, error) {
	s.mu.Lock()
	found := s.cache[session]
	s.mu.Unlock()
	if found != nil {
		if found.RoomID != room {
			return nil, nil
		}
		return found, nil
	}
	stored, err := s.GetGroupSession(ctx, room, session)
	if errors.Is(err, crypto.ErrGroupSessionWithheld) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the session's key: %w", err)
	} else if stored == nil {
		return nil, nil
	}
	found = &inbound{InboundGroupSession: stored}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxCachedSessions {
		for other := range s.cache { // any one
			delete(s.cache, other)
			break
		}
	}
	s.cache[session] = found
	return found, nil
}

// sharedWith are the devices, by their identity keys, that have the key of a session of the bot.
func (s *keyStore) sharedWith(ctx context.Context, session id.SessionID) (map[recipient]bool, error) {
	rows, err := s.DB.Query(ctx,
		"SELECT user_id, identity_key FROM crypto_megolm_outbound_session_shared WHERE session_id=$1", session)
	shared := make(map[recipient]bool)
	err = dbutil.NewRowIterWithError(rows, func(row dbutil.Scannable) (r recipient, err error) {
		return r, row.Scan(&r.user, &r.key)
	}, err).Iter(func(r recipient) (bool, error) {
		shared[r] = true
		return true, nil
	})
	return shared, err
}

// secrets returns those of the named secrets that are there.
func (s *keyStore) secrets(ctx context.Context, names ...id.Secret) (map[id.Secret]string, error) {
	found := make(map[id.Secret]string)
	for _, name := range names {
		value, err := s.GetSecret(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if value != "" {
			found[name] = value
		}
	}
	return found, nil
}

// prune forgets who got the keys of sessions that the bot wrote with before the time. They get these keys no more when
// they ask, and the table does not grow for ever.
func (s *keyStore) prune(ctx context.Context, own id.SenderKey, before time.Time) error {
	_, err := s.DB.Exec(ctx, `DELETE FROM crypto_megolm_outbound_session_shared WHERE session_id IN (
		SELECT session_id FROM crypto_megolm_inbound_session WHERE account_id=$1 AND sender_key=$2 AND received_at<$3
	) AND session_id NOT IN (SELECT session_id FROM crypto_megolm_outbound_session WHERE account_id=$1)`,
		s.AccountID, own, before.UTC())
	if err != nil {
		return fmt.Errorf("forget who has old keys: %w", err)
	}
	return nil
}
