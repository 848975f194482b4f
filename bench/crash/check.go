package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/bench/victim"
)

// checker looks at the store of a bot that was killed.
type checker struct {
	place  victim.Place
	folder string // For copies
	owner  niobot.Account
	live   bool // Whether another bot may be at work on the store

	checks   int
	open     int // Entries of the inbox that the kills left, in all
	suspects int // Of these, those that an earlier kill had left too, and that were begun anew alone
	tries    int // How often one was, at most
}

// check lets SQLite check the file, as PRAGMA integrity_check does. Of a store that nobody uses a copy is checked, so that
// what the kill left, such as a log that was not folded, is still there for the bot to mend.
func (c *checker) check(ctx context.Context) error {
	if c.place.Kind != victim.SQLite {
		return nil
	}
	path := c.place.At
	if !c.live {
		path = filepath.Join(c.folder, "copy.db")
		if found, err := c.copy(path); err != nil || !found {
			return err
		}
	}
	address := url.URL{Scheme: "file", Path: path, RawQuery: "mode=rw&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", address.String()) // The driver of store/sqlite
	if err != nil {
		return err
	}
	lines, err := integrity(ctx, db)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if text := strings.Join(lines, "; "); text != "ok" {
		return fmt.Errorf("check %s: %s", path, text)
	}
	c.checks++
	if c.live {
		return nil
	}
	return c.look(ctx, victim.Place{Kind: victim.SQLite, At: path})
}

// look counts what a kill left in the inbox.
func (c *checker) look(ctx context.Context, copied victim.Place) error {
	return c.within(ctx, copied, func(store niobot.Store) error {
		for record, err := range store.Scan(ctx, "inbox", "") {
			var entry struct {
				Tries int `json:"tries"`
			}
			if err == nil {
				err = json.Unmarshal(record.Value, &entry)
			}
			if err != nil {
				return fmt.Errorf("read the inbox: %w", err)
			}
			c.open++
			if entry.Tries > 0 {
				c.suspects++
			}
			c.tries = max(c.tries, entry.Tries)
		}
		return nil
	})
}

// within opens a store that no bot uses.
func (c *checker) within(ctx context.Context, place victim.Place, f func(niobot.Store) error) (err error) {
	store, err := place.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.Claim(ctx, c.owner); err != nil {
		return err
	}
	return f(store)
}

func integrity(ctx context.Context, db *sql.DB) (lines []string, err error) {
	rows, err := db.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

// copy copies the store and its log, where there is one yet.
func (c *checker) copy(to string) (found bool, err error) {
	if err := errors.Join(remove(to+"-shm"), remove(to+"-wal")); err != nil {
		return false, err
	}
	if err := copyFile(to, c.place.At); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := copyFile(to+"-wal", c.place.At+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// left counts what is in the store of a bot that has stopped: events that it has yet to work on, and those that it gave up.
func (c *checker) left(ctx context.Context) (inbox, aside int, err error) {
	err = c.within(ctx, c.place, func(store niobot.Store) error {
		if inbox, err = count(ctx, store, "inbox"); err != nil {
			return err
		}
		aside, err = count(ctx, store, "aside")
		return err
	})
	return inbox, aside, err
}

func count(ctx context.Context, store niobot.Store, table niobot.Table) (n int, err error) {
	for _, err := range store.Scan(ctx, table, "") {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
