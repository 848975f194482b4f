package fakehs_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/niobot/niobot/internal/leak"
)

// TestMain checks that no server has left a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := leak.Find(); err != nil && code == 0 {
		os.Stderr.WriteString(err.Error())
		code = 1
	}
	os.Exit(code)
}
