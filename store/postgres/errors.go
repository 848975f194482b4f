package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

// Codes of errors (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeNotNull      = "23502"
	codeReadOnly     = "25006"
	codeNoLogin      = "28000"
	codePassword     = "28P01"
	codeNoDatabase   = "3D000"
	codeNoPermission = "42501"
	codeDiskFull     = "53100"
	codeCorrupt      = "XX001"
	codeIndexCorrupt = "XX002"
)

// What helps.
const (
	cureBackup   = "restore it from a backup"
	cureFull     = "make room on the disk of the database server"
	cureReadOnly = "connect to the server that takes writes"
	cureRights   = "let the user create the schema, or give it one that is its own"
	cureLogin    = "check the user and the password in its address"
	cureDatabase = "create the database, as by createdb"
	cureConnect  = "see whether the server runs and its address is right"
	cureLost     = "see which other process claims it, and start anew"
)

// fault makes an error the store's.
func (s *Store) fault(err error, cure string) error {
	return &niobot.StoreError{Store: s.String(), Err: err, Cure: cure}
}

func (s *Store) unclaimed() error { return s.fault(niobot.ErrStoreLost, record.UnclaimedCure) }

// explain makes an error of PostgreSQL or of the connection to it the store's, with its cause and cure.
func (s *Store) explain(err error) error {
	if _, ok := errors.AsType[*niobot.StoreError](err); ok || err == nil {
		return err
	}
	cure, kind := kind(err)
	if kind != nil && !errors.Is(err, kind) {
		err = fmt.Errorf("%w: %w", kind, err)
	}
	return s.fault(err, cure)
}

// kind is what helps, and which of niobot's errors it is, if any.
func kind(err error) (cure string, kind error) {
	switch {
	case errors.Is(err, niobot.ErrStoreInUse):
		return record.InUseCure, niobot.ErrStoreInUse
	case errors.Is(err, niobot.ErrStoreOwner):
		return record.OwnerCure, niobot.ErrStoreOwner
	case errors.Is(err, niobot.ErrStoreNewer):
		return record.NewerCure, niobot.ErrStoreNewer
	case errors.Is(err, niobot.ErrStoreCorrupt):
		return cureBackup, niobot.ErrStoreCorrupt
	case errors.Is(err, niobot.ErrStoreLost):
		return cureLost, niobot.ErrStoreLost
	case errors.Is(err, context.Canceled):
		return "", nil
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case codeDiskFull:
			return cureFull, niobot.ErrStoreFull
		case codeReadOnly:
			return cureReadOnly, niobot.ErrStoreReadOnly
		case codeNoPermission:
			return cureRights, niobot.ErrStoreReadOnly
		case codeCorrupt, codeIndexCorrupt:
			return cureBackup, niobot.ErrStoreCorrupt
		case codePassword, codeNoLogin:
			return cureLogin, nil
		case codeNoDatabase:
			return cureDatabase, nil
		}
		return "", nil
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return cureConnect, nil
	}
	return "", nil
}
