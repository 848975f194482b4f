package sqlite

import (
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"strconv"

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

// enter brings the schema to this version and checks whose the store is, in one transaction. Where the file is new,
// fresh is true, and the store becomes the owner's.
func enter(c *conn, owner niobot.Account, fresh bool) (err error) {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = c.abandon(err)
		}
	}()
	version := 0
	if !fresh {
		if version, err = enterExisting(c, owner); err != nil {
			return err
		}
	}
	for _, step := range migrations[version:] {
		if err := c.script(step.SQL); err != nil {
			return fmt.Errorf("migration %d (%s): %w", step.Version, step.Name, err)
		}
	}
	if version < len(migrations) {
		if err := setMeta(c, metaVersion, strconv.Itoa(len(migrations))); err != nil {
			return err
		}
	}
	if fresh {
		err = errors.Join(setMeta(c, metaUser, string(owner.UserID)), setMeta(c, metaDevice, string(owner.DeviceID)))
		if err != nil {
			return err
		}
	}
	return c.exec("COMMIT")
}

// enterExisting is the version of a store that has been claimed before, by the same owner.
func enterExisting(c *conn, owner niobot.Account) (version int, err error) {
	if _, ok, err := c.one("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'niobot_meta'"); err != nil {
		return 0, err
	} else if !ok {
		return 0, fmt.Errorf("%w: its tables are missing", niobot.ErrStoreCorrupt)
	}
	meta := make(map[string]string)
	err = c.query("SELECT name, value FROM niobot_meta", func(v []driver.Value) (bool, error) {
		meta[fmt.Sprint(v[0])] = fmt.Sprint(v[1])
		return true, nil
	})
	if err != nil {
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

func setMeta(c *conn, name, value string) error {
	c.text(name)
	c.text(value)
	return c.exec("INSERT INTO niobot_meta (name, value) VALUES (?, ?) " +
		"ON CONFLICT (name) DO UPDATE SET value = excluded.value")
}
