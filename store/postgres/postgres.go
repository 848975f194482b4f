// Package postgres is a [niobot.Store] in a PostgreSQL database (12 or later), which may hold the keys of encryption as
// well.
//
//	db, err := postgres.Open("postgres://bot:password@db.example.org/bots")
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	bot, err := niobot.New(config, niobot.WithStore(db))
//
// All is in one schema, "niobot" unless [WithSchema] names another; several bots in one database have a schema each.
//
// The claim is an advisory lock, which the server lets go of when the connection ends on which all commits are made. The
// connection must lead to the server itself, or by a pooler in session mode. Where it breaks, a commit under way waits
// until the server can be asked whether it was made, and whether somebody else held the claim meanwhile.
package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"go.mau.fi/util/dbutil"

	"github.com/niobot/niobot"
)

var _ niobot.Store = (*Store)(nil)

const (
	defaultSchema = "niobot"
	maxSchema     = 63 // Bytes; PostgreSQL cuts longer names off
	maxReaders    = 4  // Connections for reads
	maxShared     = 4  // Connections of Store.Database
)

// Store is a store in a database. Make it with [Open].
type Store struct {
	name   string
	schema string
	log    *slog.Logger
	config *pgxpool.Config
	shared *sql.DB          // Behind Database; it connects only while there is a claim
	wrap   *dbutil.Database // The same

	mu    sync.RWMutex // Held for reading by what uses the claim, and for writing by what changes it
	claim *claim       // Nil without a claim
}

// Option changes how [Open] opens a store.
type Option func(*Store)

// WithSchema names the schema, so that several bots can share a database: 1 to 63 lower-case letters, digits and
// underscores, not beginning with a digit or pg_. [Store.Claim] makes it if it is not there. The default is "niobot".
func WithSchema(name string) Option { return func(s *Store) { s.schema = name } }

// WithLogger has it logged when the connection breaks. Without it, nothing is logged.
func WithLogger(log *slog.Logger) Option { return func(s *Store) { s.log = log } }

// Open names the database, by a URL such as postgres://user:password@host:5432/database?sslmode=verify-full, or by
// key=value pairs as libpq has them; what is left out comes from variables like PGHOST and from ~/.pgpass. It does not
// connect; [Store.Claim] does.
func Open(address string, options ...Option) (*Store, error) {
	s := &Store{name: "postgres", schema: defaultSchema, log: slog.New(slog.DiscardHandler)}
	for _, option := range options {
		option(s)
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// What is wrong is not said by err here, for it may quote the password.
		return nil, s.fault(errors.New("its address can't be read"),
			"write it like postgres://user:password@host:5432/database, with % codes for special characters")
	}
	c := config.ConnConfig
	host := c.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(c.Port)))
	}
	s.name = fmt.Sprintf("postgres %s on %s (schema %s)", c.Database, host, s.schema)
	if err := checkSchema(s.schema); err != nil {
		return nil, s.fault(err, "")
	}
	c.RuntimeParams["search_path"] = s.schema
	for param, value := range map[string]string{
		"application_name": "niobot",
		// The server notices within half a minute that this machine is gone, so that a standby can take over.
		"tcp_keepalives_idle":     "10",
		"tcp_keepalives_interval": "5",
		"tcp_keepalives_count":    "3",
	} {
		if c.RuntimeParams[param] == "" {
			c.RuntimeParams[param] = value
		}
	}
	config.MaxConns = maxReaders
	s.config = config
	s.shared = sql.OpenDB(stdlib.GetConnector(*c.Copy(), stdlib.OptionBeforeConnect(s.admit)))
	s.shared.SetMaxOpenConns(maxShared)
	s.shared.SetMaxIdleConns(maxShared)
	if s.wrap, err = dbutil.NewWithDB(s.shared, "pgx"); err != nil {
		return nil, s.fault(err, "")
	}
	s.wrap.LoggingDB.UnderlyingExecable = scoped{s.shared}
	return s, nil
}

func checkSchema(name string) error {
	if name == "" || len(name) > maxSchema || strings.HasPrefix(name, "pg_") || '0' <= name[0] && name[0] <= '9' {
		return fmt.Errorf("schema %q: a name has 1 to %d bytes, and begins with neither a digit nor pg_", name, maxSchema)
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return fmt.Errorf("schema %q: its name may hold lower-case letters, digits and underscores only", name)
		}
	}
	return nil
}

// String is the database, the server and the schema, without user and password.
func (s *Store) String() string { return s.name }

// Database gives access to the store's schema by SQL, for tables beside niobot's own, as package e2ee has. It works while
// the store is claimed; whoever uses it has to be done before [Store.Release].
func (s *Store) Database() *dbutil.Database { return s.wrap }

// Close releases the store for good. It may be called twice, and without a claim.
func (s *Store) Close() error {
	return errors.Join(s.Release(), s.shared.Close())
}

// admit lets [Store.Database] connect while the claim holds.
func (s *Store) admit(ctx context.Context, _ *pgx.ConnConfig) error {
	c, done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	return s.explain(c.write(ctx, func(context.Context) error { return nil }))
}

// use is the claim, if there is one and it was not lost, until done is called.
func (s *Store) use() (c *claim, done func(), err error) {
	s.mu.RLock()
	if s.claim == nil {
		s.mu.RUnlock()
		return nil, nil, s.unclaimed()
	}
	if why := s.claim.lost.Load(); why != nil {
		s.mu.RUnlock()
		return nil, nil, s.explain(*why)
	}
	return s.claim, s.mu.RUnlock, nil
}

// lockKey is the advisory lock of a schema. Locks of other databases are apart.
func lockKey(schema string) int64 {
	sum := sha256.Sum256([]byte("niobot store " + schema))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// scoped keeps dbutil's questions for tables and columns within the schema. Otherwise, it would take the tables of
// another bot in the same database for this one's.
type scoped struct{ *sql.DB }

// QueryRowContext implements [dbutil.UnderlyingExecable].
func (s scoped) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if strings.Contains(query, "FROM information_schema.") {
		query = strings.Replace(query, "WHERE table_name=", "WHERE table_schema=current_schema() AND table_name=", 1)
	}
	return s.DB.QueryRowContext(ctx, query, args...)
}
