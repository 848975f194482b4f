//go:build !goolm

package e2ee_test

import (
	"errors"
	"testing"

	"github.com/niobot/niobot/e2ee"
)

func TestStubSaysHowToBuild(t *testing.T) {
	e := e2ee.New(nil, e2ee.RecoveryKeyFile("recovery.key"))
	if err := e.Start(t.Context(), nil); !errors.Is(err, e2ee.ErrNotBuilt) {
		t.Errorf("got %v", err)
	}
	if err := e.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
