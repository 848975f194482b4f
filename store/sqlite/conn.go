package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	driversqlite "modernc.org/sqlite"
)

const (
	busyTimeout    = 5000 // Milliseconds to wait for another connection's transaction
	checkpointSize = 2048 // Pages of 4 KiB in the log before it is folded into the file
	cacheSize      = 4096 // KiB of pages that a connection remembers
)

// conn is a connection to the file, with the statements that were prepared on it. It stands below package database/sql,
// whose pool and locks would cost as much as a small commit. Its methods must not be called at once.
//
// Statements run without the caller's ctx: the driver would start a goroutine for each, and none of them takes long.
type conn struct {
	raw   driver.Conn
	stmts map[string]statement
	args  []driver.NamedValue     // Reused from call to call
	names map[string]driver.Value // Names of tables as arguments

	broken bool // A transaction is open that can't be ended
}

// statement is what the driver's statements can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// connector opens connections to a file that is there.
func connector(path string, pragmas ...string) (driver.Connector, error) {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // A drive's letter
	}
	query := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": pragmas}
	address := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return driversqlite.NewConnector(address.String())
}

// pragmas are what each connection to the store begins with.
var pragmas = []string{
	fmt.Sprintf("busy_timeout(%d)", busyTimeout),
	"journal_mode(WAL)",
	"synchronous(NORMAL)",
	"foreign_keys(1)",
	fmt.Sprintf("wal_autocheckpoint(%d)", checkpointSize),
	fmt.Sprintf("cache_size(-%d)", cacheSize),
}

// dial opens a connection.
func dial(ctx context.Context, path string, pragmas ...string) (*conn, error) {
	c, err := connector(path, pragmas...)
	if err != nil {
		return nil, err
	}
	raw, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, stmts: make(map[string]statement), names: make(map[string]driver.Value)}, nil
}

// script runs statements that are used once.
func (c *conn) script(text string) error {
	execer, ok := c.raw.(driver.ExecerContext)
	if !ok {
		return errors.New("the driver runs no statements")
	}
	_, err := execer.ExecContext(context.Background(), text, nil)
	return err
}

func (c *conn) prepare(text string) (statement, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	made, err := c.raw.Prepare(text)
	if err != nil {
		return nil, err
	}
	s, ok := made.(statement)
	if !ok {
		return nil, errors.New("the driver's statements know no context")
	}
	c.stmts[text] = s
	return s, nil
}

// text and blob add an argument of the next statement.
func (c *conn) text(v string) {
	boxed, ok := c.names[v]
	if !ok {
		boxed = v
		c.names[v] = boxed
	}
	c.args = append(c.args, driver.NamedValue{Ordinal: len(c.args) + 1, Value: boxed})
}

func (c *conn) blob(v []byte) {
	if v == nil {
		v = []byte{} // The driver takes nil for NULL
	}
	c.args = append(c.args, driver.NamedValue{Ordinal: len(c.args) + 1, Value: v})
}

// exec runs a statement with the arguments that were added.
func (c *conn) exec(text string) error {
	defer c.forget()
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), c.args)
	return err
}

// query runs a statement with the arguments that were added, and calls row for each row that comes, for as long as it
// wants more. The values are row's to keep, the slice is not.
func (c *conn) query(text string, row func([]driver.Value) (more bool, err error)) (err error) {
	defer c.forget()
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), c.args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if more, err := row(values); err != nil || !more {
			return err
		}
	}
}

// one is the first column of the first row, as text; ok is false where no row came.
func (c *conn) one(text string) (value string, ok bool, err error) {
	err = c.query(text, func(v []driver.Value) (bool, error) {
		value, ok = fmt.Sprint(v[0]), true
		return false, nil
	})
	return value, ok, err
}

// forget drops the arguments, and lets go of what they point to.
func (c *conn) forget() {
	clear(c.args)
	c.args = c.args[:0]
}

// abandon ends a transaction that met err, and returns err. Some errors have ended it already, so that there is none to
// roll back: a new one shows it. Where that fails too, the connection is of no more use.
func (c *conn) abandon(err error) error {
	if c.exec("ROLLBACK") != nil && (c.exec("BEGIN") != nil || c.exec("ROLLBACK") != nil) {
		c.broken = true
	}
	return err
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}
