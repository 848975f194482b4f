// Package leak finds goroutines that a test has left behind. It is for tests alone.
package leak

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end: goleak's own half a second is short on a machine that is busy.
const patience = 30 * time.Second

// Find returns an error that names the goroutines which go on, beside those that the options ignore. Those that are about
// to end have up to 30 s.
func Find(options ...goleak.Option) error {
	for deadline := time.Now().Add(patience); ; {
		err := goleak.Find(options...) // It waits for a while itself.
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// VerifyNone fails the test where [Find] finds some.
func VerifyNone(t testing.TB, options ...goleak.Option) {
	t.Helper()
	if err := Find(options...); err != nil {
		t.Error(err)
	}
}

// Main runs a package's tests, and ends the process. It fails where they pass and [Find] finds some.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
