package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

const (
	getOne    = "SELECT value FROM niobot_record WHERE tbl = $1 AND key = $2"
	scanFrom  = "SELECT key, value FROM niobot_record WHERE tbl = $1 AND key >= $2 ORDER BY key LIMIT $3"
	scanRange = "SELECT key, value FROM niobot_record WHERE tbl = $1 AND key >= $2 AND key < $4 ORDER BY key LIMIT $3"
)

// A scan is read page by page, and no connection is held while the loop's body runs, which may call the store. Pages
// grow, since many loops end soon, as long as they are not large.
const (
	firstPage = 16      // Records
	maxPage   = 1024    // Records
	pageBytes = 1 << 20 // What a page should have at most, by the one before
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
	err = c.pool.QueryRow(ctx, getOne, string(table), []byte(key)).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, s.explain(err)
	}
	return value, true, nil
}

// Scan implements [niobot.Store].
func (s *Store) Scan(ctx context.Context, table niobot.Table, prefix string) iter.Seq2[niobot.Record, error] {
	return func(yield func(niobot.Record, error) bool) {
		if err := record.CheckTable(table); err != nil {
			yield(niobot.Record{}, s.fault(err, ""))
			return
		}
		next, size := prefix, firstPage
		for {
			page, err := s.page(ctx, table, prefix, next, size)
			if err != nil {
				yield(niobot.Record{}, err)
				return
			}
			bytes := 0
			for _, r := range page {
				bytes += len(r.Key) + len(r.Value)
				if !yield(r, nil) {
					return
				}
			}
			if len(page) < size {
				return
			}
			next = record.After(page[len(page)-1].Key)
			size = max(1, min(2*size, maxPage, pageBytes/(bytes/len(page))))
		}
	}
}

// page reads up to size records.
func (s *Store) page(
	ctx context.Context, table niobot.Table, prefix, from string, size int,
) ([]niobot.Record, error) {
	c, done, err := s.use()
	if err != nil {
		return nil, err
	}
	defer done()
	query, args := scanFrom, []any{string(table), []byte(from), size}
	if end, bounded := record.End(prefix); bounded {
		query, args = scanRange, append(args, []byte(end))
	}
	rows, err := c.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	page := make([]niobot.Record, 0, size)
	var key, value []byte
	_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		page = append(page, niobot.Record{Key: string(key), Value: value})
		return nil
	})
	if err != nil {
		return nil, s.explain(err)
	}
	return page, nil
}
