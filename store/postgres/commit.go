package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

const (
	// count goes before all else. It fails where the epoch is another's, and so keeps what it begins from being made;
	// the number tells after a break whether the commit was.
	count = "UPDATE niobot_claim SET commits = CASE WHEN epoch = $1 THEN $2::bigint END"

	putMany = "INSERT INTO niobot_record (tbl, key, value) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) " +
		"ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value"
	deleteMany = "DELETE FROM niobot_record r USING unnest($1::text[], $2::bytea[]) AS d (tbl, key) " +
		"WHERE r.tbl = d.tbl AND r.key = d.key"
	deleteAll   = "DELETE FROM niobot_record WHERE tbl = $1"
	deleteFrom  = "DELETE FROM niobot_record WHERE tbl = $1 AND key >= $2"
	deleteRange = "DELETE FROM niobot_record WHERE tbl = $1 AND key >= $2 AND key < $3"
)

// Commit implements [niobot.Store]. While the server can't be reached it waits, until ctx ends: whether a commit was made
// during which the connection broke is known only then.
func (s *Store) Commit(ctx context.Context, changes []niobot.Change) error {
	if err := record.Check(changes); err != nil {
		return s.fault(err, "")
	}
	c, done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	if len(changes) == 0 {
		return s.explain(ctx.Err())
	}
	return s.explain(c.commit(ctx, changes))
}

func (c *claim) commit(ctx context.Context, changes []niobot.Change) error {
	return c.write(ctx, func(bounded context.Context) error {
		next := c.commits + 1
		for {
			err := c.send(bounded, next, changes)
			if err == nil {
				c.commits = next
			}
			if err == nil || !c.broken() {
				return err
			}
			c.store.log.Warn("the connection to the database broke", "err", err)
			if err := c.mend(ctx); err != nil || c.commits == next {
				return err
			}
			var cancel context.CancelFunc
			bounded, cancel = context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
			defer cancel()
		}
	})
}

// send has the changes made in one round trip. PostgreSQL takes what comes in one batch for one transaction.
func (c *claim) send(ctx context.Context, number int64, changes []niobot.Change) error {
	batch := &pgx.Batch{}
	batch.Queue(count, c.epoch, number)
	for len(changes) > 0 {
		changes = changes[queue(batch, changes):]
	}
	err := c.conn.SendBatch(ctx, batch).Close()
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.TableName == "niobot_claim" && refused.Code == codeNotNull {
		return c.lose(fmt.Errorf("%w: another process has claimed it", niobot.ErrStoreLost))
	}
	return err
}

// queue adds the statement for as many of the first changes as one can make, and says how many.
func queue(batch *pgx.Batch, changes []niobot.Change) int {
	first := &changes[0]
	if first.Prefix {
		switch end, ok := record.End(first.Key); {
		case first.Key == "":
			batch.Queue(deleteAll, string(first.Table))
		case ok:
			batch.Queue(deleteRange, string(first.Table), []byte(first.Key), []byte(end))
		default:
			batch.Queue(deleteFrom, string(first.Table), []byte(first.Key))
		}
		return 1
	}
	put := record.IsPut(first)
	n := 1
	for n < len(changes) && !changes[n].Prefix && record.IsPut(&changes[n]) == put {
		n++
	}
	run := changes[:n]
	if put {
		run = latest(run) // One statement can't store a key twice
	}
	tables, keys := make([]string, len(run)), make([][]byte, len(run))
	for i := range run {
		tables[i], keys[i] = string(run[i].Table), []byte(run[i].Key)
	}
	if !put {
		batch.Queue(deleteMany, tables, keys)
		return n
	}
	values := make([][]byte, len(run))
	for i := range run {
		values[i] = run[i].Value
	}
	batch.Queue(putMany, tables, keys, values)
	return n
}

// latest leaves of several changes of one key the last.
func latest(run []niobot.Change) []niobot.Change {
	if len(run) == 1 {
		return run
	}
	type place struct {
		table niobot.Table
		key   string
	}
	at := make(map[place]int, len(run))
	kept := make([]niobot.Change, 0, len(run))
	for _, c := range run {
		p := place{c.Table, c.Key}
		if i, ok := at[p]; ok {
			kept[i] = c
			continue
		}
		at[p] = len(kept)
		kept = append(kept, c)
	}
	return kept
}
