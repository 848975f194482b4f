package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mau.fi/util/dbutil"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/pgtest"
	"github.com/niobot/niobot/store/postgres"
	"github.com/niobot/niobot/store/storetest"
)

// with is the server's URL with a parameter.
func with(t testing.TB, param, value string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(param, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// named claims a store whose connections the server knows by the schema's name, so that cut can find them.
func named(t testing.TB, schema string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(with(t, "application_name", schema), postgres.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // Whose connection may be broken
	if err := s.Claim(t.Context(), storetest.Account); err != nil {
		t.Fatal(err)
	}
	return s
}

// cut ends the connections of a store that was made by named.
func cut(t testing.TB, schema string) {
	t.Helper()
	query(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1", schema)
}

// number is what the server says of a store's commits.
func number(t testing.TB, schema string) (n int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), "SELECT commits FROM "+schema+".niobot_claim").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCommitsAreMadeOnceWhileTheConnectionBreaks(t *testing.T) {
	schema := newSchema(t)
	s := named(t, schema)
	const commits, cuts = 600, 12
	var both sync.WaitGroup
	step := make(chan struct{})
	both.Go(func() {
		defer close(step)
		for i := range commits {
			err := s.Commit(t.Context(), []niobot.Change{
				niobot.Put("t", fmt.Sprintf("%04d", i), nil), niobot.Delete("t", "x"), niobot.Put("u", "k", nil),
			})
			if err != nil {
				t.Errorf("commit %d: %v", i, err)
				return
			}
			if i%(commits/cuts) == 0 {
				step <- struct{}{}
			}
		}
	})
	for range step { // The commits go on while the connection is cut
		cut(t, schema)
	}
	both.Wait()
	if n := number(t, schema); n != commits {
		t.Errorf("the server counts %d commits, want %d", n, commits)
	}
	n := 0
	for _, err := range s.Scan(t.Context(), "t", "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != commits {
		t.Errorf("%d records are there, want %d", n, commits)
	}
	other := open(t, schema)
	wantFault(t, other.Claim(t.Context(), storetest.Account), other, niobot.ErrStoreInUse, "")
}

func TestAClaimThatSomebodyElseHadIsLost(t *testing.T) {
	for _, tt := range []struct {
		name string
		gone bool // Whether the other has released it again
		want string
	}{
		{"has", false, "another process has it"},
		{"had", true, "another process had it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema := newSchema(t)
			s := named(t, schema)
			put(t, s, "mine")
			cut(t, schema)
			other := claimed(t, schema)
			put(t, other, "theirs")
			if tt.gone {
				if err := other.Release(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // A claim that was lost stays lost
				err := s.Commit(t.Context(), []niobot.Change{niobot.Put("t", "late", nil)})
				wantFault(t, err, s, niobot.ErrStoreLost, tt.want)
				_, _, err = s.Get(t.Context(), "t", "late")
				wantFault(t, err, s, niobot.ErrStoreLost, tt.want)
				if _, err := s.Database().Exec(t.Context(), "DELETE FROM niobot_record"); !errors.Is(err, niobot.ErrStoreLost) {
					t.Errorf("the database says %v", err)
				}
			}
			if err := errors.Join(other.Release(), s.Release()); err != nil {
				t.Fatal(err)
			}
			if err := s.Claim(t.Context(), storetest.Account); err != nil {
				t.Fatal(err)
			}
			for key, want := range map[string]bool{"mine": true, "theirs": true, "late": false} {
				if _, ok, err := s.Get(t.Context(), "t", key); ok != want || err != nil {
					t.Errorf("record %s is there: %v, %v", key, ok, err)
				}
			}
		})
	}
}

func TestACommitWaitsForAServerThatIsGoneUntilItsContextEnds(t *testing.T) {
	t.Setenv(pgtest.Variable, "") // One of its own, which can be stopped
	address, stop, err := pgtest.Start()
	if errors.Is(err, pgtest.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var logged bytes.Buffer
	s, err := postgres.Open(address, postgres.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Claim(t.Context(), storetest.Account); err != nil {
		t.Fatal(err)
	}
	put(t, s, "k")
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = s.Commit(ctx, []niobot.Change{niobot.Put("t", "k", nil)})
	wantFault(t, err, s, context.DeadlineExceeded, "")
	if _, _, err := s.Get(t.Context(), "t", "k"); err == nil {
		t.Error("Get from a server that is gone gives no error")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if !strings.Contains(logged.String(), "level=WARN") {
		t.Errorf("no warning is logged: %s", &logged)
	}
}

func TestSchemasAreApart(t *testing.T) {
	upgrades := dbutil.BuildUpgradeTable().WithRaw(0, 1, 1, "make a table", dbutil.TxnModeOn,
		func(ctx context.Context, db *dbutil.Database) error {
			_, err := db.Exec(ctx, "CREATE TABLE guest (n INTEGER PRIMARY KEY)")
			return err
		}).Finish()
	one, two := claimed(t, newSchema(t)), claimed(t, newSchema(t))
	put(t, one, "k")
	for _, s := range []*postgres.Store{one, two} {
		guest := s.Database().Child("guest_version", upgrades, nil)
		for range 2 {
			if err := guest.Upgrade(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := guest.Exec(t.Context(), "INSERT INTO guest (n) VALUES (1)"); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := two.Get(t.Context(), "t", "k"); ok || err != nil {
		t.Errorf("what one bot stores another sees: %v, %v", ok, err)
	}
}

func TestTheDatabaseWorksWhileThereIsAClaim(t *testing.T) {
	s := open(t, newSchema(t))
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
	}
}

func TestAServerThatCannotBeWrittenToIsReadOnly(t *testing.T) {
	schema := newSchema(t)
	s, err := postgres.Open(with(t, "default_transaction_read_only", "on"), postgres.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantFault(t, s.Claim(t.Context(), storetest.Account), s, niobot.ErrStoreReadOnly, "takes writes")
}

func TestAUserWithoutRightsIsToldSo(t *testing.T) {
	if os.Getenv(pgtest.Variable) != "" {
		t.Skip("it needs a server that lets every user in")
	}
	schema := newSchema(t)
	query(t, "CREATE ROLE norights LOGIN; REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
	t.Cleanup(func() { query(t, "DROP OWNED BY norights CASCADE; DROP ROLE norights") })
	s, err := postgres.Open(with(t, "user", "norights"), postgres.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantFault(t, s.Claim(t.Context(), storetest.Account), s, niobot.ErrStoreReadOnly, "create the schema")
	query(t, "CREATE SCHEMA "+schema+" AUTHORIZATION norights")
	if err := s.Claim(t.Context(), storetest.Account); err != nil {
		t.Errorf("in a schema of its own: %v", err)
	}
}

func TestAMissingDatabaseIsNamed(t *testing.T) {
	newSchema(t) // Skips where there is no server
	s, err := postgres.Open(with(t, "database", "niobot_missing"))
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.Claim(t.Context(), storetest.Account), s, nil, "niobot_missing")
}

func TestNoPasswordIsShown(t *testing.T) {
	const secret = "s3cr3t"
	for _, address := range []string{
		"postgres://bot:" + secret + "@127.0.0.1:1/db",
		"host=127.0.0.1 port=1 user=bot password=" + secret,
		"postgres://bot:" + secret + "%zz@127.0.0.1:1/db",
		"postgres://bot:" + secret + "@127.0.0.1:port/db",
		"host=127.0.0.1 port=x password=" + secret,
		"postgres://bot:" + secret + "@127.0.0.1:1/db?sslmode=wrong",
	} {
		s, err := postgres.Open(address)
		if err == nil {
			defer s.Close()
			if err = s.Claim(t.Context(), storetest.Account); err == nil {
				t.Errorf("%s can be claimed", address)
			}
			if text := fmt.Sprintf("%v %+v %s", s, s, s.String()); strings.Contains(text, secret) {
				t.Errorf("the store's name shows the password: %s", text)
			}
		}
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("error shows the password: %v", err)
		}
		var fault *niobot.StoreError
		if !errors.As(err, &fault) || fault.Cure == "" {
			t.Errorf("error %v names no cure", err)
		}
	}
}

func TestASchemaThatIsNoneIsRefused(t *testing.T) {
	for _, name := range []string{"", "Bot", "1bot", "pg_bot", "a-b", `a"b`, strings.Repeat("a", 64)} {
		if _, err := postgres.Open("postgres://localhost/db", postgres.WithSchema(name)); err == nil {
			t.Errorf("Open takes the schema %q", name)
		}
	}
}
