package victim

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/memory"
	"github.com/niobot/niobot/store/postgres"
	"github.com/niobot/niobot/store/sqlite"
)

// Kinds of stores.
const (
	None     = "none"
	Memory   = "memory"
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Place is a store by its kind and by where it is: a file, or a database's URL.
type Place struct {
	Kind string
	At   string
}

// Store is what a place opens as.
type Store interface {
	niobot.Store
	io.Closer
}

// Open opens the store; it is nil for None.
func (p Place) Open(log *slog.Logger) (Store, error) {
	switch p.Kind {
	case None:
		return nil, nil
	case Memory:
		return forgetful{memory.New()}, nil
	case SQLite:
		return sqlite.Open(p.At, sqlite.WithLogger(log))
	case Postgres:
		return postgres.Open(p.At, postgres.WithLogger(log))
	}
	return nil, fmt.Errorf("no store is called %q; there are %s, %s, %s and %s", p.Kind, None, Memory, SQLite, Postgres)
}

// forgetful has nothing to close.
type forgetful struct{ niobot.Store }

// Close implements [io.Closer].
func (forgetful) Close() error { return nil }
