package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.mau.fi/util/dbutil"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/storetest"
)

// upgrades are tables of a made-up user of the database.
var upgrades = dbutil.BuildUpgradeTable().WithRaw(0, 1, 1, "make a table", dbutil.TxnModeOn,
	func(ctx context.Context, db *dbutil.Database) error {
		_, err := db.Exec(ctx, "CREATE TABLE guest (n INTEGER PRIMARY KEY, parent INTEGER REFERENCES guest (n))")
		return err
	}).Finish()

func TestTheDatabaseStandsBesideTheRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := claimed(t, path)
	ctx := t.Context()
	guest := s.Database().Child("guest_version", upgrades, nil)
	for range 2 {
		if err := guest.Upgrade(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var both sync.WaitGroup
	const rounds = 100
	both.Go(func() {
		for i := range rounds {
			err := guest.DoTxn(ctx, nil, func(ctx context.Context) error {
				var n int // Read first: a transaction that takes the write lock only then could not go on
				if err := guest.QueryRow(ctx, "SELECT COUNT(*) FROM guest").Scan(&n); err != nil {
					return err
				}
				_, err := guest.Exec(ctx, "INSERT INTO guest (n) VALUES ($1)", n)
				return err
			})
			if err != nil {
				t.Errorf("transaction %d: %v", i, err)
				return
			}
		}
	})
	both.Go(func() {
		for i := range rounds {
			key := fmt.Sprintf("%03d", i)
			err := s.Commit(ctx, []niobot.Change{niobot.Put("t", key, nil), niobot.Delete("t", "x")})
			if err != nil {
				t.Errorf("commit %d: %v", i, err)
				return
			}
		}
	})
	both.Wait()
	var n int
	if err := guest.QueryRow(ctx, "SELECT COUNT(*) FROM guest").Scan(&n); err != nil || n != rounds {
		t.Errorf("the guest has %d rows, %v", n, err)
	}
	if _, err := guest.Exec(ctx, "INSERT INTO guest (n, parent) VALUES (1000, 5000)"); err == nil {
		t.Error("foreign keys are not kept")
	}
}

func TestTheDatabaseWorksWhileThereIsAClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	s := open(t, path)
	ask := func() error {
		var n int
		return s.Database().QueryRow(t.Context(), "SELECT COUNT(*) FROM niobot_record").Scan(&n)
	}
	for range 2 {
		if err := ask(); !errors.Is(err, niobot.ErrStoreLost) {
			t.Errorf("without a claim it says %v", err)
		}
		if err := s.Claim(t.Context(), storetest.Account); err != nil {
			t.Fatal(err)
		}
		if err := ask(); err != nil {
			t.Error(err)
		}
		if err := s.Release(); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(path + "-wal"); err != nil || len(left) > 0 {
			t.Errorf("a connection outlived the claim: %v, %v", left, err)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestCloseBeforeClaim(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "bot.db"))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
