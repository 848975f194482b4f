package leak_test

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/niobot/niobot/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestFindWaits has a goroutine go on for longer than goleak waits by itself.
func TestFindWaits(t *testing.T) {
	ignored := goleak.IgnoreCurrent()
	gate := make(chan struct{})
	go leftover(gate)
	if err := goleak.Find(ignored); err == nil || !strings.Contains(err.Error(), "leftover") {
		t.Fatalf("goleak finds %v", err)
	}
	time.AfterFunc(time.Second, func() { close(gate) })
	leak.VerifyNone(t, ignored)
}

func leftover(gate <-chan struct{}) { <-gate }
