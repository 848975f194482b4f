package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

const (
	getOne    = "SELECT value FROM niobot_record WHERE tbl = ? AND key = ?"
	scanFrom  = "SELECT key, value FROM niobot_record WHERE tbl = ? AND key >= ? ORDER BY key"
	scanRange = "SELECT key, value FROM niobot_record WHERE tbl = ? AND key >= ? AND key < ? ORDER BY key"
)

// A scan is read page by page, and no connection is held while the loop's body runs: the body may call the store, and
// a reader that is held for long would keep the log from being folded into the file. Pages grow, since many loops end
// soon.
const (
	firstPage    = 16      // Records
	maxPage      = 512     // Records
	maxPageBytes = 1 << 20 // Bytes after which a page ends
)

// Get implements [niobot.Store].
func (s *Store) Get(ctx context.Context, table niobot.Table, key string) (value []byte, ok bool, err error) {
	if err := record.CheckTable(table); err != nil {
		return nil, false, s.fault(err, "")
	}
	c, done, err := s.use()
	if err != nil {
		return nil, false, err
	}
	defer done()
	err = c.read(ctx, func(r *conn) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.text(string(table))
		r.blob(bytesOf(key))
		return r.query(getOne, func(row []driver.Value) (bool, error) {
			value, ok = asBytes(row[0])
			if !ok {
				return false, damaged(table)
			}
			return false, nil
		})
	})
	if err != nil {
		return nil, false, s.explain(err)
	}
	return value, ok, nil
}

// Scan implements [niobot.Store].
func (s *Store) Scan(ctx context.Context, table niobot.Table, prefix string) iter.Seq2[niobot.Record, error] {
	return func(yield func(niobot.Record, error) bool) {
		if err := record.CheckTable(table); err != nil {
			yield(niobot.Record{}, s.fault(err, ""))
			return
		}
		end, bounded := record.End(prefix)
		next := prefix
		for size := firstPage; ; size = min(2*size, maxPage) {
			page, more, err := s.page(ctx, table, next, end, bounded, size)
			if err != nil {
				yield(niobot.Record{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if !more {
				return
			}
			next = record.After(page[len(page)-1].Key)
		}
	}
}

// page reads up to size records, and reports whether there may be more.
func (s *Store) page(
	ctx context.Context, table niobot.Table, from, end string, bounded bool, size int,
) (page []niobot.Record, more bool, err error) {
	c, done, err := s.use()
	if err != nil {
		return nil, false, err
	}
	defer done()
	bytes := 0
	err = c.read(ctx, func(r *conn) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.text(string(table))
		r.blob(bytesOf(from))
		text := scanFrom
		if bounded {
			r.blob(bytesOf(end))
			text = scanRange
		}
		return r.query(text, func(row []driver.Value) (bool, error) {
			key, ok := asBytes(row[0])
			value, ok2 := asBytes(row[1])
			if !ok || !ok2 || len(key) == 0 {
				return false, damaged(table)
			}
			if page == nil {
				page = make([]niobot.Record, 0, size)
			}
			page = append(page, niobot.Record{Key: string(key), Value: value})
			bytes += len(key) + len(value)
			more = len(page) == size || bytes >= maxPageBytes
			return !more, nil
		})
	})
	if err != nil {
		return nil, false, s.explain(err)
	}
	return page, more, nil
}

// asBytes is a blob that came from a row. The driver gives an empty one as nil.
func asBytes(v driver.Value) ([]byte, bool) {
	b, ok := v.([]byte)
	if b == nil {
		b = []byte{}
	}
	return b, ok
}

// damaged is for a record that niobot can't have stored.
func damaged(table niobot.Table) error {
	return fmt.Errorf("%w: a record of table %s is no blob", niobot.ErrStoreCorrupt, table)
}
