package sqlite

import (
	"context"
	"strings"
	"unsafe"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

const (
	// maxRows is how many records one statement stores. A statement of several rows costs less than as many of one row.
	maxRows = 32

	// ctxEvery is after how many statements a long commit looks whether its ctx has ended.
	ctxEvery = 64
)

const (
	deleteOne   = "DELETE FROM niobot_record WHERE tbl = ? AND key = ?"
	deleteAll   = "DELETE FROM niobot_record WHERE tbl = ?"
	deleteFrom  = "DELETE FROM niobot_record WHERE tbl = ? AND key >= ?"
	deleteRange = "DELETE FROM niobot_record WHERE tbl = ? AND key >= ? AND key < ?"
)

// putRows are the statements that store 1, 2, … maxRows records. Among several of one key the last stays.
var putRows = func() (texts [maxRows + 1]string) {
	const row = ", (?, ?, ?)"
	for n := 1; n <= maxRows; n++ {
		texts[n] = "INSERT INTO niobot_record (tbl, key, value) VALUES " + strings.Repeat(row, n)[2:] +
			" ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value"
	}
	return texts
}()

// Commit implements [niobot.Store]. Where the file has been moved or deleted, it returns [niobot.ErrStoreLost].
func (s *Store) Commit(ctx context.Context, changes []niobot.Change) error {
	if err := record.Check(changes); err != nil {
		return s.fault(err, "")
	}
	c, done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	err = c.write(ctx, func(w *conn) error {
		if err := ctx.Err(); err != nil || len(changes) == 0 {
			return err
		}
		if err := c.unmoved(); err != nil {
			return err
		}
		return w.commit(ctx, changes)
	})
	return s.explain(err)
}

// commit makes the changes. A single statement is a transaction by itself, which spares two more.
func (c *conn) commit(ctx context.Context, changes []niobot.Change) error {
	if n := puts(changes); n == len(changes) || len(changes) == 1 {
		_, err := c.step(changes)
		return err
	}
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i := 0; len(changes) > 0; i++ {
		n, err := c.step(changes)
		if err == nil && i%ctxEvery == ctxEvery-1 {
			err = ctx.Err()
		}
		if err != nil {
			return c.abandon(err)
		}
		changes = changes[n:]
	}
	if err := c.exec("COMMIT"); err != nil {
		return c.abandon(err)
	}
	return nil
}

// step makes as many of the first changes as one statement can, and says how many.
func (c *conn) step(changes []niobot.Change) (n int, err error) {
	if n = puts(changes); n > 0 {
		for i := range changes[:n] {
			c.text(string(changes[i].Table))
			c.blob(bytesOf(changes[i].Key))
			c.blob(changes[i].Value)
		}
		return n, c.exec(putRows[n])
	}
	first := &changes[0]
	c.text(string(first.Table))
	if !first.Prefix {
		c.blob(bytesOf(first.Key))
		return 1, c.exec(deleteOne)
	}
	return 1, c.exec(c.within(first.Key, deleteAll, deleteFrom, deleteRange))
}

// within adds the bounds of the keys that begin with prefix, and picks the statement that has as many.
func (c *conn) within(prefix, whole, from, between string) string {
	if prefix == "" {
		return whole
	}
	c.blob(bytesOf(prefix))
	end, ok := record.End(prefix)
	if !ok {
		return from
	}
	c.blob(bytesOf(end))
	return between
}

// puts is how many of the first changes store a value, up to maxRows.
func puts(changes []niobot.Change) int {
	n := 0
	for n < len(changes) && n < maxRows && record.IsPut(&changes[n]) {
		n++
	}
	return n
}

// bytesOf is the bytes of a string, not copied: the driver copies what it is given, and changes nothing.
func bytesOf(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
