//go:build goolm

package e2ee

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"go.mau.fi/util/dbutil"
)

// maxStatements bounds the statements that are kept. Lists of users make queries of many lengths.
const maxStatements = 64

// statements keeps what SQLite has made of the text of a query, which it would else parse again for each message. What
// is done inside a transaction goes past it.
type statements struct {
	db *sql.DB

	mu     sync.Mutex
	known  map[string]*sql.Stmt
	closed bool
}

var _ dbutil.UnderlyingExecable = (*statements)(nil)

func newStatements(db *sql.DB) *statements {
	return &statements{db: db, known: make(map[string]*sql.Stmt)}
}

// of is the statement of a query, or nil where there is room for no more.
func (s *statements) of(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.known[query]; found != nil || s.closed || len(s.known) >= maxStatements {
		return found, nil
	}
	made, err := s.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.known[query] = made
	return made, nil
}

// ExecContext implements [dbutil.UnderlyingExecable].
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := s.of(ctx, query)
	if err != nil {
		return nil, err
	} else if statement == nil {
		return s.db.ExecContext(ctx, query, args...)
	}
	return statement.ExecContext(ctx, args...)
}

// QueryContext implements [dbutil.UnderlyingExecable].
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := s.of(ctx, query)
	if err != nil {
		return nil, err
	} else if statement == nil {
		return s.db.QueryContext(ctx, query, args...)
	}
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext implements [dbutil.UnderlyingExecable].
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := s.of(ctx, query)
	if err != nil || statement == nil {
		return s.db.QueryRowContext(ctx, query, args...) // which tells of the error as well
	}
	return statement.QueryRowContext(ctx, args...)
}

// close lets go of the statements. What is asked later is parsed anew.
func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, statement := range s.known {
		errs = append(errs, statement.Close())
	}
	clear(s.known)
	s.closed = true
	return errors.Join(errs...)
}
