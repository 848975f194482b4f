package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/niobot/niobot"
)

const (
	// commitTimeout is how long the server may take for one commit before its connection is given up.
	commitTimeout = 30 * time.Second

	// After a break, connecting again is tried at once, and then at growing intervals.
	minPause = 100 * time.Millisecond
	maxPause = 5 * time.Second
)

// claim is a store in use.
type claim struct {
	store *Store
	pool  *pgxpool.Pool         // For reads
	lost  atomic.Pointer[error] // Why the claim is lost, if it is
	turn  chan struct{}         // Holds a token while nobody writes; who has it may use the fields below

	conn    *pgx.Conn // Has the lock, and makes all commits; nil after a break
	pid     uint32    // Of its process on the server, also after a break
	epoch   int64     // How often the store has been claimed, with this claim
	commits int64     // How many commits have been made in all, as the server said last
}

// Claim implements [niobot.Store]. It connects, takes the lock, upgrades the schema and checks the owner.
func (s *Store) Claim(ctx context.Context, owner niobot.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim != nil {
		return s.explain(niobot.ErrStoreInUse)
	}
	if err := ctx.Err(); err != nil {
		return s.explain(err)
	}
	c := &claim{store: s, turn: make(chan struct{}, 1)}
	if err := c.take(ctx, owner); err != nil {
		c.disconnect()
		return s.explain(err)
	}
	c.turn <- struct{}{}
	s.claim = c
	s.shared.SetMaxIdleConns(maxShared)
	return nil
}

func (c *claim) take(ctx context.Context, owner niobot.Account) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	if ok, err := c.lock(ctx); err != nil || !ok {
		return errors.Join(err, niobot.ErrStoreInUse)
	}
	var err error
	if c.epoch, c.commits, err = enter(ctx, c.conn, c.store.schema, owner); err != nil {
		return err
	}
	c.pool, err = pgxpool.NewWithConfig(ctx, c.store.config.Copy())
	return err
}

// Release implements [niobot.Store]. The lock is given back when the connection ends.
func (s *Store) Release() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claim == nil {
		return nil
	}
	s.shared.SetMaxIdleConns(-1) // Closes those that are idle
	s.claim.pool.Close()
	s.claim.disconnect()
	s.claim = nil
	return nil
}

// unlock gives the lock back, where the connection has it, before that ends: the server ends its part some time later.
func (c *claim) unlock() {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	// Without an answer, the end of the connection does the same.
	_, _ = c.conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockKey(c.store.schema))
}

func (c *claim) connect(ctx context.Context) (err error) {
	if c.conn, err = pgx.ConnectConfig(ctx, c.store.config.ConnConfig.Copy()); err != nil {
		c.conn = nil
	}
	return err
}

func (c *claim) disconnect() {
	if c.conn == nil {
		return
	}
	c.unlock()
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	_ = c.conn.Close(ctx) // There is nothing left to lose
	c.conn = nil
}

// lock tries to take the lock.
func (c *claim) lock(ctx context.Context) (ok bool, err error) {
	if err := c.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockKey(c.store.schema)).Scan(&ok); err != nil {
		return false, err
	}
	if ok {
		c.pid = c.conn.PgConn().PID()
	}
	return ok, nil
}

// write calls f when it is its turn, with the connection that has the lock. What f does is bounded by a time and not by
// the caller's ctx: to cancel a statement would end the connection, and the claim with it.
func (c *claim) write(ctx context.Context, f func(context.Context) error) error {
	select {
	case <-c.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { c.turn <- struct{}{} }()
	if err := ctx.Err(); err != nil {
		return err
	}
	if why := c.lost.Load(); why != nil {
		return *why
	}
	if err := c.mend(ctx); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	return f(bounded)
}

// broken reports whether there is no connection to the server any more.
func (c *claim) broken() bool { return c.conn == nil || c.conn.IsClosed() }

// mend makes the claim whole again after a break, or returns [niobot.ErrStoreLost]. It tries until ctx ends.
func (c *claim) mend(ctx context.Context) error {
	for pause := minPause; c.broken(); pause = min(2*pause, maxPause) {
		c.conn = nil
		err := c.resume(ctx)
		if errors.Is(err, niobot.ErrStoreLost) {
			c.disconnect()
			return c.lose(err)
		}
		if err == nil {
			c.store.log.Info("connected to the database again")
			break
		}
		c.disconnect()
		c.store.log.Warn("the database can't be reached", "err", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
	return nil
}

// lose notes that the claim is lost, for good, and returns why.
func (c *claim) lose(why error) error {
	c.lost.Store(&why)
	c.store.shared.SetMaxIdleConns(-1) // Closes those that are idle
	return why
}

// resume connects and takes the lock again. That the epoch is as it was proves that nobody else had it meanwhile.
func (c *claim) resume(ctx context.Context) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	ok, err := c.lock(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return c.ousted(ctx)
	}
	var epoch int64
	if err := c.conn.QueryRow(ctx, "SELECT epoch, commits FROM niobot_claim").Scan(&epoch, &c.commits); err != nil {
		return err
	}
	if epoch != c.epoch {
		return fmt.Errorf("%w: another process had it while the connection was broken", niobot.ErrStoreLost)
	}
	return nil
}

// ousted tells a lock that another process holds from one that the server keeps for the connection that broke.
func (c *claim) ousted(ctx context.Context) error {
	var mine bool
	const query = `SELECT EXISTS (SELECT 1 FROM pg_locks
		WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = $1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32 | objid::bigint) = $2)`
	if err := c.conn.QueryRow(ctx, query, int32(c.pid), lockKey(c.store.schema)).Scan(&mine); err != nil {
		return err
	}
	if !mine {
		return fmt.Errorf("%w: another process has it", niobot.ErrStoreLost)
	}
	if _, err := c.conn.Exec(ctx, "SELECT pg_terminate_backend($1)", int32(c.pid)); err != nil {
		return err
	}
	return errors.New("the server has not ended the broken connection yet")
}
