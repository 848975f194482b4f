package postgres

import (
	"context"
	"embed"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/migration"
	"github.com/niobot/niobot/store/internal/record"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

var migrations = migration.MustLoad(migrationFiles, "migrations")

// Names in niobot_meta.
const (
	metaVersion = "version"
	metaUser    = "user_id"
	metaDevice  = "device_id"
)

// enter brings the schema to this version, checks whose the store is, and counts the claim, in one transaction. A new
// store becomes the owner's.
func enter(ctx context.Context, conn *pgx.Conn, schema string, owner niobot.Account) (epoch, commits int64, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		version, err := enterSchema(ctx, tx, schema, owner)
		if err != nil {
			return err
		}
		for _, step := range migrations[version:] {
			if _, err := tx.Exec(ctx, step.SQL); err != nil {
				return fmt.Errorf("migration %d (%s): %w", step.Version, step.Name, err)
			}
		}
		if version < len(migrations) {
			if err := setMeta(ctx, tx, metaVersion, strconv.Itoa(len(migrations))); err != nil {
				return err
			}
		}
		if version == 0 {
			if err := setMeta(ctx, tx, metaUser, string(owner.UserID)); err != nil {
				return err
			}
			if err := setMeta(ctx, tx, metaDevice, string(owner.DeviceID)); err != nil {
				return err
			}
		}
		return tx.QueryRow(ctx, "UPDATE niobot_claim SET epoch = epoch + 1 RETURNING epoch, commits").Scan(&epoch, &commits)
	})
	return epoch, commits, err
}

// enterSchema makes the schema, or reads the version of the store in it, which must be the same owner's.
func enterSchema(ctx context.Context, tx pgx.Tx, schema string, owner niobot.Account) (version int, err error) {
	var made, there bool
	err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1), to_regclass($2) IS NOT NULL",
		schema, schema+".niobot_meta").Scan(&made, &there)
	if err != nil {
		return 0, err
	}
	if !made {
		// Not IF NOT EXISTS, which asks for the right to make schemas also where the schema is there.
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return 0, err
		}
	}
	if !there {
		return 0, nil
	}
	rows, err := tx.Query(ctx, "SELECT name, value FROM niobot_meta")
	if err != nil {
		return 0, err
	}
	meta := make(map[string]string)
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		meta[name] = value
		return nil
	}); err != nil {
		return 0, err
	}
	version, err = strconv.Atoi(meta[metaVersion])
	switch {
	case err != nil || version < 1:
		return 0, fmt.Errorf("%w: its version is %q", niobot.ErrStoreCorrupt, meta[metaVersion])
	case version > len(migrations):
		return 0, fmt.Errorf("%w: it has version %d, and %d is the latest known",
			niobot.ErrStoreNewer, version, len(migrations))
	}
	is := niobot.Account{UserID: id.UserID(meta[metaUser]), DeviceID: id.DeviceID(meta[metaDevice])}
	if is != owner {
		return 0, &record.OwnerError{Is: is, Want: owner}
	}
	return version, nil
}

func setMeta(ctx context.Context, tx pgx.Tx, name, value string) error {
	_, err := tx.Exec(ctx, "INSERT INTO niobot_meta (name, value) VALUES ($1, $2) "+
		"ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}
