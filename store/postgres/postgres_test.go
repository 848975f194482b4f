package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/internal/pgtest"
	"github.com/niobot/niobot/store/postgres"
	"github.com/niobot/niobot/store/storetest"
)

// server is the URL of the server of all tests; without one, noServer says why.
var (
	server   string
	noServer error
	schemas  atomic.Int64
)

func TestMain(m *testing.M) {
	storetest.Child(func(address string) (niobot.Store, error) {
		url, schema, _ := strings.Cut(address, " ")
		return postgres.Open(url, postgres.WithSchema(schema))
	})
	os.Exit(run(m))
}

func run(m *testing.M) int {
	url, stop, err := pgtest.Start()
	switch {
	case errors.Is(err, pgtest.ErrNone):
		noServer = err
	case err != nil:
		fmt.Fprintln(os.Stderr, "start a PostgreSQL server:", err)
		return 1
	default:
		defer stop()
	}
	server = url
	return m.Run()
}

// newSchema names a schema, and drops it when the test ends.
func newSchema(t testing.TB) string {
	t.Helper()
	if noServer != nil {
		t.Skip(noServer)
	}
	schema := fmt.Sprintf("niobot_test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() { query(t, "DROP SCHEMA IF EXISTS "+schema+" CASCADE") })
	return schema
}

// query runs statements outside of any store.
func query(t testing.TB, text string, args ...any) {
	t.Helper()
	// Not t.Context, which has ended when a cleanup runs.
	conn, err := pgx.Connect(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// queryf is query with a schema's name in the place of %s.
func queryf(t testing.TB, text, schema string, args ...any) {
	t.Helper()
	query(t, fmt.Sprintf(text, schema), args...)
}

// open gives a handle that is closed when the test ends.
func open(t testing.TB, schema string, options ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(server, append(options, postgres.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func claimed(t testing.TB, schema string, options ...postgres.Option) *postgres.Store {
	t.Helper()
	s := open(t, schema, options...)
	if err := s.Claim(t.Context(), storetest.Account); err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s niobot.Store, key string) {
	t.Helper()
	if err := s.Commit(t.Context(), []niobot.Change{niobot.Put("t", key, nil)}); err != nil {
		t.Fatal(err)
	}
}

// wantFault holds an error to name the store, its kind and a cure.
func wantFault(t *testing.T, err error, s niobot.Store, kind error, text string) {
	t.Helper()
	var fault *niobot.StoreError
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want a *niobot.StoreError", err)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("error %q is not %q", err, kind)
	}
	if fault.Store != s.String() || fault.Cure == "" || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q (cure %q) does not name %s, %q and a cure", err, fault.Cure, s, text)
	}
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		schema := newSchema(t)
		return storetest.Subject{
			Address: server + " " + schema,
			Open:    func(t testing.TB) niobot.Store { return open(t, schema) },
		}
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Benchmark(b, func(b *testing.B) storetest.Subject {
		schema := newSchema(b)
		return storetest.Subject{Open: func(t testing.TB) niobot.Store { return open(t, schema) }}
	})
}
