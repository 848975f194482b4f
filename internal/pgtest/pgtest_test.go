package pgtest_test

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/niobot/niobot/internal/pgtest"
)

func TestAServerIsStartedAndStopped(t *testing.T) {
	t.Setenv(pgtest.Variable, "")
	address, stop, err := pgtest.Start()
	if errors.Is(err, pgtest.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatalf("the server at %s can't be reached: %v", address, err)
	}
	c.Close()
	stop()
	if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after it was stopped its folder is there: %v", err)
	}
	if _, err := net.Dial("unix", socket); err == nil {
		t.Error("after it was stopped the server answers")
	}
}

func TestANamedServerIsUsedAsItIs(t *testing.T) {
	t.Setenv(pgtest.Variable, "postgres://example.org/db")
	address, stop, err := pgtest.Start()
	if err != nil || address != "postgres://example.org/db" {
		t.Fatalf("got %q, %v", address, err)
	}
	stop()
}
